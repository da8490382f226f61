//! A Jupyter notebook (nbformat 3 and 4) as the Python that its code cells hold.

use serde_json::Value;

/// The code of a notebook, and where its lines stand in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notebook {
    pub code: String,
    /// Lines of the file, one for each line of the code.
    pub lines: Vec<usize>,
    /// A cell installs packages (`%pip install`, `!conda install`): what is missing before is there after.
    pub installs: bool,
}

/// Magics whose cell is Python all the same.
const OF_PYTHON: [&str; 6] = ["time", "timeit", "capture", "prun", "python", "python3"];

/// Output may stand between two cells; a line that is written in another way is not looked for to the end.
const NEAR: usize = 2000;

/// None for what is no notebook, or one of another language.
pub fn parse(text: &str) -> Option<Notebook> {
    let whole: Value = serde_json::from_str(text).ok()?;
    let metadata = &whole["metadata"];
    let language = metadata["kernelspec"]["language"].as_str().or(metadata["language_info"]["name"].as_str());
    if language.is_some_and(|language| !language.eq_ignore_ascii_case("python")) {
        return None;
    }
    let sheets = whole["worksheets"].as_array().into_iter().flatten().map(|sheet| &sheet["cells"]);
    let cells = std::iter::once(&whole["cells"]).chain(sheets).filter_map(Value::as_array).flatten();
    let mut notebook = Notebook::default();
    let mut places = Places { lines: text.lines().collect(), next: 0 };
    for cell in cells.filter(|cell| cell["cell_type"] == "code") {
        let source = if cell["source"].is_null() { &cell["input"] } else { &cell["source"] };
        let source = match source {
            Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect(),
            Value::String(source) => source.clone(),
            _ => continue,
        };
        notebook.add(&source, &mut places);
    }
    Some(notebook)
}

impl Notebook {
    fn add(&mut self, cell: &str, places: &mut Places) {
        let magic = cell.trim_start().strip_prefix("%%").and_then(|rest| rest.split_whitespace().next());
        let is_python = magic.is_none_or(|name| OF_PYTHON.contains(&name));
        for line in cell.lines() {
            self.installs |= installs(line);
            // a shell's or another language's cell is kept as blank lines
            let code = if is_python && !is_of_ipython(line) { line } else { "" };
            self.code.push_str(code);
            self.code.push('\n');
            self.lines.push(places.of(line));
        }
    }
}

/// `%matplotlib inline`, `!ls`, `files = !ls`, `x?`: no Python.
fn is_of_ipython(line: &str) -> bool {
    let text = line.trim();
    let assigned = text.split_once('=').map_or("", |(_, value)| value.trim_start());
    text.starts_with(['%', '!', '?']) || assigned.starts_with(['%', '!']) || text.ends_with('?')
}

fn installs(line: &str) -> bool {
    let command = line.trim_start().trim_start_matches(['!', '%']);
    command.len() < line.trim_start().len()
        && command.contains("install")
        && ["pip", "conda", "mamba", "uv"]
            .iter()
            .any(|tool| command.split_whitespace().any(|word| word == *tool))
}

/// Where the lines of cells stand in the file, which is mostly written a line for each.
struct Places<'t> {
    lines: Vec<&'t str>,
    next: usize,
}

impl Places<'_> {
    /// That of the next line of the file that holds this one; else of the last that was found.
    fn of(&mut self, line: &str) -> usize {
        let quoted = Value::from(line).to_string();
        let inner = quoted.trim_matches('"');
        let rest = self.lines.get(self.next..).unwrap_or_default();
        let found = rest.iter().take(NEAR).position(|text| !inner.is_empty() && text.contains(inner));
        if let Some(at) = found {
            self.next += at;
        }
        self.next + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
 "cells": [
  {"cell_type": "markdown", "source": ["import prose\n"]},
  {
   "cell_type": "code",
   "source": [
    "%matplotlib inline\n",
    "import numpy as np\n",
    "files = !ls\n",
    "np.array?"
   ]
  },
  {"cell_type": "code", "source": "%%bash\nimport nothing"},
  {"cell_type": "code", "source": "%%time\nimport pandas"}
 ],
 "metadata": {"kernelspec": {"language": "python", "name": "python3"}},
 "nbformat": 4
}"#;

    #[test]
    fn keeps_python_alone_with_its_lines() {
        let notebook = parse(TEXT).unwrap();
        let kept: Vec<(usize, &str)> = notebook
            .lines
            .iter()
            .copied()
            .zip(notebook.code.lines())
            .filter(|(_, code)| !code.is_empty())
            .collect();
        assert_eq!(kept, [(8, "import numpy as np"), (14, "import pandas")]);
        assert!(!notebook.installs);
    }

    #[test]
    fn notes_that_it_installs() {
        for line in ["%pip install x", "!pip install -q x", "!python -m pip install x", "%conda install x"] {
            let text = TEXT.replace("%matplotlib inline", line);
            assert!(parse(&text).unwrap().installs, "{line}");
        }
    }

    #[test]
    fn other_languages_and_other_files_are_none() {
        assert_eq!(parse(&TEXT.replace("\"python\"", "\"R\"")), None);
        assert_eq!(parse("[]"), Some(Notebook::default()));
        assert_eq!(parse("no notebook"), None);
        for seed in 0..50 {
            parse(&String::from_utf8_lossy(&crate::parse::noise(seed, 300)));
        }
    }
}
