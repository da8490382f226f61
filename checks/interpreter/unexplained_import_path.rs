//! The interpreter reports a directory on its import path that none of Python's rules puts there.

use crate::diagnosis::{Action, Category, Check, Finding, Findings, Need, Remedy, Severity, Subject};
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::interpreter::Interpreter;
use crate::imports::{Comparison, HookKind, ImportOrigin, Prediction, StartupHook};
use crate::path::HostPath;

pub static CHECK: Check = Check {
    id: "unexplained-import-path",
    category: Category::Interpreter,
    severity: Severity::Warning,
    summary: "The import path has an entry that no rule of Python explains",
    needs: &[Need::Probe, Need::ImportPath],
    explains: &[],
    explanation: r#"
## What it means
Where Python looks for modules follows from few things: the place of the interpreter, `pyvenv.cfg`, a handful of
variables, and the lines of `.pth` files (`Modules/getpath.py` and `Lib/site.py`). The doctor works the path out from
these and asks the interpreter for its own. Here the interpreter has a directory more. What lies there can be imported,
and may be imported in place of what you installed, although no configuration file says so.

## How it happens
Code that runs at every start put it there: a `sitecustomize.py` or `usercustomize.py`, or a line of a `.pth` file that
begins with `import` (Python executes such lines). Tools for coverage, tracing and debugging use these hooks, and so do
some IDEs and company-wide set-ups. The evidence names the hooks that this interpreter has.

## How to fix it
Find out which one it is by leaving them out:

    .venv/bin/python -I -c 'import sys; print(sys.path)'
    .venv/bin/python -I -S -c 'import sys; print(sys.path)'

When the entry is in the first list and not in the second, a `.pth` file or `sitecustomize` in the environment adds it.
Uninstall the package that brought the file, or take the line out. `venv-doctor path -v` shows every hook with its file
and line.

## When it is fine
When you or your company set the hook up on purpose, and it adds the same directory everywhere. An entry below the
environment itself or below its Python's installation mixes nothing, and is only mentioned; so is one that a
`sitecustomize.py` or `usercustomize.py` adds, as the module systems of clusters do (EasyBuild), and one that a `.pth` line
adds which speaks of `sys.path` or `addsitedir` and works the directory out. A line that spells the whole path explains it,
and is not reported.
"#,
    examine,
};

fn examine(facts: &Facts, findings: &mut Findings) {
    for interpreter in &facts.interpreters {
        let (Some(prediction), Some(comparison)) = (&interpreter.predicted, &interpreter.comparison) else {
            continue;
        };
        let own = |path: &HostPath| is_own(facts, interpreter, prediction, path);
        let mut entries = unexplained(interpreter, prediction, comparison);
        entries.retain(|(_, path)| {
            !(is_pep582(facts, path) || is_spelt(comparison, path) || own(path) && is_named(comparison, path))
        });
        let (Some((_, first)), Some(last)) = (entries.first(), entries.last()) else { continue };
        let root = interpreter.environment.as_ref();
        let of_distributor = |hook: &&StartupHook| is_distributors(prediction, hook);
        let suspects: Vec<&StartupHook> =
            comparison.suspects.iter().filter(|hook| !of_distributor(hook)).collect();
        // the distributor's own set-up, as Homebrew's sitecustomize.py
        if suspects.is_empty() && !comparison.suspects.is_empty() {
            continue;
        }
        let severity =
            if suspects.iter().any(|hook| adds_entries(hook)) || entries.iter().all(|(_, path)| own(path)) {
                Severity::Info
            } else {
                Severity::Warning
            };
        let mut message = if entries.len() == 1 {
            format!(
                "{first} is on the import path of {}, and no rule of Python puts it there",
                interpreter.path
            )
        } else {
            format!(
                "{} entries of {}'s import path, {first} to {}, are put there by no rule of Python",
                entries.len(),
                interpreter.path,
                last.1
            )
        };
        let lines: Vec<&&StartupHook> = suspects.iter().filter(|hook| speaks_of_the_path(hook)).collect();
        if let [StartupHook { file, line: Some(line), .. }] = lines[..] {
            message += &format!("; line {line} of {file} works out what it adds");
        }
        let subject = root
            .cloned()
            .map_or_else(|| Subject::Interpreter(interpreter.path.clone()), Subject::Environment);
        let mut finding = Finding::new(&CHECK, subject, message).severity(severity);
        if let Some(root) = root {
            finding = finding.about(root);
        }
        for (index, path) in &entries {
            finding = finding.evidence(format!("entry {index}"), path.to_string());
        }
        for hook in &suspects {
            finding = finding.evidence("may have added it", said(hook));
        }
        findings.push(finding.remedy(remedy(interpreter, &suspects)));
    }
}

