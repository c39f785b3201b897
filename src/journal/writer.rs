//! The writer thread: group commit. It takes what is queued, writes it as one transaction, and
//! releases what waited for it.
//!
//! There is no artificial delay: a batch accumulates while the previous one syncs. At most one
//! batch is in flight. Short writes go before long ones ([`long_writes`](super::long_writes)).
//!
//! A batch that finds no room on the disk is not written, and its releases get that as their
//! outcome; the same holds for later writes of the same chains. The writer continues, and tests
//! from time to time whether there is room again. After any other failure it is not known what the
//! disk has: the writer writes no more, and the outcome of everything handed over is *unknown*.
//!
//! Not here: how much each caller may queue ([`queue_permit`](super::queue_permit)), what runs
//! afterwards ([`commit gate`](super::commit_gate)).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::{
    chain::{Chain, NotWritten, Written},
    change::WriteOp,
    commit_gate::{Free, Gate, Release},
    disk_room::RoomState,
    long_writes::LongWrites,
    row::Entity,
    store::{Store, StoreError},
};
use crate::{limits::PotPlace, meters::meters};

/// Operations per transaction: with more, the sync's share of the cost is small, and waiting for
/// the batch takes longer.
const LARGEST_BATCH: usize = 1024;
/// How long a delivered message may stay in the outbox if nothing else is written: delivering it
/// again does no harm.
const LAZY: Duration = Duration::from_millis(500);
/// After this long without a write, the store releases the memory that only writing needs.
const IDLE_AFTER: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(5)
};
/// How often a store without room is tested for room.
const PROBE: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(1)
};

/// A message of the handle to the writer.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are of the large kind"
)]
pub(super) enum WriterMessage {
    /// Something to write, or nothing, and its release.
    Write(QueuedEntry),
    /// A message of the outbox that its receiver has durably.
    Delivered(Entity, u64),
    /// Write the entries queued before, then end.
    Stop,
}

/// A write, or a release that waits for the writes before it.
pub(super) struct QueuedEntry {
    pub place: PotPlace,
    pub op: Option<WriteOp>,
    /// The chain it depends on, if any.
    pub chain: Option<Chain>,
    pub release: Release,
}

/// The writer's side of the queue.
pub(super) struct Writer {
    pub store: Box<dyn Store>,
    pub queue: Receiver<WriterMessage>,
    pub gate: Gate,
    pub room: Arc<RoomState>,
    /// The long writes, which let shorter ones go first.
    pub long: LongWrites,
    /// Whether nothing was written since the store last released its memory.
    pub rested: bool,
}

/// The next transaction.
#[derive(Default)]
pub(super) struct Batch {
    ops: Vec<WriteOp>,
    waiting: Vec<WaitingRelease>,
    /// When the oldest deletion has to be written, if nothing else causes a transaction before.
    lazy_until: Option<Instant>,
    stop: bool,
}

/// A release that waits for the batch.
struct WaitingRelease {
    place: PotPlace,
    chain: Option<Chain>,
    release: Release,
    /// Whether it has an operation in the batch.
    writes: bool,
}

impl WaitingRelease {
    fn free(self, written: Written) -> Free {
        Free {
            place: self.place,
            release: self.release,
            written,
        }
    }

    /// Whether it fails with its batch. A release without an operation only fails with the chain it
    /// was computed from.
    fn fails(&self) -> bool {
        self.writes || self.chain.as_ref().is_some_and(Chain::is_broken)
    }
}

impl Batch {
    pub fn take(&mut self, entry: WriterMessage) {
        match entry {
            WriterMessage::Write(QueuedEntry {
                place,
                op,
                chain,
                release,
            }) => {
                // Nothing can be written on top of a failed write.
                let is_broken = chain.as_ref().is_some_and(Chain::is_broken);
                let writes = op.is_some() && !is_broken;
                self.ops.extend(op.filter(|_| writes));
                self.waiting.push(WaitingRelease {
                    place,
                    chain,
                    release,
                    writes,
                });
            }
            WriterMessage::Delivered(source, seq) => {
                self.lazy_until.get_or_insert_with(|| Instant::now() + LAZY);
                self.ops.push(WriteOp::OutboxDelivered(source, seq));
            }
            WriterMessage::Stop => self.stop = true,
        }
    }

    /// Deletions no longer wait for other work.
    pub fn hurry(&mut self) {
        self.lazy_until = self.lazy_until.map(|_| Instant::now());
    }

    /// Whether nobody waits for this batch.
    fn is_lazy(&self) -> bool {
        self.waiting.is_empty() && !self.is_full()
    }

    /// Whether its operations need a transaction now. Deletions alone wait until their time is up,
    /// so a release without a row does not cost a sync.
    fn must_commit(&self) -> bool {
        let overdue = self
            .lazy_until
            .is_some_and(|deadline| Instant::now() >= deadline);
        !self.ops.is_empty() && (overdue || self.is_full() || !self.ops.iter().all(is_deletion))
    }

    fn is_full(&self) -> bool {
        self.stop || self.waiting.len() >= LARGEST_BATCH || self.ops.len() >= LARGEST_BATCH
    }

    /// All releases, after the operations became durable.
    fn written(&mut self) -> Vec<Free> {
        let free = |waiting: WaitingRelease| {
            let is_broken = waiting.chain.as_ref().is_some_and(Chain::is_broken);
            waiting.free(if is_broken {
                Err(NotWritten::NoRoom)
            } else {
                Ok(())
            })
        };
        std::mem::take(&mut self.waiting)
            .into_iter()
            .map(free)
            .collect()
    }

