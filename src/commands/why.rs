//! `venv-doctor why MODULE | -`.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::Duration;

use super::{Status, Terminal, Trouble, completed, deliver, gathered};
use crate::checks;
use crate::cli::{Format, WhyArguments};
use crate::collect::attempt::attempt;
use crate::collect::elsewhere::elsewhere;
use crate::collect::gather::Request;
use crate::collect::inventory;
use crate::config::settings;
use crate::diagnosis::cause::{self, Attempt, Case};
use crate::diagnosis::{Check, Diagnosis, Finding, Need, Severity, Subject, examine, messages};
use crate::facts::Facts;
use crate::facts::search_path::Target;
use crate::host::Host;
use crate::host::real::bytes_of;
use crate::imports::{ImportOrigin, ModuleKind, Start, known_modules, stdlib};
use crate::parse::error_output::{ErrorOutput, LIMIT, Message, MessageKind, Place};
use crate::path::HostPath;
use crate::report::why::{self as report, Answer, Verdict};
use crate::report::{Dialect, human::HumanOptions};

mod module;

/// How long other environments are searched.
const SEARCH_TIME: Duration = Duration::from_secs(1);
/// So much of standard input is taken; the end of it is kept.
const INPUT_LIMIT: usize = 64 << 20;

pub fn run(host: &dyn Host, arguments: &WhyArguments) -> Result<Status, Trouble> {
    if arguments.module == "-" {
        return explain_output(host, arguments);
    }
    module::check_name(&arguments.module)?;
    let python = arguments.python.as_ref().map(|path| bytes_of(path.as_os_str()));
    let setup = setup(host, arguments)?;
    let asking = Asking { host, arguments, setup, python, script: None };
    let facts = asking.facts(BTreeSet::new())?;
    let tried = asking.attempts(&facts, &arguments.module)?;
    module::check_keywords(&arguments.module, tried.main.as_ref())?;
    let answered = asking.answer(facts, tried, &arguments.module, None)?;
    asking.deliver(&answered, Some(&arguments.module), None)
}

fn setup(host: &dyn Host, arguments: &WhyArguments) -> Result<settings::Asking, Trouble> {
    let file = settings::file(host, None, arguments.no_config)?;
    Ok(settings::Asking::new(arguments, file.as_ref()))
}

/// The module's search by the interpreter that matters, and by the project's own.
struct Tried {
    main: Option<Attempt>,
    own: Option<Attempt>,
}

struct Answered {
    facts: Facts,
    tried: Tried,
    fails: bool,
    diagnosis: Diagnosis,
}

struct Asking<'a> {
    host: &'a dyn Host,
    arguments: &'a WhyArguments,
    setup: settings::Asking,
    python: Option<Vec<u8>>,
    /// The script of the traceback.
    script: Option<HostPath>,
}

