//! Answers that are kept, so that each question is asked once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::path::HostPath;

/// What was answered for each path, of so many at most.
pub struct Answers<T, const MOST: usize>(Mutex<HashMap<HostPath, T>>);

impl<T, const MOST: usize> Default for Answers<T, MOST> {
    fn default() -> Self {
        Answers(Mutex::default())
    }
}

impl<T: Clone, const MOST: usize> Answers<T, MOST> {
    pub fn known(&self, path: &HostPath) -> Option<T> {
        self.kept().get(path).cloned()
    }

    pub fn get(&self, path: &HostPath, ask: impl FnOnce() -> T) -> T {
        if let Some(known) = self.known(path) {
            return known;
        }
        let answer = ask();
        let mut kept = self.kept();
        if kept.len() < MOST {
            // of two threads that asked at the same time both get the same
            return kept.entry(path.clone()).or_insert(answer).clone();
        }
        answer
    }

    pub fn forget(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<HostPath, T>> {
        // a thread that panicked while it held the lock had at most one answer to add
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
