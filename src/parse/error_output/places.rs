//! Which Python, and which environment, an error output came from: by the paths in it.

use super::capture::{between, path_in};

/// A place that the text names, most telling first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// `ROOT` of `ROOT/lib/pythonX.Y/site-packages` in a frame: this environment's Python was running.
    Environment(String),
    /// A program in a `bin` or `Scripts` directory: an interpreter, or an entry script of its environment.
    Program(String),
    /// The prefix whose standard library was running.
    Prefix(String),
}

#[derive(Default)]
pub struct Collector {
    environments: Vec<String>,
    programs: Vec<String>,
    prefixes: Vec<String>,
    script: Option<String>,
    /// The next frame is the outermost one of a traceback.
    outermost: bool,
}

const MOST: usize = 20;

impl Collector {
    pub fn look_at(&mut self, line: &str) {
        if line.contains("Traceback (most recent call last)") {
            self.outermost = true;
        }
        if let Some(file) = frame(line) {
            let is_script = !file.starts_with('<');
            if self.outermost && is_script {
                self.script = Some(file.to_owned());
                self.outermost = false;
            }
            match library_root(file) {
                Some((root, true)) => add(&mut self.environments, root),
                Some((root, false)) => add(&mut self.prefixes, root),
                None if is_script => {
                    if let Some(program) = program(file) {
                        add(&mut self.programs, program);
                    }
                }
                None => {}
            }
            return;
        }
        // `(/x/site-packages/m/__init__.py)`, `/x/site-packages/m.so: undefined symbol`
        if let Some(path) = path_in(line) {
            match library_root(path) {
                Some((root, true)) => add(&mut self.environments, root),
                Some((root, false)) => add(&mut self.prefixes, root),
                None => {}
            }
        }
        // `/x/bin/python: No module named m`, `/x/bin/pip: /gone/python: bad interpreter`
        let said_by = line.split(": ").find_map(program).or_else(|| program(path_in(line)?));
        if let Some(program) = said_by {
            add(&mut self.programs, program);
        }
        if let Some(value) = between(line, "sys.executable = '", &['\'']) {
            add(&mut self.programs, value);
        }
        if let Some(value) = between(line, "sys.prefix = '", &['\'']) {
            add(&mut self.prefixes, value);
        }
    }

    pub fn finish(self) -> (Vec<Place>, Option<String>) {
        let places = self
            .environments
            .into_iter()
            // the innermost frames come last, and all of one program's frames share an environment
            .map(Place::Environment)
            .chain(self.programs.into_iter().map(Place::Program))
            .chain(self.prefixes.into_iter().map(Place::Prefix))
            .collect();
        (places, self.script)
    }
}

fn add(list: &mut Vec<String>, text: &str) {
    if list.len() < MOST && !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

/// The file of a line `File "...", line N`.
fn frame(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("File \"").and_then(|rest| Some(&rest[..rest.find("\", line ")?]))
}

/// `ROOT` of `ROOT/lib/pythonX.Y/...` or `ROOT\Lib\...`, and whether it lies in its `site-packages`.
fn library_root(path: &str) -> Option<(&str, bool)> {
    let lower = path.to_ascii_lowercase().replace('\\', "/");
    let installed = lower.contains("/site-packages/");
    let at = ["/lib/python", "/lib64/python", "/lib/pypy", "/lib/site-packages/"]
        .iter()
        .filter_map(|sign| lower.find(sign))
        .min()
        .or_else(|| windows_library(&lower))?;
    // `~/.local/lib/pythonX.Y` is the user site, `dist-packages` are Debian's: neither is an environment
    let user = lower[..at].ends_with("/.local");
    (at > 0 && !user && (path.starts_with('/') || path.as_bytes().get(1) == Some(&b':')))
        .then(|| (&path[..at], installed && !lower.contains("/dist-packages/")))
}

/// `C:\Python312\Lib\json\__init__.py`
fn windows_library(lower: &str) -> Option<usize> {
    (lower.as_bytes().get(1) == Some(&b':')).then(|| lower.find("/lib/"))?
}

/// The text itself, when it is an absolute path of a program in `bin` or `Scripts`.
fn program(text: &str) -> Option<&str> {
    let text = text.trim().trim_matches(['"', '\'', '`']);
    let lower = text.to_ascii_lowercase().replace('\\', "/");
    let absolute = text.starts_with('/') || text.as_bytes().get(1) == Some(&b':');
    let (directory, name) = lower.rsplit_once('/')?;
    let is_program = directory.ends_with("/bin") || directory.ends_with("/scripts");
    let looks_so = !name.is_empty() && !name.contains(' ') && !name.starts_with("activate");
    (absolute && is_program && looks_so).then_some(text)
}
