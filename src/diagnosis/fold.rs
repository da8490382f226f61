//! One cause, one finding: symptoms go under the cause that accounts for them, and the finding to act
//! on comes first.

use super::{Check, Finding};
use crate::facts::Facts;
use crate::path::HostPath;

/// Sorts by importance and folds each symptom under its cause.
pub fn fold(mut findings: Vec<Finding>, checks: &[&'static Check], facts: &Facts) -> Vec<Finding> {
    let position =
        |finding: &Finding| checks.iter().position(|check| check.id == finding.check).unwrap_or(usize::MAX);
    findings.sort_by_cached_key(|finding| {
        (std::cmp::Reverse(finding.severity), !concerns_patient(finding, facts), position(finding))
    });
    let parents = causes(&findings, checks);
    let mut slots: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    // deepest first, so that a symptom takes its own symptoms along
    let depth = |mut index: usize| {
        let mut depth = 0;
        while let Some(parent) = parents[index] {
            index = parent;
            depth += 1;
        }
        depth
    };
    let mut order: Vec<usize> = (0..slots.len()).filter(|index| parents[*index].is_some()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(depth(*index)), *index));
    for index in order {
        let Some(parent) = parents[index] else { continue };
        if let Some(symptom) = slots[index].take()
            && let Some(cause) = slots[parent].as_mut()
        {
            cause.severity = cause.severity.max(symptom.severity);
            cause.symptoms.push(symptom);
        }
    }
    let mut folded: Vec<Finding> = slots.into_iter().flatten().collect();
    folded.sort_by_cached_key(|finding| {
        (std::cmp::Reverse(finding.severity), !concerns_patient(finding, facts), position(finding))
    });
    folded
}

/// Whether it speaks of the environment under examination, or of no particular one.
fn concerns_patient(finding: &Finding, facts: &Facts) -> bool {
    finding.environments.is_empty()
        || facts.patient.as_ref().is_some_and(|patient| {
            let real = facts.patient().and_then(|environment| environment.real.as_ref());
            finding
                .environments
                .iter()
                .any(|root| root.same_as(patient) || real.is_some_and(|real| root.same_as(real)))
        })
}

/// For each finding the index of the one that accounts for it. Free of cycles.
fn causes(findings: &[Finding], checks: &[&'static Check]) -> Vec<Option<usize>> {
    let explains = |cause: &Finding, symptom: &Finding| {
        let usual =
            checks.iter().any(|check| check.id == cause.check && check.explains.contains(&symptom.check));
        (usual || cause.explains.contains(&symptom.check))
            && same_environment(&cause.environments, &symptom.environments)
    };
    let mut parents: Vec<Option<usize>> = vec![None; findings.len()];
    for symptom in 0..findings.len() {
        let cause = (0..findings.len()).find(|cause| {
            *cause != symptom
                && explains(&findings[*cause], &findings[symptom])
                && !leads_to(&parents, *cause, symptom)
        });
        parents[symptom] = cause;
    }
    parents
}

/// Whether following the causes of `from` arrives at `to`.
fn leads_to(parents: &[Option<usize>], mut from: usize, to: usize) -> bool {
    while let Some(parent) = parents[from] {
        if parent == to {
            return true;
        }
        from = parent;
    }
    false
}

/// A finding about no environment in particular goes with any.
fn same_environment(cause: &[HostPath], symptom: &[HostPath]) -> bool {
    cause.is_empty()
        || symptom.is_empty()
        || cause.iter().any(|left| symptom.iter().any(|right| left.same_as(right)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::isolation::environment_without_pip;
    use crate::checks::project::missing_requirement;
    use crate::diagnosis::{Severity, Subject};
    use crate::facts::example::{VENV, healthy, path};

    #[test]
    fn a_finding_may_account_for_more_than_its_check_does() {
        let (facts, checks) = (healthy(), [&environment_without_pip::CHECK, &missing_requirement::CHECK]);
        let of = |check: &Check| Finding::new(check, Subject::Environment(path(VENV)), "");
        let (cause, symptom) = (of(checks[0]).severity(Severity::Warning), of(checks[1]));
        assert_eq!(fold(vec![cause.clone(), symptom.clone()], &checks, &facts).len(), 2);
        let folded = fold(vec![cause.explaining(checks[1].id), symptom], &checks, &facts);
        assert_eq!((folded.len(), folded[0].check), (1, checks[0].id));
        assert_eq!((folded[0].severity, folded[0].symptoms.len()), (Severity::Error, 1));
    }
}
