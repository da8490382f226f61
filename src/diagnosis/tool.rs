//! Tools that a project uses, by their commands and by the distributions that bring these.

use crate::facts::Facts;
use crate::facts::environment::Environment;
use crate::path::HostPath;

/// Tools that import what they work on, with the distribution that brings each.
pub const TOOLS: &[(&str, &str)] = &[
    ("pytest", "pytest"),
    ("py.test", "pytest"),
    ("mypy", "mypy"),
    ("dmypy", "mypy"),
    ("stubtest", "mypy"),
    ("pylint", "pylint"),
    ("coverage", "coverage"),
    ("sphinx-build", "sphinx"),
    ("django-admin", "django"),
    ("flask", "flask"),
    ("gunicorn", "gunicorn"),
    ("uvicorn", "uvicorn"),
    ("hypercorn", "hypercorn"),
    ("celery", "celery"),
    ("alembic", "alembic"),
    ("scrapy", "scrapy"),
    ("behave", "behave"),
    ("locust", "locust"),
    ("streamlit", "streamlit"),
    ("fastapi", "fastapi"),
    ("pyinstaller", "pyinstaller"),
];

/// The distributions of the tools that the project uses, that the environment has not, and that the shell finds
/// elsewhere.
pub fn outside<'f>(
    facts: &'f Facts,
    environment: &'f Environment,
) -> impl Iterator<Item = &'static str> + 'f {
    let elsewhere = |tool: &str| {
        let hit = facts.command(tool).and_then(|command| command.chosen());
        hit.is_some_and(|hit| !environment.contains(&hit.path)) && !environment.has_program(tool)
    };
    TOOLS
        .iter()
        .filter(move |(tool, distribution)| elsewhere(tool) && used(facts, tool, distribution).is_some())
        .map(|(_, distribution)| *distribution)
}

/// What shows that the project uses the tool.
pub fn used(facts: &Facts, tool: &str, distribution: &str) -> Option<String> {
    let place = |file: &HostPath, line: Option<usize>| match line {
        Some(line) => format!("line {line} of {file}"),
        None => file.to_string(),
    };
    let named = facts.project.tools.iter().find(|used| used.text == tool || used.text == distribution);
    named.map(|used| place(&used.file, used.line)).or_else(|| {
        let declared =
            facts.project.dependencies.iter().find(|dependency| dependency.name == distribution)?;
        Some(place(&declared.file, declared.line))
    })
}