/// The entries with their place in the report, counted from 1 as an empty first entry would be 0. Where the forecast
/// went wrong as a whole, or an entry only has another place or spelling, nobody put anything there.
fn unexplained(
    interpreter: &Interpreter,
    prediction: &Prediction,
    comparison: &Comparison,
) -> Vec<(usize, HostPath)> {
    let elsewhere = comparison.differences.iter().any(|difference| difference.what.contains("prefix"));
    if !prediction.starts() || elsewhere {
        return Vec::new();
    }
    let flavour = interpreter.path.flavour();
    let absent: Vec<HostPath> = comparison
        .absent
        .iter()
        .filter_map(|entry| HostPath::new(flavour, entry.directory.as_bytes()))
        .collect();
    let mut entries: Vec<(usize, HostPath)> = comparison
        .entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.origin == ImportOrigin::Unexplained)
        // made-up entries stand for finders
        .filter_map(|(index, entry)| Some((index + 1, HostPath::new(flavour, entry.directory.as_bytes())?)))
        .filter(|(_, path)| !absent.iter().any(|other| other.file_name() == path.file_name()))
        .collect();
    // until 3.14 a venv's import lines run twice
    entries.sort_by(|left, right| left.1.cmp(&right.1).then(left.0.cmp(&right.0)));
    entries.dedup_by(|later, first| later.1 == first.1);
    entries.sort_by_key(|(index, _)| *index);
    entries
}

/// Below the environment or its Python's installation.
fn is_own(facts: &Facts, interpreter: &Interpreter, prediction: &Prediction, path: &HostPath) -> bool {
    let of_environment = interpreter.environment.as_ref().is_some_and(|root| {
        path.is_within(root)
            || facts
                .environment(root)
                .and_then(|environment: &Environment| environment.real.as_ref())
                .is_some_and(|real| path.is_within(real))
    });
    let prefixes = [&prediction.prefix, &prediction.base_prefix];
    let of_installation = prefixes.iter().any(|prefix| {
        // everything is below /usr
        HostPath::new(path.flavour(), prefix.as_bytes())
            .is_some_and(|prefix| prefix.components().count() > 1 && path.is_within(&prefix))
    });
    of_environment || of_installation
}

/// A startup line spells the entry's name, as the `.pth` file of pdb++ does: the line is its explanation.
fn is_named(comparison: &Comparison, path: &HostPath) -> bool {
    let Some(name) = path.file_name().map(String::from_utf8_lossy).filter(|name| name.len() > 3) else {
        return false;
    };
    comparison.suspects.iter().any(|hook| hook.line.is_some() && hook.text.contains(name.as_ref()))
}

/// It is made for that, or says so: somebody meant it to, and whoever looks finds it.
fn adds_entries(hook: &StartupHook) -> bool {
    matches!(hook.kind, HookKind::SiteCustomize | HookKind::UserCustomize) || speaks_of_the_path(hook)
}

/// A line of a `.pth` file whose own text adds entries, of directories that it works out.
fn speaks_of_the_path(hook: &StartupHook) -> bool {
    hook.line.is_some() && ["sys.path", "addsitedir"].iter().any(|sign| hook.text.contains(sign))
}

/// A startup line spells the whole path: it is a rule that anyone can read.
fn is_spelt(comparison: &Comparison, path: &HostPath) -> bool {
    let text = path.to_text();
    let spells = |line: &str| {
        line.match_indices(&*text).any(|(at, _)| {
            // the end of the literal, not a longer path's beginning
            line[at + text.len()..].trim_start_matches(['/', '\\']).starts_with(['\'', '"'])
        })
    };
    comparison.suspects.iter().any(|hook| hook.line.is_some() && spells(&hook.text))
}

