//! Knows whether anything is in progress, for `idle` under `--test-clock`: scenarios wait for it
//! instead of sleeping.
//!
//! It counts envelopes that are not answered through their commit gate, consequences of a commit
//! while it is released, retries that wait, lookups of due timers, and frames that connections have
//! not sent yet. Each count begins before the one that it follows from ends, so a chain never seems
//! to be over too early. With a real clock nothing is counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::instance_request::ReplyTo;

/// The number of things in progress.
#[derive(Default)]
pub struct IdleTracker {
    now: AtomicUsize,
    begun: AtomicU64,
    quiet: Notify,
}

/// Something in progress, until this is dropped.
pub struct InProgress(Arc<IdleTracker>);

impl IdleTracker {
    /// Counts something that begins.
    pub fn begin(self: &Arc<Self>) -> InProgress {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.now.fetch_add(1, Ordering::SeqCst);
        InProgress(self.clone())
    }

    /// A reply that counts as in progress until it is answered, so that the consequences of the
    /// answer have begun by then.
    pub fn until_answered(self: &Arc<Self>, reply: ReplyTo) -> ReplyTo {
        let active = self.begin();
        ReplyTo::to(move |answer| {
            reply.send(answer);
            drop(active);
        })
    }

    /// Waits until nothing is in progress and `due` says that nothing is about to begin.
    pub async fn over(&self, due: impl Fn() -> bool) {
        loop {
            let quiet = self.quiet.notified();
            let begun = self.begun.load(Ordering::SeqCst);
            // Something that begins and ends between the two checks is noticed by its number.
            let is_over = self.now.load(Ordering::SeqCst) == 0
                && !due()
                && self.begun.load(Ordering::SeqCst) == begun;
            if is_over {
                return;
            }
            quiet.await;
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        if self.0.now.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.quiet.notify_waiters();
        }
    }
}