impl Asking<'_> {
    fn facts(&self, needs: BTreeSet<Need>) -> Result<Facts, Trouble> {
        let request = Request {
            directory: None,
            python: self.python.clone(),
            configured: self.setup.configured.clone(),
            execute: !self.setup.no_exec.value,
            deadline: self.setup.deadline(),
            needs,
        };
        gathered(self.host, &request)
    }

    /// The shell's python is what people run; the project's environment is what they mean, where that is another.
    fn attempts(&self, facts: &Facts, module: &str) -> Result<Tried, Trouble> {
        let own = patient_interpreter(facts);
        let shells = shell_interpreter(facts).filter(|_| self.python.is_none());
        let try_with = |interpreter: &HostPath| {
            let script = self.script.as_ref().and_then(HostPath::parent);
            let start = script.map_or(Start::Command, |directory| Start::Script { directory });
            attempt(self.host, facts, interpreter, module, start)
        };
        let same = |left: &HostPath, right: &HostPath| {
            let root =
                |path: &HostPath| facts.environment_at(path).map(|environment| environment.root.clone());
            left.same_as(right) || root(left).is_some() && root(left) == root(right)
        };
        let own_attempt = own.as_ref().map(&try_with);
        match (shells, own_attempt) {
            (Some(shells), Some(own)) if !same(&shells, &own.interpreter) => {
                let through_manager =
                    facts.project.managers.iter().any(|manager| manager.kind.runs_for_you());
                // where the meant one fails, too, its failure is what is to be explained
                if own.found().is_none() || through_manager {
                    return Ok(Tried { main: Some(own), own: None });
                }
                let shell = try_with(&shells);
                let unknown = matches!(shell.not_searched, Some(cause::NotSearched::Unknown(_)));
                if unknown || shell.found().is_some() {
                    Ok(Tried { main: Some(own), own: None })
                } else {
                    Ok(Tried { main: Some(shell), own: Some(own) })
                }
            }
            (_, Some(own)) => Ok(Tried { main: Some(own), own: None }),
            (Some(shells), None) => Ok(Tried { main: Some(try_with(&shells)), own: None }),
            (None, None) => Ok(Tried { main: None, own: None }),
        }
    }

    fn answer(
        &self,
        facts: Facts,
        tried: Tried,
        module: &str,
        message: Option<&Message>,
    ) -> Result<Answered, Trouble> {
        // an error message proves that it fails, whatever is found
        let works = |tried: &Tried| {
            let Some(attempt) = &tried.main else { return false };
            let works = attempt.found().is_some_and(|found| !self.may_fail(found));
            works && message.is_none() && shadowing(attempt, module).is_none()
        };
        if works(&tried) {
            if let Some(answered) = self.unmet_need(&facts, &tried, module)? {
                return Ok(answered);
            }
            return Ok(Answered { facts, tried, fails: false, diagnosis: empty() });
        }
        let (mut facts, whole) = self.examined()?;
        // now the interpreter may have reported its path, with what its start-up code adds
        let has_hooks = tried.main.as_ref().is_some_and(|attempt| !attempt.hooks.is_empty());
        let tried = if has_hooks { self.attempts(&facts, module)? } else { tried };
        if has_hooks && works(&tried) {
            return Ok(Answered { facts, tried, fails: false, diagnosis: empty() });
        }
        if let Some(attempt) = tried.main.as_ref().filter(|attempt| attempt.found().is_some()) {
            let mut diagnosis = keep_of_module(whole, module);
            let fails = diagnosis.findings.iter().any(|finding| {
                finding.severity == Severity::Error && finding.category == crate::diagnosis::Category::Native
            });
            if let Some(shadow) = shadowing(attempt, module)
                && !diagnosis.findings.iter().any(|finding| finding.check == shadow.check)
            {
                diagnosis.findings.insert(0, shadow);
            }
            return Ok(Answered { facts, tried, fails, diagnosis });
        }
        let Some(main) = &tried.main else {
            return Ok(Answered { facts, tried, fails: true, diagnosis: whole });
        };
        let findings = self.causes(&mut facts, &tried, main, module, &whole, message.is_some());
        let diagnosis = Diagnosis { findings, ..whole };
        Ok(Answered { facts, tried, fails: true, diagnosis })
    }

    /// The module's file begins with the import of what is nowhere: then it cannot be imported either.
    fn unmet_need(&self, facts: &Facts, tried: &Tried, module: &str) -> Result<Option<Answered>, Trouble> {
        let Some((file, line, need)) =
            tried.main.as_ref().and_then(|main| module::first_need(self.host, main, module))
        else {
            return Ok(None);
        };
        let asked = tried.main.as_ref().map(|main| main.interpreter.clone());
        let is_nowhere = |tried: &Tried| {
            let main = tried.main.as_ref().filter(|main| asked.as_ref() == Some(&main.interpreter));
            main.is_some_and(|main| main.is_nowhere(&need))
        };
        if !is_nowhere(&self.attempts(facts, &need)?) {
            return Ok(None);
        }
        let (mut facts, whole) = self.examined()?;
        let needed = self.attempts(&facts, &need)?;
        let Some(main) = needed.main.as_ref().filter(|_| is_nowhere(&needed)) else { return Ok(None) };
        let mut findings = self.causes(&mut facts, &needed, main, &need, &whole, false);
        if let Some(first) = findings.first_mut() {
            let place = format!("{file}, line {line}");
            *first = first.clone().evidence("needed by", format!("{module}: {place}"));
        }
        let tried = self.attempts(&facts, module)?;
        let diagnosis = Diagnosis { findings, ..whole };
        Ok(Some(Answered { facts, tried, fails: true, diagnosis }))
    }

    fn causes(
        &self,
        facts: &mut Facts,
        tried: &Tried,
        main: &Attempt,
        module: &str,
        diagnosis: &Diagnosis,
        observed: bool,
    ) -> Vec<Finding> {
        let top = module.split('.').next().unwrap_or(module);
        // editables and their sources are read for troubled environments alone: now this is one
        let root = main.root.as_ref();
        let troubled = facts.environments.iter_mut().find(|it| root.is_some_and(|root| it.is_at(root)));
        if let Some(environment) = troubled.filter(|environment| environment.is_venv()) {
            inventory::complete(self.host, environment);
        }
        let elsewhere = elsewhere(self.host, facts, top, main.root.as_ref(), SEARCH_TIME);
        let near = module::near_names(self.host, main, top);
        cause::explain(&Case {
            facts,
            module,
            attempt: main,
            own: tried.own.as_ref(),
            elsewhere: &elsewhere,
            diagnosis,
            near: &near,
            observed,
        })
    }

    /// Every fact, and what all the checks find.
    fn examined(&self) -> Result<(Facts, Diagnosis), Trouble> {
        let checks: Vec<&Check> =
            checks::all().filter(|check| !check.needs.contains(&Need::Contents)).collect();
        let needs = checks.iter().flat_map(|check| check.needs.iter().copied()).collect();
        let mut facts = self.facts(needs)?;
        completed(self.host, &mut facts, self.setup.deadline())?;
        let diagnosis = examine::examine(&facts, &checks, Vec::new());
        Ok((facts, diagnosis))
    }

    /// Compiled code can be found and fail to load.
    fn may_fail(&self, found: &crate::imports::Found) -> bool {
        if found.kind == ModuleKind::Extension {
            return found.entry.is_some()
                && found
                    .origin
                    .as_ref()
                    .is_some_and(|origin| origin.to_text().replace('\\', "/").contains("/site-packages/"));
        }
        let compiled =
            |name: &[u8]| name.ends_with(b".so") || name.ends_with(b".pyd") || name.ends_with(b".dylib");
        found.locations.iter().any(|place| {
            let place = place.to_text();
            place.contains("site-packages")
                && HostPath::new(self.host.platform().flavour(), place.as_bytes().to_vec())
                    .and_then(|directory| self.host.list(&directory).ok())
                    .is_some_and(|listing| listing.entries.iter().any(|entry| compiled(&entry.name)))
        })
    }

    fn deliver(
        &self,
        answered: &Answered,
        module: Option<&str>,
        message: Option<&Message>,
    ) -> Result<Status, Trouble> {
        let Answered { facts, tried, fails, diagnosis } = answered;
        if tried.main.is_none() && module.is_some() && diagnosis.findings.is_empty() {
            return Err(Trouble(
                "there is no interpreter to ask: none is on PATH, and no environment is here".to_owned(),
            ));
        }
        let answer = Answer { module, message, attempt: tried.main.as_ref(), fails: *fails, diagnosis };
        let dialect = Dialect::of(facts);
        let mut text = Vec::new();
        match self.arguments.format {
            Format::Json => report::json(&mut text, facts, &answer, &dialect)?,
            _ => {
                let terminal = Terminal::of(self.host, &self.arguments.output);
                let options = HumanOptions {
                    width: terminal.width,
                    color: terminal.color,
                    unicode: terminal.unicode,
                    verbose: self.arguments.output.verbose,
                    quiet: self.arguments.output.quiet,
                };
                report::human(&mut text, facts, &answer, &dialect, &options)?;
            }
        }
        deliver(&text)?;
        Ok(match answer.verdict() {
            Verdict::Found | Verdict::CannotTell => Status::Clean,
            _ => Status::Findings,
        })
    }
}

