//! What is found in the environments and beside them, side by side with the one interpreter start.

use super::Request;
use super::ahead::Ahead;
use super::examined::environments;
use super::ground::Ground;
use super::trust::Plan;
use crate::collect::probe::ask;
use crate::collect::project::sources::sources;
use crate::collect::{import_path, import_setup, interpreter, native, packages, places, tools};
use crate::diagnosis::Need;
use crate::facts::distribution::Packages;
use crate::facts::environment::{Environment, EnvironmentKind, HomeState};
use crate::facts::import_setup::ImportSetup;
use crate::facts::interpreter::{Interpreter, Probe};
use crate::facts::native::Native;
use crate::facts::requirement::Sources;
use crate::facts::search_path::{Command, Target};
use crate::facts::shell::Shell;
use crate::facts::tools::Tools;
use crate::facts::{Gathered, Origin};
use crate::host::Host;
use crate::path::HostPath;

pub(super) struct Inside {
    pub(super) environments: Vec<Environment>,
    pub(super) packages: Vec<Packages>,
    pub(super) interpreters: Vec<Interpreter>,
    /// What the project's sources import; None where they were not read.
    pub(super) sources: Option<Sources>,
    pub(super) native: Vec<Native>,
    pub(super) tools: Gathered<Tools>,
    pub(super) import_setup: ImportSetup,
    pub(super) foreseen: Option<import_path::Foreseen>,
    /// The interpreter's, where it was asked.
    pub(super) answer: Option<Probe>,
}

impl Inside {
    pub(super) fn of(host: &dyn Host, request: &Request, ground: &Ground, ahead: Option<Ahead>) -> Inside {
        let Ground { project, commands, .. } = ground;
        let patient = ground.patient.as_ref();
        let needs = |need: Need| request.needs.contains(&need);
        let lookup = |name: &str| ground.shell.variable(name).map(str::to_owned);
        let places =
            places::Places { system: host.platform().system, home: ground.home.as_ref(), variable: &lookup };
        // first of all: nothing takes longer than the interpreter's own start
        let asked = match &ground.plan {
            Some(Plan::Start { program, trust }) => Some(ask(host, program, *trust, request.deadline)),
            _ => None,
        };
        std::thread::scope(|scope| {
            let asking = asked.map(|asked| scope.spawn(move || asked.answer()));
            let sources = needs(Need::Sources).then(|| scope.spawn(move || sources(host, project)));
            let mut environments =
                environments(host, request, &ground.named, project.git.as_ref(), ahead.as_ref());
            let mut interpreters = interpreters(host, request, &environments, commands, patient);
            if needs(Need::Binaries) {
                compare_copies(host, &mut environments, &mut interpreters);
            }
            let tools = tools_facts(host, request, ground, places, &environments);
            let plan = ground.plan.as_ref().filter(|_| needs(Need::ImportPath));
            let foreseen =
                plan.and_then(|plan| import_path::foresee(host, plan.program()?, plan.trust()).ok());
            let setting_up = import_setup::Context {
                shell: &ground.shell,
                directory: ground.directory.as_ref(),
                project,
                commands,
                patient,
                needs: &request.needs,
            };
            let import_setup = import_setup::import_setup(host, &setting_up);
            let failed = || Probe::NotRun { why: "the doctor's own thread failed".to_owned() };
            // until it has answered the interpreter needs a processor: then this thread helps to read
            let answer = asking.map(|asking| asking.join().unwrap_or_else(|_| failed()));
            let packages = packages(host, request, ground, &environments, ahead);
            let native = match needs(Need::Native) {
                true => native::native(host, &environments, &interpreters, &packages, patient),
                false => Vec::new(),
            };
            Inside {
                environments,
                packages,
                interpreters,
                sources: sources.and_then(|sources| sources.join().ok()).flatten(),
                native,
                tools,
                import_setup,
                foreseen,
                answer,
            }
        })
    }
}

fn tools_facts(
    host: &dyn Host,
    request: &Request,
    ground: &Ground,
    places: places::Places,
    environments: &[Environment],
) -> Gathered<Tools> {
    if !request.needs.contains(&Need::Tools) {
        return Gathered::NotAsked;
    }
    let environments = environments.iter().map(|environment| environment.root.clone()).collect();
    let reader = tools::Reader {
        files: host,
        places,
        search_path: &ground.search_path,
        project: &ground.project,
        directory: ground.directory.as_ref(),
        environments,
    };
    Gathered::Known(reader.tools())
}

/// What is asked of the packages of the environment under examination.
pub(super) fn patients_packages<'a>(
    request: &Request,
    environment: &'a Environment,
    variables: &'a packages::Variables,
) -> packages::Question<'a> {
    packages::Question {
        environment,
        variables,
        compare: true,
        given_up: None,
        tags: request.needs.contains(&Need::Native),
    }
}

