//! Many environments at once, beside the programs that only look for the name of a file.

use super::environments::Cache;
use super::measure::{Case, DOCTOR, Setting, grown, on_path};
use super::trees::Plan;

/// Megabytes that the largest scan may have at once.
const MOST_MEMORY: f64 = 64.0;
const CONFIG: &str = "pyvenv.cfg";

/// What is searched: the plan, and the goals in times of `find` and of `fd`.
const TREES: [(Plan, Option<f64>, Option<f64>); 3] = [
    (Plan { environments: 200, entries: 8_000 }, Some(2.0), None),
    (Plan { environments: 5_000, entries: 350_000 }, None, None),
    (Plan { environments: 200, entries: 350_000 }, None, Some(1.0)),
];

pub fn all(cache: &Cache, rounds: usize) {
    println!("\n== scan");
    for (plan, of_find, of_fd) in TREES {
        let Some(project) = cache.tree(plan) else {
            println!("  not measured: no python3 on PATH can make a venv");
            return;
        };
        let setting = Setting { cache, project: &project };
        let scan = [DOCTOR, "scan", "."];
        let fd = on_path("fd").or_else(|| on_path("fdfind"));
        // of a large tree a round takes seconds
        let rounds = if plan.entries > 100_000 { rounds.min(11) } else { rounds };
        let beside_find =
            Case::new(&project.name).peer(&on_path("find"), &[".", "-name", CONFIG]).row(&scan, of_find);
        setting.table(beside_find, rounds);
        if fd.is_some() {
            let beside_fd = Case::new(&project.name).peer(&fd, &["-HI", "-g", CONFIG]).row(&scan, of_fd);
            setting.table(beside_fd, rounds);
        }
        let words: Vec<String> = scan.map(str::to_owned).to_vec();
        match setting.peak_memory(&words) {
            Some(kilobytes) => {
                println!("  peak memory of the scan {:50.1} MiB  (at most {MOST_MEMORY})", kilobytes / 1024.0)
            }
            None => println!("  peak memory of the scan: not measured, no /proc"),
        }
    }
    growth(cache, rounds);
}

/// How the time grows with the number of environments.
fn growth(cache: &Cache, rounds: usize) {
    println!("\n  {:>14}  {:>22}", "environments", "scan");
    let mut before = None;
    for count in [10, 100, 1000, 5000] {
        let Some(project) = cache.tree(Plan { environments: count, entries: 0 }) else { return };
        let setting = Setting { cache, project: &project };
        let mut case = Case::new("growth").row(&[DOCTOR, "scan", "."], None);
        setting.measure(&mut case.rows, rounds.min(11));
        before = Some(grown(count, case.medians(), before.as_ref(), &[22]));
    }
}
