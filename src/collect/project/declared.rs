//! What a project's files declare: its name, dependencies, Python and tools.

use std::collections::HashSet;

use toml::de::DeTable;

use super::root::{Place, is_requirements_file};
use super::tool_tables::always_wanted;
use super::tool_tables::{Dialect, at, optional_requirements, source, table_at, text_at, tool_requirement};
use crate::facts::project::{Declared, Dependency, Manager, ManagerKind, Project};
use crate::facts::requirement::{DeclaredRequirement, Purpose, Source};
use crate::host::Files;
use crate::parse::line_of;
use crate::parse::names::normalize_name;
use crate::parse::python_imports::STACK;
use crate::parse::requirements::{self, Line, Requirement};
use crate::parse::setup_py;
use crate::path::HostPath;

/// Requirements files that include each other are followed to so many files.
const REQUIREMENT_FILES: usize = 32;

/// So many dependencies are kept; nobody reads of more.
const DEPENDENCIES: usize = 2000;

/// So many versions may be pinned.
const PINS: usize = 20;

/// So much of a file that pins a version is read.
const PIN_SIZE: usize = 64 << 10;

/// Fills in what the files of the root declare.
pub fn read(
    files: &dyn Files,
    place: &Place,
    programs: &[String],
    project: &mut Project,
    notes: &mut Vec<String>,
) {
    let Some(root) = &place.root else { return };
    let mut declarations = Declarations {
        files,
        root,
        place,
        programs,
        project,
        notes,
        seen: HashSet::new(),
        dependencies_settled: false,
    };
    declarations.pyproject();
    declarations.setup_cfg();
    declarations.setup_py();
    declarations.pipfile();
    declarations.requirements();
    declarations.pins();
    declarations.manager_files();
}

struct Declarations<'a> {
    files: &'a dyn Files,
    root: &'a HostPath,
    place: &'a Place,
    programs: &'a [String],
    project: &'a mut Project,
    notes: &'a mut Vec<String>,
    /// Names of the dependencies that are known already.
    seen: HashSet<String>,
    /// `[project]` speaks for the dependencies, even where there are none.
    dependencies_settled: bool,
}

