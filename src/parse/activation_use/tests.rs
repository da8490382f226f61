use super::*;

fn problems(kind: TextKind, text: &str) -> Vec<(usize, Option<ActivationProblem>)> {
    parse(kind, text.as_bytes()).into_iter().map(|found| (found.line, found.problem)).collect()
}

const SH: Option<ActivationProblem> = Some(ActivationProblem::SourceUnderSh);
const ENDS: Option<ActivationProblem> = Some(ActivationProblem::OwnShellEnds);
const EXECUTED: Option<ActivationProblem> = Some(ActivationProblem::ExecutedNotSourced);

#[test]
fn makefile_lines_have_a_shell_each() {
    let make = |text: &str| problems(TextKind::Makefile, text);
    assert_eq!(make("test:\n\t. .venv/bin/activate\n\tpytest\n"), [(2, ENDS)]);
    assert_eq!(make("test:\n\t@source .venv/bin/activate && pytest\n"), [(2, SH)]);
    assert_eq!(make("test:\n\t@.venv/bin/activate && pytest\n"), [(2, EXECUTED)]);
    assert_eq!(make("SHELL := /bin/bash\ntest:\n\tsource .venv/bin/activate; pytest\n"), [(3, None)]);
    assert_eq!(make("SHELL = bash\ntest:\n\tsource .venv/bin/activate\n"), [(3, ENDS)]);
    assert_eq!(make(".ONESHELL:\ntest:\n\t. .venv/bin/activate\n\tpytest\n"), [(3, None)]);
    assert_eq!(make("test:\n\t. .venv/bin/activate && \\\n\tpytest\n"), [(2, None)]);
    assert_eq!(make("test:\n\t( . $(VENV)/bin/activate; pytest )\n"), [(2, None)]);
    assert_eq!(make("SHELL := $(shell which bash)\nt:\n\tsource v/bin/activate && x\n"), [(3, None)]);
    assert_eq!(make(".RECIPEPREFIX = >\nt:\n> . v/bin/activate\n"), []);
    assert_eq!(make("venv/bin/activate: requirements.txt\n\tpython -m venv venv\n"), []);
    assert_eq!(make("t:\n\ttouch venv/bin/activate\n\techo . v/bin/activate\n"), []);
}

#[test]
fn dockerfile_runs_have_a_shell_each() {
    let docker = |text: &str| problems(TextKind::Dockerfile, text);
    assert_eq!(docker("FROM x\nRUN . venv/bin/activate\nRUN pip install x\n"), [(2, ENDS)]);
    assert_eq!(docker("RUN . venv/bin/activate && pip install x\n"), [(1, None)]);
    assert_eq!(
        docker("RUN python -m venv v \\\n  && . v/bin/activate \\\n  && pip install x\n"),
        [(1, None)]
    );
    assert_eq!(docker("RUN python -m venv v && source v/bin/activate\n"), [(1, SH)]);
    assert_eq!(docker("SHELL [\"/bin/bash\", \"-c\"]\nRUN source v/bin/activate && x\n"), [(2, None)]);
    assert_eq!(docker("RUN --mount=type=cache,target=/c . v/bin/activate 2>&1 > log\n"), [(1, ENDS)]);
    assert_eq!(docker("RUN [\"/v/bin/activate\"]\nRUN <<EOF\n. v/bin/activate\nEOF\n"), []);
    assert_eq!(docker("RUN echo 'source v/bin/activate' >> ~/.bashrc\n"), []);
}

#[test]
fn scripts_have_one_shell() {
    let script = |text: &str| problems(TextKind::ShellScript, text);
    assert_eq!(script("#!/bin/sh\nsource .venv/bin/activate\npytest\n"), [(2, SH)]);
    assert_eq!(script("#!/bin/sh\n. .venv/bin/activate\npytest\n"), [(2, None)]);
    assert_eq!(script("#!/bin/bash\nsource .venv/bin/activate\n"), [(2, None)]);
    assert_eq!(script("#!/usr/bin/env bash\nif x; then source '.venv/bin/activate'; fi\n"), [(2, None)]);
    assert_eq!(script("source .venv/bin/activate\n"), [(1, None)]);
    assert_eq!(script("#!/bin/bash\nbash .venv/bin/activate\n"), [(2, EXECUTED)]);
    assert_eq!(script("#!/bin/sh\n# source .venv/bin/activate\necho x # source v/bin/activate\n"), []);
}

