//! A healthy situation: how it is built, what proves that it works, and what the doctor may say of it.

use std::collections::BTreeSet;
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::support::{self, Creator, Place, Python, findings, text};

const DOCTOR: &str = env!("CARGO_BIN_EXE_venv-doctor");

/// Prints the origin of every module that it is given.
const FIND: &str = "\
import importlib.util, json, sys
def origin(name):
    try:
        spec = importlib.util.find_spec(name)
    except ImportError:
        spec = None
    return spec.origin if spec else \"nowhere\"
print(json.dumps({name: origin(name) for name in sys.argv[1:]}))";

type Build = Box<dyn FnOnce(&mut Scene) + Send>;

pub struct Situation {
    name: String,
    /// Why it cannot be built here.
    missing: Option<String>,
    /// Whether it runs without `VENV_DOCTOR_FULL`.
    sampled: bool,
    /// Kept after the run, since it takes long to build.
    kept: bool,
    /// What it shares with others.
    base: Option<&'static str>,
    infos: Vec<Info>,
    build: Build,
}

/// An info that the situation justifies.
struct Info {
    check: &'static str,
    /// Whether it must be there.
    certain: bool,
}

impl Situation {
    pub fn new(name: impl Into<String>, build: impl FnOnce(&mut Scene) + Send + 'static) -> Situation {
        Situation {
            name: name.into(),
            missing: None,
            sampled: true,
            kept: false,
            base: None,
            // of every Python that gets no security fixes any more, the day decides which
            infos: vec![Info { check: "end-of-life-python", certain: false }],
            build: Box::new(build),
        }
    }

    /// The default run says this info, for this reason.
    pub fn says(mut self, check: &'static str, reason: &'static str) -> Situation {
        assert!(!reason.is_empty());
        self.infos.push(Info { check, certain: true });
        self
    }

    /// Says this info where nobody may be asked.
    pub fn may_say(mut self, check: &'static str) -> Situation {
        self.infos.push(Info { check, certain: false });
        self
    }

    /// Runs under `VENV_DOCTOR_FULL` alone.
    pub fn in_full(mut self) -> Situation {
        self.sampled = false;
        self
    }

    pub fn sampled(mut self, sampled: bool) -> Situation {
        self.sampled &= sampled;
        self
    }

    /// Cannot be built where this is missing.
    pub fn needs(mut self, what: &str, there: bool) -> Situation {
        if !there {
            self.missing.get_or_insert_with(|| what.to_owned());
        }
        self
    }

    /// Is built once, by `VENV_DOCTOR_FULL`, and examined again by every later run.
    pub fn kept(mut self) -> Situation {
        self.kept = true;
        let built = kept(&self.name).join("built").is_file();
        self.needs("what VENV_DOCTOR_FULL=1 builds", built || support::full())
    }

    /// Several situations share what is built under this name, and none changes it.
    pub fn sharing(mut self, base: &'static str) -> Situation {
        self.base = Some(base);
        self
    }

    pub fn is_chosen(&self) -> bool {
        self.sampled || support::full()
    }

    pub fn trial(self) -> Trial {
        let (name, missing) = (self.name.replace(' ', "_"), self.missing.is_some());
        Trial::test(name, move || self.examine().map_err(Failed::from)).with_ignored_flag(missing)
    }

    fn examine(self) -> Result<(), String> {
        let scene = match self.base {
            Some(base) => {
                // held from the look at what is there: nobody clears away what another is building
                static BUILDING: Mutex<()> = Mutex::new(());
                let _guard = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
                built(Scene::kept(base), self.build)
            }
            None if self.kept => built(Scene::kept(&self.name), self.build),
            None => built(Scene::new(Place::new()), self.build),
        };
        for line in &scene.works {
            let output = scene.shell_line(line);
            if !output.status.success() {
                return Err(format!(
                    "the test's own situation does not work: {line}\n{}{}",
                    text(&output.stdout),
                    text(&output.stderr)
                ));
            }
        }
        let report = scene.report(&[])?;
        judge(&report, &self.infos, true)?;
        let unasked = scene.report(&["--no-exec"])?;
        judge(&unasked, &self.infos, false).map_err(|error| format!("--no-exec: {error}"))?;
        scene.agrees(&scene.uncertain)?;
        scene.modules.iter().try_for_each(|module| scene.why(module))
    }
}

