//! What the doctor says on a terminal while it works.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::collect::scan::walk::Progress;
use crate::commands::terminal_width;
use crate::report::sanitize;

/// A report that comes sooner needs no word before it.
const PATIENCE: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(100);
/// Columns where the terminal does not say how many it has.
const COLUMNS: usize = 80;

/// Environments so far.
#[derive(Default)]
pub struct Found {
    pub all: AtomicUsize,
    pub unhealthy: AtomicUsize,
}

/// Keeps one line up to date on standard error, where that is a terminal, until `done`; then wipes it.
pub fn tell(progress: &Progress, found: &Found, done: &AtomicBool) {
    let mut out = std::io::stderr();
    if !out.is_terminal() {
        return;
    }
    // a line that fills the last column may wrap
    let columns = terminal_width(&out).unwrap_or(COLUMNS).saturating_sub(1);
    std::thread::park_timeout(PATIENCE);
    while !done.load(Ordering::Relaxed) {
        // nobody may be looking any more
        let _ = write!(out, "\r\x1b[2K{}", line(progress, found, columns)).and_then(|()| out.flush());
        std::thread::park_timeout(PAUSE);
    }
    let _ = write!(out, "\r\x1b[2K").and_then(|()| out.flush());
}

/// What is known so far, in at most so many columns.
fn line(progress: &Progress, found: &Found, most: usize) -> String {
    let place = progress.place().map_or_else(String::new, |place| sanitize::shown(&place.to_text()));
    let said = format!(
        "{} directories, {} environments, {} of them unhealthy  {place}",
        progress.directories.load(Ordering::Relaxed),
        found.all.load(Ordering::Relaxed),
        found.unhealthy.load(Ordering::Relaxed),
    );
    let mut shown = String::with_capacity(most);
    let mut columns = 0;
    for letter in said.chars() {
        // no letter is wider than two columns
        columns += if letter.is_ascii() { 1 } else { 2 };
        if columns > most {
            break;
        }
        shown.push(letter);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_counts_and_never_wraps() {
        let (progress, found) = (Progress::default(), Found::default());
        progress.directories.store(1_000_000, Ordering::Relaxed);
        found.all.store(5_000, Ordering::Relaxed);
        assert_eq!(
            line(&progress, &found, 79),
            "1000000 directories, 5000 environments, 0 of them unhealthy  "
        );
        assert_eq!(line(&progress, &found, 20), "1000000 directories,");
    }
}