fn empty() -> Diagnosis {
    Diagnosis::default()
}

fn shell_interpreter(facts: &Facts) -> Option<HostPath> {
    let hit = facts.shell_python()?.chosen()?;
    match &hit.leads_to {
        Target::Shim { program, .. } => program.clone(),
        Target::StoreStub => None,
        _ => Some(hit.path.clone()),
    }
}

fn patient_interpreter(facts: &Facts) -> Option<HostPath> {
    let patient = facts.patient()?;
    if patient.is_venv() || facts.interpreter_of(patient).is_some() {
        return facts.interpreter_of(patient).map(|interpreter| interpreter.path.clone());
    }
    let asked = facts.interpreters.iter().find(|it| {
        it.environment.as_ref().is_some_and(|root| patient.is_at(root))
            && it.origins.iter().any(|origin| matches!(origin, crate::facts::Origin::Argument))
    });
    asked
        .map(|interpreter| interpreter.path.clone())
        .or_else(|| {
            shell_interpreter(facts)
                .filter(|path| facts.environment_at(path).is_some_and(|it| it.is_at(&patient.root)))
        })
        .or_else(|| patient.interpreters.first().cloned())
}

/// A file of the project or of `PYTHONPATH` in front of the standard library.
fn shadowing(attempt: &Attempt, module: &str) -> Option<Finding> {
    let found = attempt.found()?;
    let top = module.split('.').next()?;
    let entry = attempt.origin_of(found.entry?)?;
    let foreign = matches!(entry, ImportOrigin::ScriptDirectory | ImportOrigin::PythonPath { .. });
    if !foreign || !attempt.version.is_some_and(|version| stdlib::contains(version, top)) {
        return None;
    }
    let file = attempt.hidden.first()?;
    let subject = match HostPath::new(attempt.interpreter.flavour(), file.as_bytes().to_vec()) {
        Some(path) => Subject::file(&path),
        None => Subject::Interpreter(attempt.interpreter.clone()),
    };
    let hidden = attempt.hidden.get(1)?;
    let message = format!("{file} hides the standard library's {top}");
    Some(
        cause::finding(
            "shadowed-stdlib",
            crate::diagnosis::Category::Isolation,
            Severity::Error,
            subject,
            message,
        )
        .evidence("hidden", hidden.as_str())
        .remedy(cause::rename(file)),
    )
}

