//! The writer's pipeline: order, permits, the commit gate, failure, shutdown. A store with a brake
//! makes every interleaving deterministic.

mod long_writes;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::fixtures::{key, row};
use crate::{
    journal::{
        AppendPermit, Chain, Commit, Journal, MemoryStore, OutboxRow, Release, SqliteStore, Store,
        StoreError, StoreReader, WriteOp, disk_room::DiskRoom,
    },
    limits::{self, CallerKind},
};

/// A store that waits for a permit before each commit. When no permits are left (the sender is
/// dropped) it fails.
struct Braked {
    inner: MemoryStore,
    permits: Receiver<()>,
    /// The number of operations of each commit.
    sizes: Sender<usize>,
    rests: Sender<()>,
    no_room: Arc<AtomicBool>,
}

/// Added to the number of a release whose row was not written.
const FAILED: u64 = 1_000;

impl Store for Braked {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        let _ = self.sizes.send(batch.len());
        self.permits
            .recv()
            .map_err(|gone| StoreError::Failed("sync", Box::new(gone)))?;
        self.probe()?;
        self.inner.commit(batch)
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        if self.no_room.load(Ordering::SeqCst) {
            return Err(StoreError::NoRoom("commit"));
        }
        Ok(())
    }

    fn rest(&mut self) {
        let _ = self.rests.send(());
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        self.inner.reader()
    }
}

struct Bench {
    stored: MemoryStore,
    journal: Journal,
    permits: Option<Sender<()>>,
    sizes: Receiver<usize>,
    rests: Receiver<()>,
    failures: Receiver<StoreError>,
    released: Arc<Mutex<Vec<u64>>>,
    no_room: Arc<AtomicBool>,
}

impl Bench {
    fn new(capacity: usize) -> Self {
        let (permits, permit_receiver) = unbounded();
        let (size_sender, sizes) = unbounded();
        let (rest_sender, rests) = unbounded();
        let (failure_sender, failures) = unbounded();
        let stored = MemoryStore::default();
        let no_room = Arc::<AtomicBool>::default();
        let store = Braked {
            inner: stored.clone(),
            permits: permit_receiver,
            sizes: size_sender,
            rests: rest_sender,
            no_room: no_room.clone(),
        };
        let on_fatal = Box::new(move |error| failure_sender.send(error).unwrap());
        let journal = Journal::start(Box::new(store), capacity, on_fatal).unwrap();
        Self {
            stored,
            journal,
            permits: Some(permits),
            sizes,
            rests,
            failures,
            released: Arc::default(),
            no_room,
        }
    }

    fn permit(&self, commits: usize) {
        (0..commits).for_each(|_| self.permits.as_ref().unwrap().send(()).unwrap());
    }

    fn note(&self, number: u64) -> Release {
        let released = Arc::clone(&self.released);
        Box::new(move |written| {
            let number = if written.is_ok() {
                number
            } else {
                number + FAILED
            };
            released.lock().unwrap().push(number);
        })
    }

    fn append(&self, seq: u64) {
        self.journal
            .reserve()
            .unwrap()
            .append(Commit::of(row(1, seq, seq)), self.note(seq));
    }

    fn release(&self, number: u64) {
        self.journal.reserve().unwrap().release(self.note(number));
    }

    /// Waits until the commit gate has run all that was handed over before.
    fn settle(&self) {
        let (done, wait) = bounded(1);
        self.journal
            .reserve()
            .unwrap()
            .release(Box::new(move |_| done.send(()).unwrap()));
        wait.recv().unwrap();
    }

    fn released(&self) -> Vec<u64> {
        self.released.lock().unwrap().clone()
    }
}

#[test]
fn releases_run_in_the_order_of_the_queue() {
    let bench = Bench::new(100);
    bench.append(1);
    assert_eq!(bench.sizes.recv(), Ok(1));
    // Queued while the first batch syncs: they form one batch.
    bench.append(2);
    bench.release(102);
    bench.append(3);
    assert_eq!(bench.released(), [0; 0]);
    bench.permit(2);
    bench.settle();
    assert_eq!(bench.sizes.recv(), Ok(2));
    assert_eq!(bench.released(), [1, 2, 102, 3]);
}

