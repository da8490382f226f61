//! The system calls that a program makes, as `strace` writes them down.

use std::path::Path;
use std::process::Command;

/// A system call that was let through: its name and what stands in its parentheses.
pub struct Call {
    name: String,
    arguments: String,
}

/// Traces the program that is still to be named, and what it starts: the calls that concern files, processes and the
/// network. Their texts are whole, and the process stands before each.
pub fn command(log: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-s", "4096", "-e", "trace=%process,%network,%file", "-o"]).arg(log);
    command
}

/// The calls in these lines of the log that did not fail.
pub fn calls<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Call> {
    let done = lines.filter(|line| !line.contains(" = -1 "));
    done.filter_map(|line| {
        let (name, arguments) = line.split_once(' ')?.1.trim_start().split_once('(')?;
        Some(Call { name: name.to_owned(), arguments: arguments.to_owned() })
    })
    .collect()
}

/// The programs that were started, in order, the traced one first.
pub fn started(calls: &[Call]) -> Vec<&str> {
    let quoted = |call: &'_ Call| call.arguments.split('"').nth(1).map(str::len);
    let starts = calls.iter().filter(|call| call.name.starts_with("exec"));
    starts.map(|call| &call.arguments[1..][..quoted(call).unwrap()]).collect()
}

/// Calls that change a file, and calls that talk to somebody.
pub fn changes(calls: &[Call]) -> Vec<String> {
    let opens_to_write = |call: &Call| {
        call.name.starts_with("open")
            && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| call.arguments.contains(flag))
            && !call.arguments.contains("\"/dev/null\"")
    };
    let changing = [
        "creat",
        "mkdir",
        "mkdirat",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "rmdir",
        "link",
        "linkat",
        "symlink",
        "symlinkat",
        "chmod",
        "fchmodat",
        "chown",
        "fchownat",
        "lchown",
        "truncate",
        "utimensat",
        "mknod",
        "mknodat",
        "setxattr",
        "socket",
        "connect",
        "sendto",
        "bind",
    ];
    let bad = calls.iter().filter(|call| opens_to_write(call) || changing.contains(&call.name.as_str()));
    bad.map(|call| format!("{}({}", call.name, call.arguments)).collect()
}
