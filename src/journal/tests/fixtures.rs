//! Rows to write, and stores to write them to.

use uuid::Uuid;

use crate::{
    journal::{
        Commit, DefinitionFormat, DefinitionRow, DefinitionState, InstanceRow, LogRow, MemoryStore,
        PackedSource, ReadModelChange, SqliteStore, Store, StoreReader, WriteOp,
    },
    model::ids::{InstanceKey, Time},
};

/// Runs the same test over every store.
pub(super) fn check(test: impl Fn(&mut dyn Store, &dyn StoreReader)) {
    let mut memory = MemoryStore::default();
    let reader = memory.reader().expect("memory cannot fail");
    test(&mut memory, reader.as_ref());

    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut sqlite = SqliteStore::open(dir.path()).expect("a fresh directory opens");
    let reader = sqlite.reader().expect("an open store has readers");
    test(&mut sqlite, reader.as_ref());
}

/// The instance number `n`; greater numbers sort later.
pub(in crate::journal) fn key(n: u128) -> InstanceKey {
    InstanceKey(Uuid::from_u128(n << 64))
}

/// A row of instance `n` with the records `first..=last`.
pub(in crate::journal) fn row(n: u128, first: u64, last: u64) -> LogRow {
    LogRow {
        entity: key(n).into(),
        tenant: "acme".into(),
        first_seq: first,
        last_seq: last,
        time: Time(1_000 + first as i64),
        body: vec![first as u8; 3],
    }
}

/// A write of nothing but that row.
pub(in crate::journal) fn append(n: u128, first: u64, last: u64) -> WriteOp {
    WriteOp::Commit(Commit::of(row(n, first, last)))
}

/// A write of a row of instance `n` with read-model changes.
pub(super) fn changing(n: u128, seq: u64, changes: Vec<ReadModelChange>) -> WriteOp {
    WriteOp::Commit(Commit {
        changes: changes.into(),
        ..Commit::of(row(n, seq, seq))
    })
}

/// Instance `n`, started at time `n`.
pub(super) fn instance(n: u128, process: &str, status: &str) -> InstanceRow {
    InstanceRow {
        key: key(n),
        tenant: "acme".into(),
        process: process.into(),
        version: 1,
        revision: "r1".into(),
        status: status.into(),
        outcome: None,
        business_key: None,
        started_by: "alice".into(),
        parent: None,
        root: key(n),
        created_at: Time(n as i64),
        ended_at: None,
        incidents: 0,
        open_until: None,
        descendants_ended: false,
        origin: None,
    }
}

/// A version of a definition.
pub(super) fn definition(id: &str, version: u32, state: DefinitionState) -> DefinitionRow {
    DefinitionRow {
        tenant: "acme".into(),
        id: id.into(),
        version,
        revision: format!("{id}-{version}"),
        state,
        alias: Some(41),
        name: "Account onboarding".into(),
        format: DefinitionFormat::Bpmn,
        source: Some(PackedSource::pack(b"<definitions/>").unwrap()),
        created_at: Time(5),
        created_by: "alice".into(),
    }
}
