//! Work that several threads share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

/// Results with the places of their items.
pub type Share<R> = Vec<(usize, R)>;

/// Items that threads take one after the other.
#[derive(Debug, Default)]
pub struct Queue {
    next: AtomicUsize,
}

impl Queue {
    /// What `work` makes of the items that nobody has taken yet; the state is this thread's own.
    pub fn share<T, R, S: Default>(&self, items: &[T], work: impl Fn(&mut S, &T) -> R) -> Share<R> {
        let mut state = S::default();
        let mut done = Vec::new();
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(&mut state, item)));
        }
    }

    /// The same by so many threads, the calling one among them. Where the system allows no more threads, those that
    /// there are do it all. Where another thread crashes, so does the calling one: nothing is left out without a word.
    pub fn shares<T: Sync, R: Send, S: Default>(
        &self,
        items: &[T],
        threads: usize,
        work: impl Fn(&mut S, &T) -> R + Sync,
    ) -> Share<R> {
        if threads < 2 {
            return self.share(items, work);
        }
        std::thread::scope(|scope| {
            let share = || self.share(items, &work);
            let others: Vec<_> =
                (1..threads).filter_map(|_| Builder::new().spawn_scoped(scope, share).ok()).collect();
            let mut done = share();
            for other in others {
                done.extend(other.join().unwrap_or_else(|crash| std::panic::resume_unwind(crash)));
            }
            done
        })
    }
}

/// What several threads have made, in the order of the items.
pub fn in_order<R>(mut shares: Share<R>) -> Share<R> {
    shares.sort_unstable_by_key(|(index, _)| *index);
    shares
}

/// What `work` makes of each item, by so many threads.
pub fn each<T: Sync, R: Send, S: Default>(
    items: &[T],
    threads: usize,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let done = Queue::default().shares(items, threads, work);
    in_order(done).into_iter().map(|(_, result)| result).collect()
}

/// What a thread that crashed while it held the lock has left is whole: it is changed in one step.
pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many threads can run at once, at most so many.
pub fn threads(most: usize) -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [0, 1, 3] {
            let squares = each(&items, threads, |_: &mut (), item| item * item);
            assert!(squares.iter().enumerate().all(|(index, square)| *square == index * index));
        }
        assert!(each(&[], 2, |_: &mut (), item: &u8| *item).is_empty());
    }

    #[test]
    fn a_crash_of_another_thread_is_not_kept_quiet() {
        let here = std::thread::current().id();
        let crashed = std::panic::catch_unwind(|| {
            each(&[(); 50], 2, |_: &mut (), ()| {
                std::thread::sleep(std::time::Duration::from_millis(1));
                assert!(std::thread::current().id() == here, "the other thread crashes");
            })
        });
        // where the system allowed no other thread, this one did it all
        assert!(crashed.map_or(true, |results| results.len() == 50));
    }

    #[test]
    fn each_thread_has_its_own_state() {
        let counts = each(&[(); 100], 2, |count: &mut usize, ()| {
            *count += 1;
            *count
        });
        let ones = counts.iter().filter(|count| **count == 1).count();
        assert!((1..=2).contains(&ones), "{counts:?}");
    }

    #[test]
    fn who_comes_later_helps_with_what_is_left() {
        let queue = Queue::default();
        let items = [1, 2, 3];
        let first = queue.next.fetch_add(1, Ordering::Relaxed);
        let mut shares = queue.share(&items, |_: &mut (), item| *item);
        assert_eq!(shares, [(1, 2), (2, 3)]);
        shares.push((first, 1));
        assert_eq!(in_order(shares), [(0, 1), (1, 2), (2, 3)]);
    }
}
