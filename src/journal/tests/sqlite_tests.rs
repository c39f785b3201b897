//! Properties that only a store on disk has: reopening, and the lock.

use super::fixtures::{append, key};
use crate::journal::{DATABASE, SqliteStore, Store, StoreError};

#[test]
fn a_reopened_store_has_all_committed_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("not/there/yet");
    let mut store = SqliteStore::open(&path).unwrap();
    let incarnation = store.reader().unwrap().log_incarnation().unwrap();
    store.commit(&[append(1, 1, 2)]).unwrap();
    drop(store);

    let mut store = SqliteStore::open(&path).unwrap();
    store.commit(&[append(1, 3, 3)]).unwrap();
    let reader = store.reader().unwrap();
    let rows = reader.load(key(1).into()).unwrap().rows;
    let places: Vec<_> = rows
        .iter()
        .map(|stored| (stored.pos, stored.epoch, stored.row.first_seq))
        .collect();
    assert_eq!(places, [(1, 1, 1), (2, 2, 3)]);
    assert_eq!(reader.log_incarnation().unwrap(), incarnation);
}

#[test]
fn an_idle_store_continues() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    store.commit(&[append(1, 1, 2)]).unwrap();
    store.rest();
    store.commit(&[append(1, 3, 3)]).unwrap();
    assert_eq!(
        store
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
fn a_directory_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let refused = SqliteStore::open(dir.path())
        .err()
        .expect("the directory is taken");
    assert!(
        matches!(&refused, StoreError::InUse(taken) if taken == dir.path()),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("another server already uses"),
        "{refused}"
    );
    drop(store);
    SqliteStore::open(dir.path()).unwrap();
}

#[test]
fn a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    let file = rusqlite::Connection::open(dir.path().join("stepwire.db")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let refused = SqliteStore::open(dir.path())
        .err()
        .expect("the schema is too new");
    assert!(refused.to_string().contains("newer server"), "{refused}");
}

#[test]
fn a_directory_has_one_server_even_after_its_files_are_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let _store = SqliteStore::open(dir.path()).unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().contains(DATABASE) {
            std::fs::remove_file(path).unwrap();
        }
    }
    assert!(matches!(
        SqliteStore::open(dir.path()),
        Err(StoreError::InUse(_))
    ));
}

#[test]
fn a_directory_with_files_and_without_a_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("files/incoming")).unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    std::fs::remove_file(dir.path().join(DATABASE)).unwrap();
    std::fs::create_dir_all(dir.path().join("files/07")).unwrap();
    let refused = SqliteStore::open(dir.path())
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(
        refused.contains("stepwire.db is missing beside files/"),
        "{refused}"
    );
    std::fs::remove_dir_all(dir.path().join("files")).unwrap();
    assert!(SqliteStore::open(dir.path()).is_ok());
}
