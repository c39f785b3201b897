//! Snapshots of instances: a short cut to the state that the rows result in, but never the only
//! source.
//!
//! A snapshot has a version of its own, independent of that of records, and a checksum. A snapshot
//! that cannot be read, was written by another version, or belongs to something else is ignored:
//! the instance is replayed from its first row, and the next snapshot replaces the bad one. Raise
//! [`VERSION`] whenever the fields of the state or their meaning change; records never change
//! (`engine::record`).
//!
//! # Rationale
//!
//! **A snapshot is a short cut with a version of its own.** Records are permanent, the layout of
//! the state is not; if a snapshot cannot be read or has a wrong checksum, the instance is replayed
//! from the first row. `tests/engine/golden` has rows and snapshots as bytes, with the states they
//! result in.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sha2::{Digest, Sha256};

use super::{
    LogPart, codec,
    row::{Entity, Loaded, SnapshotRow, StoredRow},
    store::{StoreError, StoreReader},
};
use crate::{
    engine::{InstanceState, RecordBatch},
    model::ids::Time,
};

/// Version of the content of a snapshot.
pub const VERSION: u16 = 1;

/// Bytes of the checksum.
const CHECKSUM: usize = 8;

/// The rows of an instance in the log.
#[derive(Default)]
pub struct Restored {
    /// Its state; `None` if the log has nothing of it.
    pub state: Option<InstanceState>,
    /// The number of replayed rows.
    pub rows: usize,
    /// Their size, in bytes.
    pub row_bytes: usize,
    /// Size of the snapshot on which they were replayed, in bytes; 0 without one.
    pub snapshot_bytes: usize,
    /// Estimated memory of both, in bytes.
    pub memory: usize,
}

/// The snapshot of a state.
///
/// # Errors
/// Only for values MessagePack cannot hold.
pub fn take(state: &InstanceState) -> Result<SnapshotRow, StoreError> {
    let encoded = codec::encode(state)?;
    let mut body = Vec::with_capacity(2 + CHECKSUM + encoded.len());
    body.extend(VERSION.to_be_bytes());
    body.extend(checksum(&encoded));
    body.extend(encoded);
    Ok(SnapshotRow {
        seq: state.seq(),
        body,
    })
}

/// The state in a snapshot of an instance.
///
/// # Errors
/// Why it cannot be used, as a sentence.
pub fn read(entity: Entity, snapshot: &SnapshotRow) -> Result<InstanceState, String> {
    let (version, rest) = snapshot
        .body
        .split_first_chunk::<2>()
        .ok_or("it is too short")?;
    let version = u16::from_be_bytes(*version);
    if version != VERSION {
        return Err(format!(
            "it has version {version}, and this server reads {VERSION}"
        ));
    }
    let (sum, encoded) = rest
        .split_first_chunk::<CHECKSUM>()
        .ok_or("it is too short")?;
    if *sum != checksum(encoded) {
        return Err("its checksum is wrong".to_owned());
    }
    let state: InstanceState = codec::decode(encoded).map_err(|error| error.to_string())?;
    if Entity::from(state.key()) != entity || state.seq() != snapshot.seq {
        return Err(format!(
            "it is of instance {} after record {}",
            state.key(),
            state.seq()
        ));
    }
    Ok(state)
}

/// Bytes that the state in the body of a snapshot takes in memory, estimated.
pub fn memory(body: &[u8]) -> usize {
    codec::memory(body.get(2 + CHECKSUM..).unwrap_or_default())
}

/// Restores an instance: the rows after its snapshot are replayed on it; all rows if there is no
/// usable snapshot.
///
/// # Errors
/// If the store fails; [`StoreError::Unreadable`] with the row that is damaged or missing.
pub fn restore(reader: &dyn StoreReader, entity: Entity) -> Result<Restored, StoreError> {
    restore_from(reader, entity, reader.load(entity)?)
}

/// As [`restore`], from what was loaded before.
///
/// # Errors
/// As [`restore`].
pub fn restore_from(
    reader: &dyn StoreReader,
    entity: Entity,
    loaded: Loaded,
) -> Result<Restored, StoreError> {
    let snapshot = loaded.snapshot.map(|row| (read(entity, &row), row));
    let (state, stored, snapshot) = match snapshot {
        None => (None, loaded.rows, Vec::new()),
        Some((Ok(state), row)) => (Some(state), loaded.rows, row.body),
        Some((Err(why), row)) => {
            log::warn!(
                "the snapshot of instance {} after record {} is passed over, as {why}: the \
                instance is replayed from its first row",
                entity.instance(),
                row.seq
            );
            (None, reader.rows(entity, 0, usize::MAX)?, Vec::new())
        }
    };
    let rows = decoded(&stored, state.as_ref().map_or(1, |state| state.seq() + 1))?;
    let of_rows = stored.iter().map(|stored| codec::memory(&stored.row.body));
    Ok(Restored {
        state: replayed(state, &rows)?,
        rows: rows.len(),
        row_bytes: stored.iter().map(|stored| stored.row.body.len()).sum(),
        snapshot_bytes: snapshot.len(),
        memory: memory(&snapshot) + of_rows.sum::<usize>(),
    })
}

