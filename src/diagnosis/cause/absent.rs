//! Nothing of that name is where Python looks: it is somewhere else, or nowhere.

use super::present::owner;
use super::{Case, NotSearched, Standing, finding};
use crate::diagnosis::{Action, Category, Finding, Remedy, Severity, Word};
use crate::facts::elsewhere::{Keeper, Provider};
use crate::facts::environment::EnvironmentKind;
use crate::imports::{ModuleKind, known_modules, stdlib};

/// Installed in another environment: which one, and what reaches it.
pub fn elsewhere(case: &Case) -> Option<Finding> {
    if !case.top_is_missing() && !in_namespace(case) {
        return None;
    }
    let first = best_provider(case).filter(|provider| is_of_use(case, provider))?;
    let of_project = case.facts.project.environments.iter().any(|root| root.same_as(&first.root));
    let id = if of_project { "forgotten-activation" } else { "unresolvable-import" };
    let category = if of_project { Category::Activation } else { Category::Project };
    let whose = match first.keeper {
        _ if of_project => "the project's environment",
        Keeper::Known => "another environment",
        keeper => keeper.label(),
    };
    let message =
        format!("{} is not installed for {}; {whose} {} has it", case.top(), case.python(), first.root);
    let mut found = finding(id, category, Severity::Error, case.subject(), message).about(&first.root);
    for provider in case.elsewhere.providers.iter().take(5) {
        let version = provider.version.map(|version| format!(" (Python {})", version.minor_text()));
        found = found
            .evidence(provider.keeper.label(), format!("{}{}", provider.file, version.unwrap_or_default()));
    }
    found = search_limits(case, found);
    let reach = reach(case, first);
    let install = case.install();
    let (first_remedy, second) =
        if of_project || first.keeper == Keeper::Known { (reach, install) } else { (install, reach) };
    for remedy in first_remedy.into_iter().chain(second) {
        found = found.remedy(remedy);
    }
    Some(found)
}

/// The user's site and tools' environments are of no use to a project.
fn best_provider<'a>(case: &Case<'a>) -> Option<&'a Provider> {
    let providers = &case.elsewhere.providers;
    let own = |provider: &&Provider| {
        case.facts.project.environments.iter().any(|root| root.same_as(&provider.root))
    };
    providers.iter().find(own).or_else(|| providers.first())
}

/// A shared installation has a little of everything: that is no sign that it was meant.
fn is_of_use(case: &Case, provider: &Provider) -> bool {
    let environment = case.facts.environment(&provider.root);
    let shared = environment.is_some_and(|it| it.kind == EnvironmentKind::Installation);
    let kept = !matches!(provider.keeper, Keeper::Installation | Keeper::Pipx | Keeper::UvTool);
    let itself = case.attempt.interpreter.is_within(&provider.root);
    kept && !shared && !itself
}

/// The command that runs Python where the module is.
fn reach(case: &Case, provider: &Provider) -> Option<Remedy> {
    let environment = case.facts.environment(&provider.root);
    if let Some(environment) = environment.filter(|it| it.is_venv() && !it.activators.is_empty()) {
        return Some(Remedy::safe("Activate that environment", vec![Action::activate(environment)]));
    }
    if provider.keeper == Keeper::Conda || environment.is_some_and(|it| it.kind == EnvironmentKind::Conda) {
        let words: Vec<Word> = vec!["conda".into(), "activate".into(), (&provider.root).into()];
        return Some(Remedy::safe("Activate that environment", vec![Action::Run(words)]));
    }
    // an application's own environment is not for other code
    if matches!(provider.keeper, Keeper::Pipx | Keeper::UvTool | Keeper::UserSite) {
        return None;
    }
    let interpreter = provider.interpreter.as_ref()?;
    let words: Vec<Word> = vec![interpreter.into(), "-c".into(), format!("import {}", case.module).into()];
    Some(Remedy::safe(format!("Run the code with {interpreter}"), vec![Action::Run(words)]))
}