#[test]
fn a_release_without_a_row_waits_for_earlier_rows_only() {
    let bench = Bench::new(100);
    bench.release(1);
    bench.settle();
    assert_eq!((bench.released(), bench.sizes.is_empty()), (vec![1], true));
    bench.append(2);
    assert_eq!(bench.sizes.recv(), Ok(1));
    bench.release(3);
    assert_eq!(bench.released(), [1]);
    bench.permit(1);
    bench.settle();
    assert_eq!(bench.released(), [1, 2, 3]);
}

#[test]
fn queue_permits_are_held_until_the_release() {
    let bench = Bench::new(2);
    bench.append(1);
    let slot = bench.journal.reserve().unwrap();
    assert!(bench.journal.reserve().is_err());
    drop(slot);
    bench.append(2);
    assert!(bench.journal.reserve().is_err());
    bench.permit(2);
    bench.journal.shutdown();
    assert!(bench.journal.reserve().is_ok());
}

#[test]
fn after_a_failed_commit_all_queued_rows_have_an_unknown_outcome() {
    let mut bench = Bench::new(100);
    bench.append(1);
    bench.permit(1);
    bench.settle();
    bench.append(2);
    bench.release(3);
    bench.permits = None;
    let failure = bench.failures.recv().unwrap();
    assert!(
        matches!(failure, StoreError::Failed("sync", _)),
        "{failure}"
    );
    bench.append(4);
    bench.journal.shutdown();
    // A release that writes nothing and depends on nothing does not fail.
    assert_eq!(bench.released(), [1, FAILED + 2, 3, FAILED + 4]);
    assert!(bench.journal.room().has_failed());
    let stored = bench.stored.reader().unwrap().load(key(1).into());
    assert_eq!(stored.unwrap().rows.len(), 1);
}

#[test]
fn without_disk_space_a_batch_fails_with_its_dependents_and_the_next_is_written() {
    let bench = Bench::new(100);
    let (broken, whole) = (Chain::default(), Chain::default());
    let append = |n, seq, chain: &Chain, number| {
        let slot = bench.journal.reserve().unwrap().on(chain);
        slot.append(Commit::of(row(n, seq, seq)), bench.note(number));
    };
    append(1, 1, &broken, 1);
    assert_eq!(bench.sizes.recv(), Ok(1));
    // Queued while the first one is being written: one depends on it, one does not.
    append(1, 2, &broken, 2);
    let slot = bench.journal.reserve().unwrap().on(&broken);
    slot.release(bench.note(3));
    append(2, 1, &whole, 4);
    bench.release(5);
    bench.no_room.store(true, Ordering::SeqCst);
    bench.permit(1);
    assert_eq!(bench.sizes.recv(), Ok(1), "only what builds on nothing");
    assert!(broken.is_broken() && bench.journal.room().is_full());
    bench.no_room.store(false, Ordering::SeqCst);
    bench.permit(1);
    bench.settle();
    assert_eq!(
        bench.released(),
        [FAILED + 1, FAILED + 2, FAILED + 3, 4, 5],
        "in the order of the queue"
    );
    assert!(!whole.is_broken());
    while bench.journal.room().is_full() {
        std::thread::yield_now();
    }
    let reader = bench.stored.reader().unwrap();
    assert_eq!(reader.load(key(1).into()).unwrap().rows.len(), 0);
    assert_eq!(reader.load(key(2).into()).unwrap().rows.len(), 1);
}

#[test]
fn free_disk_space_is_noticed_without_a_write() {
    let bench = Bench::new(100);
    bench.no_room.store(true, Ordering::SeqCst);
    bench.permit(2);
    bench.append(1);
    bench.settle();
    assert_eq!(bench.journal.room().now(), DiskRoom::Full);
    bench.no_room.store(false, Ordering::SeqCst);
    while bench.journal.room().is_full() {
        std::thread::yield_now();
    }
    assert_eq!(bench.journal.room().now(), DiskRoom::Enough);
}

#[test]
fn deleting_a_delivered_message_survives_a_batch_without_disk_space() {
    let bench = Bench::new(10);
    bench.permit(9);
    let outbox = vec![OutboxRow {
        seq: 1,
        target: key(2).into(),
        body: vec![],
        publication: None,
    }];
    bench.journal.reserve().unwrap().append(
        Commit {
            outbox,
            ..Commit::of(row(1, 1, 1))
        },
        bench.note(1),
    );
    bench.settle();
    bench.no_room.store(true, Ordering::SeqCst);
    bench.journal.outbox_delivered(key(1).into(), 1);
    bench.append(2);
    bench.settle();
    assert_eq!(bench.released(), [1, FAILED + 2]);
    bench.no_room.store(false, Ordering::SeqCst);
    bench.journal.shutdown();
    assert_eq!(bench.stored.reader().unwrap().outbox().unwrap(), []);
}

