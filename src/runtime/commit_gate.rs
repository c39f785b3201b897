//! The commit gate of one instance: what was computed from its state leaves only when the rows that
//! the state consists of are durable.
//!
//! Rows and the answers to commands have permits in the writer's queue, and their releases run in
//! its order. Answers to readers have none, so that reading needs no room there: they wait here for
//! the release of the last row handed over before them. The thread that runs that release also runs
//! them, so a panic of the actor loses none.
//!
//! When a row was not written, nothing that was computed from it leaves: the commit gate is broken
//! from then on, and everything that waits is answered so. The instance has to be read from the
//! store again, with a new commit gate. Not here: the commit gate of the whole queue (`journal`).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::journal::{AppendPermit, Chain, NotWritten, Release, Written};

/// Counts what was handed to the writer's queue and what of it was released.
#[derive(Default)]
pub struct CommitGate {
    inner: Mutex<Inner>,
    chain: Chain,
}

#[derive(Default)]
struct Inner {
    handed_over: u64,
    released: u64,
    /// Why nothing leaves any more, once a row was not written.
    broken: Option<NotWritten>,
    /// Releases that wait until this number has been released.
    waiting: VecDeque<(u64, Release)>,
}

impl Inner {
    fn written(&self) -> Written {
        self.broken.map_or(Ok(()), Err)
    }
}

impl CommitGate {
    /// Whether all that was handed over is durable.
    pub fn is_open(&self) -> bool {
        let inner = self.lock();
        inner.handed_over == inner.released && inner.broken.is_none()
    }

    /// Whether a row was not written, so that the instance in memory differs from the store.
    pub fn is_broken(&self) -> bool {
        self.lock().broken.is_some()
    }

    /// The permit for something that depends on everything that went through this commit gate.
    pub fn on(&self, slot: AppendPermit) -> AppendPermit {
        slot.on(&self.chain)
    }

    /// Makes the release of something that is handed over now.
    pub fn counted(self: &Arc<Self>, out: impl FnOnce(Written) + Send + 'static) -> Release {
        self.lock().handed_over += 1;
        let gate = self.clone();
        Box::new(move |written| {
            // Counted once it ran, even if it panicked: the row is durable. A release that is
            // dropped without running is not counted as written.
            let _released = Released(gate, written);
            out(written);
        })
    }

    /// Runs `out` once everything handed over so far is released; immediately when it already is.
    pub fn after_all(&self, out: impl FnOnce(Written) + Send + 'static) {
        let mut inner = self.lock();
        if inner.handed_over > inner.released && inner.broken.is_none() {
            let number = inner.handed_over;
            return inner.waiting.push_back((number, Box::new(out)));
        }
        let written = inner.written();
        drop(inner);
        out(written);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Code under this lock cannot panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a release when it ends.
struct Released(Arc<CommitGate>, Written);

impl Drop for Released {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        inner.released += 1;
        inner.broken = inner.broken.or(self.1.err());
        let released = match inner.broken {
            None => inner.released,
            Some(_) => u64::MAX,
        };
        let free = inner
            .waiting
            .partition_point(|&(number, _)| number <= released);
        let free: Vec<_> = inner.waiting.drain(..free).collect();
        let written = inner.written();
        drop(inner);
        for (_, out) in free {
            out(written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_wait_only_for_rows_queued_before_them() {
        let gate = Arc::<CommitGate>::default();
        let seen = Arc::<Mutex<Vec<&str>>>::default();
        let note = |word: &'static str| {
            let seen = seen.clone();
            move |written: Written| {
                let word = if written.is_ok() { word } else { "not written" };
                seen.lock().unwrap().push(word);
            }
        };
        gate.after_all(note("at once"));
        let (first, second) = (gate.counted(note("first")), gate.counted(note("second")));
        gate.after_all(note("reader of both"));
        let third = gate.counted(note("third"));
        assert!(!gate.is_open());
        first(Ok(()));
        assert_eq!(*seen.lock().unwrap(), ["at once", "first"]);
        second(Ok(()));
        assert_eq!(seen.lock().unwrap()[2..], ["second", "reader of both"]);
        gate.after_all(note("reader of all"));
        third(Ok(()));
        assert_eq!(seen.lock().unwrap()[4..], ["third", "reader of all"]);
        assert!(gate.is_open());
    }

    #[test]
    fn nothing_computed_from_a_failed_row_is_released() {
        let gate = Arc::<CommitGate>::default();
        let seen = Arc::<Mutex<Vec<Written>>>::default();
        let note = || {
            let seen = seen.clone();
            move |written| seen.lock().unwrap().push(written)
        };
        let (first, second) = (gate.counted(note()), gate.counted(note()));
        gate.after_all(note());
        first(Err(NotWritten::NoRoom));
        let none = Err(NotWritten::NoRoom);
        assert_eq!(*seen.lock().unwrap(), [none, none]);
        second(none);
        gate.after_all(note());
        assert_eq!(seen.lock().unwrap()[2..], [none, none]);
        assert!(gate.is_broken() && !gate.is_open());
    }

    #[test]
    fn a_panicking_release_blocks_no_other() {
        let gate = Arc::<CommitGate>::default();
        let bad = gate.counted(|_| panic!("on purpose"));
        let (sender, receiver) = std::sync::mpsc::channel();
        gate.after_all(move |_| sender.send(()).unwrap());
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bad(Ok(())))).is_err());
        assert!(gate.is_open() && receiver.try_recv().is_ok());
    }
}