/// What speaks of the module, and native faults of its distribution.
fn keep_of_module(mut whole: Diagnosis, module: &str) -> Diagnosis {
    let top = module.split('.').next().unwrap_or(module);
    let distribution = known_modules::distribution_for(module);
    whole.findings.retain(|finding| {
        cause::names_it(finding, top)
            || distribution.as_ref().is_some_and(|name| cause::names_it(finding, name))
    });
    whole
}

/// `why -`.
fn explain_output(host: &dyn Host, arguments: &WhyArguments) -> Result<Status, Trouble> {
    let bytes = read_input().map_err(|error| Trouble(format!("cannot read standard input: {error}")))?;
    let output = ErrorOutput::parse(&bytes);
    let Some(message) = output.decisive() else {
        return Err(Trouble(
            "nothing in what was read is an error message that is known; `venv-doctor check` examines the environment"
                .to_owned(),
        ));
    };
    let named = arguments.python.as_ref().map(|path| bytes_of(path.as_os_str()));
    let python = named.or_else(|| interpreter_of(host, &output).map(|path| path.as_bytes().to_vec()));
    let flavour = host.platform().flavour();
    let script = output.script.as_ref().and_then(|text| HostPath::new(flavour, text.as_bytes().to_vec()));
    let script = script.filter(|path| host.is_file(path) && !path.to_text().contains("site-packages"));
    let setup = setup(host, arguments)?;
    let asking = Asking { host, arguments, setup, python, script };
    let module = module_of(message);
    if let Some(module) = &module
        && matches!(
            message.kind,
            MessageKind::ModuleMissing | MessageKind::SetuptoolsGone | MessageKind::NoPip
        )
    {
        let facts = asking.facts(BTreeSet::new())?;
        let tried = asking.attempts(&facts, module)?;
        if tried.main.as_ref().is_some_and(|attempt| attempt.found().is_none()) {
            let mut answered = asking.answer(facts, tried, module, Some(message))?;
            let checks = messages::meaning_of(message.kind).checks;
            if message.kind == MessageKind::NoPip {
                cause::lead(&mut answered.diagnosis.findings, checks, &["pip"]);
            }
            return asking.deliver(&answered, Some(module), Some(message));
        }
    }
    let (facts, mut diagnosis) = asking.examined()?;
    let named: Vec<&str> = message.name.as_deref().into_iter().chain(message.path.as_deref()).collect();
    let meaning = messages::meaning_of(message.kind);
    let names: Vec<&str> = named.iter().map(|text| text.rsplit(['/', '\\']).next().unwrap_or(text)).collect();
    if !cause::lead(&mut diagnosis.findings, meaning.checks, &names) {
        // a file of the project in front of the standard library needs no check to be seen
        let shadow = match (&module, message.kind) {
            (
                Some(module),
                MessageKind::PartlyInitialised
                | MessageKind::MissingAttribute
                | MessageKind::CannotImportName,
            ) => {
                let tried = asking.attempts(&facts, module)?;
                tried.main.as_ref().and_then(|attempt| shadowing(attempt, module))
            }
            _ => None,
        };
        let subject = facts.patient.clone().map_or(Subject::Shell, Subject::Environment);
        diagnosis.findings.insert(0, shadow.unwrap_or_else(|| messages::explain(message, subject)));
    }
    // what has nothing to do with it is the affair of `check`
    let mut first = true;
    diagnosis.findings.retain(|finding| {
        std::mem::take(&mut first)
            || finding.severity == Severity::Error
            || meaning.checks.contains(&finding.check)
    });
    let answered = Answered { facts, tried: Tried { main: None, own: None }, fails: true, diagnosis };
    asking.deliver(&answered, None, Some(message))
}

