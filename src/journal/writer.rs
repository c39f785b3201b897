//! The writer thread: group commit. It takes whatever is queued, writes it as one transaction and
//! hands the releases to the gate.
//!
//! There is no artificial delay: a batch builds itself while the one before it syncs. At most one
//! batch is in flight. Not here: who may queue how much (see [`place`](super::place)), what runs
//! after (see [`gate`](super::gate)).

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::{
    change::WriteOp,
    gate::{Release, Released},
    place::Place,
    row::Entity,
    store::{Store, StoreError},
};
use crate::meters::meters;

/// Operations per transaction: beyond this the sync's share is small, and waiting for the batch is
/// what costs.
const LARGEST_BATCH: usize = 1024;
/// How long a delivered message may stay in the outbox for want of other work: its delivery is
/// harmless to repeat.
const LAZY: Duration = Duration::from_millis(500);
/// Without anything to write for this long, the store gives back the memory that only writing
/// needs.
const REST: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(5)
};

/// What the handle sends to the writer.
pub(super) enum Entry {
    /// Something to write, or nothing, and what to release after it.
    Write(Place, Option<WriteOp>, Release),
    /// A message of the outbox that its receiver has durably.
    Delivered(Entity, u64),
    /// Write what was queued before, then end.
    Stop,
}

/// The writer's side of the queue.
pub(super) struct Writer {
    pub store: Box<dyn Store>,
    pub queue: Receiver<Entry>,
    pub gate: Sender<Released>,
    /// Whether nothing was written since the store last gave its memory back.
    pub rested: bool,
}

/// What the next transaction holds.
#[derive(Default)]
struct Batch {
    ops: Vec<WriteOp>,
    released: Released,
    /// When the oldest deletion that nothing else has forced out must be written.
    lazy_until: Option<Instant>,
    stop: bool,
}

impl Batch {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Write(place, op, release) => {
                self.ops.extend(op);
                self.released.push((place, release));
            }
            Entry::Delivered(source, seq) => {
                self.lazy_until.get_or_insert_with(|| Instant::now() + LAZY);
                self.ops.push(WriteOp::OutboxDelivered(source, seq));
            }
            Entry::Stop => self.stop = true,
        }
    }

    /// Whether nobody waits for this batch.
    fn is_lazy(&self) -> bool {
        self.released.is_empty() && !self.is_full()
    }

    /// Whether its operations need a transaction now. Deletions alone do not until their time is
    /// up, so a release without a row does not pay for a sync.
    fn must_commit(&self) -> bool {
        let overdue = self
            .lazy_until
            .is_some_and(|deadline| Instant::now() >= deadline);
        let deletion = |op: &WriteOp| matches!(op, WriteOp::OutboxDelivered(..));
        !self.ops.is_empty() && (overdue || self.is_full() || !self.ops.iter().all(deletion))
    }

    fn is_full(&self) -> bool {
        self.stop || self.released.len() >= LARGEST_BATCH || self.ops.len() >= LARGEST_BATCH
    }
}

impl Writer {
    /// Writes until told to stop, or until nobody can queue any more. Gives the store back, to be
    /// closed when its readers are.
    pub fn run(mut self) -> Result<Box<dyn Store>, StoreError> {
        let mut batch = Batch::default();
        loop {
            self.gather(&mut batch);
            self.write(&mut batch)?;
            if batch.stop {
                return Ok(self.store);
            }
        }
    }

    /// Waits until there is something to do, then takes all that is queued, up to a full batch.
    fn gather(&mut self, batch: &mut Batch) {
        while batch.is_lazy() {
            let entry = match batch.lazy_until {
                Some(deadline) => self.queue.recv_deadline(deadline),
                None if self.rested => self.queue.recv().map_err(RecvTimeoutError::from),
                None => self.queue.recv_timeout(REST),
            };
            match entry {
                Ok(entry) => batch.take(entry),
                Err(RecvTimeoutError::Timeout) if batch.lazy_until.is_none() => {
                    self.store.rest();
                    self.rested = true;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => batch.stop = true,
            }
        }
        while !batch.is_full()
            && let Ok(entry) = self.queue.try_recv()
        {
            batch.take(entry);
        }
    }

    /// Commits the batch, then hands its releases over. On an error they are dropped unrun, as
    /// nothing they say is true.
    fn write(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        if batch.must_commit() {
            let began = Instant::now();
            self.rested = false;
            self.store.commit(&batch.ops)?;
            let rows = batch
                .ops
                .iter()
                .filter(|op| matches!(op, WriteOp::Commit(_)))
                .count();
            let took = began.elapsed();
            meters().committed(rows, took);
            batch.ops.clear();
            batch.lazy_until = None;
        }
        if !batch.released.is_empty() {
            // The gate ends after the writer, so it is there.
            let _ = self.gate.send(std::mem::take(&mut batch.released));
        }
        Ok(())
    }
}
