//! The handle on the journal, and its threads: one writer, one commit gate, a few readers.
//!
//! To read what is certainly newer than everything handed over before (as an activation must), read
//! from inside a release: `slot.release(…journal.read_then(…)…)`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::Sender;
use tokio::sync::oneshot;

use super::{
    audit::AuditRow,
    chain::Chain,
    change::{Commit, WriteOp},
    commit_gate::{self, Release},
    disk_room::RoomState,
    http_call::CallChange,
    long_writes::LongWrites,
    queue_permit::Busy,
    readers::{Purpose, Readers},
    row::{Entity, SnapshotRow},
    steps::Steps,
    store::{Store, StoreError, StoreReader},
    writer::{Batch, Handed, Writer, WriterMessage},
};
use crate::{
    limits::{CallerKind, Limit, Pot, PotPlace},
    model::ids::InstanceKey,
};

/// What happens when nobody knows what became of a batch. It runs on the writer's thread, before
/// those who wait learn that it is unknown; nothing is written after it.
pub type OnFatal = Box<dyn FnOnce(StoreError) + Send>;

/// How long those who wait may get the answer that the outcome is unknown, before the process ends.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a server does then: it says why, and ends with status 70. A sync that failed once cannot be
/// tried again, as the operating system may have dropped the pages or may believe them written; the
/// next start writes the log anew and reads what the disk has.
pub fn end_process(error: StoreError) {
    log::error!(
        "the journal cannot go on: {error}; the server ends, and whether what was under way is \
        kept shows after the next start"
    );
    let end = || {
        thread::sleep(LAST_WORDS);
        std::process::exit(70)
    };
    if thread::Builder::new()
        .name("last-words".into())
        .spawn(end)
        .is_err()
    {
        std::process::exit(70);
    }
}

/// A handle on the journal. Clones are the same journal.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Sender<WriterMessage>,
    places: Pot,
    readers: Readers,
    room: Arc<RoomState>,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    /// Gives the store back, unless a commit failed.
    writer: JoinHandle<Option<Box<dyn Store>>>,
    gate: JoinHandle<()>,
}

impl Journal {
    /// Starts the threads over `store`. `capacity` counts the places of the queue: rows and
    /// releases reserved, queued, being written and waiting at the commit gate.
    pub fn start(
        store: Box<dyn Store>,
        capacity: usize,
        on_fatal: OnFatal,
    ) -> Result<Self, StoreError> {
        let (queue, receiver) = crossbeam_channel::unbounded();
        let readers = Readers::start(store.as_ref())?;
        let (gate_sender, gate) = commit_gate::start()?;
        let room = Arc::<RoomState>::default();
        let writer = Writer {
            store,
            queue: receiver,
            gate: gate_sender,
            room: room.clone(),
            long: LongWrites::default(),
            rested: true,
        };
        let writer = thread::Builder::new()
            .name("journal-writer".into())
            .spawn(move || run_writer(writer, on_fatal))
            .map_err(|cause| StoreError::Failed("start the writer thread", Box::new(cause)))?;
        let threads = Some(Threads { writer, gate });
        Ok(Self::over(queue, capacity, readers, room, threads))
    }

    /// A journal without threads, and its [`Steps`]: nothing is written, released or read until
    /// they learn it. Everything else is as with [`Journal::start`].
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn stepped(
        store: Box<dyn Store>,
        capacity: usize,
        on_fatal: OnFatal,
    ) -> Result<(Self, Steps), StoreError> {
        let (queue, entries) = crossbeam_channel::unbounded();
        let (gate, freed) = crossbeam_channel::unbounded();
        let (readers, questions) = Readers::without_threads();
        let room = Arc::<RoomState>::default();
        let reader = store.reader()?;
        let writer = Writer {
            store,
            queue: entries,
            gate,
            room: room.clone(),
            long: LongWrites::default(),
            rested: true,
        };
        let steps = Steps::new(writer, on_fatal, freed, reader, questions);
        Ok((Self::over(queue, capacity, readers, room, None), steps))
    }

