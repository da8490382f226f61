//! Whose an environment is, by the place that it lies in.

use crate::collect::places::Places;
use crate::facts::fleet::Keeper;
use crate::host::Files;
use crate::path::HostPath;

/// The directories in which tools keep environments and Pythons.
pub struct Keepers {
    stores: Vec<(HostPath, Keeper)>,
}

impl Keepers {
    /// By their real paths; those that are not there are left out.
    pub fn of(files: &dyn Files, places: &Places) -> Keepers {
        let mut stores: Vec<(HostPath, Keeper)> = Vec::new();
        let mut add = |store: Option<HostPath>, keeper| {
            let real = store.and_then(|store| files.canonical(&store).ok());
            stores.extend(real.map(|store| (store, keeper)));
        };
        add(places.poetry_environments(), Keeper::Poetry);
        add(places.pipenv_environments(), Keeper::Pipenv);
        add(places.hatch_environments(), Keeper::Hatch);
        add(places.pdm_environments(), Keeper::Pdm);
        add(places.uv_tools(), Keeper::UvTool);
        add(places.uv_pythons(), Keeper::UvPython);
        add(places.pre_commit_cache(), Keeper::PreCommit);
        let workon = places.path("WORKON_HOME").or_else(|| places.in_home(".virtualenvs"));
        add(workon, Keeper::Virtualenvwrapper);
        add(places.pyenv_root().map(|root| root.join("versions")), Keeper::Pyenv);
        for store in places.pipx_environments() {
            add(Some(store), Keeper::Pipx);
        }
        for base in places.conda_bases() {
            add(Some(base), Keeper::Conda);
        }
        Keepers { stores }
    }

    /// The directories themselves.
    pub fn stores(&self) -> impl Iterator<Item = &HostPath> {
        self.stores.iter().map(|(store, _)| store)
    }

    /// Who keeps the environment at this place.
    pub fn keeper(&self, root: &HostPath) -> Option<Keeper> {
        let kept = self.stores.iter().filter(|(store, _)| root.is_within(store));
        let nearest = kept.max_by_key(|(store, _)| store.as_bytes().len()).map(|(_, keeper)| *keeper);
        nearest.or_else(|| {
            let mut above = root.components().rev().skip(1);
            above.find_map(|name| match name {
                b".tox" => Some(Keeper::Tox),
                b".nox" => Some(Keeper::Nox),
                _ => None,
            })
        })
    }
}
