//! The store of a simulation: in memory, outlives the server's crashes, and fails on demand.

use std::sync::{Arc, Mutex, MutexGuard};

use stepwire::{
    engine::{RecordBatch, record::Record},
    journal::{EntityKind, MemoryStore, Store, StoreError, StoreReader, WriteOp, codec},
    model::ids::Time,
};

use super::bug::Bug;

/// What a failing commit has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was written.
    Before,
    /// All was written.
    After,
}

/// A store shared by its clones.
#[derive(Clone)]
pub struct SimulatedStore {
    shared: Arc<Mutex<Shared>>,
    /// The server that this handle belongs to.
    life: u32,
}

struct Shared {
    store: MemoryStore,
    /// The server that may write.
    life: u32,
    /// The outcome of the next commit.
    fault: Option<Fault>,
    bug: Option<Bug>,
    /// Everything written, for a store that is to forget some of it.
    written: Vec<Vec<WriteOp>>,
}

impl SimulatedStore {
    /// An empty store.
    pub fn new(bug: Option<Bug>) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared {
                store: MemoryStore::default(),
                life: 0,
                fault: None,
                bug,
                written: Vec::new(),
            })),
            life: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no commit panics")
    }

    /// Sets the fault of the next commit, or none.
    pub fn fail(&self, fault: Option<Fault>) {
        self.lock().fault = fault;
    }

    /// A handle for the next server.
    pub fn of_next_life(&self) -> Self {
        let mut shared = self.lock();
        shared.life += 1;
        shared.fault = None;
        Self {
            shared: self.shared.clone(),
            life: shared.life,
        }
    }

    /// The server has crashed: its later writes are ignored.
    pub fn crash(&self) {
        let mut shared = self.lock();
        shared.life += 1;
        if shared.bug == Some(Bug::LostTail) && shared.written.len() > 6 {
            let kept = shared.written.len() - 2;
            shared.written.truncate(kept);
            let mut store = MemoryStore::default();
            for batch in &shared.written {
                store.commit(batch).expect("it was written before");
            }
            shared.store = store;
        }
    }

    /// Reads the store.
    pub fn read<T>(&self, question: impl FnOnce(&dyn StoreReader) -> T) -> T {
        let store = self.lock().store.clone();
        question(store.reader().expect("memory can be read").as_ref())
    }
}

impl Store for SimulatedStore {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        let mut shared = self.lock();
        let fault = if shared.life == self.life {
            shared.fault.take()
        } else {
            Some(Fault::Before)
        };
        if fault != Some(Fault::Before) {
            let mut batch = batch.to_vec();
            if let Some(bug) = shared.bug {
                batch.retain(|op| bug != Bug::ForgottenDelivery || !is_of_message(op));
                batch.iter_mut().for_each(|op| spoil(op, bug));
            }
            shared.store.commit(&batch)?;
            if shared.bug == Some(Bug::LostTail) {
                shared.written.push(batch);
            }
        }
        match fault {
            None => Ok(()),
            Some(_) => Err(StoreError::Failed("sync", "a simulated fault".into())),
        }
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        self.lock().store.reader()
    }
}

fn is_of_message(op: &WriteOp) -> bool {
    matches!(op.bare(), WriteOp::Commit(commit) if commit.row.entity.kind == EntityKind::Message)
}

/// Changes a write, as this bug would.
fn spoil(op: &mut WriteOp, bug: Bug) {
    let commit = match op {
        WriteOp::Commit(commit) => commit,
        WriteOp::Audited(audited, _) => {
            spoil(audited, bug);
            if bug == Bug::UnknownAct {
                *op = audited.bare().clone();
            }
            return;
        }
        _ => return,
    };
    if !commit.row.entity.is_instance() {
        return;
    }
    let mut row: RecordBatch = codec::decode(&commit.row.body).expect("a row can be decoded");
    match bug {
        Bug::LostMessage => return commit.outbox.clear(),
        Bug::EarlyTimer if fires_a_timer(&row) => row.time = Time(row.time.0 - 60_000),
        Bug::TimeGoesBack if row.first_seq > 1 => row.time = Time(row.time.0 - 3_600_000),
        Bug::Gap if row.first_seq > 1 => row.first_seq += 1,
        Bug::ForgottenReceipt => {
            for record in &mut row.records {
                if let Record::MessageReceived { number, .. } = record {
                    *number = 0;
                }
            }
            commit.snapshot = None;
        }
        _ => return,
    }
    commit.row.body = codec::encode(&row).expect("a row can be encoded");
}

fn fires_a_timer(row: &RecordBatch) -> bool {
    row.records.iter().any(
        |record| matches!(record, Record::SubscriptionTriggered { event, .. } if is_timer(&event.node)),
    )
}

/// Whether the node of the simulated processes is a timer.
pub fn is_timer(node: &str) -> bool {
    matches!(node, "d" | "late")
}