    fn over(
        queue: Sender<WriterMessage>,
        capacity: usize,
        readers: Readers,
        room: Arc<RoomState>,
        threads: Option<Threads>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                queue,
                places: Pot::new(capacity, Limit::WriterQueue),
                readers,
                room,
                threads: Mutex::new(threads),
            }),
        }
    }

    /// Takes a place in the queue for what the server does by itself, before anything is decided
    /// that would need one.
    pub fn reserve(&self) -> Result<AppendPermit, Busy> {
        self.reserve_for(CallerKind::Staff)
    }

    /// The same for a caller of this kind, which leaves places to the others.
    pub fn reserve_for(&self, kind: CallerKind) -> Result<AppendPermit, Busy> {
        let place = self.shared.places.take(kind).ok_or(Busy)?;
        Ok(AppendPermit {
            place,
            queue: self.shared.queue.clone(),
            chain: None,
        })
    }

    /// Notes that the receiver of a message has it durably. The message leaves the outbox with some
    /// later batch, within a second; should the process end before that, it is delivered again,
    /// which receivers bear.
    pub fn outbox_delivered(&self, source: Entity, seq: u64) {
        hand_over(&self.shared.queue, WriterMessage::Delivered(source, seq));
    }

    /// Answers a question on a reader thread. It sees at least the rows whose releases have run.
    /// The receiver fails only when the journal is shut down.
    pub fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (sender, receiver) = oneshot::channel();
        self.read_then(question, move |answer| {
            // Nobody waits any more: the answer has no use.
            let _ = sender.send(answer);
        });
        receiver
    }

    /// Like [`Journal::read`]; `done` gets the answer on the reader thread. After a shutdown
    /// neither runs.
    pub fn read_then<T: 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.shared.readers.ask(Purpose::Work, question, done);
    }

    /// Like [`Journal::read_then`], for what somebody wants to see of many: nothing that the server
    /// continues with waits behind it.
    pub fn list_then<T: 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.shared.readers.ask(Purpose::List, question, done);
    }

    /// Like [`Journal::list_then`]; the receiver fails only when the journal is shut down.
    pub fn list<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (sender, receiver) = oneshot::channel();
        self.list_then(question, move |answer| {
            // Nobody waits any more: the answer has no use.
            let _ = sender.send(answer);
        });
        receiver
    }

    /// How much is reserved, queued, being written or waiting at the commit gate.
    pub fn queued(&self) -> usize {
        self.shared.places.taken()
    }

    /// How much space the disk has.
    pub fn room(&self) -> &RoomState {
        &self.shared.room
    }

    /// Writes what is queued, runs its releases, answers what was asked, closes the store, ends the
    /// threads. What comes later is dropped. Waits for all that, so never call it in a release or
    /// an answer. Anyone who calls meanwhile waits too, so that the store is closed whenever this
    /// returns; a later call does nothing.
    pub fn shutdown(&self) {
        let mut threads = self
            .shared
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(threads) = threads.take() else {
            return;
        };
        hand_over(&self.shared.queue, WriterMessage::Stop);
        let store = threads.writer.join();
        if threads.gate.join().is_err() {
            log::error!("expected the gate thread to end, but it had panicked");
        }
        self.shared.readers.stop();
        // Last, as the write-ahead log can be emptied only when nobody reads it.
        drop(store);
    }
}

/// A reserved place in the writer's queue: appending with it cannot fail for lack of space. Unused,
/// it is given back by dropping.
#[must_use]
pub struct AppendPermit {
    place: PotPlace,
    queue: Sender<WriterMessage>,
    chain: Option<Chain>,
}

impl AppendPermit {
    /// What is handed over builds on the writes of this chain: it is not written, and its release
    /// fails, once one of them has failed.
    pub fn on(self, chain: &Chain) -> Self {
        Self {
            chain: Some(chain.clone()),
            ..self
        }
    }

    /// Appends a row; `release` runs when it is known what became of it.
    pub fn append(self, commit: Commit, release: Release) {
        self.append_audited(commit, Vec::new(), release);
    }

    /// The same, with the rows of the audit log that report it.
    pub fn append_audited(self, commit: Commit, audit: Vec<AuditRow>, release: Release) {
        self.send(Some(WriteOp::Commit(commit).audited(audit)), release);
    }

    /// Releases without a row: in queue order, so once it is known what became of every row handed
    /// over before.
    pub fn release(self, release: Release) {
        self.send(None, release);
    }

    /// Replaces an entity's snapshot without a row.
    pub fn snapshot(self, entity: Entity, snapshot: SnapshotRow, release: Release) {
        self.send(Some(WriteOp::Snapshot(entity, snapshot)), release);
    }

    /// Writes rows of other tables than the log, or nothing; `release` runs when it is known what
    /// became of all handed over so far.
    pub fn write(self, op: Option<WriteOp>, release: Release) {
        self.send(op, release);
    }

    /// Changes a call to the outside without a row.
    pub fn http_call(self, instance: InstanceKey, seq: u64, change: CallChange, release: Release) {
        self.send(Some(WriteOp::HttpCall(instance, seq, change)), release);
    }

    fn send(self, op: Option<WriteOp>, release: Release) {
        let handed = Handed {
            place: self.place,
            op,
            chain: self.chain,
            release,
        };
        hand_over(&self.queue, WriterMessage::Write(handed));
    }
}

/// Queues an entry. With the writer shut down it is dropped, its release unrun: it is not written.
fn hand_over(queue: &Sender<WriterMessage>, entry: WriterMessage) {
    let _ = queue.send(entry);
}

/// The writer's thread. A panic in the store counts as a failed commit: nobody knows what became of
/// the batch.
fn run_writer(mut writer: Writer, on_fatal: OnFatal) -> Option<Box<dyn Store>> {
    let mut batch = Batch::default();
    let ended = catch_unwind(AssertUnwindSafe(|| writer.run(&mut batch)));
    match ended.unwrap_or(Err(StoreError::Panicked)) {
        Ok(()) => Some(writer.store),
        Err(error) => {
            writer.room.failed();
            on_fatal(error);
            writer.give_up(batch);
            None
        }
    }
}