#[test]
fn ci_steps_share_theirs() {
    let steps = |text: &str| problems(TextKind::ContinuousIntegration, text);
    assert_eq!(steps("    - run: |\n        source .venv/bin/activate\n        pytest\n"), [(2, None)]);
    assert_eq!(steps("  script:\n    - source venv/bin/activate\n"), [(2, None)]);
    assert_eq!(steps("    - run: .venv/bin/activate\n"), [(1, EXECUTED)]);
    assert_eq!(steps("    - run: .venv/Scripts/activate\n"), [(1, None)]);
    assert_eq!(steps("      path: |\n        .venv/bin/activate\n    - .venv/bin/activate\n"), []);
}

#[test]
fn a_step_of_its_own_ends_with_what_it_activated() {
    let steps = |text: &str| problems(TextKind::ContinuousIntegration, text);
    let pytest = "      - run: pytest\n";
    let alone = "      - run: source .venv/bin/activate\n";
    assert_eq!(steps(&format!("{alone}{pytest}")), [(1, ENDS)]);
    assert_eq!(steps(&format!("{pytest}{alone}")), [(2, None)]);
    assert_eq!(steps(&format!("      - run: . .venv/bin/activate && pytest\n{pytest}")), [(1, None)]);
    let block = "      - name: x\n        run: |\n          python -m venv v\n\n          . v/bin/activate\n";
    assert_eq!(steps(&format!("{block}{pytest}")), [(5, ENDS)]);
    assert_eq!(steps(&format!("{block}          pytest\n{pytest}")), [(5, None)]);
    assert_eq!(steps(&format!("{block}        env:\n          A: b\n{pytest}")), [(5, ENDS)]);
    let handed_on = "      - run: echo \"$PWD/.venv/bin\" >> $GITHUB_PATH\n";
    assert_eq!(steps(&format!("{alone}{handed_on}{pytest}")), [(1, None)]);
    let gitlab = "test:\n  before_script:\n    - source venv/bin/activate\n  script:\n    - pytest\n";
    assert_eq!(steps(gitlab), [(3, None)]);
}

#[test]
fn tells_what_was_found() {
    let found = parse(TextKind::Makefile, b"t:\n\t@source \"my v/bin/activate\" && x\n");
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(found.path, "my v/bin/activate");
    assert_eq!(found.how, ActivationCall::SourceBuiltin);
    assert_eq!(found.shell.as_deref(), Some("/bin/sh"));
    assert_eq!(TextKind::from_file_name("Dockerfile.dev"), Some(TextKind::Dockerfile));
    assert_eq!(TextKind::from_file_name("GNUmakefile"), Some(TextKind::Makefile));
    assert_eq!(TextKind::from_file_name("README.md"), None);
}

#[test]
fn survives_anything() {
    let kinds =
        [TextKind::Makefile, TextKind::Dockerfile, TextKind::ContinuousIntegration, TextKind::ShellScript];
    for kind in kinds {
        assert_eq!(parse(kind, b""), []);
        for seed in 0..100 {
            parse(kind, &[b"t:\n\tRUN . v/bin/activate ", &crate::parse::noise(seed, 200)[..]].concat());
        }
    }
    for text in ["$(", "$()$(", "$((", "a$(b)c'", ". $(x)/bin/activate"] {
        parse(TextKind::ShellScript, text.as_bytes());
    }
    parse(TextKind::ShellScript, &vec![b'>'; 100_000]);
    parse(TextKind::Makefile, "\t\\\n".repeat(100_000).as_bytes());
}