fn built(mut scene: Scene, build: Build) -> Scene {
    build(&mut scene);
    scene.finish();
    scene
}

/// Nothing but the infos that are allowed, and in the default run those that are certain.
fn judge(report: &Value, infos: &[Info], all: bool) -> Result<(), String> {
    let unjustified: Vec<String> = findings(report)
        .into_iter()
        .filter(|finding| !infos.iter().any(|info| *finding == format!("info {}", info.check)))
        .collect();
    if !unjustified.is_empty() {
        return Err(format!("nothing justifies\n{}\nin {}", said(report), report["patient"]));
    }
    let said: BTreeSet<String> = findings(report).into_iter().collect();
    let silent =
        infos.iter().find(|info| all && info.certain && !said.contains(&format!("info {}", info.check)));
    match silent {
        Some(info) => Err(format!("{} is justified here, and not said:\n{}", info.check, self::said(report))),
        None => Ok(()),
    }
}

fn said(report: &Value) -> String {
    let mut lines = Vec::new();
    for finding in report["findings"].as_array().into_iter().flatten() {
        lines.push(format!("{} {}: {}", finding["severity"], finding["check"], finding["message"]));
        let evidence = finding["evidence"].as_array().into_iter().flatten();
        lines.extend(evidence.map(|evidence| format!("    {}: {}", evidence["label"], evidence["value"])));
    }
    lines.join("\n")
}

/// What is kept of a situation.
fn kept(name: &str) -> PathBuf {
    store().join("situations").join(name.replace([' ', ':'], "_"))
}

/// What is kept between runs.
pub fn store() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("healthy");
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// The machine of a situation, and what is asked of it.
pub struct Scene {
    place: Place,
    /// Where the doctor is run from; the project by default.
    pub from: PathBuf,
    /// Command lines that succeed, since the situation is healthy.
    works: Vec<String>,
    /// Modules that `why` is asked about.
    modules: Vec<String>,
    /// Modules that need not be there.
    uncertain: Vec<String>,
    /// The shell's program and what was run in it before.
    shell: (&'static str, String),
    built: bool,
    directories: Vec<tempfile::TempDir>,
}

impl Deref for Scene {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

impl DerefMut for Scene {
    fn deref_mut(&mut self) -> &mut Place {
        &mut self.place
    }
}

impl Scene {
    fn new(place: Place) -> Scene {
        let from = place.project.clone();
        Scene {
            place,
            from,
            works: Vec::new(),
            modules: Vec::new(),
            uncertain: Vec::new(),
            shell: ("/bin/bash", String::new()),
            built: false,
            directories: Vec::new(),
        }
    }

    fn kept(name: &str) -> Scene {
        let root = kept(name);
        let built = root.join("built").is_file();
        if !built {
            let _ = fs::remove_dir_all(&root);
        }
        Scene { built, ..Scene::new(Place::at(&root)) }
    }

    /// What takes long, and is not done again where it was kept.
    pub fn once(&mut self, build: impl FnOnce(&mut Scene)) {
        if !self.built {
            build(self);
        }
    }

    fn finish(&self) {
        if self.root().starts_with(store()) {
            fs::write(self.root().join("built"), "").unwrap();
        }
    }

    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// [`Scene::venv`], which is not made again where it was kept. An interpreter that is gone is what the proof that the
    /// situation works finds.
    pub fn venv_once(&mut self, creator: Creator, python: &Python) -> PathBuf {
        let (creator, python) = (creator, python.clone());
        self.once(move |scene| drop(scene.venv(creator, &python)));
        if self.built {
            self.asks("sample");
        }
        self.project.join(".venv")
    }

    /// The environment of the project, with a package that the project needs and imports.
    pub fn venv(&mut self, creator: Creator, python: &Python) -> PathBuf {
        let venv = self.project.join(".venv");
        self.venv_at(&venv, creator, python);
        venv
    }

    pub fn venv_at(&mut self, venv: &Path, creator: Creator, python: &Python) {
        fs::create_dir_all(venv.parent().unwrap()).unwrap();
        creator.make(python, venv);
        self.furnish(venv, python);
    }

    /// Installs `sample` into an environment, and writes a project that needs it.
    pub fn furnish(&mut self, venv: &Path, python: &Python) {
        support::install(venv, python, "sample");
        support::entry_script(venv, "sample", "sample");
        self.write("requirements.txt", "sample\n");
        self.write("main.py", "import sample\nsample.main()\n");
        self.asks("sample");
    }

