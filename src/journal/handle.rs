//! The handle of the journal, and its threads: one writer, one commit gate, a few readers.
//!
//! To read what is certainly newer than everything handed over before (as loading an instance has
//! to), read from inside a release: `slot.release(…journal.read_then(…)…)`.

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
    commit_gate::{Gate, Release},
    disk_room::RoomState,
    http_call::CallChange,
    long_writes::LongWrites,
    queue_permit::Busy,
    readers::{Purpose, Readers},
    row::{Entity, SnapshotRow},
    steps::Steps,
    store::{Store, StoreError, StoreReader},
    writer::{Batch, QueuedEntry, Writer, WriterMessage},
};
use crate::{
    limits::{CallerKind, Limit, Pot, PotPlace, Taker},
    model::ids::InstanceKey,
};

/// Called when the outcome of a batch is not known. It runs on the writer's thread, before the
/// releases; nothing is written after it.
pub type OnFatal = Box<dyn FnOnce(StoreError) + Send>;

/// How long clients may still receive the answer that the outcome is unknown, before the process
/// ends.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a server does then: it logs the reason, and ends with status 70. A failed sync must not be
/// repeated, because the operating system may have dropped the pages or believe them written; the
/// next start writes the log again and reads what the disk has.
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

/// A handle of the journal. All clones are the same journal.
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
    /// Returns the store, unless a commit failed.
    writer: JoinHandle<Option<Box<dyn Store>>>,
    gate: JoinHandle<()>,
}

impl Journal {
    /// Starts the threads on `store`. `capacity` is the number of permits of the queue: rows and
    /// releases that are reserved, queued, being written, or waiting at the commit gate.
    pub fn start(
        store: Box<dyn Store>,
        capacity: usize,
        on_fatal: OnFatal,
    ) -> Result<Self, StoreError> {
        let (queue, receiver) = crossbeam_channel::unbounded();
        let readers = Readers::start(store.as_ref())?;
        let (gate_side, gate) = Gate::start()?;
        let room = Arc::<RoomState>::default();
        let writer = Writer {
            store,
            queue: receiver,
            gate: gate_side,
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

    /// A journal without threads, and its [`Steps`]: it writes, releases and reads only when these
    /// are called. Everything else is as with [`Journal::start`].
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn stepped(
        store: Box<dyn Store>,
        capacity: usize,
        on_fatal: OnFatal,
    ) -> Result<(Self, Steps), StoreError> {
        let (queue, entries) = crossbeam_channel::unbounded();
        let (gate, freed) = Gate::without_thread();
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

    /// Takes a permit of the queue for the server's own work, before anything is decided that needs
    /// one.
    pub fn reserve(&self) -> Result<AppendPermit, Busy> {
        self.reserve_for(CallerKind::Staff)
    }

    /// The same for a caller of this kind, which leaves permits to the others.
    pub fn reserve_for(&self, kind: CallerKind) -> Result<AppendPermit, Busy> {
        let place = self.shared.places.take(kind).ok_or(Busy)?;
        Ok(AppendPermit {
            place,
            queue: self.shared.queue.clone(),
            chain: None,
        })
    }

    /// Records that the receiver of a message has it durably. A later batch, within a second,
    /// deletes the message from the outbox. If the process ends before that, the message is
    /// delivered again, which receivers recognise.
    pub fn outbox_delivered(&self, source: Entity, seq: u64) {
        hand_over(&self.shared.queue, WriterMessage::Delivered(source, seq));
    }

    /// Runs a query on a reader thread. It sees at least the rows whose releases have run. The
    /// receiver only fails when the journal is shut down.
    pub fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (sender, receiver) = oneshot::channel();
        self.read_then(question, move |answer| {
            // Nobody waits any more: the answer is not needed.
            let _ = sender.send(answer);
        });
        receiver
    }

    /// Like [`Journal::read`]; `done` receives the answer on the reader thread. After a shutdown
    /// neither runs.
    pub fn read_then<T: 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.shared.readers.run(Purpose::Work, question, done);
    }

    /// Like [`Journal::read_then`], for what was found to be large, so that decoding it takes long
    /// (`limits::LARGE_READ_BYTES`): on a thread of low priority.
    pub fn read_large_then<T: 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.shared.readers.run(Purpose::Large, question, done);
    }

