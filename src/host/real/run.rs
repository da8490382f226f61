//! Running a program with a deadline and a bound on what it may print.

use std::process::{Child, Command, Stdio};
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
#[cfg(unix)]
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

#[cfg(unix)]
use super::interrupt::is_kept;
use super::{file_error, to_std};
use crate::host::{Ending, FileError, Invocation, Outcome, Running};

/// How long to wait for a killed program to be gone.
const GRACE: Duration = Duration::from_millis(500);

pub fn start(invocation: &Invocation) -> Running<'static> {
    let started = Instant::now();
    let (mut stdout, mut stderr) =
        (Output::new(invocation.output_limit), Output::new(invocation.output_limit));
    #[cfg(unix)]
    let watch = Interrupted::watch();
    #[cfg(not(unix))]
    let watch = Watch;
    let child = spawn(invocation);
    let deadline = started + invocation.deadline;
    Running::new(move || {
        let ending = match child {
            Ok(mut child) => attend(&mut child, deadline, &watch, &mut stdout, &mut stderr),
            Err(why) => Ending::NotStarted(why),
        };
        Outcome { ending, stdout: stdout.bytes, stderr: stderr.bytes, elapsed: started.elapsed() }
    })
}

/// The first bytes that a program wrote; what lies beyond the limit is dropped.
struct Output {
    bytes: Vec<u8>,
    limit: usize,
}

impl Output {
    fn new(limit: usize) -> Output {
        Output { bytes: Vec::new(), limit }
    }

    fn take(&mut self, bytes: &[u8]) {
        let room = self.limit - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

fn spawn(invocation: &Invocation) -> Result<Child, String> {
    let mut command = Command::new(to_std(&invocation.program));
    command
        .args(invocation.arguments.iter().map(|argument| text(argument)))
        .env_clear()
        .envs(invocation.environment.iter().map(|(name, value)| (text(name), text(value))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(directory) = &invocation.directory {
        command.current_dir(to_std(directory));
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // a group of its own, so that its children can be ended with it
        command.process_group(0);
    }
    command.spawn().map_err(|error| match file_error(error) {
        // execve(2) names the program also when its interpreter or loader is what is missing
        FileError::Missing => "it, its loader or its working directory does not exist".to_owned(),
        FileError::Other(text) => text,
        other => other.to_string(),
    })
}

#[cfg(unix)]
fn text(bytes: &[u8]) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn text(bytes: &[u8]) -> std::ffi::OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

#[cfg(unix)]
fn attend(
    child: &mut Child,
    deadline: Instant,
    watch: &Watch,
    stdout: &mut Output,
    stderr: &mut Output,
) -> Ending {
    use std::os::unix::process::ExitStatusExt;

    // a program may close its outputs and go on, and may end while a child of its own keeps them open: the
    // pipes and the process are watched side by side
    let mut pipes = unix::Pipes::new(child.stdout.take(), child.stderr.take());
    let mut pause = Duration::from_millis(1);
    let mut open = true;
    let timed_out = loop {
        if unix::has_ended(child) {
            break false;
        }
        if watch.interrupted() {
            break true;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break true;
        }
        if open && pipes.all_closed() {
            // usually it is just ending
            (open, pause) = (false, Duration::from_micros(50));
        }
        if open {
            pipes.read_for(pause.min(left), stdout, stderr);
        } else {
            std::thread::sleep(pause.min(left));
        }
        pause = (pause * 2).min(Duration::from_millis(10));
    };
    // whatever it left behind dies with it; not yet waited for, it still owns the group's number
    unix::kill_group(child);
    let until = Instant::now() + GRACE;
    pipes.read_rest(until, stdout, stderr);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
            _ => break None,
        }
    };
    match (timed_out, status) {
        (true, _) | (false, None) => Ending::TimedOut,
        (false, Some(status)) => match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Exit(code),
            (None, Some(signal)) => Ending::Signal(signal),
            (None, None) => Ending::TimedOut,
        },
    }
}

/// Whoever ends the doctor ends what it started: a group of its own does not hear the terminal's Ctrl-C. While a
/// program runs the signals that end are kept back; with the last one they do what they always did.
#[cfg(unix)]
struct Interrupted {
    /// The signal that came, 0: none.
    signal: Arc<AtomicUsize>,
    /// Whether nothing runs that would be left behind.
    alone: Arc<AtomicBool>,
    running: Mutex<usize>,
}

#[cfg(unix)]
impl Interrupted {
    fn watch() -> Watch {
        static INTERRUPTED: OnceLock<Interrupted> = OnceLock::new();
        let interrupted = INTERRUPTED.get_or_init(Interrupted::register);
        *interrupted.running() += 1;
        interrupted.alone.store(false, Ordering::SeqCst);
        Watch(interrupted)
    }

