//! The writer thread: group commit. It takes whatever is queued, writes it as one transaction and
//! hands the releases to the commit gate.
//!
//! There is no artificial delay: a batch builds itself while the one before it syncs. At most one
//! batch is in flight. Short writes go before long ones ([`long_writes`](super::long_writes)).
//!
//! A batch that finds no room on the disk is not written, and its releases learn it; so do those of
//! later writes of the same chains. The writer continues, and tries once in a while whether there
//! is room again. After any other failure nobody knows what the disk has: the writer writes no
//! more, and all that was handed over is *unknown*.
//!
//! Not here: who may queue how much (see [`queue_permit`](super::queue_permit)), what runs after (see
//! [`commit gate`](super::commit_gate)).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::{
    chain::{Chain, NotWritten, Written},
    change::WriteOp,
    commit_gate::{Free, Release},
    disk_room::RoomState,
    long_writes::LongWrites,
    row::Entity,
    store::{Store, StoreError},
};
use crate::{limits::PotPlace, meters::meters};

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
/// How often a store without room is asked whether it has room again.
const PROBE: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(1)
};

/// What the handle sends to the writer.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are of the large kind"
)]
pub(super) enum WriterMessage {
    /// Something to write, or nothing, and what to release after it.
    Write(Handed),
    /// A message of the outbox that its receiver has durably.
    Delivered(Entity, u64),
    /// Write what was queued before, then end.
    Stop,
}

/// A write, or a release that waits for the writes before it.
pub(super) struct Handed {
    pub place: PotPlace,
    pub op: Option<WriteOp>,
    /// What it builds on, if anything.
    pub chain: Option<Chain>,
    pub release: Release,
}

/// The writer's side of the queue.
pub(super) struct Writer {
    pub store: Box<dyn Store>,
    pub queue: Receiver<WriterMessage>,
    pub gate: Sender<Vec<Free>>,
    pub room: Arc<RoomState>,
    /// What lets shorter writes go first.
    pub long: LongWrites,
    /// Whether nothing was written since the store last gave its memory back.
    pub rested: bool,
}

/// What the next transaction holds.
#[derive(Default)]
pub(super) struct Batch {
    ops: Vec<WriteOp>,
    waiting: Vec<Waiting>,
    /// When the oldest deletion that nothing else has forced out must be written.
    lazy_until: Option<Instant>,
    stop: bool,
}

/// What is released with a batch.
struct Waiting {
    place: PotPlace,
    chain: Option<Chain>,
    release: Release,
    /// Whether an operation of the batch is its own.
    writes: bool,
}

impl Waiting {
    fn free(self, written: Written) -> Free {
        Free {
            place: self.place,
            release: self.release,
            written,
        }
    }

    /// Whether it failed with its batch. What writes nothing fails only with the chain it was
    /// computed from.
    fn fails(&self) -> bool {
        self.writes || self.chain.as_ref().is_some_and(Chain::is_broken)
    }
}

impl Batch {
    pub fn take(&mut self, entry: WriterMessage) {
        match entry {
            WriterMessage::Write(Handed {
                place,
                op,
                chain,
                release,
            }) => {
                // On top of a write that failed nothing can be written.
                let is_broken = chain.as_ref().is_some_and(Chain::is_broken);
                let writes = op.is_some() && !is_broken;
                self.ops.extend(op.filter(|_| writes));
                self.waiting.push(Waiting {
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

    /// What waits for other work does so no longer.
    pub fn hurry(&mut self) {
        self.lazy_until = self.lazy_until.map(|_| Instant::now());
    }

    /// Whether nobody waits for this batch.
    fn is_lazy(&self) -> bool {
        self.waiting.is_empty() && !self.is_full()
    }

    /// Whether its operations need a transaction now. Deletions alone do not until their time is
    /// up, so a release without a row does not pay for a sync.
    fn must_commit(&self) -> bool {
        let overdue = self
            .lazy_until
            .is_some_and(|deadline| Instant::now() >= deadline);
        !self.ops.is_empty() && (overdue || self.is_full() || !self.ops.iter().all(is_deletion))
    }

    fn is_full(&self) -> bool {
        self.stop || self.waiting.len() >= LARGEST_BATCH || self.ops.len() >= LARGEST_BATCH
    }

    /// All releases, now that the operations are durable.
    fn written(&mut self) -> Vec<Free> {
        let free = |waiting: Waiting| {
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

    /// All releases, when the operations are not known to be durable.
    fn failed(&mut self, why: NotWritten) -> Vec<Free> {
        let writes = self.waiting.iter().filter(|waiting| waiting.writes);
        writes
            .filter_map(|waiting| waiting.chain.as_ref())
            .for_each(Chain::break_off);
        let free = |waiting: Waiting| {
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
    /// Writes until it is stopped, or until nobody can queue any more.
    ///
    /// # Errors
    /// A commit of which nobody knows what became of it: its batch is left for [`Self::give_up`].
    pub fn run(&mut self, batch: &mut Batch) -> Result<(), StoreError> {
        loop {
            self.gather(batch);
            self.write(batch)?;
            if batch.stop && self.long.is_empty() {
                return Ok(());
            }
        }
    }

    /// Waits until there is something to do, then takes all that is queued, up to a full batch; of
    /// what takes long only some.
    fn gather(&mut self, batch: &mut Batch) {
        while batch.is_lazy() && self.long.is_empty() {
            let is_full = self.room.is_full();
            let entry = match batch.lazy_until {
                Some(deadline) => self.queue.recv_deadline(deadline),
                None if is_full => self.queue.recv_timeout(PROBE),
                None if self.rested => self.queue.recv().map_err(RecvTimeoutError::from),
                None => self.queue.recv_timeout(REST),
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

    /// Takes an entry of the queue into the batch, unless it lets shorter ones go first.
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

    /// Takes those long writes into the batch whose turn it is.
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
                    // Only deletions are worth another try: the rest is decided anew.
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
            // The commit gate ends after the writer, so it is there.
            let _ = self.gate.send(free);
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

    /// Asks the store whether it has room again.
    fn probe(&mut self) {
        if self.room.is_hopeless() {
            return;
        }
        match self.store.probe() {
            Ok(()) => self.room.wrote(),
            Err(StoreError::NoRoom(_)) => {}
            // Nobody waits for it; the next commit says what is wrong.
            Err(error) => log::warn!("whether the disk has room again cannot be told: {error}"),
        }
    }

    /// After a failed commit: nothing is written any more, and whatever was handed over or still
    /// is may be on the disk or not. Returns when it is stopped.
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

    /// Tells those who wait for the batch that nobody knows what became of it.
    pub fn refuse(&mut self, batch: &mut Batch) {
        while let Some(handed) = self.long.next() {
            batch.take(WriterMessage::Write(handed));
        }
        // The commit gate ends after the writer, so it is there.
        let _ = self.gate.send(batch.failed(NotWritten::Unknown));
    }
}