    /// Like [`Journal::read_then`], for lists: no query that the server's own work needs waits
    /// behind it. Those who ask take turns; `None` is the server itself.
    pub fn list_then<T: 'static>(
        &self,
        whose: Option<Taker>,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.shared
            .readers
            .run(Purpose::List(whose), question, done);
    }

    /// Like [`Journal::list_then`]; the receiver only fails when the journal is shut down.
    pub fn list<T: Send + 'static>(
        &self,
        whose: Option<Taker>,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (sender, receiver) = oneshot::channel();
        self.list_then(whose, question, move |answer| {
            // Nobody waits any more: the answer is not needed.
            let _ = sender.send(answer);
        });
        receiver
    }

    /// The number of entries that are reserved, queued, being written, or waiting at the commit
    /// gate.
    pub fn queued(&self) -> usize {
        self.shared.places.taken()
    }

    /// The state of the disk's free space.
    pub fn room(&self) -> &RoomState {
        &self.shared.room
    }

    /// Writes what is queued, runs its releases, answers queries that were sent, closes the store,
    /// and ends the threads. Entries that come later are dropped. It waits for all of that, so
    /// never call it in a release or a query. A concurrent call waits, too, so that the store is
    /// closed whenever this returns; a later call does nothing.
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
        // Last, because the write-ahead log can be emptied only when nobody reads it.
        drop(store);
    }
}

/// A permit of the writer's queue: appending with it cannot fail for lack of room. An unused one is
/// given back when dropped.
#[must_use]
pub struct AppendPermit {
    place: PotPlace,
    queue: Sender<WriterMessage>,
    chain: Option<Chain>,
}

impl AppendPermit {
    /// What is handed over depends on the writes of this chain: it is not written, and its release
    /// fails, if one of them has failed.
    pub fn on(self, chain: &Chain) -> Self {
        Self {
            chain: Some(chain.clone()),
            ..self
        }
    }

    /// Appends a row; `release` runs when its outcome is known.
    pub fn append(self, commit: Commit, release: Release) {
        self.append_audited(commit, Vec::new(), release);
    }

    /// The same, with its rows of the audit log.
    pub fn append_audited(self, commit: Commit, audit: Vec<AuditRow>, release: Release) {
        self.send(Some(WriteOp::Commit(commit).audited(audit)), release);
    }

    /// Releases without a row: in queue order, so once the outcome of every row handed over before
    /// is known.
    pub fn release(self, release: Release) {
        self.send(None, release);
    }

    /// Replaces an entity's snapshot without a row.
    pub fn snapshot(self, entity: Entity, snapshot: SnapshotRow, release: Release) {
        self.send(Some(WriteOp::Snapshot(entity, snapshot)), release);
    }

    /// Writes rows of tables other than the log, or nothing; `release` runs when the outcome of
    /// everything handed over so far is known.
    pub fn write(self, op: Option<WriteOp>, release: Release) {
        self.send(op, release);
    }

    /// Changes an HTTP call without a row.
    pub fn http_call(self, instance: InstanceKey, seq: u64, change: CallChange, release: Release) {
        self.send(Some(WriteOp::HttpCall(instance, seq, change)), release);
    }

    fn send(self, op: Option<WriteOp>, release: Release) {
        let handed = QueuedEntry {
            place: self.place,
            op,
            chain: self.chain,
            release,
        };
        hand_over(&self.queue, WriterMessage::Write(handed));
    }
}

/// Queues an entry. After the writer has shut down it is dropped, and its release does not run,
/// because it is not written.
fn hand_over(queue: &Sender<WriterMessage>, entry: WriterMessage) {
    let _ = queue.send(entry);
}

/// The writer's thread. A panic in the store counts as a failed commit: the outcome of the batch is
/// not known.
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
