//! Which finding leads: the most special cause that accounts for the failure.

use super::{Case, absent};
use crate::diagnosis::{Finding, Severity};
use crate::path::HostPath;

/// The interpreter does not start, or works on another environment's library: nothing can be imported.
const CANNOT_WORK: &[&str] = &[
    "foreign-platform-venv",
    "container-venv",
    "dangling-interpreter",
    "interpreter-link-loop",
    "interpreter-not-executable",
    "interpreter-wrong-architecture",
    "interpreter-loader-missing",
    "libpython-missing",
    "libpython-mismatch",
    "pythonhome-set",
    "invalid-pyvenv-cfg",
    "base-python-missing",
    "missing-pyvenv-cfg",
    "half-upgraded-venv",
    "python-version-switched",
    "stale-interpreter-copy",
    "interpreter-fails",
];

/// Of one module or distribution.
const OF_THE_MODULE: &[&str] = &[
    "extension-for-another-python",
    "extension-for-another-platform",
    "missing-shared-library",
    "c-library-too-old",
    "extension-abi-mismatch",
    "library-path-override",
    "shadowed-stdlib",
    "shadowed-package",
    "leftover-shadows-editable",
    "broken-editable",
    "orphan-bytecode",
    "missing-distribution-files",
    "broken-pip",
    "altered-distribution-files",
];

/// Of a whole directory of packages: they concern every module that is missing from it.
const OF_THE_PLACE: &[&str] = &[
    "foreign-owned-files",
    "hidden-pth",
    "unreadable-pth",
    "failing-startup-hook",
    "pythonsafepath-set",
    "user-site-disabled",
    "project-not-installed",
    "incomplete-venv",
    "synced-environment",
    "leftover-distribution",
    "pip-redirected",
];

/// Why another Python than the right one runs.
const WRONG_PYTHON: &[&str] = &[
    "lost-activation",
    "stale-activation",
    "sudo-dropped-environment",
    "shadowing-alias",
    "shadowed-environment",
    "conflicting-activation",
    "relative-search-path",
    "stale-command-hash",
    "activate-not-sourced",
    "activate-for-another-shell",
    "script-bypasses-environment",
    "tool-outside-environment",
    "wrong-environment-active",
    "forgotten-activation",
    "stacked-environments",
    "several-environments",
    "python-names-disagree",
];

/// Why an install did not arrive.
const WRONG_INSTALL: &[&str] =
    &["pip-redirected", "environment-without-pip", "pip-elsewhere", "global-install", "system-site-packages"];

const REQUIREMENTS: &[&str] =
    &["missing-requirement", "unresolvable-import", "dependency-conflict", "user-site-leak"];

/// The findings that have to do with it, the cause first.
///
/// `specific` is what the search itself shows, `undecided` what files cannot tell: it takes the place of guesses.
pub fn order(case: &Case, specific: Option<Finding>, undecided: Option<Finding>) -> Vec<Finding> {
    let mut chosen: Vec<Finding> = Vec::new();
    let faults = Faults { case };
    faults.take(&mut chosen, CANNOT_WORK, Wanted::Errors);
    // where the right environment has it, the question is why another Python was asked
    let own_has_it = case.own.is_some_and(|own| own.found().is_some());
    if own_has_it {
        faults.take(&mut chosen, WRONG_PYTHON, Wanted::All);
    }
    let is_specific = specific.is_some();
    if let Some(own) = specific {
        faults.lead_with(&mut chosen, own);
    }
    faults.take(&mut chosen, OF_THE_MODULE, Wanted::Mentioning);
    if let Some(undecided) = undecided {
        if chosen.is_empty() {
            chosen.push(undecided);
        }
        return chosen;
    }
    if chosen.is_empty()
        && let Some(own) = absent::in_project(case)
    {
        faults.lead_with(&mut chosen, own);
    }
    if chosen.is_empty() {
        faults.take(&mut chosen, OF_THE_PLACE, Wanted::All);
    }
    let other = case.elsewhere.providers.first();
    if other.is_some() || own_has_it {
        let root = other.map(|provider| &provider.root);
        faults.take(&mut chosen, WRONG_PYTHON, Wanted::About(root));
        faults.take(&mut chosen, WRONG_INSTALL, Wanted::About(root));
    }
    let general = absent::elsewhere(case).unwrap_or_else(|| absent::nowhere(case));
    let nothing_yet = chosen.is_empty();
    if nothing_yet || (other.is_some() && !is_specific && !own_has_it) {
        faults.lead_with(&mut chosen, general);
    }
    faults.take(&mut chosen, REQUIREMENTS, Wanted::Mentioning);
    chosen
}

/// The same where no import path is known to search: what the checks found, else `otherwise`.
pub fn without_search(case: &Case, otherwise: impl FnOnce() -> Finding) -> Vec<Finding> {
    let mut chosen: Vec<Finding> = Vec::new();
    let faults = Faults { case };
    for ids in [CANNOT_WORK, OF_THE_PLACE, WRONG_PYTHON] {
        faults.take(&mut chosen, ids, Wanted::Errors);
    }
    for ids in [OF_THE_MODULE, REQUIREMENTS] {
        faults.take(&mut chosen, ids, Wanted::Mentioning);
    }
    if chosen.is_empty() {
        chosen.push(otherwise());
    }
    chosen
}