/// How far the search of other environments went.
fn search_limits(case: &Case, found: Finding) -> Finding {
    let searched = case.elsewhere.searched;
    let text = match (searched, case.elsewhere.cut_short) {
        (0, false) => return found,
        (_, true) => format!("{searched} looked into before the second that the search may take was over"),
        (_, false) => {
            format!("{searched} that the shell, the project and their tools know of were looked into")
        }
    };
    found.evidence("other environments", text)
}

/// It is the project's own, and the project's directory is not on the import path.
pub fn in_project(case: &Case) -> Option<Finding> {
    if !case.top_is_missing() && !in_namespace(case) {
        return None;
    }
    let file = case.elsewhere.in_project.first()?;
    let directory =
        file.parent().filter(|_| file.name() != "__init__.py").or_else(|| file.parent()?.parent())?;
    let safe = case.facts.shell.variable("PYTHONSAFEPATH").filter(|value| !value.is_empty());
    let facts = case.facts;
    if let Some(value) = safe {
        let message =
            format!("PYTHONSAFEPATH keeps {directory} off the import path, where {} lies", case.top());
        let unset = Remedy::safe("Unset PYTHONSAFEPATH", vec![Action::Unset("PYTHONSAFEPATH".to_owned())]);
        return Some(
            finding("pythonsafepath-set", Category::Isolation, Severity::Error, case.subject(), message)
                .evidence("PYTHONSAFEPATH", value)
                .evidence("module", file.to_string())
                .remedy(unset),
        );
    }
    let message = format!("{} is part of the project, and {directory} is not on the import path", case.top());
    let mut found =
        finding("project-not-installed", Category::Project, Severity::Error, case.subject(), message)
            .evidence("module", file.to_string());
    if facts.project.is_package
        && let (Some(root), Some(environment)) = (&facts.project.root, case.environment())
    {
        let mut remedy = crate::diagnosis::install::install(facts, environment, "--editable", true);
        if let Some(Action::Run(words)) = remedy.actions.last_mut()
            && words.last().is_some_and(|word| word.as_bytes() == b"--editable")
        {
            words.push(root.into());
        }
        remedy.summary = "Install the project into its environment".to_owned();
        found = found.remedy(remedy);
    }
    Some(found.remedy(Remedy::safe(
        format!("Put {directory} on the import path of this shell's programs"),
        vec![Action::Set { name: "PYTHONPATH".to_owned(), value: (&directory).into() }],
    )))
}

/// Installed nowhere: what provides it.
pub fn nowhere(case: &Case) -> Finding {
    let top = case.top();
    let place = case.environment().map_or_else(|| case.python(), |environment| environment.root.to_string());
    let declared = case.declared();
    let known = known_modules::known_module(case.module);
    let distribution = case.distribution();
    let misspelt = case.near.first().filter(|_| declared.is_none() && known.is_none());
    if let Some(parent) = missing_in_package(case) {
        return parent;
    }
    let message = match (&distribution, misspelt) {
        (_, Some(near)) => format!("Nothing called {top} is installed in {place}; {near} is"),
        (Some(name), None) if name != top => {
            let wanted = known_modules::requirement_for(top, name);
            format!("{top} comes from {wanted}, which is not installed in {place}")
        }
        _ => format!("{top} is not installed in {place}"),
    };
    let standing = declared.map(|declared| declared.standing);
    let id = if standing == Some(Standing::Needed) { "missing-requirement" } else { "unresolvable-import" };
    let mut found = finding(id, Category::Project, Severity::Error, case.subject(), message);
    if let Some(declared) = declared {
        found = found.evidence("declared", declared.describe());
    } else if case.facts.project.root.is_some() {
        found = found.evidence("declared", "by no file of the project");
    }
    if let Some(known) = known {
        found = found.evidence("provided by", known.distributions.join(", "));
        if known.decoy {
            found = found.evidence(
                "mind",
                format!("a distribution called {} exists, and it is another thing", known.module),
            );
        }
    }
    if !case.near.is_empty() {
        found = found.evidence("near names", case.near.join(", "));
    }
    for provider in case.elsewhere.providers.iter().take(3) {
        found = found.evidence("elsewhere", format!("{} ({})", provider.file, provider.keeper.label()));
    }
    found = search_limits(case, found);
    if let Some(near) = misspelt {
        let advice = Action::Advice(format!("write `import {near}`, if that was meant"));
        found = found.remedy(Remedy::manual(format!("Import {near}"), vec![advice]));
    }
    match system_package(case) {
        _ if standing == Some(Standing::Excluded) => {
            let advice = Action::Advice(format!(
                "the project does not ask for it here: import {top} only where it is declared for"
            ));
            found = found.remedy(Remedy::manual(format!("Do without {top} here"), vec![advice]));
        }
        Some(remedy) => found = found.remedy(remedy),
        None => found.remedies.extend(case.install()),
    }
    found
}