/// The project's `__pypackages__/3.11/lib`, which `pdm --pep582` puts on the path (PEP 582).
fn is_pep582(facts: &Facts, path: &HostPath) -> bool {
    let packages = path.parent().and_then(|version| version.parent());
    let Some(packages) = packages.filter(|packages| packages.file_name() == Some(b"__pypackages__")) else {
        return false;
    };
    let of_project = |directory: &HostPath| packages.parent().is_some_and(|root| directory.is_within(&root));
    path.file_name() == Some(b"lib")
        && [&facts.directory, &facts.working_directory].into_iter().flatten().any(of_project)
}

/// A `sitecustomize` beside the standard library came with the installation.
fn is_distributors(prediction: &Prediction, hook: &StartupHook) -> bool {
    let Some(directory) = hook.file.parent() else { return false };
    hook.kind == HookKind::SiteCustomize
        && prediction.entries.iter().any(|entry| {
            matches!(entry.origin, ImportOrigin::Stdlib)
                && HostPath::new(directory.flavour(), entry.directory.as_bytes())
                    .is_some_and(|stdlib| directory.same_as(&stdlib))
        })
}

fn said(hook: &StartupHook) -> String {
    match hook.line {
        Some(line) => format!("{}, line {line}: {}", hook.file, hook.text),
        None => format!("{}, imported at every start", hook.file),
    }
}

