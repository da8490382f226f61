//! Ctrl-C as something to ask about: whoever works for long tells what is known so far before it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether these signals end the doctor only when it has told what it knows: see [`Interrupt::watch`].
#[cfg(unix)]
static KEPT: AtomicBool = AtomicBool::new(false);

/// Whether a signal of this number waits for [`Interrupt::wanted`] to be asked.
#[cfg(unix)]
pub(super) fn is_kept(number: i32) -> bool {
    use signal_hook::consts::{SIGINT, SIGTERM};
    matches!(number, SIGINT | SIGTERM) && KEPT.load(Ordering::SeqCst)
}

/// Whether somebody wants the doctor to stop.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    wanted: Arc<AtomicBool>,
}

impl Interrupt {
    /// From now on the first Ctrl-C (or SIGTERM) only sets a mark; the second ends the doctor at once.
    pub fn watch() -> Interrupt {
        let interrupt = Interrupt::default();
        #[cfg(unix)]
        {
            use signal_hook::consts::{SIGINT, SIGTERM};
            use signal_hook::flag::{register, register_conditional_shutdown};
            KEPT.store(true, Ordering::SeqCst);
            for number in [SIGINT, SIGTERM] {
                // the order matters: the second signal finds the mark that the first one set. Where a handler cannot
                // be set the signal ends the doctor, as it always did
                let _ = register_conditional_shutdown(number, 128 + number, Arc::clone(&interrupt.wanted));
                let _ = register(number, Arc::clone(&interrupt.wanted));
            }
        }
        interrupt
    }

    pub fn wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }
}