    /// All releases, after a failed commit.
    fn failed(&mut self, why: NotWritten) -> Vec<Free> {
        let writes = self.waiting.iter().filter(|waiting| waiting.writes);
        writes
            .filter_map(|waiting| waiting.chain.as_ref())
            .for_each(Chain::break_off);
        let free = |waiting: WaitingRelease| {
            let fails = waiting.fails();
            waiting.free(if fails { Err(why) } else { Ok(()) })
        };
        std::mem::take(&mut self.waiting)
            .into_iter()
            .map(free)
            .collect()
    }
}

fn is_deletion(op: &WriteOp) -> bool {
    matches!(op, WriteOp::OutboxDelivered(..))
}

impl Writer {
    /// Writes until it is stopped, or until no handle is left.
    ///
    /// # Errors
    /// A commit with an unknown outcome: its batch is left for [`Self::give_up`].
    pub fn run(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        loop {
            self.gather(batch);
            self.write(batch)?;
            if batch.stop && self.long.is_empty() {
                return Ok(());
            }
        }
    }

    /// Waits until there is something to do, then takes everything that is queued, up to a full
    /// batch, but only some of the long writes.
    fn gather(&mut self, batch: &mut Batch) {
        while batch.is_lazy() && self.long.is_empty() {
            let is_full = self.room.is_full();
            let entry = match batch.lazy_until {
                Some(deadline) => self.queue.recv_deadline(deadline),
                None if is_full => self.queue.recv_timeout(PROBE),
                None if self.rested => self.queue.recv().map_err(RecvTimeoutError::from),
                None => self.queue.recv_timeout(IDLE_AFTER),
            };
            match entry {
                Ok(entry) => self.take(batch, entry),
                Err(RecvTimeoutError::Timeout) if batch.lazy_until.is_some() => break,
                Err(RecvTimeoutError::Timeout) if is_full => self.probe(),
                Err(RecvTimeoutError::Timeout) => {
                    self.store.rest();
                    self.rested = true;
                }
                Err(RecvTimeoutError::Disconnected) => batch.stop = true,
            }
        }
        while !batch.is_full()
            && let Ok(entry) = self.queue.try_recv()
        {
            self.take(batch, entry);
        }
        self.take_long(batch);
    }

    /// Takes an entry of the queue into the batch, unless it has to let shorter ones go first.
    pub fn take(&mut self, batch: &mut Batch, entry: WriterMessage) {
        match entry {
            WriterMessage::Write(handed) => {
                if let Some(handed) = self.long.hold(handed) {
                    batch.take(WriterMessage::Write(handed));
                }
            }
            entry => batch.take(entry),
        }
    }

    /// Takes the long writes whose turn it is into the batch.
    pub fn take_long(&mut self, batch: &mut Batch) {
        for handed in self.long.turn() {
            batch.take(WriterMessage::Write(handed));
        }
    }

    /// Commits the batch, then hands its releases over.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn write(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let mut written = Ok(());
        if batch.must_commit() {
            let began = Instant::now();
            self.rested = false;
            match self.store.commit(&batch.ops) {
                Ok(()) => self.committed(batch, began.elapsed()),
                Err(StoreError::NoRoom(tried)) => {
                    written = Err(NotWritten::NoRoom);
                    self.room.filled(tried);
                    // Only deletions are tried again: everything else is decided again.
                    batch.ops.retain(is_deletion);
                    batch.lazy_until = (!batch.ops.is_empty()).then(|| Instant::now() + PROBE);
                }
                Err(error) => return Err(error),
            }
        }
        let free = match written {
            Ok(()) => batch.written(),
            Err(why) => batch.failed(why),
        };
        if !free.is_empty() {
            let is_last = self.queue.is_empty() && self.long.is_empty();
            self.gate.release(free, is_last);
        }
        Ok(())
    }

    fn committed(&self, batch: &mut Batch, took: Duration) {
        let rows = batch.ops.iter();
        let rows = rows
            .filter(|op| matches!(op.bare(), WriteOp::Commit(_)))
            .count();
        meters().committed(rows, took);
        batch.ops.clear();
        batch.lazy_until = None;
    }

    /// Tests whether the store has room again.
    fn probe(&mut self) {
        if self.room.is_hopeless() {
            return;
        }
        match self.store.probe() {
            Ok(()) => self.room.wrote(),
            Err(StoreError::NoRoom(_)) => {}
            // Nobody waits for this result; the next commit reports the error.
            Err(error) => log::warn!("the disk cannot be tested for free space: {error}"),
        }
    }

    /// After a failed commit: nothing is written any more, and what was or still is handed over may
    /// or may not be on the disk. Returns when it is stopped.
    pub fn give_up(mut self, mut batch: Batch) {
        loop {
            self.refuse(&mut batch);
            if batch.stop {
                return;
            }
            match self.queue.recv() {
                Ok(entry) => batch.take(entry),
                Err(_) => return,
            }
        }
    }

    /// Releases everything in the batch with the outcome *unknown*.
    pub fn refuse(&mut self, batch: &mut Batch) {
        while let Some(handed) = self.long.next() {
            batch.take(WriterMessage::Write(handed));
        }
        self.gate.release(batch.failed(NotWritten::Unknown), false);
    }
}