/// The module that a message is about.
fn module_of(message: &Message) -> Option<String> {
    let name = message.name.clone()?;
    module::check_name(&name).is_ok().then_some(name)
}

/// The interpreter that the output came from, where it is on this machine.
fn interpreter_of(host: &dyn Host, output: &ErrorOutput) -> Option<HostPath> {
    let flavour = host.platform().flavour();
    let path = |text: &String| HostPath::new(flavour, text.as_bytes().to_vec());
    output.places.iter().find_map(|place| match place {
        Place::Environment(root) => path(root).filter(|root| {
            ["pyvenv.cfg", "bin/python", "Scripts/python.exe", "bin/python3"]
                .iter()
                .any(|name| host.link_metadata(&root.join(name)).is_ok())
        }),
        Place::Program(program) => {
            let program = path(program)?;
            let name = program.name().to_ascii_lowercase();
            if name.starts_with("python") || name.starts_with("pypy") {
                return host.link_metadata(&program).is_ok().then_some(program);
            }
            let root = program.parent()?.parent()?;
            host.is_file(&root.join("pyvenv.cfg")).then_some(root)
        }
        Place::Prefix(_) => None,
    })
}

/// The end of standard input.
fn read_input() -> std::io::Result<Vec<u8>> {
    let mut input = std::io::stdin().lock().take(INPUT_LIMIT as u64);
    let mut kept: Vec<u8> = Vec::new();
    let mut chunk = [0; 1 << 16];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => return Ok(kept),
            Ok(count) => {
                kept.extend_from_slice(&chunk[..count]);
                if kept.len() > 2 * LIMIT {
                    kept.drain(..kept.len() - LIMIT);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
