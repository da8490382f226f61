//! Bytes and text to types, with line numbers. Nothing here reads a file.
pub mod activate {
    use serde::{Deserialize, Serialize};
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum ActivatorKind {
        Posix,
        Csh,
        Fish,
        PowerShell,
        Cmd,
        Nushell,
        Xonsh,
        Python,
    }
}
pub mod binary {
    use serde::{Deserialize, Serialize};
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Binary {}
}
pub mod digest;
pub mod python_source;
pub mod requirements;
pub mod service;
pub mod pyvenv_cfg {
    use serde::{Deserialize, Serialize};
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct PyvenvConfig {}
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub enum Creator {
        Venv,
    }
}
pub mod makefile {
    use serde::{Deserialize, Serialize};
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    pub enum ActivationProblem {
        SourceUnderSh,
        OwnShellEnds,
        ExecutedNotSourced,
    }
}
