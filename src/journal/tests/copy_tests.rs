//! Copies of the database beside its writer.

use std::fs;

use super::fixtures::{append, key, row};
use crate::journal::{
    Commit, CopiedDatabase, DATABASE, Entity, LogRow, SqliteStore, Store, WriteOp, copy_database,
};

/// A row that fills many pages.
fn large(n: u128) -> WriteOp {
    let row = LogRow {
        body: vec![7; 1 << 20],
        ..row(n, 1, 1)
    };
    WriteOp::Commit(Commit::of(row))
}

#[test]
fn a_copy_has_the_state_of_its_start_while_the_writer_continues() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    (1..=10).for_each(|n| store.commit(&[large(n)]).unwrap());
    let copy = dir.path().join("copy.db");
    let mut steps = 0;
    let facts = copy_database(&dir.path().join(DATABASE), &copy, &mut |done, all| {
        steps += 1;
        assert!(done <= all);
        store.commit(&[large(100 + steps)]).unwrap();
    });
    let facts = facts.unwrap();
    assert!(steps >= 3, "in steps: {steps}");
    assert_eq!((facts.rows, facts.last_pos), (10, 10));
    let copied = CopiedDatabase::open(&copy).unwrap();
    assert_eq!(
        (copied.facts().unwrap(), copied.damage(1).unwrap()),
        (facts, Vec::new())
    );
    assert!(
        copied.reader().exists(key(10).into()).unwrap()
            && !copied.reader().exists(key(101).into()).unwrap()
    );
    assert!(store.reader().unwrap().exists(key(101).into()).unwrap());
    let beside = fs::read_dir(dir.path()).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("copy")
    });
    assert_eq!(beside.count(), 1, "reading writes nothing beside it");
}

#[test]
fn a_copy_lists_its_entities_and_the_first_gap() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    store
        .commit(&[append(1, 1, 2), append(2, 1, 1), append(1, 3, 3)])
        .unwrap();
    let copied = |name: &str| {
        let copy = dir.path().join(name);
        copy_database(&dir.path().join(DATABASE), &copy, &mut |_, _| {}).unwrap();
        CopiedDatabase::open(&copy).unwrap()
    };
    let dense = copied("dense.db");
    assert_eq!(dense.gaps(9).unwrap(), []);
    assert_eq!(
        dense.entities_after(None, 1).unwrap(),
        [Entity::from(key(1))]
    );
    assert_eq!(
        dense.entities_after(Some(key(1).into()), 9).unwrap(),
        [Entity::from(key(2))]
    );
    store.commit(&[append(2, 4, 4)]).unwrap();
    assert_eq!(copied("torn.db").gaps(9).unwrap(), [(key(2).0, 2)]);
}

#[test]
fn a_renewed_log_has_a_new_identity() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    store.commit(&[append(1, 1, 2)]).unwrap();
    let before = store.reader().unwrap().log_incarnation().unwrap();
    drop(store);
    let renewed = CopiedDatabase::renew(&dir.path().join(DATABASE)).unwrap();
    assert_ne!(renewed, before);
    let store = SqliteStore::open(dir.path()).unwrap();
    assert_eq!(store.reader().unwrap().log_incarnation().unwrap(), renewed);
    assert!(store.reader().unwrap().exists(key(1).into()).unwrap());
}
