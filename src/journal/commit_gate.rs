//! The commit gate: a thread that runs releases in the order in which they were handed over, each
//! once the outcome of everything before it is known.
//!
//! It is a thread of its own, so that releases (replies, frames, messages to other instances) do not
//! delay the next batch, and so that no other code can lose them by a panic. While there is no next
//! batch and the gate has nothing to do, the writer runs a few releases itself: waking another
//! thread takes longer than they do.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender};

use super::{chain::Written, store::StoreError};
use crate::limits::PotPlace;

/// Releases that the writer runs itself at most: more of them would delay a batch that comes
/// meanwhile.
const FEW: usize = 2;

/// A release: the work that may be done once a row is durable. Its argument says if the row was not
/// written. It runs on the commit gate's or the writer's thread, so it must be short and must not
/// wait; it may reserve, append and read, but not shut the journal down.
pub type Release = Box<dyn FnOnce(Written) + Send>;

/// A release that may run, with its permit.
pub(super) struct Free {
    pub place: PotPlace,
    pub release: Release,
    pub written: Written,
}

impl Free {
    /// Runs the release.
    pub fn run(self) {
        let Self {
            place,
            release,
            written,
        } = self;
        // Freed first, because the release may need a permit itself.
        drop(place);
        if catch_unwind(AssertUnwindSafe(|| release(written))).is_err() {
            log::error!(
                "expected a release to run to its end, but it panicked: its answer may be lost"
            );
        }
    }
}

/// The writer's side of the commit gate.
pub(super) struct Gate {
    sender: Sender<Vec<Free>>,
    /// Batches handed over whose releases have not all run; `None` without a thread.
    unfinished: Option<Arc<AtomicUsize>>,
}

impl Gate {
    /// Starts the commit gate's thread. It ends after this is dropped and everything handed over
    /// has run.
    pub fn start() -> Result<(Self, JoinHandle<()>), StoreError> {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let unfinished = Arc::<AtomicUsize>::default();
        let left = unfinished.clone();
        let thread = thread::Builder::new()
            .name("journal-gate".into())
            .spawn(move || run(&receiver, &left))
            .map_err(|cause| StoreError::Failed("start the gate thread", Box::new(cause)))?;
        let gate = Self {
            sender,
            unfinished: Some(unfinished),
        };
        Ok((gate, thread))
    }

    /// A gate without a thread: the holder of the receiver runs the releases.
    pub fn without_thread() -> (Self, Receiver<Vec<Free>>) {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let gate = Self {
            sender,
            unfinished: None,
        };
        (gate, receiver)
    }

    /// Releases the entries of a batch; `is_last` says that no other batch waits.
    pub fn release(&self, free: Vec<Free>, is_last: bool) {
        match &self.unfinished {
            // With acquire, the effects of the releases before are seen by these.
            Some(unfinished)
                if is_last && free.len() <= FEW && unfinished.load(Ordering::Acquire) == 0 =>
            {
                free.into_iter().for_each(Free::run);
            }
            unfinished => {
                if let Some(unfinished) = unfinished {
                    unfinished.fetch_add(1, Ordering::Relaxed);
                }
                // The receiver ends after this, so it is still there.
                let _ = self.sender.send(free);
            }
        }
    }
}

fn run(batches: &Receiver<Vec<Free>>, unfinished: &AtomicUsize) {
    for free in batches {
        free.into_iter().for_each(Free::run);
        unfinished.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use super::*;
    use crate::limits::{CallerKind, Limit, Pot};

    #[test]
    fn releases_keep_their_order_on_whichever_thread_they_run() {
        let pot = Pot::new(16, Limit::WriterQueue);
        /// The number of a release, and the thread on which it ran.
        type Ran = (u32, Option<String>);
        let order: Arc<Mutex<Vec<Ran>>> = Arc::default();
        let free = |number: u32, before: Box<dyn FnOnce() + Send>| {
            let order = order.clone();
            Free {
                place: pot.take(CallerKind::Staff).unwrap(),
                release: Box::new(move |_| {
                    before();
                    let thread = thread::current().name().map(str::to_owned);
                    order.lock().unwrap().push((number, thread));
                }),
                written: Ok(()),
            }
        };
        let nothing = || Box::new(|| ()) as Box<dyn FnOnce() + Send>;
        let (gate, thread) = Gate::start().unwrap();
        // Nobody waits, so it runs here, before the call returns.
        gate.release(vec![free(1, nothing())], true);
        assert_eq!(order.lock().unwrap().len(), 1);
        let (let_go, held) = mpsc::channel::<()>();
        gate.release(vec![free(2, Box::new(move || held.recv().unwrap()))], false);
        // The one before has not run.
        gate.release(vec![free(3, nothing())], true);
        // Too many to run here.
        gate.release(
            (4..4 + FEW as u32 + 1)
                .map(|n| free(n, nothing()))
                .collect(),
            true,
        );
        assert_eq!(order.lock().unwrap().len(), 1);
        let_go.send(()).unwrap();
        drop(gate);
        thread.join().unwrap();
        let order = order.lock().unwrap();
        let numbers: Vec<_> = order.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
        let of_gate = |at: usize| order[at].1.as_deref() == Some("journal-gate");
        assert!(!of_gate(0) && (1..6).all(of_gate), "{order:?}");
    }
}
