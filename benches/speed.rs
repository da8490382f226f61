//! How long the doctor takes beside one start of the interpreter that it examines, as ratios of medians measured
//! side by side in one run: `cargo bench --bench speed`.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const DISTRIBUTIONS: usize = 300;
const ROUNDS: usize = 41;
/// What needs no package metadata.
const SHELL: &str = "interpreter,relocation,activation";

/// A command and the times of its runs.
struct Contender {
    name: &'static str,
    arguments: Vec<String>,
    times: Vec<Duration>,
}

impl Contender {
    fn new(name: &'static str, arguments: &[&str]) -> Contender {
        Contender {
            name,
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            times: Vec::new(),
        }
    }

    fn command(&self, project: &Path) -> Command {
        let venv = project.join(".venv");
        let mut command = Command::new(&self.arguments[0]);
        command
            .args(&self.arguments[1..])
            .current_dir(project)
            .env_clear()
            .env("HOME", project)
            .env("VIRTUAL_ENV", &venv)
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", venv.join("bin").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn run(&mut self, project: &Path) {
        let started = Instant::now();
        self.command(project).status().unwrap();
        self.times.push(started.elapsed());
    }

    fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[times.len() / 2]
    }
}

fn main() {
    let doctor = env!("CARGO_BIN_EXE_venv-doctor");
    let directory = tempfile::tempdir().unwrap();
    let project = directory.path().join("project");
    let Some(python) = build(&project) else {
        println!("not measured: no python3 on PATH can make a venv");
        return;
    };
    println!("{} distributions, {ROUNDS} rounds, interpreter {}", DISTRIBUTIONS, python.display());
    let python = project.join(".venv/bin/python").display().to_string();
    let mut all = [
        Contender::new("python -c pass", &[&python, "-c", "pass"]),
        Contender::new("python -I -S -c pass", &[&python, "-I", "-S", "-c", "pass"]),
        Contender::new("venv-doctor", &[doctor]),
        Contender::new("--no-exec", &[doctor, "--no-exec"]),
        Contender::new("--version", &[doctor, "--version"]),
        Contender::new("the shell's checks", &[doctor, "--select", SHELL]),
        Contender::new("  with --no-exec", &[doctor, "--no-exec", "--select", SHELL]),
    ];
    for _ in 0..ROUNDS {
        for contender in &mut all {
            contender.run(&project);
        }
    }
    for contender in &all {
        println!("{:24} {:8.2} ms", contender.name, contender.median().as_secs_f64() * 1e3);
    }
    let ratio =
        |left: usize, right: usize| all[left].median().as_secs_f64() / all[right].median().as_secs_f64();
    println!("all checks / python -c pass                     {:.2}   (at most 3)", ratio(2, 0));
    println!("all checks, --no-exec / python -I -S -c pass    {:.2}", ratio(3, 1));
    println!("--version / python -I -S -c pass                {:.2}   (at most 0.2)", ratio(4, 1));
    println!("the shell's checks / python -c pass             {:.2}   (at most 1.5)", ratio(5, 0));
    println!("  with --no-exec / python -I -S -c pass         {:.2}   (at most 0.5)", ratio(6, 1));
    match peak_memory(&all[2], &project) {
        Some(kilobytes) => {
            println!(
                "peak memory                                     {:.1} MiB (at most 32)",
                kilobytes / 1024.0
            )
        }
        None => println!("peak memory                                     not measured: no /proc"),
    }
}

/// A project whose venv holds [`DISTRIBUTIONS`] distributions with a module, metadata, and (every third) an
/// entry script each. None when no Python can make a venv.
fn build(project: &Path) -> Option<PathBuf> {
    fs::create_dir_all(project).unwrap();
    let venv = project.join(".venv");
    let python = ["/usr/bin/python3", "python3"].iter().find(|python| {
        Command::new(python)
            .args(["-m", "venv", "--without-pip"])
            .arg(&venv)
            .status()
            .is_ok_and(|status| status.success())
    })?;
    let library = fs::read_dir(venv.join("lib")).unwrap().next()?.unwrap().path();
    let site_packages = library.join("site-packages");
    let mut requirements = String::new();
    for number in 0..DISTRIBUTIONS {
        let name = format!("package{number}");
        let metadata = site_packages.join(format!("{name}-1.{number}.dist-info"));
        fs::create_dir_all(&metadata).unwrap();
        fs::create_dir_all(site_packages.join(&name)).unwrap();
        fs::write(site_packages.join(&name).join("__init__.py"), "").unwrap();
        fs::write(
            metadata.join("METADATA"),
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.{number}\n"),
        )
        .unwrap();
        fs::write(metadata.join("INSTALLER"), "pip\n").unwrap();
        fs::write(metadata.join("WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            .unwrap();
        fs::write(metadata.join("RECORD"), format!("{name}/__init__.py,,\n")).unwrap();
        requirements.push_str(&format!("{name}\n"));
        if number % 3 == 0 {
            let script = venv.join("bin").join(&name);
            let text = format!(
                "#!{}/bin/python\nimport sys\nfrom {name} import main\nsys.exit(main())\n",
                venv.display()
            );
            fs::write(&script, text).unwrap();
            let mut command = Command::new("chmod");
            command.arg("+x").arg(&script).status().unwrap();
        }
    }
    fs::write(project.join("requirements.txt"), requirements).unwrap();
    fs::write(project.join("main.py"), "import package1\n").unwrap();
    Some(PathBuf::from(python))
}

/// Kilobytes of the largest resident set, as `/proc` shows it while the program runs. None without `/proc`.
fn peak_memory(contender: &Contender, project: &Path) -> Option<f64> {
    let mut peak = 0.0_f64;
    for _ in 0..5 {
        let mut child = contender.command(project).spawn().ok()?;
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        while child.try_wait().ok()?.is_none() {
            let Ok(text) = fs::read_to_string(&status) else { continue };
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
            peak = peak.max(kilobytes.unwrap_or(0.0));
        }
    }
    (peak > 0.0).then_some(peak)
}
