//! What each kind of error message means: which checks explain it, and what to say when nothing on this machine does.

use super::cause::finding;
use super::{Action, Category, Finding, Remedy, Severity, Subject};
use crate::parse::error_output::{Message, MessageKind};

mod compiled_code;
mod importing;
mod installing;
mod shells_and_tools;
mod starting;

/// One kind of message.
pub struct Meaning {
    /// Checks whose findings explain it, the most likely first.
    pub checks: &'static [&'static str],
    category: Category,
    /// What it says, in a sentence.
    means: &'static str,
    /// What to look at or do.
    advice: &'static [&'static str],
}

const fn meaning(
    category: Category,
    checks: &'static [&'static str],
    means: &'static str,
    advice: &'static [&'static str],
) -> Meaning {
    Meaning { checks, category, means, advice }
}

/// A finding for a message that nothing on this machine explains.
pub fn explain(message: &Message, subject: Subject) -> Finding {
    let meaning = meaning_of(message.kind);
    let id = meaning.checks.first().copied().unwrap_or("unresolvable-import");
    let severity = if message.passing { Severity::Warning } else { Severity::Error };
    let mut found = finding(id, meaning.category, severity, subject, meaning.means)
        .evidence("message", format!("{} (line {})", message.text, message.line));
    if let Some(name) = &message.name {
        found = found.evidence("it names", name.as_str());
    }
    if let Some(path) = message.path.as_ref().filter(|path| Some(*path) != message.name.as_ref()) {
        found = found.evidence("file", path.as_str());
    }
    let advice = meaning.advice.iter().map(|text| Action::Advice((*text).to_owned())).collect();
    found.remedy(Remedy::manual("What to check", advice))
}

pub fn meaning_of(kind: MessageKind) -> &'static Meaning {
    use MessageKind as Kind;
    match kind {
        Kind::NoStandardLibrary
        | Kind::NoPyvenvConfig
        | Kind::NoBasePython
        | Kind::LibpythonMissing
        | Kind::LinkLoop
        | Kind::WrongBinaryFormat
        | Kind::InterpreterWithCarriageReturn
        | Kind::BadInterpreter
        | Kind::LauncherFails
        | Kind::PermissionDenied => starting::meaning_of(kind),
        Kind::CLibraryTooOld
        | Kind::UndefinedSymbol
        | Kind::WrongArchitecture
        | Kind::SharedLibraryMissing
        | Kind::DllLoadFailed
        | Kind::NumpyAbi => compiled_code::meaning_of(kind),
        Kind::PartlyInitialised
        | Kind::MissingAttribute
        | Kind::CannotImportName
        | Kind::BadMagicNumber
        | Kind::PthLineFails
        | Kind::CustomizeFails
        | Kind::ModuleMissing
        | Kind::SetuptoolsGone => importing::meaning_of(kind),
        Kind::NoPip
        | Kind::ExternallyManaged
        | Kind::UserInstallRefused
        | Kind::VirtualenvRequired
        | Kind::InvalidDistribution
        | Kind::RecordMissing
        | Kind::OtherPythonRequired => installing::meaning_of(kind),
        _ => shells_and_tools::meaning_of(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::error_output::ROWS;

    #[test]
    fn every_kind_has_checks_and_advice() {
        for row in ROWS {
            let meaning = meaning_of(row.kind);
            assert!(!meaning.checks.is_empty() && !meaning.advice.is_empty(), "{:?}", row.kind);
            assert!(!meaning.means.ends_with('.'), "{}", meaning.means);
        }
    }

    #[test]
    fn an_unexplained_message_is_explained() {
        let message = Message {
            kind: MessageKind::StoreStub,
            text: "Python was not found".into(),
            line: 3,
            name: None,
            path: None,
            passing: false,
        };
        let found = explain(&message, Subject::Shell);
        assert_eq!(found.check, "windows-store-stub");
        assert_eq!(found.evidence[0].value, "Python was not found (line 3)");
        assert_eq!(found.remedies[0].actions.len(), 3);
    }
}