    fn register() -> Interrupted {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        use signal_hook::flag::{register_conditional_default, register_usize};

        let (signal, alone) = (Arc::default(), Arc::default());
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            // where a handler cannot be set the signal ends the doctor at once
            if !is_kept(number) {
                let _ = register_conditional_default(number, Arc::clone(&alone));
            }
            let _ = register_usize(number, Arc::clone(&signal), usize::try_from(number).unwrap_or_default());
        }
        Interrupted { signal, alone, running: Mutex::default() }
    }

    fn running(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self) -> Option<i32> {
        let signal = i32::try_from(self.signal.load(Ordering::SeqCst)).ok()?;
        (signal != 0).then_some(signal)
    }
}

/// Lives as long as a program runs.
#[cfg(unix)]
struct Watch(&'static Interrupted);

#[cfg(unix)]
impl Watch {
    fn interrupted(&self) -> bool {
        self.0.signal().is_some()
    }
}

#[cfg(unix)]
impl Drop for Watch {
    fn drop(&mut self) {
        let mut running = self.0.running();
        *running -= 1;
        if *running > 0 {
            return;
        }
        self.0.alone.store(true, Ordering::SeqCst);
        if let Some(signal) = self.0.signal().filter(|signal| !is_kept(*signal)) {
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    }
}

/// The console tells every program that is attached to it.
#[cfg(not(unix))]
struct Watch;

#[cfg(unix)]
mod unix {
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::process::{Child, ChildStderr, ChildStdout};
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    use super::Output;

    fn id(child: &Child) -> Option<Pid> {
        Pid::from_raw(i32::try_from(child.id()).ok()?)
    }

    /// Whether the program ended, without collecting it.
    pub fn has_ended(child: &Child) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        // an error means that there is nothing to wait for
        id(child).is_none_or(|id| !matches!(waitid(WaitId::Pid(id), options), Ok(None)))
    }

    pub fn kill_group(child: &Child) {
        if let Some(id) = id(child) {
            // it fails where the whole group is already gone, which is what is wanted
            let _ = kill_process_group(id, Signal::KILL);
        }
    }

    pub struct Pipes {
        stdout: Option<ChildStdout>,
        stderr: Option<ChildStderr>,
        buffer: Vec<u8>,
    }

    impl Pipes {
        pub fn new(stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) -> Pipes {
            Pipes { stdout, stderr, buffer: vec![0; 64 * 1024] }
        }

        pub fn all_closed(&self) -> bool {
            self.stdout.is_none() && self.stderr.is_none()
        }

        /// Reads once from each pipe that has something, waiting at most so long. True: something came.
        pub fn read_for(&mut self, wait: Duration, stdout: &mut Output, stderr: &mut Output) -> bool {
            let (out_ready, err_ready) = self.ready(wait);
            // a pipe that poll(2) calls ready gives at least one byte or its end, without blocking
            let out_read = out_ready && read_once(&mut self.stdout, &mut self.buffer, stdout);
            let err_read = err_ready && read_once(&mut self.stderr, &mut self.buffer, stderr);
            out_read || err_read
        }

        fn ready(&self, wait: Duration) -> (bool, bool) {
            let timeout = Timespec {
                tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: wait.subsec_nanos().into(),
            };
            let fds = [self.stdout.as_ref().map(AsFd::as_fd), self.stderr.as_ref().map(AsFd::as_fd)];
            let mut watched: Vec<PollFd<'_>> =
                fds.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
            if poll(&mut watched, Some(&timeout)).is_err() {
                return (false, false);
            }
            let mut answers = watched.iter().map(|fd| !fd.revents().is_empty());
            let mut answer = |open: bool| open && answers.next().unwrap_or(false);
            (answer(fds[0].is_some()), answer(fds[1].is_some()))
        }

        /// What is still in the pipes, until they are empty or the time is up.
        pub fn read_rest(&mut self, until: Instant, stdout: &mut Output, stderr: &mut Output) {
            while !self.all_closed() && Instant::now() < until {
                if !self.read_for(Duration::ZERO, stdout, stderr) {
                    break;
                }
            }
        }
    }

    /// True when bytes came; at its end (or an error) the pipe is closed.
    fn read_once<R: Read>(pipe: &mut Option<R>, buffer: &mut [u8], output: &mut Output) -> bool {
        match pipe.as_mut().map(|pipe| pipe.read(buffer)) {
            Some(Ok(count)) if count > 0 => {
                output.take(&buffer[..count]);
                true
            }
            Some(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => false,
            _ => {
                *pipe = None;
                false
            }
        }
    }
}

#[cfg(not(unix))]
fn attend(
    child: &mut Child,
    deadline: Instant,
    _watch: &Watch,
    stdout: &mut Output,
    stderr: &mut Output,
) -> Ending {
    use std::io::Read;
    use std::sync::mpsc::{Receiver, channel};

    // a reader for each pipe, which may outlive the program where a child of its own keeps the pipe open
    fn reader(pipe: Option<impl Read + Send + 'static>, limit: usize) -> Receiver<Vec<u8>> {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let Some(mut pipe) = pipe else { return };
            let (mut buffer, mut sent) = (vec![0; 64 * 1024], 0);
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let kept = count.min(limit - sent);
                sent += kept;
                if kept > 0 && sender.send(buffer[..kept].to_vec()).is_err() {
                    break;
                }
            }
        });
        receiver
    }

    let (out, err) = (reader(child.stdout.take(), stdout.limit), reader(child.stderr.take(), stderr.limit));
    let mut pause = Duration::from_micros(500);
    let ending = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ending::Exit(status.code().unwrap_or(-1)),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(pause),
            _ => {
                kill_descendants(child);
                let _ = child.kill();
                let _ = child.wait();
                break Ending::TimedOut;
            }
        }
        pause = (pause * 2).min(Duration::from_millis(10));
    };
    let until = Instant::now() + GRACE;
    for (receiver, output) in [(out, stdout), (err, stderr)] {
        while let Ok(bytes) = receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            output.take(&bytes);
        }
    }
    ending
}

