//! The gate: a thread that runs releases in the order they were handed over, each once everything
//! before it is durable.
//!
//! It is a thread of its own so that releases (replies, frames, messages to other instances) never
//! hold up the next batch, and so that they are owned by nobody who could panic with them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender};

use super::{place::Place, store::StoreError};

/// What leaves once a row is durable. Runs on the gate's thread, so it must be short and must not
/// wait; it may reserve, append and read, but not shut the journal down.
pub type Release = Box<dyn FnOnce() + Send>;

/// Releases that became free together, in order, with the places they still hold.
pub(super) type Released = Vec<(Place, Release)>;

/// Starts the gate's thread. It ends when the sender is dropped and all that was sent has run.
pub(super) fn start() -> Result<(Sender<Released>, JoinHandle<()>), StoreError> {
    let (sender, receiver) = crossbeam_channel::unbounded();
    let thread = thread::Builder::new()
        .name("journal-gate".into())
        .spawn(move || run(&receiver))
        .map_err(|cause| StoreError::Failed("start the gate thread", Box::new(cause)))?;
    Ok((sender, thread))
}

fn run(batches: &Receiver<Released>) {
    for (place, release) in batches.iter().flatten() {
        // Free first: a release may want a place itself.
        drop(place);
        if catch_unwind(AssertUnwindSafe(release)).is_err() {
            log::error!(
                "expected a release to run to its end, but it panicked; its row is durable, its \
                answer may be lost"
            );
        }
    }
}
