//! The commit gate: a thread that runs releases in the order in which they were handed over, each
//! once the outcome of everything before it is known.
//!
//! It is a thread of its own, so that releases (replies, frames, messages to other instances) never
//! delay the next batch, and so that no other code can lose them by a panic.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender};

use super::{chain::Written, store::StoreError};
use crate::limits::PotPlace;

/// A release: the work that may be done once a row is durable. Its argument says if the row was not
/// written. It runs on the commit gate's thread, so it must be short and must not wait; it may
/// reserve, append and read, but not shut the journal down.
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

/// Starts the commit gate's thread. It ends after the sender is dropped and everything sent has
/// run.
pub(super) fn start() -> Result<(Sender<Vec<Free>>, JoinHandle<()>), StoreError> {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let thread = thread::Builder::new()
        .name("journal-gate".into())
        .spawn(move || run(&receiver))
        .map_err(|cause| StoreError::Failed("start the gate thread", Box::new(cause)))?;
    Ok((sender, thread))
}

fn run(batches: &Receiver<Vec<Free>>) {
    batches.iter().flatten().for_each(Free::run);
}
