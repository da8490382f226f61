//! The cases, and the tables of what they took.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::environments::{Cache, Project};

const DOCTOR: &str = env!("CARGO_BIN_EXE_venv-doctor");
/// What needs no package metadata.
const SHELL: &str = "interpreter,relocation,activation";

/// Commands that are compared: the first is what the others are measured by.
struct Case {
    title: &'static str,
    rows: Vec<Row>,
}

struct Row {
    label: String,
    words: Vec<String>,
    /// At most so many times what the reference takes.
    goal: Option<f64>,
    times: Vec<Duration>,
}

impl Case {
    fn new(title: &'static str) -> Case {
        Case { title, rows: Vec::new() }
    }

    fn row(mut self, words: &[&str], goal: Option<f64>) -> Case {
        let name = Path::new(words[0]).file_name().unwrap_or_default().to_string_lossy();
        let short = |word: &&str| word.rsplit_once("/.venv/").map_or(*word, |(_, rest)| rest).to_owned();
        let arguments = words[1..].iter().map(short);
        let label = [name.into_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ");
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        self.rows.push(Row { label, words, goal, times: Vec::new() });
        self
    }

    /// A peer that may be missing here.
    fn peer(self, program: &Option<PathBuf>, arguments: &[&str]) -> Case {
        match program {
            Some(program) => {
                let program = program.display().to_string();
                self.row(&[&[program.as_str()], arguments].concat(), None)
            }
            None => self,
        }
    }
}

/// Where commands are run: in the project, its environment active.
struct Setting<'a> {
    cache: &'a Cache,
    project: &'a Project,
}

impl Setting<'_> {
    fn command(&self, words: &[String]) -> Command {
        let venv = self.project.directory.join(".venv");
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(&self.project.directory)
            .env_clear()
            .env("HOME", self.cache.home())
            .env("UV_CACHE_DIR", self.cache.uv_cache())
            .env("VIRTUAL_ENV", &venv)
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", venv.join("bin").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn measure(&self, rows: &mut [Row], rounds: usize) {
        // the first round fills caches
        for round in 0..=rounds {
            for row in &mut *rows {
                let started = Instant::now();
                self.command(&row.words).status().unwrap();
                if round > 0 {
                    row.times.push(started.elapsed());
                }
            }
        }
    }

    fn table(&self, mut case: Case, rounds: usize) {
        self.measure(&mut case.rows, rounds);
        println!("\n{}", case.title);
        let reference = case.rows[0].median();
        for row in &case.rows {
            let ratio = row.median() / reference;
            let goal = row.goal.map(|goal| format!("  (at most {goal})")).unwrap_or_default();
            println!("  {:64} {:9.2} ms {ratio:7.2}{goal}", row.label, row.median() * 1e3);
        }
    }

    /// Kilobytes of the largest resident set, as `/proc` shows it while the program runs. None without `/proc`.
    fn peak_memory(&self, words: &[String]) -> Option<f64> {
        let mut peak = 0.0_f64;
        for _ in 0..5 {
            let mut child = self.command(words).spawn().ok()?;
            let status = format!("/proc/{}/status", child.id());
            while child.try_wait().ok()?.is_none() {
                let Ok(text) = std::fs::read_to_string(&status) else { continue };
                let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
                let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
                peak = peak.max(kilobytes.unwrap_or(0.0));
            }
        }
        (peak > 0.0).then_some(peak)
    }
}

impl Row {
    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64()
    }
}

/// How often each command is run: `cargo bench --bench peers -- 41`.
fn rounds() -> usize {
    std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(21)
}

pub fn all() {
    let cache = Cache::new();
    let rounds = rounds();
    super::hook::table(&cache, rounds);
    if std::env::args().any(|word| word == "hook") {
        return;
    }
    let Some(tools) = cache.tools() else {
        println!("the peers are not measured: they cannot be installed here");
        return growth(&cache, rounds);
    };
    println!("medians of {rounds} rounds, and ratios to the first line of each table");
    for version in ["3.11", "3.13"] {
        match cache.real(version, &tools) {
            Some(project) => environment(&cache, &project, &tools, rounds),
            None => println!("\nPython {version}: not measured, it is not here or lacks a distribution"),
        }
    }
    growth(&cache, rounds);
}