    /// This command line succeeds.
    pub fn works(&mut self, line: impl Into<String>) {
        self.works.push(line.into());
    }

    /// These succeed, and not what was said before.
    pub fn retell(&mut self, lines: &[&str]) {
        self.works = lines.iter().map(|line| (*line).to_owned()).collect();
    }

    /// Another directory that lives as long as the scene.
    pub fn keep(&mut self, directory: tempfile::TempDir) {
        self.directories.push(directory);
    }

    /// Nothing is asked of `why`: the shell's python is not the project's.
    pub fn forget(&mut self) {
        self.modules.clear();
    }

    /// `why` tells of this module what the shell's python tells.
    pub fn asks(&mut self, module: &str) {
        self.modules.push(module.to_owned());
    }

    /// The same, where `why` may also agree that it is not there.
    pub fn asks_of_either(&mut self, module: &str) {
        self.uncertain.push(module.to_owned());
    }

    pub fn path(&mut self, first: &[&Path]) {
        let first: Vec<String> = first.iter().map(|path| path.display().to_string()).collect();
        self.set("PATH", [&first[..], &["/usr/local/bin:/usr/bin:/bin".to_owned()]].concat().join(":"));
    }

    /// The doctor is run in this shell, after these lines.
    pub fn shell(&mut self, program: &'static str, lines: impl Into<String>) {
        self.shell = (program, lines.into());
        self.set("SHELL", program);
    }

    pub fn shell_line(&self, line: &str) -> Output {
        let (program, before) = &self.shell;
        // a last command alone would replace the shell
        let script =
            format!("{before}\n{line}\nexit {}", if program.ends_with("fish") { "$status" } else { "$?" });
        Command::new(program)
            .args(["-c", &script])
            .current_dir(&self.from)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn report(&self, arguments: &[&str]) -> Result<Value, String> {
        let output = self.shell_line(&format!("'{DOCTOR}' {} --format json", arguments.join(" ")));
        if !matches!(output.status.code(), Some(0 | 1)) {
            return Err(format!("trouble: {}{}", text(&output.stdout), text(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("no JSON ({error}): {}{}", text(&output.stdout), text(&output.stderr)))
    }

    /// `why` and the interpreter agree on where these modules are, or that they are nowhere.
    fn agrees(&self, modules: &[String]) -> Result<(), String> {
        if modules.is_empty() {
            return Ok(());
        }
        let output = self.shell_line(&format!("python -c '{FIND}' {}", modules.join(" ")));
        let real: Value = serde_json::from_slice(&output.stdout).map_err(|_| text(&output.stderr))?;
        for module in modules {
            let answer = self.report(&["why", module])?;
            let ours = match answer["outcome"].as_str() {
                Some("found") => answer["origin"].clone(),
                _ => Value::from("nowhere"),
            };
            if ours != real[module] {
                return Err(format!("why {module}: Python says {}, the doctor {ours}", real[module]));
            }
        }
        Ok(())
    }

    fn why(&self, module: &str) -> Result<(), String> {
        let answer = self.report(&["why", module])?;
        let program = format!("import importlib.util as u; print(u.find_spec(\"{module}\").origin)");
        let asked = ["python", "python3"]
            .map(|name| text(&self.shell_line(&format!("{name} -c '{program}'")).stdout));
        let real = asked.into_iter().find(|answer| !answer.is_empty()).unwrap_or_default().trim().to_owned();
        let ours = answer["origin"].as_str().unwrap_or("None");
        if answer["outcome"] != "found" || ours != real || !findings(&answer).is_empty() {
            return Err(format!("why {module}: Python says {real:?}, the doctor {answer:#}"));
        }
        Ok(())
    }
}

/// The newest patch release of a minor version, pyenv's own before the system's.
pub fn python(minor: &str) -> Option<Python> {
    support::pythons().into_iter().find(|python| python.minor == minor)
}

/// Debian's.
pub fn system() -> Option<Python> {
    support::pythons().into_iter().find(|python| python.path.starts_with("/usr"))
}

/// An interpreter that every creator makes environments for.
pub fn middle() -> Option<Python> {
    ["3.11", "3.12", "3.10", "3.13", "3.9"].into_iter().find_map(python)
}

pub fn there(path: &str) -> bool {
    Path::new(path).exists()
}
