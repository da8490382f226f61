//! What is compared for one interpreter.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use venv_doctor::facts::platform::User;
use venv_doctor::host::real::{RealFiles, from_std};
use venv_doctor::imports::{self, Flags, Outcome, Question, Start, Variables};

use super::environments::{self, Subject};
use super::pth::{self, Random};
use super::real::{self, Interpreter, Run, Tools};

#[derive(Default)]
pub struct Tally {
    pub compared: usize,
    pub fatal: usize,
    pub disagreements: Vec<String>,
    pub not_run: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.compared += other.compared;
        self.fatal += other.fatal;
        self.disagreements.extend(other.disagreements);
        self.not_run.extend(other.not_run);
    }
}

/// In a normal run one of about so many combinations is compared, always the same ones.
const GRID_SAMPLE: usize = 90;
const CONFIG_SAMPLE: usize = 4;

pub struct Scenarios<'a> {
    root: PathBuf,
    interpreter: &'a Interpreter,
    tools: &'a Tools,
    full: bool,
    script: PathBuf,
    work: PathBuf,
    user: User,
    sample: Random,
    pub tally: Tally,
}

type Setting = Vec<(&'static str, OsString)>;

impl<'a> Scenarios<'a> {
    pub fn new(root: PathBuf, interpreter: &'a Interpreter, tools: &'a Tools, full: bool) -> Self {
        let work = root.join("work");
        for directory in ["work/pp", "work/x1", "scripts", "home", "home with user site", "user base"] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        std::fs::create_dir_all(root.join("other site")).unwrap();
        std::fs::write(root.join("other site/site.py"), "").unwrap();
        let script = root.join("scripts/probe.py");
        std::fs::write(&script, real::PROBE).unwrap();
        let home = real::password_home().and_then(|home| from_std(&home));
        let user = User { home, ..User::default() };
        let tally = Tally::default();
        Scenarios { root, interpreter, tools, full, script, work, user, sample: Random::new(1), tally }
    }

    pub fn run(&mut self) {
        let (interpreter, tools) = (self.interpreter, self.tools);
        let mut not_run = Vec::new();
        let subjects = environments::subjects(&self.root, interpreter, tools, &mut not_run);
        self.tally.not_run = not_run;
        self.fill_user_site("home with user site/.local");
        self.fill_user_site("user base");
        self.grid(&subjects);
        if interpreter.version >= (3, 3) {
            self.configs();
            self.pth_files();
            self.import_lines();
            if !interpreter.pypy {
                self.failing_lines();
            }
            self.underscore_pth();
        } else if let Some(subject) = subjects.iter().find(|subject| subject.label == "virtualenv") {
            self.pth_files_of(subject.executable.clone());
        }
    }

    fn versioned(&self) -> String {
        let (major, minor) = self.interpreter.version;
        format!("{}{major}.{minor}", if self.interpreter.pypy { "pypy" } else { "python" })
    }

    fn fill_user_site(&self, base: &str) {
        let directory = self.root.join(base).join("lib").join(self.versioned()).join("site-packages");
        std::fs::create_dir_all(&directory).unwrap();
        let line = self.root.join("work/x1");
        std::fs::write(directory.join("user.pth"), real::bytes(&line)).unwrap();
    }

    fn flag_sets(&self) -> Vec<&'static [&'static str]> {
        let mut sets: Vec<&[&str]> = vec![&[], &["-E"], &["-s"], &["-S"], &["-E", "-S"]];
        if self.interpreter.version >= (3, 4) {
            sets.extend([&["-I"][..], &["-I", "-S"]]);
        }
        if self.interpreter.version >= (3, 11) {
            sets.push(&["-P"]);
        }
        sets
    }

    fn settings(&self, subject: &Path) -> Vec<Setting> {
        let path = |name: &str| self.root.join(name).into_os_string();
        let one = |name: &'static str, value: OsString| vec![(name, value)];
        let text = |name: &'static str, value: &str| vec![(name, OsString::from(value))];
        let mut list = path("work/pp");
        list.push("::pp:");
        list.push(path("work/x1"));
        list.push(":");
        let mut doubled = path("work/x1");
        doubled.push("/../pp//:/");
        doubled.push(path("work/pp"));
        let bin = subject.parent().unwrap();
        let base = self.interpreter.path.canonicalize().unwrap();
        let base = base.parent().and_then(Path::parent).unwrap().as_os_str().to_owned();
        let mut two_homes = base.clone();
        two_homes.push(":");
        two_homes.push(&base);
        let second_home = [OsString::new(), base.clone()].join(":".as_ref());
        let first_home = [base.clone(), OsString::new()].join(":".as_ref());
        let with = |end: &str| {
            let mut path = base.clone();
            path.push(end);
            path
        };
        let (slashed, library) = (with("/"), with("/lib"));
        let slashed_homes = [slashed.as_os_str(), slashed.as_os_str()].join(":".as_ref());
        let own = bin.with_file_name(format!("lib/{}/site-packages", self.versioned()));
        vec![
            vec![],
            one("PYTHONPATH", path("work/pp")),
            one("PYTHONPATH", list),
            one("PYTHONPATH", doubled),
            one("PYTHONPATH", own.into_os_string()),
            text("PYTHONPATH", ""),
            text("PYTHONPATH", ":"),
            text("PYTHONPATH", "pp:../work:~/x:/gone:/gone/"),
            one("PYTHONPATH", path("other site")),
            text("PYTHONNOUSERSITE", "1"),
            text("PYTHONNOUSERSITE", "0"),
            text("PYTHONNOUSERSITE", "x"),
            text("PYTHONNOUSERSITE", " +00"),
            text("PYTHONSAFEPATH", "0"),
            text("PYTHONSAFEPATH", ""),
            one("PYTHONUSERBASE", path("user base")),
            text("PYTHONUSERBASE", "../user base/"),
            text("PYTHONUSERBASE", ""),
            text("PYTHONPLATLIBDIR", "lib64"),
            text("PYTHONPLATLIBDIR", "lib"),
            text("PYTHONPLATLIBDIR", "../lib"),
            text("PYTHONPLATLIBDIR", "lib/."),
            one("PYTHONPLATLIBDIR", library),
            one("PYTHONHOME", slashed),
            one("PYTHONHOME", slashed_homes),
            one("PYTHONHOME", second_home),
            one("PYTHONHOME", first_home),
            one("PYTHONHOME", base),
            one("PYTHONHOME", two_homes),
            one("PYTHONHOME", bin.parent().unwrap().as_os_str().to_owned()),
            text("PYTHONHOME", "/nonexistent"),
            text("PYTHONHOME", ""),
            vec![
                ("PYTHONPATH", path("work/pp")),
                ("PYTHONNOUSERSITE", "1".into()),
                ("PYTHONSAFEPATH", "1".into()),
            ],
            one("PYTHONEXECUTABLE", bin.join("python3").into_os_string()),
            one("__PYVENV_LAUNCHER__", path("work/bin/python")),
        ]
    }

    /// Every subject with every flag, setting, home and way of starting.
    fn grid(&mut self, subjects: &[Subject]) {
        let homes: [Option<OsString>; 5] = [
            Some(self.root.join("home with user site").into()),
            Some(self.root.join("home").into()),
            Some("../home with user site/".into()),
            Some("".into()),
            None,
        ];
        for subject in subjects {
            let settings = self.settings(&subject.executable);
            for flags in self.flag_sets() {
                for (index, setting) in settings.iter().enumerate() {
                    for (home_index, home) in homes.iter().enumerate() {
                        // The odd homes matter to the user site alone.
                        if home_index > 1 && index > 0 {
                            continue;
                        }
                        let mut setting = setting.clone();
                        setting.extend(home.clone().map(|home| ("HOME", home)));
                        let script = !(index + home_index + flags.len()).is_multiple_of(3);
                        self.sampled(
                            GRID_SAMPLE,
                            &subject.label,
                            &subject.executable,
                            flags,
                            &setting,
                            script,
                        );
                    }
                }
            }
        }
    }

    /// `pyvenv.cfg` in every spelling that a parser may take its own way.
    fn configs(&mut self) {
        for options in [&[][..], &["--copies"]] {
            let target = self.root.join(format!("config{}", options.concat()));
            let Some(python) = environments::venv(self.interpreter, &target, options) else { continue };
            let file = target.join("pyvenv.cfg");
            let original = std::fs::read_to_string(&file).unwrap();
            let home = original.lines().find_map(|line| line.strip_prefix("home = ")).unwrap().to_owned();
            let other = self.root.join("links").to_string_lossy().into_owned();
            for (name, contents) in config_variants(&home, &other) {
                drop(std::fs::remove_dir(&file));
                drop(std::fs::remove_file(&file));
                match contents {
                    Some(contents) => std::fs::write(&file, contents).unwrap(),
                    None => std::fs::create_dir(&file).unwrap(),
                }
                let label = format!("pyvenv.cfg {options:?}: {name}");
                let setting = vec![("HOME", self.root.join("home with user site").into_os_string())];
                let mut with_home = setting.clone();
                with_home.push(("PYTHONHOME", self.root.join("gone").into_os_string()));
                self.sampled(CONFIG_SAMPLE, &label, &python, &[], &setting, true);
                self.sampled(CONFIG_SAMPLE, &label, &python, &["-S"], &setting, true);
                self.sampled(CONFIG_SAMPLE * 4, &label, &python, &[], &with_home, true);
            }
        }
    }

    fn pth_files(&mut self) {
        let python =
            environments::venv(self.interpreter, &self.root.join("pth"), &["--system-site-packages"]);
        if let Some(python) = python {
            self.pth_files_of(python);
        }
    }

    fn pth_files_of(&mut self, python: PathBuf) {
        let rounds = if self.full { 60 } else { 6 };
        let library = format!("lib/{}/site-packages", self.versioned());
        let site_packages = python.parent().unwrap().with_file_name(&library);
        let home = self.root.join("pth home");
        let user_site = home.join(".local").join(&library);
        for round in 0..rounds {
            let mut random = Random::new(round * 1000 + 7);
            for directory in [&site_packages, &user_site] {
                drop(std::fs::remove_dir_all(directory));
                std::fs::create_dir_all(directory).unwrap();
                pth::fill(directory, &self.root.join("scratch"), &mut random);
            }
            let plain = vec![("HOME", home.clone().into_os_string())];
            let mut listed = plain.clone();
            listed.push(("PYTHONPATH", site_packages.clone().into_os_string()));
            let label = format!("random .pth files, round {round}");
            for (flags, setting) in [(&[][..], &plain), (&["-s"], &plain), (&[], &listed)] {
                self.sampled(1, &label, &python, flags, setting, true);
            }
        }
    }

    /// `import` lines whose effect is known: setuptools' finder with namespaces, uv's overlay.
    fn import_lines(&mut self) {
        let root = self.root.join("import lines");
        let Some(python) = environments::venv(self.interpreter, &root, &[]) else { return };
        let site_packages = root.join(format!("lib/{}/site-packages", self.versioned()));
        let overlay = self.root.join("overlay");
        std::fs::create_dir_all(&overlay).unwrap();
        std::fs::write(overlay.join("inner.pth"), real::bytes(&self.work)).unwrap();
        let module = "__editable___x_1_finder";
        let files = [
            ("__editable__.x-1.pth", format!("import {module}; {module}.install()")),
            ("__editable___x_1_finder.py", FINDER.to_owned()),
            ("_uv_ephemeral_overlay.pth", format!("import site; site.addsitedir(\"{}\")", overlay.display())),
            ("z.pth", self.work.join("x1").display().to_string()),
        ];
        for (name, contents) in files {
            std::fs::write(site_packages.join(name), contents).unwrap();
            let setting = vec![("HOME", self.root.join("home").into_os_string())];
            self.sampled(1, &format!("import lines up to {name}"), &python, &[], &setting, true);
            let listed = vec![("PYTHONPATH", overlay.clone().into_os_string())];
            self.sampled(1, &format!("import lines up to {name}"), &python, &[], &listed, false);
        }
    }

    /// `import` lines that raise: until 3.14 the rest of their file is left, unless a second pass finds what they
    /// import.
    fn failing_lines(&mut self) {
        let root = self.root.join("failing lines");
        let Some(python) = environments::venv(self.interpreter, &root, &[]) else { return };
        let site_packages = root.join(format!("lib/{}/site-packages", self.versioned()));
        let later = self.root.join("later");
        std::fs::create_dir_all(&later).unwrap();
        std::fs::write(later.join("found_later.py"), "").unwrap();
        let files = [
            ("a.pth", format!("import nowhere\n{}\n", self.work.display())),
            ("b.pth", format!("import sys, found_later\n{}\n", self.work.join("x1").display())),
            ("c.pth", later.display().to_string()),
        ];
        for (name, contents) in files {
            std::fs::write(site_packages.join(name), contents).unwrap();
            let setting = vec![("HOME", self.root.join("home").into_os_string())];
            self.sampled(1, &format!("failing lines up to {name}"), &python, &[], &setting, true);
        }
    }

    /// A `._pth` file beside the executable: it counts from 3.11 on, and before it is nothing.
    fn underscore_pth(&mut self) {
        let root = self.root.join("underscore");
        // one with a user site, which the file leaves as it is
        let options = ["--copies", "--system-site-packages"];
        let Some(python) = environments::venv(self.interpreter, &root, &options) else { return };
        let library = self.interpreter.path.canonicalize().unwrap();
        let library = library.parent().unwrap().join("../lib").join(self.versioned());
        let library = library.to_string_lossy();
        let setting = vec![("HOME", self.root.join("home with user site").into_os_string())];
        let listed = vec![("PYTHONPATH", self.work.clone().into_os_string())];
        for (name, contents) in [
            ("without site", format!("{library}\n{library}/lib-dynload # x\n\n..\nrel/x\n")),
            ("with site", format!("{library}\n{library}/lib-dynload\n. # x\nimport site\n")),
            ("other import", format!("# x\n{library}\r\nimport sys\n")),
            ("no library", "..\n".to_owned()),
            ("empty", String::new()),
        ] {
            std::fs::write(root.join("bin/python._pth"), contents).unwrap();
            let label = format!("._pth {name}");
            for (flags, setting) in [(&[][..], &setting), (&["-s"], &listed), (&["-S"], &setting)] {
                self.sampled(1, &label, &python, flags, setting, true);
                self.sampled(1, &label, &python, flags, setting, false);
            }
        }
    }

    fn sampled(
        &mut self,
        every: usize,
        label: &str,
        executable: &Path,
        flags: &[&str],
        setting: &[(&'static str, OsString)],
        script: bool,
    ) {
        if self.full || self.sample.below(every) == 0 {
            self.compare(label, executable, flags, setting, script);
        }
    }

    fn compare(
        &mut self,
        label: &str,
        executable: &Path,
        flags: &[&str],
        setting: &[(&'static str, OsString)],
        script: bool,
    ) {
        let mut variables = vec![("PATH", "/usr/bin:/bin".into()), ("LANG", "C.UTF-8".into())];
        variables.push(("PYTHONDONTWRITEBYTECODE", "1".into()));
        variables.extend(setting.iter().cloned());
        let run = Run {
            executable,
            flags,
            variables: &variables,
            directory: &self.work,
            script: script.then_some(self.script.as_path()),
        };
        let reported = real::ask(&run);
        let predicted = self.predict(executable, flags, setting, script);
        self.tally.compared += 1;
        let complaint = match (&reported, &predicted) {
            (_, Err(why)) => Some(format!("not identified: {why}")),
            (Ok(reported), Ok(prediction)) => {
                let comparison = imports::compare(prediction, reported);
                let outcome = &prediction.outcome;
                (!comparison.agrees).then(|| {
                    format!(
                        "{outcome:?}\n  predicted {:?}\n  reported  {:?}\n  {:?}",
                        prediction
                            .path()
                            .iter()
                            .map(|entry| String::from_utf8_lossy(entry))
                            .collect::<Vec<_>>(),
                        reported.path,
                        comparison.differences
                    )
                })
            }
            (Err(said), Ok(prediction)) => match prediction.outcome {
                Outcome::Starts => Some(format!("it does not start: {said}")),
                Outcome::Fatal { .. } => {
                    self.tally.fatal += 1;
                    None
                }
            },
        };
        if let Some(complaint) = complaint {
            let label = format!("{} {label} {flags:?} {setting:?}", self.interpreter.label);
            self.tally.disagreements.push(format!("{label}\n  {complaint}"));
        }
    }

    fn predict(
        &self,
        executable: &Path,
        flags: &[&str],
        setting: &[(&'static str, OsString)],
        script: bool,
    ) -> Result<imports::Prediction, String> {
        let executable = from_std(executable).unwrap();
        let build = imports::identify(&RealFiles, &executable).map_err(|error| error.to_string())?;
        let variables = Variables::from_lookup(|name| {
            setting
                .iter()
                .rev()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| real::bytes(Path::new(value)).to_vec())
        });
        let directory = from_std(self.script.parent().unwrap()).unwrap();
        let question = Question {
            executable,
            build: &build,
            variables: &variables,
            flags: Flags {
                isolated: flags.contains(&"-I"),
                ignore_environment: flags.contains(&"-E"),
                no_user_site: flags.contains(&"-s"),
                no_site: flags.contains(&"-S"),
                safe_path: flags.contains(&"-P"),
            },
            start: if script { Start::Script { directory } } else { Start::Command },
            working_directory: from_std(&self.work),
            user: &self.user,
        };
        Ok(imports::predict(&RealFiles, &question))
    }
}

/// What setuptools writes for an editable installation, as far as the path is concerned.
const FINDER: &str = r#"
import sys
NAME = '__editable__.x-1.finder'
NAMESPACES = {'a': ['/source/a']}
PATH_PLACEHOLDER = '__editable__.x-1.finder' + ".__path_hook__"

def install():
    if PATH_PLACEHOLDER not in sys.path:
        sys.path.append(PATH_PLACEHOLDER)
"#;

/// The variants' names and contents; None: a directory of that name.
fn config_variants(home: &str, other: &str) -> Vec<(&'static str, Option<Vec<u8>>)> {
    let isolated = "include-system-site-packages = false\n";
    let plain = format!("home = {home}\n{isolated}");
    let padding = "x".repeat(33_000);
    let long_line = "x".repeat(9_000);
    let variants: Vec<(&str, String)> = vec![
        ("as usual", plain.clone()),
        ("home=", format!("home={home}\n{isolated}")),
        ("home= ", format!("home= {home}\n{isolated}")),
        ("HOME", format!("HOME = {home}\n{isolated}")),
        ("leading blanks", format!("   home = {home}\n{isolated}")),
        ("tabs", format!("home\t=\t{home}\n{isolated}")),
        ("two blanks", format!("home =  {home}\n{isolated}")),
        ("trailing blanks", format!("home = {home}   \n{isolated}")),
        ("CRLF", plain.replace('\n', "\r\n")),
        ("no final line end", format!("{isolated}home = {home}")),
        ("byte order mark", format!("\u{feff}{plain}")),
        ("sections", format!("[base]\nexecutable = x\n[a]\n{plain}")),
        ("only sections", format!("[base]\nexecutable = {home}/python3\n")),
        ("comment first", format!("# home = /nonexistent\n{plain}")),
        ("two homes, good first", format!("home = {home}\nhome = /nonexistent/bin\n{isolated}")),
        ("two homes, bad first", format!("home = /nonexistent/bin\nhome = {home}\n{isolated}")),
        ("no home", isolated.to_owned()),
        ("empty", String::new()),
        ("empty home", format!("home = \n{isolated}")),
        ("quoted home", format!("home = \"{home}\"\n{isolated}")),
        ("home is a file", format!("home = {home}/python3\n{isolated}")),
        ("home is gone", format!("home = /nonexistent/bin\n{isolated}")),
        ("relative home", format!("home = ../nothing\n{isolated}")),
        ("home with ~", format!("home = ~/bin\n{isolated}")),
        ("home is the prefix", format!("home = {}\n{isolated}", home.trim_end_matches("/bin"))),
        ("trailing slash", format!("home = {home}/\n{isolated}")),
        ("another directory", format!("home = {other}\n{isolated}")),
        ("TRUE", format!("home = {home}\ninclude-system-site-packages = TRUE\n")),
        ("1", format!("home = {home}\ninclude-system-site-packages = 1\n")),
        ("quoted true", format!("home = {home}\ninclude-system-site-packages = \"true\"\n")),
        ("missing key", format!("home = {home}\n")),
        ("true, then false", format!("home = {home}\ninclude-system-site-packages = true\n{isolated}")),
        ("underscores", format!("home = {home}\ninclude_system_site_packages = true\n")),
        ("33 KB", format!("{plain}# {padding}\n")),
        ("33 KB, home last", format!("# {padding}\n{plain}")),
        ("a long line", format!("# {long_line}\n{plain}")),
        ("NUL", format!("a\0b\n{plain}")),
        ("wrong version", format!("{plain}version = 9.9.9\n")),
    ];
    let mut variants: Vec<_> =
        variants.into_iter().map(|(name, text)| (name, Some(text.into_bytes()))).collect();
    variants.push(("not UTF-8", Some([plain.as_bytes(), b"# caf\xe9\n"].concat())));
    variants.push(("a directory", None));
    variants
}