impl Declarations<'_> {
    fn lists(&self, name: &str) -> bool {
        self.place.listing.entries.iter().any(|entry| entry.name == name.as_bytes())
    }

    /// The text of a file of the root. TOML that is wrong throughout takes sixty times its size to read.
    fn text(&mut self, name: &str) -> Option<(HostPath, String)> {
        const LIMIT: usize = 256 << 10;
        if !self.lists(name) {
            return None;
        }
        let path = self.root.join(name);
        let contents = self.files.read(&path, LIMIT).ok()?;
        if contents.truncated() {
            self.notes.push(format!("only the first {} KiB of {path} were read", LIMIT >> 10));
        }
        Some((path, contents.text().into_owned()))
    }

    fn require_python(&mut self, text: &str, file: &HostPath, line: Option<usize>) {
        if self.project.requires_python.is_none() && !text.trim().is_empty() {
            let text = text.trim().to_owned();
            self.project.requires_python = Some(Declared { text, file: file.clone(), line });
        }
    }

    fn depend(&mut self, text: &str, file: &HostPath, line: Option<usize>) {
        let Some(requirement) = requirements::requirement(text) else { return };
        if !requirement.conditional {
            self.depend_on(requirement.name.clone(), file, line);
        }
        self.require(requirement, Purpose::Run, file, line);
    }

    fn require(&mut self, requirement: Requirement, purpose: Purpose, file: &HostPath, line: Option<usize>) {
        if self.project.requirements.len() < DEPENDENCIES {
            let Requirement { name, extras, specifier, marker, url, named_by_url, .. } = requirement;
            let source = url.map(|url| match (url.contains("://"), named_by_url) {
                (true, true) => Source::Egg(url),
                // a back end fills in `{root:uri}` and `${PROJECT_ROOT}`
                (true, false) if !url.contains('{') => Source::Url(url),
                _ => Source::Tool,
            });
            let file = file.clone();
            self.project.requirements.push(DeclaredRequirement {
                name,
                specifier,
                marker,
                extras,
                purpose,
                source,
                file,
                line,
            });
        }
    }

    /// Where a table of a tool says that requirements of these names come from.
    fn sources(&mut self, table: Option<&DeTable<'_>>) {
        for (name, value) in table.into_iter().flatten().take(DEPENDENCIES) {
            let Some(source) = source(value.get_ref(), self.root) else { continue };
            let name = normalize_name(name.get_ref());
            let named = self.project.requirements.iter_mut().filter(|it| it.name == name);
            named.for_each(|requirement| requirement.source = Some(source.clone()));
        }
    }

    fn depend_on(&mut self, name: String, file: &HostPath, line: Option<usize>) {
        let full = self.project.dependencies.len() >= DEPENDENCIES;
        if !full && self.seen.insert(name.clone()) {
            self.project.dependencies.push(Dependency { name, file: file.clone(), line });
        }
    }

    /// The first file that speaks for a tool is its evidence.
    fn manage(&mut self, kind: ManagerKind, evidence: HostPath) {
        if self.project.managers.iter().any(|manager| manager.kind == kind) {
            return;
        }
        let names: &[&str] = match kind {
            ManagerKind::Conda => &["conda", "mamba", "micromamba"],
            ManagerKind::PipTools => &["pip-compile", "pip-sync"],
            other => &[other.label()],
        };
        let available = self.programs.iter().any(|program| names.contains(&program.as_str()));
        self.project.managers.push(Manager { kind, evidence, available });
    }

    fn toml_note(&mut self, file: &HostPath, text: &str, error: &toml::de::Error) {
        let line = error.span().map(|span| line_of(text.as_bytes(), span.start));
        let place = line.map_or_else(|| file.to_string(), |line| format!("{file}:{line}"));
        self.notes.push(format!("{place} is not valid TOML: {}", error.message()));
    }

    /// The specification of `pyproject.toml` (packaging.python.org), and the tables of the tools.
    fn pyproject(&mut self) {
        // a lock file says more than a table does, so its tool comes first
        for (name, kind) in [
            ("uv.lock", ManagerKind::Uv),
            ("poetry.lock", ManagerKind::Poetry),
            ("pdm.lock", ManagerKind::Pdm),
        ] {
            if self.lists(name) {
                self.manage(kind, self.root.join(name));
            }
        }
        let Some((file, text)) = self.text("pyproject.toml") else { return };
        // what can be read of a broken file is read
        let (table, errors) = DeTable::parse_recoverable(&text);
        if let Some(error) = errors.first() {
            self.toml_note(&file, &text, error);
        }
        let table = table.get_ref();
        let line = |offset| Some(line_of(text.as_bytes(), offset));

        let name =
            text_at(table, &["project", "name"]).or_else(|| text_at(table, &["tool", "poetry", "name"]));
        self.project.name = name.map(|(name, _)| name.to_owned());
        if let Some((python, offset)) = text_at(table, &["project", "requires-python"])
            .or_else(|| text_at(table, &["tool", "poetry", "dependencies", "python"]))
        {
            self.require_python(python, &file, line(offset));
        }
        let dynamic = at(table, &["project", "dynamic"]).and_then(|list| list.get_ref().as_array());
        let is_dynamic = dynamic
            .is_some_and(|list| list.iter().any(|item| item.get_ref().as_str() == Some("dependencies")));
        self.dependencies_settled = table_at(table, &["project"]).is_some() && !is_dynamic;
        let dependencies = at(table, &["project", "dependencies"]).and_then(|list| list.get_ref().as_array());
        for item in dependencies.into_iter().flat_map(|list| list.iter()).take(DEPENDENCIES) {
            if let Some(text) = item.get_ref().as_str() {
                self.depend(text, &file, line(item.span().start));
            }
        }
        for (name, value) in
            table_at(table, &["tool", "poetry", "dependencies"]).into_iter().flatten().take(DEPENDENCIES)
        {
            if name.get_ref() == "python" {
                continue;
            }
            let name_text = normalize_name(name.get_ref());
            let line = line(name.span().start);
            let wanted = always_wanted(value.get_ref());
            if wanted {
                self.depend_on(name_text.clone(), &file, line);
            }
            let requirement = tool_requirement(name_text, value.get_ref(), Dialect::Poetry);
            self.require(requirement, if wanted { Purpose::Run } else { Purpose::Optional }, &file, line);
        }
        for (text, offset) in optional_requirements(table) {
            if let Some(requirement) = requirements::requirement(text) {
                self.require(requirement, Purpose::Optional, &file, line(offset));
            }
        }
        self.sources(table_at(table, &["tool", "uv", "sources"]));
        self.sources(table_at(table, &["tool", "poetry", "dependencies"]));
        self.sources(table_at(table, &["tool", "poetry", "dev-dependencies"]));
        for group in table_at(table, &["tool", "poetry", "group"]).into_iter().flat_map(|it| it.values()) {
            self.sources(group.get_ref().as_table().and_then(|group| table_at(group, &["dependencies"])));
        }

        let flag = |path: &[&str]| at(table, path).and_then(|value| value.get_ref().as_bool());
        let refused = flag(&["tool", "uv", "package"]) == Some(false)
            || flag(&["tool", "poetry", "package-mode"]) == Some(false);
        self.project.is_package = !refused
            && (table_at(table, &["build-system"]).is_some()
                || flag(&["tool", "uv", "package"]) == Some(true));

        // the back ends of uv, hatch and PDM have tables of those names too
        let configures = |tool: &str, back_end: &[&str]| {
            table_at(table, &["tool", tool]).is_some_and(|keys| {
                keys.is_empty() || keys.keys().any(|key| !back_end.contains(&key.get_ref().as_ref()))
            })
        };
        for (kind, tool, back_end) in [
            (ManagerKind::Uv, "uv", &["build-backend"][..]),
            (ManagerKind::Poetry, "poetry", &[]),
            (ManagerKind::Pdm, "pdm", &["build", "version"]),
            (ManagerKind::Hatch, "hatch", &["build", "version", "metadata"]),
            (ManagerKind::Pixi, "pixi", &[]),
            (ManagerKind::Tox, "tox", &[]),
        ] {
            if configures(tool, back_end) {
                self.manage(kind, file.clone());
            }
        }
    }

    /// setuptools' declarative configuration.
    fn setup_cfg(&mut self) {
        let Some((file, text)) = self.text("setup.cfg") else { return };
        for (line, section, key, value) in ini(&text) {
            match (section, key) {
                ("metadata", "name") if !value.is_empty() => {
                    self.project.name.get_or_insert_with(|| value.to_owned());
                    self.project.is_package = true;
                }
                ("options", "python_requires") => self.require_python(value, &file, Some(line)),
                ("options", "install_requires") => {
                    self.depend(value, &file, Some(line));
                }
                ("options.extras_require", _) => {
                    if let Some(requirement) = requirements::requirement(value) {
                        self.require(requirement, Purpose::Optional, &file, Some(line));
                    }
                }
                _ => {}
            }
        }
    }

    /// The literal arguments of `setup()`. Its dependencies count where nothing that comes before it declares any: the
    /// `[project]` table and `setup.cfg`, as setuptools has it, or the table of another tool.
    fn setup_py(&mut self) {
        let Some((file, text)) = self.text("setup.py") else { return };
        self.project.is_package = true;
        let call = std::thread::scope(|scope| {
            let reading = std::thread::Builder::new().stack_size(STACK);
            reading.spawn_scoped(scope, || setup_py::parse(&text)).ok()?.join().ok()
        });
        let Some(call) = call else { return };
        if let Some((line, text)) = &call.python_requires {
            self.require_python(text, &file, Some(*line));
        }
        if self.dependencies_settled || !self.project.requirements.is_empty() {
            return;
        }
        for (line, text) in call.install_requires.iter().take(DEPENDENCIES) {
            self.depend(text, &file, Some(*line));
        }
        for (line, extra, text) in call.extras_require.iter().take(DEPENDENCIES) {
            // an extra without a name, with a marker, is an old way to write a condition
            match extra.split_once(':') {
                Some(("", marker)) => self.depend(&format!("{text} ; {marker}"), &file, Some(*line)),
                _ => {
                    if let Some(requirement) = requirements::requirement(text) {
                        self.require(requirement, Purpose::Optional, &file, Some(*line));
                    }
                }
            }
        }
    }

    fn pipfile(&mut self) {
        let Some((file, text)) = self.text("Pipfile") else { return };
        self.manage(ManagerKind::Pipenv, file.clone());
        let (table, errors) = DeTable::parse_recoverable(&text);
        if let Some(error) = errors.first() {
            self.toml_note(&file, &text, error);
        }
        let table = table.get_ref();
        if let Some((python, offset)) = text_at(table, &["requires", "python_full_version"])
            .or_else(|| text_at(table, &["requires", "python_version"]))
        {
            self.require_python(python, &file, Some(line_of(text.as_bytes(), offset)));
        }
        for (name, value) in table_at(table, &["packages"]).into_iter().flatten().take(DEPENDENCIES) {
            let line = Some(line_of(text.as_bytes(), name.span().start));
            let wanted = always_wanted(value.get_ref());
            let requirement =
                tool_requirement(normalize_name(name.get_ref()), value.get_ref(), Dialect::Pipenv);
            if wanted {
                self.depend_on(requirement.name.clone(), &file, line);
            }
            self.require(requirement, if wanted { Purpose::Run } else { Purpose::Optional }, &file, line);
        }
        for (name, value) in table_at(table, &["dev-packages"]).into_iter().flatten().take(DEPENDENCIES) {
            let line = Some(line_of(text.as_bytes(), name.span().start));
            let requirement =
                tool_requirement(normalize_name(name.get_ref()), value.get_ref(), Dialect::Pipenv);
            self.require(requirement, Purpose::Optional, &file, line);
        }
        self.sources(table_at(table, &["packages"]));
        self.sources(table_at(table, &["dev-packages"]));
    }

    /// `requirements.txt` and what it includes; without one, its like. Files for other purposes
    /// (`requirements-dev.txt`) are known and not read: nothing says that they must be installed.
    fn requirements(&mut self) {
        let names = self.place.listing.entries.iter().filter(|entry| is_requirements_file(&entry.name));
        let mut known: Vec<HostPath> = names.map(|entry| self.root.join(&entry.name)).collect();
        if self.lists("requirements") {
            let directory = self.root.join("requirements");
            let listing = self.files.list(&directory).unwrap_or_default();
            let names = listing.entries.iter().map(|entry| &entry.name);
            known.extend(
                names
                    .filter(|name| name.ends_with(b".txt") || name.ends_with(b".in"))
                    .map(|name| directory.join(name)),
            );
        }
        let first = [
            "requirements.txt",
            "requirements.in",
            "requirements/requirements.txt",
            "requirements/base.txt",
            "requirements/common.txt",
            "requirements/main.txt",
            "requirements/prod.txt",
            "requirements/production.txt",
        ]
        .iter()
        .map(|name| self.root.join(name))
        .find(|path| known.iter().any(|file| file.same_as(path)));
        if self.lists("requirements.in") {
            self.manage(ManagerKind::PipTools, self.root.join("requirements.in"));
        }
        self.project.requirement_files = known;

        let mut waiting: Vec<(HostPath, Purpose)> =
            first.into_iter().map(|file| (file, Purpose::Run)).collect();
        let mut read: Vec<HostPath> = Vec::new();
        while let Some((file, purpose)) = waiting.pop() {
            if read.len() == REQUIREMENT_FILES || read.contains(&file) {
                continue;
            }
            read.push(file.clone());
            waiting.extend(self.requirements_of(&file, purpose));
        }
        // files for other purposes tell what may be left out
        let others: Vec<HostPath> =
            self.project.requirement_files.iter().filter(|file| !read.contains(file)).cloned().collect();
        for file in others.into_iter().take(REQUIREMENT_FILES) {
            self.requirements_of(&file, Purpose::Optional);
        }
    }

    /// Reads one requirements file; the files that it names, and for what.
    fn requirements_of(&mut self, file: &HostPath, purpose: Purpose) -> Vec<(HostPath, Purpose)> {
        let mut named = Vec::new();
        let Some(text) = self.files.text(file) else { return named };
        let beside =
            |name: &str| Some(file.parent()?.join(name).normalized()).filter(|_| !name.contains("://"));
        for (line, content) in requirements::file(text.trim_start_matches('\u{feff}')) {
            match content {
                Line::Requirement(requirement) => {
                    if purpose == Purpose::Run && !requirement.conditional {
                        self.depend_on(requirement.name.clone(), file, Some(line));
                    }
                    self.require(requirement, purpose, file, Some(line));
                }
                Line::Include(name) => named.extend(beside(&name).map(|path| (path, purpose))),
                Line::Constrain(name) => {
                    named.extend(beside(&name).map(|path| (path, Purpose::Constraint)));
                }
            }
        }
        named
    }

    /// The nearest `.python-version` (pyenv, uv: the first word of each line), `.tool-versions` (asdf, mise)
    /// and `mise.toml`, upwards from the directory that was asked about.
    fn pins(&mut self) {
        let nearest = |name: &str| {
            let mut levels = self.place.start.ancestors().map(|level| level.join(name));
            levels.find_map(|file| {
                let contents = self.files.read(&file, PIN_SIZE).ok()?;
                Some((file, contents.text().into_owned()))
            })
        };
        let mut pins = Vec::new();
        if let Some((file, text)) = nearest(".python-version") {
            for (line, number) in text.lines().zip(1..) {
                let word = line.split_whitespace().next().filter(|word| !word.starts_with('#'));
                pins.extend(word.map(|word| Declared {
                    text: word.into(),
                    file: file.clone(),
                    line: Some(number),
                }));
            }
        }
        if let Some((file, text)) = nearest(".tool-versions") {
            for (line, number) in text.lines().zip(1..) {
                let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
                if words.next() == Some("python") {
                    pins.extend(words.map(|word| Declared {
                        text: word.into(),
                        file: file.clone(),
                        line: Some(number),
                    }));
                }
            }
        }
        for name in ["mise.toml", ".mise.toml"] {
            if let Some((file, text)) = nearest(name)
                && let (table, _) = DeTable::parse_recoverable(&text)
                && let Some((version, offset)) = text_at(table.get_ref(), &["tools", "python"])
            {
                pins.push(Declared {
                    text: version.into(),
                    line: Some(line_of(text.as_bytes(), offset)),
                    file,
                });
            }
        }
        pins.truncate(PINS);
        self.project.pins = pins;
    }

    fn manager_files(&mut self) {
        for (name, kind) in [
            ("Pipfile.lock", ManagerKind::Pipenv),
            (".pdm-python", ManagerKind::Pdm),
            (".pdm.toml", ManagerKind::Pdm),
            ("pdm.toml", ManagerKind::Pdm),
            ("uv.toml", ManagerKind::Uv),
            ("hatch.toml", ManagerKind::Hatch),
            ("environment.yml", ManagerKind::Conda),
            ("environment.yaml", ManagerKind::Conda),
            ("pixi.toml", ManagerKind::Pixi),
            ("tox.ini", ManagerKind::Tox),
            ("tox.toml", ManagerKind::Tox),
            ("noxfile.py", ManagerKind::Nox),
        ] {
            if self.lists(name) {
                self.manage(kind, self.root.join(name));
            }
        }
        // the members of a uv workspace share the lock file of its root
        let ceiling = self.place.ceiling.as_ref();
        let above =
            self.root.ancestors().skip(1).take_while(|level| ceiling.is_some_and(|top| level.is_within(top)));
        if self.lists("pyproject.toml")
            && let Some(lock) = above.map(|level| level.join("uv.lock")).find(|lock| self.files.is_file(lock))
        {
            self.manage(ManagerKind::Uv, lock);
        }
    }
}

/// The values of a `configparser` file, each line of a value on its own: line number, section, key, text.
fn ini(text: &str) -> Vec<(usize, &str, &str, &str)> {
    let mut values = Vec::new();
    let (mut section, mut key) = ("", "");
    for (line, number) in text.lines().zip(1..) {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            values.push((number, section, key, content));
        } else if let Some(name) = content.strip_prefix('[') {
            (section, key) = (name.split(']').next().unwrap_or_default(), "");
        } else if let Some((name, value)) = content.split_once(['=', ':']) {
            key = name.trim_end();
            values.push((number, section, key, value.trim_start()));
        }
    }
    values
}
