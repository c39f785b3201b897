//! Whether anything is in progress, for `idle` under `--test-clock`: a scripted scenario asks for
//! it instead of sleeping.
//!
//! Counted are envelopes not answered through their commit gate, what follows from a commit while it is
//! let out, retries that wait, a look for due timers, and what connections have not sent yet. Each
//! begins before the one it follows from ends, so a chain of them never seems to be over. With a
//! real clock nothing is counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::instance_request::ReplyTo;

/// What is in progress.
#[derive(Default)]
pub struct IdleTracker {
    now: AtomicUsize,
    begun: AtomicU64,
    quiet: Notify,
}

/// Something in progress, until it is dropped.
pub struct Active(Arc<IdleTracker>);

impl IdleTracker {
    /// Something begins.
    pub fn begin(self: &Arc<Self>) -> Active {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.now.fetch_add(1, Ordering::SeqCst);
        Active(self.clone())
    }

    /// A reply that is in progress until it is answered, and what the answer leads to has begun.
    pub fn until_answered(self: &Arc<Self>, reply: ReplyTo) -> ReplyTo {
        let active = self.begin();
        ReplyTo::to(move |answer| {
            reply.send(answer);
            drop(active);
        })
    }

    /// Waits until nothing is in progress and `due` says that nothing is about to begin by itself.
    pub async fn over(&self, due: impl Fn() -> bool) {
        loop {
            let quiet = self.quiet.notified();
            let begun = self.begun.load(Ordering::SeqCst);
            // Something that begins and ends between the two looks is seen by its number.
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

impl Drop for Active {
    fn drop(&mut self) {
        if self.0.now.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.quiet.notify_waiters();
        }
    }
}
