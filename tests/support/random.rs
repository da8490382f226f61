//! Inputs made at random, the same ones on every run.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many cases a property is tried with: the same ones on every run.
pub fn cases(usual: u32) -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(if std::env::var_os("VENV_DOCTOR_FULL").is_some() { usual * 50 } else { usual })
}

pub fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Whether the number of cases is that of every run, and may be compared with the page.
pub fn usual() -> bool {
    ["PROPTEST_CASES", "VENV_DOCTOR_FULL"].iter().all(|name| std::env::var_os(name).is_none())
}
