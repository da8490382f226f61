//! The `sitecustomize` that `pdm --pep582` puts on `PYTHONPATH`: it makes `__pypackages__/3.11/lib` of the script's
//! directory, the working directory or one above them a site directory before all others (pdm's
//! `pep582/sitecustomize.py`).

use super::customize::module_in;
use super::place::Place;
use super::predict::{Fatal, ImportOrigin, Question, Start};
use super::site::Site;
use crate::path::HostPath;

const SOURCE_LIMIT: usize = 64 << 10;

/// Does to the path what pdm's hook does where it is the one that site imports, and answers with its file.
pub(super) fn run(site: &mut Site) -> Result<Option<HostPath>, Fatal> {
    let place = site.place;
    let found = site.path.iter().find_map(|entry| Some((entry, module_in(place, entry, "sitecustomize")?)));
    let Some((entry, file)) = found.filter(|(_, file)| is_pdms(place, file)) else { return Ok(None) };
    let own = place.key(&place.absolute(entry.directory.as_bytes()));
    site.path.retain(|entry| place.key(entry.directory.as_bytes()) != own);
    let Some(library) = library(place, site.question) else { return Ok(Some(file)) };

    // the usual site directories and all that they added give way
    let (path, hooks) = (site.path.clone(), site.hook_count());
    add_usual(site)?;
    let usual = std::mem::take(&mut site.known);
    site.path = path;
    site.path.retain(|entry| !usual.contains(&place.key(entry.directory.as_bytes())));
    site.keep_hooks(hooks);

    site.add_nested_site_directory(&library, ImportOrigin::PyPackages)?;
    if site.question.variables.no_site_packages.as_deref().is_none_or(<[u8]>::is_empty) {
        let hooks = site.hook_count();
        add_usual(site)?;
        site.keep_hooks(hooks);
    }
    Ok(Some(file))
}

/// `site.addusersitepackages(set())` and `site.addsitepackages` with the same set.
fn add_usual(site: &mut Site) -> Result<(), Fatal> {
    site.forget();
    site.add_user_site()?;
    site.add_site_packages(&site.prefixes.clone())?;
    site.process()
}

fn is_pdms(place: &Place, file: &HostPath) -> bool {
    let source = || place.files.read(file, SOURCE_LIMIT).ok();
    file.parent().is_some_and(|directory| directory.name() == "pep582")
        && source().is_some_and(|source| {
            let text = source.text();
            text.contains("def get_pypackages_path") && text.contains("__pypackages__/{version}/lib")
        })
}

/// `get_pypackages_path`. Of `-c`, `-m` and their like `abspath(sys.argv[0])` lies in the working directory.
fn library(place: &Place, question: &Question) -> Option<Vec<u8>> {
    if let Some(packages) = &question.variables.pep582_packages {
        return Some(place.join(packages, "lib"));
    }
    let script = match &question.start {
        Start::Script { directory } => Some(directory.as_bytes().to_vec()),
        Start::Bundle { path } => Some(place.dirname(path.as_bytes())),
        Start::Command | Start::Module => None,
    };
    let version = question.build.version.to_string();
    let below = |directory: &[u8]| {
        let library = place.below(directory, &["__pypackages__", &version, "lib"]);
        place.exists(&library).then_some(library)
    };
    script.into_iter().chain(place.working_directory.clone()).find_map(|start| {
        let start = HostPath::new(place.flavour, start)?;
        std::iter::successors(Some(start), HostPath::parent).find_map(|above| below(above.as_bytes()))
    })
}
