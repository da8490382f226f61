//! Many pieces of work of one kind, by several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

/// What `work` makes of each item, in the order of the items; None where the thread that had it crashed. Each of at most
/// so many threads, the calling one among them, has a state of its own. Where the system allows no more threads, those
/// that there are do it all.
pub fn each<T: Sync, R: Send, S: Default>(
    items: &[T],
    threads: usize,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut state = S::default();
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(&mut state, item)));
        }
    };
    let shares = std::thread::scope(|scope| {
        let others: Vec<_> =
            (1..threads).filter_map(|_| Builder::new().spawn_scoped(scope, share).ok()).collect();
        let mut shares = share();
        shares.extend(others.into_iter().filter_map(|other| other.join().ok()).flatten());
        shares
    });
    let mut made: Vec<Option<R>> = items.iter().map(|_| None).collect();
    for (index, result) in shares {
        if let Some(place) = made.get_mut(index) {
            *place = Some(result);
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [0, 1, 3] {
            let squares = each(&items, threads, |_: &mut (), item| item * item);
            assert!(squares.iter().enumerate().all(|(index, square)| *square == Some(index * index)));
        }
        assert!(each(&[], 2, |_: &mut (), item: &u8| *item).is_empty());
    }

    #[test]
    fn each_thread_has_its_own_state() {
        let counts = each(&[(); 100], 2, |count: &mut usize, ()| {
            *count += 1;
            *count
        });
        let ones = counts.iter().filter(|count| **count == Some(1)).count();
        assert!((1..=2).contains(&ones), "{counts:?}");
    }
}