/// Which findings of some ids are taken.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    All,
    Errors,
    /// They name the module or its distribution.
    Mentioning,
    /// They concern this environment, or none in particular.
    About(Option<&'a HostPath>),
}

struct Faults<'a, 'b> {
    case: &'a Case<'b>,
}

impl Faults<'_, '_> {
    /// Takes findings in the order of `ids`; a folded one brings its cause.
    fn take(&self, chosen: &mut Vec<Finding>, ids: &[&str], wanted: Wanted) {
        for id in ids {
            for finding in &self.case.diagnosis.findings {
                let itself = finding.check == *id && self.fits(finding, wanted);
                let folded = finding.symptoms.iter().any(|it| it.check == *id && self.fits(it, wanted));
                let known = |taken: &Finding| {
                    (taken.check, &taken.subject, &taken.message)
                        == (finding.check, &finding.subject, &finding.message)
                };
                if (itself || folded) && !chosen.iter().any(known) {
                    chosen.push(finding.clone());
                }
            }
        }
    }

    fn fits(&self, finding: &Finding, wanted: Wanted) -> bool {
        match wanted {
            Wanted::All => finding.severity >= Severity::Warning && self.concerns(finding),
            Wanted::Errors => finding.severity == Severity::Error && self.concerns(finding),
            Wanted::Mentioning => self.mentions(finding),
            Wanted::About(root) => {
                finding.severity >= Severity::Warning
                    && (self.concerns(finding)
                        || root.is_some_and(|root| finding.environments.iter().any(|it| it.same_as(root))))
            }
        }
    }

    /// About the environment that was asked, or the project's, or no particular one.
    fn concerns(&self, finding: &Finding) -> bool {
        let roots = [Some(self.case.attempt), self.case.own];
        let mut roots = roots.into_iter().flatten().filter_map(|attempt| attempt.root.as_ref());
        // without its pyvenv.cfg an environment's Python works in another
        let asked = &self.case.attempt.interpreter;
        finding.environments.is_empty()
            || finding.environments.iter().any(|root| {
                asked.is_within(root)
                    && finding.subject.path().is_some_and(|it| asked.is_within(it) || it.is_within(root))
            })
            || roots.any(|root| {
                let environment = self.case.facts.environment(root);
                finding.environments.iter().any(|it| {
                    it.same_as(root) || environment.is_some_and(|environment| environment.is_at(it))
                })
            })
    }

    fn mentions(&self, finding: &Finding) -> bool {
        let distribution = self.case.distribution();
        let names = [
            Some(self.case.top().to_owned()),
            distribution.clone(),
            distribution.map(|it| it.replace('-', "_")),
        ];
        names.into_iter().flatten().any(|name| names_it(finding, &name))
    }

    /// The check's own finding, where one says the same, with what was seen here added; else this one.
    fn lead_with(&self, chosen: &mut Vec<Finding>, own: Finding) {
        if chosen.iter().any(|known| says(known, own.check)) {
            return;
        }
        let same = |finding: &&Finding| says(finding, own.check) && self.mentions(finding);
        let folded = self.case.diagnosis.findings.iter().find(same);
        match folded {
            Some(known) => {
                let mut known = known.clone();
                known.severity = Severity::Error;
                for evidence in own.evidence {
                    if !known.evidence.contains(&evidence) {
                        known.evidence.push(evidence);
                    }
                }
                for remedy in own.remedies {
                    if !known.remedies.iter().any(|it| it.actions == remedy.actions) {
                        known.remedies.push(remedy);
                    }
                }
                chosen.push(known);
            }
            None => chosen.push(own),
        }
    }
}

fn says(finding: &Finding, id: &str) -> bool {
    finding.check == id || finding.symptoms.iter().any(|symptom| symptom.check == id)
}

/// Whether a finding or one of its symptoms has the name as a word of its own.
pub fn names_it(finding: &Finding, name: &str) -> bool {
    let own_word = |text: &str| {
        let is_part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let (text, name) = (text.to_ascii_lowercase(), name.to_ascii_lowercase());
        text.match_indices(&name).any(|(at, found)| {
            !is_part(text[..at].chars().next_back()) && !is_part(text[at + found.len()..].chars().next())
        })
    };
    own_word(&finding.message)
        || finding.evidence.iter().any(|evidence| own_word(&evidence.value))
        || finding.subject.path().is_some_and(|path| own_word(&path.name()))
        || finding.symptoms.iter().any(|symptom| names_it(symptom, name))
}

/// Moves the finding that explains a message to the front: in the order of `ids`, those that name what the message
/// names before others. False: none of them was found.
pub fn lead(findings: &mut Vec<Finding>, ids: &[&str], named: &[&str]) -> bool {
    let rank = |finding: &Finding| {
        let place = ids.iter().position(|id| says(finding, id))?;
        let names = named.iter().any(|name| !name.is_empty() && names_it(finding, name));
        let noted = finding.severity == Severity::Info && !names;
        Some((noted, !names, place))
    };
    let best = (0..findings.len()).filter_map(|at| rank(&findings[at]).map(|rank| (rank, at))).min();
    let Some((_, at)) = best else { return false };
    let leading = findings.remove(at);
    findings.insert(0, leading);
    true
}
