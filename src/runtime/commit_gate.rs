//! The commit gate of one instance: what was computed from its state leaves once the rows the state
//! was made of are durable.
//!
//! Rows and the answers to commands hold places in the writer's queue, and their releases run in
//! its order. Answers to readers hold none, so that reading needs no room there: they wait here for
//! the release of the last row handed over before. Whoever runs that release runs them, so a panic
//! of the actor loses none. The queue's own gate: `journal::gate`.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Something that leaves.
type Out = Box<dyn FnOnce() + Send>;

/// Counts what was handed over to the writer's queue and what of it was released.
#[derive(Default)]
pub struct CommitGate {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    handed_over: u64,
    released: u64,
    /// What waits until so many are released.
    waiting: VecDeque<(u64, Out)>,
}

impl CommitGate {
    /// Whether nothing handed over waits for its release.
    pub fn is_open(&self) -> bool {
        let inner = self.lock();
        inner.handed_over == inner.released
    }

    /// Makes a release of something that is handed over now.
    pub fn counted(self: &Arc<Self>, out: impl FnOnce() + Send + 'static) -> Out {
        self.lock().handed_over += 1;
        let gate = self.clone();
        Box::new(move || {
            // Counted when it ran, also if it panics: the row is durable. One that is dropped unrun
            // is not.
            let _released = Released(gate);
            out();
        })
    }

    /// Lets something out once everything handed over so far is released; at once when all is.
    pub fn after_all(&self, out: impl FnOnce() + Send + 'static) {
        let mut inner = self.lock();
        if inner.handed_over > inner.released {
            let number = inner.handed_over;
            return inner.waiting.push_back((number, Box::new(out)));
        }
        drop(inner);
        out();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that can panic runs under this lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a release when it is over.
struct Released(Arc<CommitGate>);

impl Drop for Released {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.released += 1;
        let released = inner.released;
        let free = inner
            .waiting
            .partition_point(|&(number, _)| number <= released);
        let free: Vec<_> = inner.waiting.drain(..free).collect();
        drop(inner);
        for (_, out) in free {
            out();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_wait_for_what_was_handed_over_before_them_and_for_nothing_else() {
        let gate = Arc::<CommitGate>::default();
        let seen = Arc::<Mutex<Vec<&str>>>::default();
        let note = |word: &'static str| {
            let seen = seen.clone();
            move || seen.lock().unwrap().push(word)
        };
        gate.after_all(note("at once"));
        let (first, second) = (gate.counted(note("first")), gate.counted(note("second")));
        gate.after_all(note("reader of both"));
        let third = gate.counted(note("third"));
        assert!(!gate.is_open());
        first();
        assert_eq!(*seen.lock().unwrap(), ["at once", "first"]);
        second();
        assert_eq!(seen.lock().unwrap()[2..], ["second", "reader of both"]);
        gate.after_all(note("reader of all"));
        third();
        assert_eq!(seen.lock().unwrap()[4..], ["third", "reader of all"]);
        assert!(gate.is_open());
    }

    #[test]
    fn a_release_that_panics_holds_nobody_up() {
        let gate = Arc::<CommitGate>::default();
        let bad = gate.counted(|| panic!("on purpose"));
        let (sender, receiver) = std::sync::mpsc::channel();
        gate.after_all(move || sender.send(()).unwrap());
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(bad)).is_err());
        assert!(gate.is_open() && receiver.try_recv().is_ok());
    }
}