fn environment(cache: &Cache, project: &Project, tools: &Path, rounds: usize) {
    println!("\n== {}", project.name);
    let setting = Setting { cache, project };
    for case in cases(&project.python(), tools) {
        // an interpreter that reads all metadata takes a second
        let slow =
            case.rows.iter().any(|row| row.label.starts_with("pip") || row.label.starts_with("pyfirstaid"));
        setting.table(case, if slow { rounds.min(7) } else { rounds });
    }
    println!("\npeak memory");
    for words in [vec![DOCTOR], vec![DOCTOR, "--no-exec"], vec![DOCTOR, "--version"]] {
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let label = [&["venv-doctor".to_owned()], &words[1..]].concat().join(" ");
        match setting.peak_memory(&words) {
            Some(kilobytes) => println!("  {label:64} {:9.1} MiB", kilobytes / 1024.0),
            None => println!("  {label:64} not measured: no /proc"),
        }
    }
}

fn cases(python: &str, tools: &Path) -> Vec<Case> {
    let tool = |name: &str| Some(tools.join(name)).filter(|path| path.exists());
    let uv = tool("uv");
    let uv_words: Vec<String> = uv.iter().map(|path| path.display().to_string()).collect();
    let with_uv = |title: &'static str| match uv_words.first() {
        Some(uv) => Case::new(title).row(&[uv, "pip", "check"], None),
        None => Case::new(title).row(&[python, "-m", "pip", "check"], None),
    };
    vec![
        Case::new("program start")
            .row(&[python, "-I", "-S", "-c", "pass"], None)
            .row(&[DOCTOR, "--version"], Some(0.15))
            .peer(&uv, &["--version"])
            .peer(&on_path("fd").or_else(|| on_path("fdfind")), &["--version"])
            .peer(&on_path("find"), &["--version"])
            .peer(&on_path("pet"), &["--version"]),
        Case::new("the default run")
            .row(&[python, "-c", "pass"], None)
            .row(&[DOCTOR], Some(2.0))
            .row(&[DOCTOR, "--select", SHELL], None)
            .peer(&tool("pyfirstaid"), &["--offline", "--python", python]),
        Case::new("without starting an interpreter")
            .row(&[python, "-I", "-S", "-c", "pass"], None)
            .row(&[DOCTOR, "--no-exec"], None)
            .row(&[DOCTOR, "--no-exec", "--select", SHELL], Some(0.4)),
        with_uv("package checks").row(&[DOCTOR, "--no-exec", "--select", "packages"], Some(0.6)),
        with_uv("package checks by what runs in Python")
            .peer(&tool("pip"), &["--python", python, "check"])
            .peer(&tool("pipdeptree"), &["--python", python, "--warn", "fail"]),
        Case::new("where a module comes from")
            .row(&[python, "-c", "import importlib.util; importlib.util.find_spec('numpy.linalg')"], None)
            .row(&[DOCTOR, "why", "numpy.linalg"], None)
            .row(&[DOCTOR, "why", "numpy.linalg", "--no-exec"], None),
        Case::new("the import path")
            .row(&[python, "-m", "site"], None)
            .row(&[DOCTOR, "path"], None)
            .row(&[DOCTOR, "path", "--no-exec"], None),
    ]
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// How the time grows with what is installed: `t = a * n^exponent` between a line and the one above it.
fn growth(cache: &Cache, rounds: usize) {
    println!("\n== growth");
    println!("  {:>14}  {:>22}  {:>30}", "distributions", "--no-exec", "--no-exec --select packages");
    let mut before: Option<(usize, Vec<f64>)> = None;
    for count in [1, 10, 100, 1000] {
        let Some(project) = cache.synthetic(count) else {
            println!("  {count:14}  not measured: no python3 on PATH can make a venv");
            continue;
        };
        let setting = Setting { cache, project: &project };
        let mut case = Case::new("growth")
            .row(&[DOCTOR, "--no-exec"], None)
            .row(&[DOCTOR, "--no-exec", "--select", "packages"], None);
        setting.measure(&mut case.rows, rounds);
        let medians: Vec<f64> = case.rows.iter().map(Row::median).collect();
        let shown: Vec<String> = medians
            .iter()
            .enumerate()
            .map(|(index, median)| {
                let exponent = before.as_ref().map(|(other, medians)| {
                    (median / medians[index]).log10() / (count as f64 / *other as f64).log10()
                });
                let exponent = exponent.map(|value| format!(" n^{value:.2}")).unwrap_or_default();
                format!("{:9.2} ms{exponent:>7}", median * 1e3)
            })
            .collect();
        println!("  {count:14}  {:>22}  {:>30}", shown[0], shown[1]);
        before = Some((count, medians));
    }
}