/// `numpy.nonsense`: the package is there, the part of it is not.
fn missing_in_package(case: &Case) -> Option<Finding> {
    let (parent, part) = missing_part(case)?;
    let installed = owner(case).filter(|_| !in_namespace(case));
    let version = installed.map(|it| format!(" of {} {}", it.name, it.version)).unwrap_or_default();
    let resolution = case.attempt.resolution.as_ref()?;
    let message = if resolution.parent_is_no_package {
        format!("{parent}{version} is a module and no package, so there is no module {parent}.{part}")
    } else {
        format!("{parent}{version} is found, and it has no {part}")
    };
    let mut found =
        finding("unresolvable-import", Category::Project, Severity::Error, case.subject(), message);
    // a module's own names are taken out of it
    if resolution.parent_is_no_package && resolution.failing.as_deref() == Some(case.module) {
        let advice = Action::Advice(format!(
            "write `from {parent} import {part}`, where {part} is a function or another name in {parent}"
        ));
        found = found.remedy(Remedy::manual(format!("Import {parent}"), vec![advice]));
    }
    let searched = case.attempt.resolution.iter().flat_map(|resolution| &resolution.searched);
    for place in searched.take(3) {
        found = found.evidence("looked in", place.directory.to_text());
    }
    Some(match newer(case, part) {
        Some(remedy) => found.remedy(remedy),
        None => found,
    })
}

/// `yaml` and `nope`, where the first is found and the second is no part of it.
fn missing_part<'a>(case: &Case<'a>) -> Option<(&'a str, &'a str)> {
    case.attempt.resolution.as_ref()?.failing.as_deref()?.rsplit_once('.')
}

fn in_namespace(case: &Case) -> bool {
    let resolution = case.attempt.resolution.as_ref();
    resolution.is_some_and(|resolution| resolution.parent == Some(ModuleKind::Namespace))
}

/// A newer version of what is installed, or what the tables know to bring the part. A module of the standard library
/// or of the project is to be had from nowhere: what bears its name elsewhere is a stranger.
fn newer(case: &Case, part: &str) -> Option<Remedy> {
    let standard = case.attempt.version.is_some_and(|version| stdlib::contains(version, case.top()))
        || case.attempt.resolution.as_ref().is_some_and(|resolution| {
            matches!(resolution.parent, Some(ModuleKind::BuiltIn | ModuleKind::Frozen))
        });
    // many share a namespace
    let installed = owner(case).filter(|_| !in_namespace(case));
    if standard || installed.is_some_and(|it| it.editable.is_some()) {
        return None;
    }
    let known = || known_modules::known_module(case.module).map(|known| known.distribution().to_owned());
    let name = installed.map(|it| it.name.clone()).or_else(known)?;
    let mut remedy = crate::diagnosis::install::install(case.facts, case.environment()?, &name, false);
    if let Some(Action::Run(words)) = remedy.actions.last_mut()
        && let Some(at) = words.iter().position(|word| word.as_bytes() == b"install")
        && words.first().is_some_and(|word| word.as_bytes() != b"uv")
    {
        words.insert(at + 1, "--upgrade".into());
    }
    remedy.summary = format!("Bring {name} up to date, if newer versions have {part}");
    Some(remedy)
}