/// Windows knows no groups of processes; its own tool follows the parents' numbers while the parent still lives.
#[cfg(not(unix))]
fn kill_descendants(child: &Child) {
    let Some(root) = std::env::var_os("SystemRoot") else { return };
    let mut command = Command::new(std::path::Path::new(&root).join("System32").join("taskkill.exe"));
    command.args(["/F", "/T", "/PID", &child.id().to_string()]);
    let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::path::HostPath;

    fn sh(script: &str, deadline: Duration) -> Outcome {
        start(&Invocation {
            program: HostPath::posix("/bin/sh"),
            arguments: vec![b"-c".to_vec(), script.as_bytes().to_vec()],
            environment: vec![
                (b"PATH".to_vec(), b"/usr/bin:/bin".to_vec()),
                (b"NAME".to_vec(), b"caf\xe9".to_vec()),
            ],
            directory: Some(HostPath::posix("/")),
            deadline,
            output_limit: 100_000,
        })
        .outcome()
    }

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(200);
    const SOON: Duration = Duration::from_secs(5);

    #[test]
    fn answers_with_both_outputs_and_the_status() {
        let outcome = sh("printf out; printf err >&2; exit 3", LONG);
        assert_eq!(outcome.ending, Ending::Exit(3));
        assert_eq!((outcome.stdout.as_slice(), outcome.stderr.as_slice()), (&b"out"[..], &b"err"[..]));
    }

    #[test]
    fn gives_exactly_the_environment_the_directory_and_no_input() {
        let outcome = sh(
            "printf '%s|' \"$NAME\" \"$(pwd)\" \"${HOME-unset}\"; cat; ps -o pgid= -p $$ >&2; echo $$ >&2",
            LONG,
        );
        assert_eq!(outcome.stdout, b"caf\xe9|/|unset|");
        let text = String::from_utf8_lossy(&outcome.stderr).into_owned();
        let numbers: Vec<&str> = text.split_whitespace().collect();
        if let [group, id] = numbers.as_slice() {
            assert_eq!(group, id, "it leads a process group of its own");
        }
    }

    #[test]
    fn tells_a_signal() {
        assert_eq!(sh("kill -SEGV $$", LONG).ending, Ending::Signal(11));
    }

    #[test]
    fn ends_what_hangs_and_keeps_what_it_printed() {
        let outcome = sh("echo before; sleep 60", SHORT);
        assert_eq!(outcome.ending, Ending::TimedOut);
        assert_eq!(outcome.stdout, b"before\n");
        assert!(outcome.elapsed < SOON);
        assert_eq!(sh("trap '' TERM INT HUP; while :; do :; done", SHORT).ending, Ending::TimedOut);
    }

    #[test]
    fn is_not_fooled_by_closed_outputs() {
        assert_eq!(sh("exec >&- 2>&-; sleep 60", SHORT).ending, Ending::TimedOut);
        assert_eq!(sh("exec >&- 2>&-; sleep 0.05; exit 4", LONG).ending, Ending::Exit(4));
    }

    #[test]
    fn does_not_wait_for_what_was_left_behind() {
        let outcome = sh("sleep 60 & echo $!; exit 0", LONG);
        assert_eq!(outcome.ending, Ending::Exit(0));
        assert!(outcome.elapsed < SOON);
        let id = String::from_utf8_lossy(&outcome.stdout).trim().to_owned();
        let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        assert!(!status.contains(") S "), "the child that was left behind is still there: {status}");
    }

    #[test]
    fn does_not_hang_on_a_daemon_that_keeps_the_pipe() {
        // a session of its own escapes the group; only the pipe's end must not be waited for
        let outcome = sh("command -v setsid >/dev/null && setsid sleep 3 & echo started; sleep 0.1", LONG);
        assert_eq!(outcome.ending, Ending::Exit(0));
        assert_eq!(outcome.stdout, b"started\n");
        assert!(outcome.elapsed < Duration::from_millis(2500));
    }

    #[test]
    fn reads_on_and_keeps_only_the_limit() {
        let outcome = sh("head -c 1073741824 /dev/zero; echo end >&2", LONG);
        assert_eq!(outcome.ending, Ending::Exit(0));
        assert_eq!(outcome.stdout.len(), 100_000);
        assert_eq!(outcome.stderr, b"end\n");
        let outcome = sh("yes", SHORT);
        assert_eq!((outcome.ending, outcome.stdout.len()), (Ending::TimedOut, 100_000));
        assert!(outcome.elapsed < SOON);
    }

    #[test]
    fn says_why_nothing_started() {
        let mut invocation = Invocation {
            program: HostPath::posix("/no/such/program"),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            deadline: LONG,
            output_limit: 10,
        };
        assert!(
            matches!(start(&invocation).outcome().ending, Ending::NotStarted(why) if why.contains("does not exist"))
        );
        invocation.program = HostPath::posix("/etc/passwd");
        assert_eq!(start(&invocation).outcome().ending, Ending::NotStarted("permission denied".to_owned()));
        invocation.program = HostPath::posix("/bin/sh");
        invocation.directory = Some(HostPath::posix("/no/such/directory"));
        assert!(matches!(start(&invocation).outcome().ending, Ending::NotStarted(_)));
        invocation.arguments = vec![b"nul\0inside".to_vec()];
        assert!(matches!(start(&invocation).outcome().ending, Ending::NotStarted(_)));
    }
}
