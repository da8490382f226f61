//! The import path that an interpreter's files foretell, and how far its own report agrees.

use super::probe::{Trust, without_relative_entries};
use crate::facts::import_setup::UnmetImport;
use crate::facts::interpreter::{Interpreter, ProbeReport};
use crate::host::Host;
use crate::imports::{
    Build, Flags, ImportOrigin, Prediction, Question, Reported, Spelling, Start, Unidentified, Variables,
    compare, identify, predict, unmet_imports,
};
use crate::path::HostPath;

/// What was worked out while the interpreter was being asked.
pub struct Foreseen {
    build: Build,
    predicted: Prediction,
    /// For the flags and variables of the probe, without the entry that the probe leaves out.
    of_probe: Prediction,
}

/// Works out what `program` would do when it is started now, in this environment.
///
/// # Errors
/// When nothing tells which Python it is.
pub fn foresee(host: &dyn Host, program: &HostPath, trust: Trust) -> Result<Foreseen, Unidentified> {
    let build = identify(host, program)?;
    let variables = Variables::from_lookup(|name| host.variable(name));
    let working_directory = host.working_directory().ok();
    let question = |variables, flags| Question {
        executable: program.clone(),
        build: &build,
        variables,
        flags,
        start: Start::Command,
        working_directory: working_directory.clone(),
        user: host.user(),
    };
    let predicted = predict(host, &question(&variables, Flags::default()));
    let kept = variables
        .pythonpath
        .as_deref()
        .map(|value| without_relative_entries(value, program.flavour()))
        .filter(|value| !value.is_empty());
    let isolated = trust == Trust::Isolated;
    let mut of_probe = if isolated || kept != variables.pythonpath {
        let flags = Flags { isolated, no_site: isolated, ..Flags::default() };
        predict(host, &question(&Variables { pythonpath: kept, ..variables.clone() }, flags))
    } else {
        predicted.clone()
    };
    of_probe.entries.retain(|entry| entry.origin != ImportOrigin::ScriptDirectory);
    Ok(Foreseen { build, predicted, of_probe })
}

impl Foreseen {
    /// What fails at a start whose complaints nobody heard.
    pub fn unmet(&self, host: &dyn Host) -> Vec<UnmetImport> {
        unmet_imports(host, &self.build, &self.predicted, host.working_directory().ok().as_ref())
    }

    /// Puts it beside what the interpreter has reported.
    pub fn tell(self, interpreter: &mut Interpreter) {
        interpreter.comparison = interpreter.probe.report().map(|report| {
            let mut of_probe = self.of_probe;
            as_text(&mut of_probe);
            compare(&of_probe, &reported(report))
        });
        interpreter.build = Some(self.build);
        interpreter.predicted = Some(self.predicted);
    }
}

/// The probe writes bytes that are no UTF-8 as `\xNN`; so must what it is compared with.
fn as_text(prediction: &mut Prediction) {
    for entry in &mut prediction.entries {
        if std::str::from_utf8(entry.directory.as_bytes()).is_err() {
            entry.directory = Spelling::from(&*entry.directory.to_text());
        }
    }
}

fn reported(report: &ProbeReport) -> Reported {
    let modern = report.version.first().is_some_and(|major| *major >= 3);
    let spelling = |text: &String| Spelling::from(text.as_str());
    Reported {
        prefix: spelling(&report.prefix),
        base_prefix: modern.then(|| spelling(&report.base_prefix)),
        exec_prefix: spelling(&report.exec_prefix),
        base_exec_prefix: modern.then(|| spelling(&report.base_exec_prefix)),
        executable: report.executable.as_ref().map(spelling),
        user_site: report.user_site.as_ref().map(spelling),
        user_site_enabled: (!report.isolated).then_some(report.enable_user_site),
        path: report.path.iter().map(spelling).collect(),
    }
}