/// What is installed for the patient and, where it is another, for the environment of the shell's python.
fn packages(
    host: &dyn Host,
    request: &Request,
    ground: &Ground,
    environments: &[Environment],
    ahead: Option<Ahead>,
) -> Vec<Packages> {
    if !request.needs.contains(&Need::Packages) {
        return Vec::new();
    }
    let variables = &packages::Variables::of(&ground.shell);
    let running = ["python", "python3"]
        .iter()
        .find_map(|name| ground.commands.iter().find(|command| command.name == *name)?.chosen())
        .and_then(|hit| hit.leads_to.environment());
    let at = |root: &HostPath| environments.iter().find(|environment| environment.is_at(root));
    let patient = ground.patient.as_ref().and_then(at);
    let running =
        running.and_then(at).filter(|running| patient.is_none_or(|patient| !patient.is_at(&running.root)));
    let of_patient = patient.map(|environment| {
        let known = ahead.and_then(|ahead| ahead.packages(&environment.root, variables));
        let question = patients_packages(request, environment, variables);
        let mut packages = known.unwrap_or_else(|| packages::packages(host, question));
        if request.needs.contains(&Need::Contents) {
            packages::read_contents(host, &mut packages, environment);
        }
        packages
    });
    let of_running = running.map(|environment| {
        let question = patients_packages(request, environment, variables);
        packages::packages(host, packages::Question { compare: false, ..question })
    });
    let mut found: Vec<Packages> = of_patient.into_iter().chain(of_running).collect();
    for (packages, environment) in found.iter_mut().zip(patient.into_iter().chain(running)) {
        packages::complete(host, packages, environment, ground.project.root.as_ref());
    }
    found
}

/// What the patient's interpreter reports, and no file tells, is installed for it, too.
pub(super) fn take_report(
    host: &dyn Host,
    environments: &[Environment],
    shell: &Shell,
    patient: Option<&HostPath>,
    interpreters: &[Interpreter],
    packages: &mut [Packages],
) {
    let at = |root: &HostPath| environments.iter().find(|environment| environment.is_at(root));
    let Some(environment) = patient.and_then(at) else { return };
    let known = packages.iter_mut().find(|packages| packages.environment.same_as(&environment.root));
    let report = interpreters.iter().find_map(|interpreter| interpreter.probe.report());
    let (Some(packages), Some(report)) = (known, report) else { return };
    let question = packages::Question {
        environment,
        variables: &packages::Variables::of(shell),
        compare: false,
        given_up: None,
        tags: false,
    };
    packages::take_report(host, packages, report, question);
}

fn interpreters(
    host: &dyn Host,
    request: &Request,
    environments: &[Environment],
    commands: &[Command],
    patient: Option<&HostPath>,
) -> Vec<Interpreter> {
    let with_binaries = request.needs.contains(&Need::Binaries);
    let mut found: Vec<Interpreter> = Vec::new();
    let mut binaries = interpreter::Binaries::new();
    let mut add = |path: &HostPath, origin: Origin, with_binary: bool| match found
        .iter_mut()
        .find(|known| known.path.same_as(path))
    {
        Some(known) => {
            if !known.origins.contains(&origin) {
                known.origins.push(origin);
            }
        }
        None => {
            let binaries = with_binary.then_some(&mut binaries);
            found.push(interpreter::interpreter(host, path, vec![origin], binaries));
        }
    };
    let has_own =
        |environment: &&Environment| environment.is_venv() || environment.kind == EnvironmentKind::Conda;
    for environment in environments.iter().filter(has_own) {
        let examined = patient.is_some_and(|root| environment.is_at(root))
            || environment
                .origins
                .iter()
                .any(|origin| matches!(origin, Origin::Variable(_) | Origin::SearchPath(_)));
        for path in &environment.interpreters {
            let origin = environment.origins.first().cloned().unwrap_or(Origin::Probe);
            add(path, origin, with_binaries && examined);
        }
    }
    for command in commands.iter().filter(|command| command.name.starts_with("python")) {
        if let Some(hit) = command.chosen() {
            add(&hit.path, Origin::SearchPath(hit.entry), with_binaries);
            if let Target::Shim { program: Some(program), .. } = &hit.leads_to {
                add(program, Origin::SearchPath(hit.entry), with_binaries);
            }
        }
    }
    found
}

/// A copied interpreter may be of another patch release than its base: only then is it worth reading both whole.
fn compare_copies(host: &dyn Host, environments: &mut [Environment], interpreters: &mut [Interpreter]) {
    for environment in environments.iter_mut().filter(|environment| environment.kind == EnvironmentKind::Venv)
    {
        let copies: Vec<usize> = (0..interpreters.len())
            .filter(|index| {
                environment.interpreters.contains(&interpreters[*index].path)
                    && interpreters[*index].is_copy_in(environment)
                    && interpreters[*index].binary.known().is_some()
            })
            .collect();
        let Some(home) = environment.home.as_mut().filter(|home| home.state == HomeState::Good) else {
            continue;
        };
        let (Some(_), Some(base)) = (copies.first(), &home.interpreter) else { continue };
        if home.version.is_none_or(|version| version.patch.is_none()) {
            home.version = interpreter::exact_version(host, base).or(home.version);
        }
        for index in copies {
            let copy = &mut interpreters[index];
            if copy.version.is_none_or(|version| version.patch.is_none())
                && let Some(version) = interpreter::exact_version(host, &copy.path)
            {
                copy.version = Some(version);
                copy.version_source = Some("its bytes".to_owned());
            }
        }
    }
}