fn remedy(interpreter: &Interpreter, suspects: &[&StartupHook]) -> Remedy {
    match suspects {
        [hook] => {
            let what = match hook.line {
                Some(_) => "it runs at every start: take it out, or uninstall what brought it".to_owned(),
                None => "it runs at every start: take out what adds to sys.path".to_owned(),
            };
            Remedy::manual(
                "Look at what runs at every start, and keep it only when it is meant to",
                vec![Action::Edit { file: hook.file.clone(), line: hook.line, hint: what }],
            )
        }
        _ => Remedy::manual(
            "Look whether it is gone without the startup hooks",
            vec![Action::run([
                (&interpreter.path).into(),
                "-I".into(),
                "-S".into(),
                "-c".into(),
                "import sys; print(sys.path)".into(),
            ])],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::example::{healthy, interpreters_of, path};
    use crate::imports::{EntryState, ImportEntry, Outcome, Reported, Spelling, UserSite, compare};

    fn entry(directory: &str, origin: ImportOrigin) -> ImportEntry {
        ImportEntry { directory: directory.into(), origin, state: EntryState::Directory }
    }

    const SITE: &str = "/home/me/project/.venv/lib/python3.11/site-packages";

    fn prediction(hooks: Vec<StartupHook>) -> Prediction {
        Prediction {
            outcome: Outcome::Starts,
            executable: "/home/me/project/.venv/bin/python".into(),
            prefix: "/home/me/project/.venv".into(),
            base_prefix: "/usr".into(),
            exec_prefix: "/home/me/project/.venv".into(),
            base_exec_prefix: "/usr".into(),
            user_site: UserSite::default(),
            entries: vec![
                entry("/usr/lib/python3.11", ImportOrigin::Stdlib),
                entry(SITE, ImportOrigin::SitePackages),
            ],
            hooks,
            notes: Vec::new(),
        }
    }

    fn hook(kind: HookKind, file: &str, line: Option<usize>) -> StartupHook {
        StartupHook { kind, file: path(file), line, text: "import x".into(), may_add_entries: true }
    }

    fn reports(reported: &[&str], hooks: Vec<StartupHook>) -> Vec<Finding> {
        let mut facts = healthy();
        let prediction = prediction(hooks);
        let spelling = |text: &Spelling| text.clone();
        let comparison = compare(
            &prediction,
            &Reported {
                prefix: spelling(&prediction.prefix),
                exec_prefix: spelling(&prediction.exec_prefix),
                path: reported.iter().map(|entry| Spelling::from(*entry)).collect(),
                ..Reported::default()
            },
        );
        interpreters_of(&mut facts).take(1).for_each(|interpreter| {
            interpreter.predicted = Some(prediction.clone());
            interpreter.comparison = Some(comparison.clone());
        });
        CHECK.findings(&facts)
    }

    #[test]
    fn fires_when_an_import_line_adds_a_directory() {
        let line = hook(HookKind::ImportLine, &format!("{SITE}/x.pth"), Some(1));
        let found = reports(&["/usr/lib/python3.11", SITE, "/srv/shared"], vec![line]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].message.starts_with("/srv/shared is on the import path"), "{}", found[0].message);
        assert_eq!(found[0].evidence[1].value, format!("{SITE}/x.pth, line 1: import x"));
    }

    #[test]
    fn mentions_one_inside_the_environment() {
        let found =
            reports(&["/usr/lib/python3.11", SITE, &format!("{SITE}/setuptools/_vendor")], Vec::new());
        assert_eq!(found[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_both_agree() {
        assert!(reports(&["/usr/lib/python3.11", SITE], Vec::new()).is_empty());
        assert!(CHECK.findings(&healthy()).is_empty());
    }

    #[test]
    fn quiet_when_the_order_alone_differs_or_a_finder_is_behind_it() {
        assert!(reports(&[SITE, "/usr/lib/python3.11"], Vec::new()).is_empty());
        assert!(
            reports(&["/usr/lib/python3.11", SITE, "__editable__.x.__path_hook__"], Vec::new()).is_empty()
        );
    }

    #[test]
    fn quiet_when_a_startup_line_names_a_directory_of_the_environment() {
        let mut line = hook(HookKind::ImportLine, &format!("{SITE}/pdbpp_hijack_pdb.pth"), Some(1));
        line.text = "import sys; sys.path.insert(0, makepath(sitedir, \"_pdbpp_path_hack\")[0])".into();
        let own = format!("{SITE}/_pdbpp_path_hack");
        assert!(reports(&[&own, "/usr/lib/python3.11", SITE], vec![line.clone()]).is_empty());
        assert_eq!(reports(&["/srv/_pdbpp_path_hack", SITE], vec![line]).len(), 1);
    }

    #[test]
    fn quiet_when_a_startup_line_spells_the_path() {
        let line = |text: &str| {
            let mut line = hook(HookKind::ImportLine, &format!("{SITE}/x.pth"), Some(1));
            line.text = text.into();
            vec![line]
        };
        let added = |text: &str| reports(&["/usr/lib/python3.11", SITE, "/srv/shared"], line(text));
        assert!(added("import sys; sys.path.append('/srv/shared')").is_empty());
        assert!(added("import sys; sys.path.append(\"/srv/shared/\")").is_empty());
        let worked_out = "import os, site; site.addsitedir(os.path.join('/srv', 'shared'))";
        assert_eq!(added(worked_out)[0].severity, Severity::Info);
        let told = format!("puts it there; line 1 of {SITE}/x.pth works out what it adds");
        assert!(added(worked_out)[0].message.ends_with(&told));
        assert_eq!(added("import sys; sys.path.append('/srv/shared/more')").len(), 1);
    }

    #[test]
    fn mentions_what_only_a_customizing_module_may_have_added() {
        let module = || vec![hook(HookKind::SiteCustomize, "/apps/easybuild/sitecustomize.py", None)];
        let found = reports(&["/usr/lib/python3.11", SITE, "/apps/six"], module());
        assert_eq!(found[0].severity, Severity::Info);
        let beside = |text: &str| {
            let mut line = hook(HookKind::ImportLine, &format!("{SITE}/x.pth"), Some(1));
            line.text = text.into();
            reports(&["/usr/lib/python3.11", SITE, "/apps/six"], [module(), vec![line]].concat())
        };
        assert_eq!(beside("import coverage; coverage.process_startup()")[0].severity, Severity::Info);
        assert_eq!(beside("import sys; sys.path.append(make())")[0].severity, Severity::Info);
    }

    #[test]
    fn quiet_when_it_is_the_pypackages_of_the_project() {
        let pdm = || vec![hook(HookKind::SiteCustomize, "/opt/pdm/pep582/sitecustomize.py", None)];
        assert!(reports(&["/home/me/project/__pypackages__/3.11/lib", SITE], pdm()).is_empty());
        assert_eq!(reports(&["/srv/other/__pypackages__/3.11/lib", SITE], pdm()).len(), 1);
    }

    #[test]
    fn quiet_when_the_distributor_set_it_up() {
        let brew = hook(HookKind::SiteCustomize, "/usr/lib/python3.11/sitecustomize.py", None);
        assert!(reports(&["/usr/lib/python3.11", SITE, "/opt/homebrew/lib/x"], vec![brew]).is_empty());
    }
}
