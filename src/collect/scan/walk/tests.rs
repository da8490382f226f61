use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::diagnosis::crash::guarded;
use crate::host::fake::FakeMachine;

fn machine() -> FakeMachine {
    (0..200).fold(FakeMachine::linux(), |machine, number| {
        machine
            .file(format!("/w/{number}/.venv/pyvenv.cfg"), "home = /usr/bin\n")
            .file(format!("/w/{number}/src/x/main.py"), "")
    })
}

/// Walks with so many threads; what a panic said.
fn walk(threads: usize, found: impl Fn(HostPath) + Sync) -> Result<(), String> {
    let machine = machine();
    let rules = Rules { all: false, border: Border::None };
    let progress = Progress::default();
    let stop = || false;
    let walk = Walk { files: &machine, rules: &rules, progress: &progress, stop: &stop, found: &found };
    let start = Start { directory: HostPath::posix("/w"), levels: None };
    guarded(|| walk.run(&[start], threads))
}

#[test]
fn several_threads_find_each_environment_once() {
    for threads in [1, 4] {
        let roots = Mutex::new(Vec::new());
        assert_eq!(walk(threads, |root| lock(&roots).push(root)), Ok(()));
        let mut roots = lock(&roots).clone();
        roots.sort();
        roots.dedup();
        assert_eq!(roots.len(), 200, "{threads} threads");
    }
}

#[test]
fn a_panic_of_any_thread_ends_the_walk_and_is_told() {
    for (threads, at) in [(1, 1), (4, 1), (4, 50), (8, 200)] {
        let (done, ended) = mpsc::channel();
        // in a thread of its own: where it hangs, the test fails instead of hanging, too
        std::thread::spawn(move || {
            let number = AtomicUsize::new(0);
            let found = |_: HostPath| {
                let count = number.fetch_add(1, Ordering::Relaxed) + 1;
                assert!(count < at, "three eyes");
            };
            let _ = done.send(walk(threads, found));
        });
        let said = ended.recv_timeout(Duration::from_secs(30));
        let said = said.unwrap_or_else(|_| panic!("{threads} threads, panic at {at}: it hangs"));
        assert!(said.is_err_and(|said| said.contains("three eyes")), "{threads} threads, at {at}");
    }
}
