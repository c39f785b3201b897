//! The table alone, on a store whose commits can be held up: what is decided, visible and answered,
//! and when.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use super::*;
use crate::{
    journal::{MemoryStore, Store, UserRow},
    model::ids::Time,
    runtime::tests::{
        brake::{Brake, Braked},
        faults::{Fault, Faulty},
    },
};

/// Names of users and the number of their roles.
type Names = BTreeMap<String, usize>;

impl Table for Names {
    type Change = (String, usize);

    fn write((name, roles): &(String, usize)) -> WriteOp {
        WriteOp::User(UserRow {
            tenant: "default".into(),
            name: name.clone(),
            password_hash: None,
            roles: vec!["x".into(); *roles],
            revoked_at: None,
            created_at: Time(0),
        })
    }

    fn apply(&mut self, (name, roles): (String, usize)) {
        self.insert(name, roles);
    }
}

fn table(queue: usize) -> (DurableTable<Names>, Brake, MemoryStore, Journal) {
    let (store, brake) = (MemoryStore::default(), Brake::default());
    let braked = Box::new(Braked {
        store: store.clone(),
        brake: brake.clone(),
    });
    let journal = Journal::start(braked, queue, Box::new(|_| {})).unwrap();
    (
        DurableTable::new(journal.clone(), Names::new()),
        brake,
        store,
        journal,
    )
}

/// Gives a user one more role; refuses a third.
fn one_more(names: &Names) -> Result<TableDecision<(String, usize), usize>, &'static str> {
    match names.get("ada").copied().unwrap_or_default() {
        2 => Err("ada has two"),
        roles => Ok(TableDecision {
            change: Some(("ada".into(), roles + 1)),
            answer: roles + 1,
        }),
    }
}

/// Polls the future once and drops it.
fn cut_at_once(future: impl Future) -> bool {
    pin!(future)
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_ready()
}

#[tokio::test]
async fn each_change_builds_on_the_previous_one_and_is_visible_once_durable() {
    let (table, brake, store, journal) = table(16);
    brake.pull();
    let mut changes = table.changes();
    let both = async {
        tokio::join!(
            table.change(one_more),
            table.change(one_more),
            table.change(one_more)
        )
    };
    let released = async {
        brake.reached().await;
        assert_eq!(
            table.read(Names::clone),
            Names::new(),
            "nothing is durable yet"
        );
        assert!(!changes.has_changed().unwrap());
        brake.release();
    };
    let (answers, ()) = tokio::join!(both, released);
    assert_eq!(
        answers,
        (Ok(Ok(1)), Ok(Ok(2)), Ok(Err("ada has two"))),
        "one on top of the other"
    );
    assert_eq!(table.read(|names| names["ada"]), 2);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert_eq!(store.reader().unwrap().users().unwrap()[0].roles.len(), 2);
    journal.shutdown();
}

#[tokio::test]
async fn a_change_is_applied_even_if_its_waiter_is_dropped() {
    let (table, brake, store, journal) = table(16);
    brake.pull();
    drop(table.change(one_more));
    assert!(!cut_at_once(table.change(one_more)));
    brake.reached().await;
    brake.release();
    // A refusal waits for the changes it was computed from, and writes nothing.
    assert_eq!(table.change(one_more).await, Ok(Ok(2)));
    assert_eq!(table.change(one_more).await, Ok(Err("ada has two")));
    assert_eq!(
        (
            table.read(|names| names["ada"]),
            store.reader().unwrap().users().unwrap()[0].roles.len()
        ),
        (2, 2)
    );
    journal.shutdown();
}

#[tokio::test]
async fn a_refusal_is_sent_once_the_state_it_depends_on_is_durable() {
    let (table, brake, _, journal) = table(16);
    brake.pull();
    assert!(!cut_at_once(table.change(one_more)));
    assert!(!cut_at_once(table.change(one_more)));
    let refused = async { table.change(one_more).await };
    let mut refused = pin!(refused);
    assert!(
        refused
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending(),
        "not before"
    );
    brake.release();
    assert_eq!(refused.await, Ok(Err("ada has two")));
    journal.shutdown();
}

#[tokio::test]
async fn without_disk_space_nothing_is_decided() {
    let (table, brake, _, journal) = table(1);
    brake.pull();
    assert!(!cut_at_once(table.change(one_more)));
    assert_eq!(table.change(one_more).await, Err(NoAnswer::Busy));
    brake.release();
    journal.shutdown();
    assert_eq!(table.read(|names| names["ada"]), 1);
    assert_eq!(
        table.change(one_more).await,
        Err(NoAnswer::Unknown),
        "the writer is gone"
    );
}

#[tokio::test]
async fn a_change_without_disk_space_is_undone_with_its_dependents() {
    let (store, brake) = (MemoryStore::default(), Brake::default());
    let fault = Arc::new(Mutex::new(Fault::NoRoom));
    let faulty = Box::new(Faulty {
        store: store.clone(),
        brake: brake.clone(),
        fault: fault.clone(),
    });
    let journal = Journal::start(faulty, 16, Box::new(|_| {})).unwrap();
    let table = DurableTable::new(journal.clone(), Names::new());
    brake.pull();
    let both = async { tokio::join!(table.change(one_more), table.change(one_more)) };
    let released = async {
        brake.reached().await;
        brake.release();
    };
    let (answers, ()) = tokio::join!(both, released);
    assert_eq!(answers, (Err(NoAnswer::NoRoom), Err(NoAnswer::NoRoom)));
    assert_eq!(table.read(Names::clone), Names::new());
    *fault.lock().unwrap() = Fault::None;
    assert_eq!(table.change(one_more).await, Ok(Ok(1)), "decided again");
    assert_eq!(store.reader().unwrap().users().unwrap()[0].roles.len(), 1);
    *fault.lock().unwrap() = Fault::After;
    assert_eq!(table.change(one_more).await, Err(NoAnswer::Unknown));
    journal.shutdown();
    assert_eq!(
        (
            table.read(|names| names["ada"]),
            store.reader().unwrap().users().unwrap()[0].roles.len()
        ),
        (1, 2),
        "what nobody knows is not shown"
    );
}

#[tokio::test]
async fn a_decision_without_change_is_answered_without_a_write() {
    let (table, _, store, journal) = table(16);
    let changes = table.changes();
    let nothing = |names: &Names| {
        Ok::<_, ()>(TableDecision {
            change: None,
            answer: names.len(),
        })
    };
    assert_eq!(table.change(nothing).await, Ok(Ok(0)));
    assert!(!changes.has_changed().unwrap());
    assert_eq!(store.reader().unwrap().users().unwrap(), []);
    journal.shutdown();
}
