//! What a traceback or a tool's error output says: one row per kind of message, and the paths that tell which
//! Python it came from. Any bytes are accepted.

use crate::path::readable;

mod capture;
mod places;
mod rows;

pub use places::Place;
pub use rows::{ROWS, Row};

/// So much of the input is read: the end of an error output is what matters, and a traceback is far shorter.
pub const LIMIT: usize = 1 << 20;
const LINE_LIMIT: usize = 4000;
const MOST_MESSAGES: usize = 50;

/// A kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    NoStandardLibrary,
    NoPip,
    SetuptoolsGone,
    PartlyInitialised,
    MissingAttribute,
    CannotImportName,
    CLibraryTooOld,
    UndefinedSymbol,
    LibpythonMissing,
    WrongArchitecture,
    SharedLibraryMissing,
    DllLoadFailed,
    NumpyAbi,
    BadMagicNumber,
    PthLineFails,
    CustomizeFails,
    ModuleMissing,
    NoPyvenvConfig,
    NoBasePython,
    ExternallyManaged,
    UserInstallRefused,
    VirtualenvRequired,
    InvalidDistribution,
    RecordMissing,
    PyenvVersionMissing,
    PyenvOtherVersion,
    OtherPythonRequired,
    UvOtherEnvironment,
    PreCommitMissing,
    PipxInvalidInterpreter,
    LauncherFails,
    StoreStub,
    ScriptsDisabled,
    WrongShell,
    SourceUnknown,
    NotOnSearchPath,
    LinkLoop,
    WrongBinaryFormat,
    InterpreterWithCarriageReturn,
    BadInterpreter,
    CommandMissing,
    PermissionDenied,
}

/// A message that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub kind: MessageKind,
    /// The line, cleaned of colours, and its number from 1.
    pub text: String,
    pub line: usize,
    /// The module, library, version or distribution that it names.
    pub name: Option<String>,
    /// The file or directory that it names.
    pub path: Option<String>,
    /// The tool goes on in spite of it.
    pub passing: bool,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorOutput {
    /// In the order of the text.
    pub messages: Vec<Message>,
    /// Where it came from, the most telling first.
    pub places: Vec<Place>,
    /// The script of the outermost frame of the last traceback.
    pub script: Option<String>,
}

impl ErrorOutput {
    pub fn parse(bytes: &[u8]) -> ErrorOutput {
        // UTF-16, as older PowerShells redirect
        let text = match bytes {
            [0xff, 0xfe, rest @ ..] => utf16(rest),
            _ => readable(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned(),
        };
        let mut output = ErrorOutput::default();
        let mut places = places::Collector::default();
        for (index, line) in text.lines().enumerate() {
            let line = capture::clean(line, LINE_LIMIT);
            places.look_at(&line);
            if let Some(message) = rows::recognise(&line, index + 1) {
                // a long output repeats itself: its beginning and its end are kept
                if output.messages.len() == MOST_MESSAGES {
                    output.messages.remove(MOST_MESSAGES / 2);
                }
                output.messages.push(message);
            }
        }
        (output.places, output.script) = places.finish();
        output
    }

    /// The message to explain: the last one that ended something, else the last. Python prints the error that ended a
    /// program last; a shell's or pip's own lines follow what they speak of.
    pub fn decisive(&self) -> Option<&Message> {
        let fatal = self.messages.iter().rev().find(|message| !message.passing);
        let last = fatal.or_else(|| self.messages.last())?;
        // what a wrapper adds says less than the error inside it
        let general = |kind: MessageKind| {
            matches!(
                kind,
                MessageKind::ModuleMissing | MessageKind::PermissionDenied | MessageKind::CommandMissing
            )
        };
        if general(last.kind) {
            let same = |message: &&Message| !message.passing && !general(message.kind);
            let start_of_python =
                |message: &&Message| same(message) && message.kind == MessageKind::NoStandardLibrary;
            return Some(self.messages.iter().rev().find(start_of_python).unwrap_or(last));
        }
        Some(last)
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests;
