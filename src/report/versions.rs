//! The version of Python as the report tells it, to people and to programs.

use super::sanitize;
use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::facts::interpreter::Interpreter;

/// What the interpreter says of itself, else what its file tells.
pub fn version(interpreter: &Interpreter) -> Option<String> {
    if let Some(report) = interpreter.probe.report().filter(|report| !report.version.is_empty()) {
        let numbers: Vec<String> = report.version.iter().take(3).map(u32::to_string).collect();
        return Some(numbers.join("."));
    }
    interpreter.version.map(|version| version.to_string())
}

/// The version of an environment's interpreter, else the one that its `pyvenv.cfg` or its library tells.
pub fn environment_version(facts: &Facts, environment: &Environment) -> Option<String> {
    let configured = environment.venv_config().and_then(|config| config.version_text()).map(sanitize::shown);
    let found = environment.interpreters.iter().find_map(|path| {
        let interpreter = facts.interpreter(path)?;
        interpreter.can_start().then(|| version(interpreter)).flatten()
    });
    match (found, configured) {
        // a file's name tells less than the configuration
        (Some(found), Some(configured)) if configured.starts_with(&format!("{found}.")) => Some(configured),
        (Some(version), _) | (None, Some(version)) => Some(version),
        (None, None) => environment
            .libraries
            .iter()
            .find_map(|library| library.version)
            .map(|version| version.to_string()),
    }
}