/// The state in the snapshot of an instance, if that was taken before the record `seq`.
///
/// # Errors
/// If the store fails.
pub fn before(
    reader: &dyn StoreReader,
    entity: Entity,
    seq: u64,
) -> Result<Option<InstanceState>, StoreError> {
    let snapshot = reader.load(entity)?.snapshot;
    Ok(snapshot
        .filter(|row| row.seq < seq)
        .and_then(|row| read(entity, &row).ok()))
}

/// The snapshot and rows from which an earlier state of an instance is folded.
pub struct Past {
    snapshot: Option<InstanceState>,
    stored: Vec<StoredRow>,
}

/// Reads what the state of an instance after a record is folded from: at most `maximum` rows, and the
/// bytes of a [`LogPart`]; `None` if that is not enough.
///
/// # Errors
/// If the store fails.
pub fn until(
    reader: &dyn StoreReader,
    entity: Entity,
    seq: u64,
    maximum: usize,
) -> Result<Option<Past>, StoreError> {
    let loaded = reader.load(entity)?;
    let snapshot = loaded
        .snapshot
        .filter(|row| row.seq <= seq)
        .and_then(|row| read(entity, &row).ok());
    let mut stored = if snapshot.is_some() {
        loaded.rows
    } else {
        // A row has at least two numbers: its record's and its own.
        let enough = usize::try_from(seq / 2 + 1).unwrap_or(usize::MAX);
        let part = LogPart::read(reader, entity, 0, enough.min(maximum + 1))?;
        if !part.reaches(seq) {
            return Ok(None);
        }
        part.rows
    };
    stored.retain(|stored| stored.row.last_seq <= seq);
    Ok((stored.len() <= maximum).then_some(Past { snapshot, stored }))
}

impl Past {
    /// The state, with the time of its last row; `None` if the instance had not begun. May take
    /// long.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] with the row that is damaged or missing.
    pub fn fold(self) -> Result<Option<(InstanceState, Option<Time>)>, StoreError> {
        let next = self.snapshot.as_ref().map_or(1, |state| state.seq() + 1);
        let rows = decoded(&self.stored, next)?;
        let time = rows.last().map(|row| row.time);
        Ok(replayed(self.snapshot, &rows)?.map(|state| (state, time)))
    }
}

/// Decodes rows without a gap, the first of which begins with the record `next`.
fn decoded(stored: &[StoredRow], mut next: u64) -> Result<Vec<RecordBatch>, StoreError> {
    let mut rows = Vec::with_capacity(stored.len());
    for stored in stored {
        let first = stored.row.first_seq;
        if first != next {
            return Err(StoreError::Unreadable(format!(
                "its row with number {next}: it is missing"
            )));
        }
        let place = format!("its row with number {first}");
        let row: RecordBatch =
            codec::decode(&stored.row.body).map_err(|error| within(&place, error))?;
        if (row.first_seq, row.last_seq()) != (first, stored.row.last_seq) {
            return Err(StoreError::Unreadable(format!(
                "{place}: it holds records of other numbers"
            )));
        }
        next = stored.row.last_seq + 1;
        rows.push(row);
    }
    Ok(rows)
}

fn replayed(
    state: Option<InstanceState>,
    rows: &[RecordBatch],
) -> Result<Option<InstanceState>, StoreError> {
    let replay = || InstanceState::replay(state, rows);
    let state = catch_unwind(AssertUnwindSafe(replay)).map_err(|_| {
        StoreError::Unreadable("one of its records: they do not fit together".to_owned())
    })?;
    if state.is_none() && !rows.is_empty() {
        return Err(StoreError::Unreadable(
            "its first row: it is no beginning".to_owned(),
        ));
    }
    Ok(state)
}

fn within(place: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Unreadable(why) => StoreError::Unreadable(format!("{place}: {why}")),
        other => other,
    }
}

fn checksum(encoded: &[u8]) -> [u8; CHECKSUM] {
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&Sha256::digest(encoded)[..CHECKSUM]);
    sum
}