/// `six.moves`: what is above it may make it when it runs.
pub fn made_at_run_time(case: &Case) -> Option<Finding> {
    let maker = case.attempt.resolution.as_ref()?.made_by.as_ref()?;
    let (parent, part) = missing_part(case)?;
    let id = "unresolvable-import";
    if case.observed {
        let installed = owner(case).map(|it| format!(" of {} {}", it.name, it.version)).unwrap_or_default();
        let message = format!("{parent}{installed} is found, and it did not make {part} when it ran");
        let found = finding(id, Category::Project, Severity::Error, case.subject(), message)
            .evidence("no file for it; would be made by", maker.to_text());
        return Some(match newer(case, part) {
            Some(remedy) => found.remedy(remedy),
            None => found,
        });
    }
    let message =
        format!("No file holds {}; it may be made at run time, when {parent} is imported", case.module);
    Some(
        finding(id, Category::Project, Severity::Info, case.subject(), message)
            .evidence("may make it", maker.to_text())
            .remedy(ask(case)),
    )
}

/// The files have it nowhere, and code that runs at every start may bring it.
pub fn brought_by_a_hook(case: &Case) -> Option<Finding> {
    let hook = case.attempt.hooks.first().filter(|_| !case.observed)?;
    let message = format!(
        "No file of the import path holds {}; what runs at the start of Python may bring it",
        case.module
    );
    let mut found =
        finding("unresolvable-import", Category::Project, Severity::Info, case.subject(), message);
    for hook in case.attempt.hooks.iter().take(3) {
        let line = hook.line.map(|line| format!(":{line}")).unwrap_or_default();
        found = found.evidence("may bring it", format!("{}{line}", hook.file));
    }
    if hook.line.is_some() {
        found = found.evidence("its line", hook.text.as_str());
    }
    found = found.remedy(ask(case));
    // no guess: what the project declares, or what is known to provide it
    let known = case.declared().is_some() || known_modules::known_module(case.module).is_some();
    match case.install().filter(|_| known) {
        Some(install) => Some(found.remedy(install)),
        None => Some(found),
    }
}

/// Where it would be looked for is not known.
pub fn not_searched(case: &Case, reason: &NotSearched) -> Finding {
    let python = case.python();
    match reason {
        NotSearched::Unknown(why) => {
            let message = format!("Without running it, nobody can tell what {python} imports");
            let severity = if case.observed { Severity::Warning } else { Severity::Info };
            finding("unresolvable-import", Category::Project, severity, case.subject(), message)
                .evidence("why", why.as_str())
                .remedy(ask(case))
        }
        NotSearched::Fatal(why) => {
            let message = format!("{python} ends before it imports anything");
            finding("interpreter-fails", Category::Interpreter, Severity::Error, case.subject(), message)
                .evidence("why", why.as_str())
        }
    }
}

/// Imports it.
fn ask(case: &Case) -> Remedy {
    let import = format!("import {}", case.module);
    let words: Vec<Word> = vec![(&case.attempt.interpreter).into(), "-c".into(), import.into()];
    Remedy::safe("Ask the interpreter", vec![Action::Run(words)])
}

/// Modules that come with the system's packages for the system's Python.
fn system_package(case: &Case) -> Option<Remedy> {
    let debian = matches!(
        case.facts.platform.distribution.as_deref(),
        Some("debian" | "ubuntu" | "linuxmint" | "pop")
    );
    let system = case.attempt.interpreter.to_text().starts_with("/usr/bin/");
    let package = known_modules::system_package(case.top()).filter(|_| debian && system)?;
    let install = Action::run(["sudo".into(), "apt-get".into(), "install".into(), package.into()]);
    Some(Remedy::safe(format!("Install {package}"), vec![install]))
}