#[test]
fn a_panicking_release_stops_nothing() {
    let bench = Bench::new(100);
    bench
        .journal
        .reserve()
        .unwrap()
        .release(Box::new(|_| panic!("a release of this test")));
    bench.release(1);
    bench.settle();
    assert_eq!(bench.released(), [1]);
}

#[test]
fn a_delivered_message_leaves_the_outbox_without_a_queue_permit() {
    let bench = Bench::new(1);
    let outbox = vec![OutboxRow {
        seq: 1,
        target: key(2).into(),
        body: vec![],
        publication: None,
    }];
    bench.journal.reserve().unwrap().append(
        Commit {
            outbox,
            ..Commit::of(row(1, 1, 1))
        },
        bench.note(1),
    );
    let taken = bench.sizes.recv();
    bench.journal.outbox_delivered(key(1).into(), 1);
    bench.permit(2);
    // Nothing else arrives, so the deletion is written alone.
    assert_eq!((taken, bench.sizes.recv()), (Ok(1), Ok(1)));
    bench.journal.shutdown();
    assert_eq!(bench.stored.reader().unwrap().outbox().unwrap(), []);
}

#[test]
fn reads_survive_a_panicking_query() {
    let bench = Bench::new(1);
    for _ in 0..4 {
        let answer = bench
            .journal
            .read(|_| -> Result<(), StoreError> { panic!("a question of this test") });
        assert!(matches!(
            answer.blocking_recv().unwrap(),
            Err(StoreError::Panicked)
        ));
    }
    let answer = bench.journal.read(|reader| reader.exists(key(1).into()));
    assert!(!answer.blocking_recv().unwrap().unwrap());
}

#[test]
fn shutdown_writes_what_is_queued() {
    let bench = Bench::new(100);
    (1..=5).for_each(|seq| bench.append(seq));
    bench.journal.outbox_delivered(key(1).into(), 1);
    bench.permit(9);
    bench.journal.shutdown();
    bench.journal.shutdown();
    assert_eq!(bench.released(), [1, 2, 3, 4, 5]);
    assert_eq!(
        bench
            .stored
            .reader()
            .unwrap()
            .load(key(1).into())
            .unwrap()
            .rows
            .len(),
        5
    );
}

#[test]
fn a_concurrent_shutdown_waits_until_the_store_is_closed() {
    for _ in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let open = || SqliteStore::open(directory.path());
        let journal = Journal::start(Box::new(open().unwrap()), 100, Box::new(|_| {})).unwrap();
        let other = journal.clone();
        let beside = std::thread::spawn(move || other.shutdown());
        journal.shutdown();
        assert!(open().is_ok(), "its directory is free for the next");
        beside.join().unwrap();
    }
}

#[test]
fn the_store_is_idle_once_after_each_burst_of_writes() {
    let bench = Bench::new(100);
    bench.permit(2);
    for seq in 1..=2 {
        bench.append(seq);
        bench.settle();
        bench.rests.recv().unwrap();
    }
    bench.release(3);
    bench.settle();
    assert!(bench.rests.is_empty(), "nothing was written since");
    bench.journal.shutdown();
    assert_eq!(
        bench
            .stored
            .reader()
            .unwrap()
            .load(key(1).into())
            .unwrap()
            .rows
            .len(),
        2
    );
}

#[test]
fn strangers_leave_queue_permits_to_users_and_users_to_operators() {
    let bench = Bench::new(16);
    let take = |kind| -> Vec<AppendPermit> {
        std::iter::from_fn(|| bench.journal.reserve_for(kind).ok()).collect()
    };
    let strangers = take(CallerKind::Anonymous);
    let users = take(CallerKind::User);
    let staff = take(CallerKind::Staff);
    assert_eq!((strangers.len(), users.len(), staff.len()), (8, 6, 2));
    drop((strangers, users, staff));
    assert_eq!(bench.journal.queued(), 0);
}
