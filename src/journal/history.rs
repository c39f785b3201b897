//! The history of instances that have ended: rows of the log, compressed, and what is asked of a
//! store to keep it small.
//!
//! Rows move from the log to segments, the oldest of an instance first, and nothing else changes:
//! anyone who reads rows finds them in either place. Not here: which instances are old enough, and
//! how fast they are moved (`runtime::retention`).

use std::{
    fmt,
    io::{Read, Write},
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use super::{
    codec,
    row::{Entity, LogRow, StoredRow},
    store::StoreError,
};
use crate::model::ids::{InstanceKey, Time};

/// Rows of one entity that follow each other, compressed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistorySegment {
    /// Whose they are.
    pub entity: Entity,
    /// The seq of their first record.
    pub first_seq: u64,
    /// The seq of their last record.
    pub last_seq: u64,
    /// How many they are.
    pub rows: u32,
    /// How many bytes they have once they are unpacked.
    pub unpacked: u32,
    /// Zlib (RFC 1950), whose checksum finds damage, over the encoded rows.
    pub body: Vec<u8>,
}

/// A row as it is within a segment, which knows whose it is.
#[derive(Serialize, Deserialize)]
struct PackedRow(i64, i64, u64, u64, i64, Body);

/// Bytes that are written as such, and not as a list of numbers.
struct Body(Vec<u8>);

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Body, E> {
                Ok(Body(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

impl HistorySegment {
    /// Packs rows of one entity; `None` when there are none.
    ///
    /// # Errors
    /// Only for values MessagePack cannot hold, which rows are not.
    pub fn pack(rows: Vec<StoredRow>) -> Result<Option<Self>, StoreError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(None);
        };
        let (entity, first_seq, last_seq) =
            (first.row.entity, first.row.first_seq, last.row.last_seq);
        let (tenant, count) = (first.row.tenant.clone(), rows.len() as u32);
        let pack = |StoredRow { pos, epoch, row }: StoredRow| {
            let (time, body) = (row.time.0, Body(row.body));
            PackedRow(pos, epoch, row.first_seq, row.last_seq, time, body)
        };
        let packed: Vec<PackedRow> = rows.into_iter().map(pack).collect();
        let encoded = codec::encode(&(tenant, packed))?;
        let unpacked = u32::try_from(encoded.len())
            .map_err(|error| StoreError::Failed("pack rows of 4 GiB", Box::new(error)))?;
        let write = || {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&encoded)?;
            encoder.finish()
        };
        let body = write().map_err(|error| StoreError::Failed("pack rows", Box::new(error)))?;
        Ok(Some(Self {
            entity,
            first_seq,
            last_seq,
            rows: count,
            unpacked,
            body,
        }))
    }

    /// The rows.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it is damaged.
    pub fn unpack(&self) -> Result<Vec<StoredRow>, StoreError> {
        let damaged = |why: &str| {
            StoreError::Unreadable(format!(
                "its packed rows with the numbers {} to {}: {why}",
                self.first_seq, self.last_seq
            ))
        };
        let mut encoded = Vec::new();
        // No more than was packed, whatever the bytes say.
        let most = u64::from(self.unpacked) + 1;
        ZlibDecoder::new(&self.body[..])
            .take(most)
            .read_to_end(&mut encoded)
            .map_err(|error| damaged(&error.to_string()))?;
        if encoded.len() != self.unpacked as usize {
            return Err(damaged("they have another length"));
        }
        let (tenant, packed): (String, Vec<PackedRow>) =
            codec::decode(&encoded).map_err(|error| damaged(&error.to_string()))?;
        let row = |PackedRow(pos, epoch, first_seq, last_seq, time, Body(body))| StoredRow {
            pos,
            epoch,
            row: LogRow {
                entity: self.entity,
                tenant: tenant.clone(),
                first_seq,
                last_seq,
                time: Time(time),
                body,
            },
        };
        Ok(packed.into_iter().map(row).collect())
    }
}

/// What a store does to keep history small. Each is applied wholly or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryChange {
    /// Replaces rows of the log by these segments. Rows that are not there any more are no error.
    Pack(Vec<HistorySegment>),
    /// The snapshots of these entities go: their rows are packed, and tell the same.
    ForgetSnapshots(Vec<Entity>),
    /// Everything that is stored of these instances goes, but their files: these are noted, to be
    /// removed.
    Drop(Vec<DroppedInstance>),
    /// Everything that is stored of these entities of messages and signals goes.
    DropCorrelations(Vec<Entity>),
    /// Files that were noted are removed.
    FilesRemoved(Vec<(InstanceKey, Uuid)>),
    /// Some free room at the end of the database goes back to the system: a MiB at most.
    ShrinkDatabase,
}

/// An instance that is to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DroppedInstance {
    /// Its key.
    pub key: InstanceKey,
    /// The files it names.
    pub files: Vec<Uuid>,
}

/// What is to be known of the entity of a message or signal to say whether it is old enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgedCorrelation {
    /// Which.
    pub entity: Entity,
    /// When something was done last by it.
    pub last: Time,
    /// Whether something is in progress from or to it, or the log ends with it.
    pub is_in_use: bool,
}

/// What is to be known of an instance to say whether it is old enough.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgedInstance {
    /// Whose it is.
    pub tenant: String,
    /// Its key.
    pub key: InstanceKey,
    /// When it started.
    pub created_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Whether it is the top of its tree.
    pub is_root: bool,
    /// Whether it has rows that are not packed.
    pub is_logged: bool,
}

impl AgedInstance {
    /// The cursor that continues after it.
    pub fn cursor(&self) -> AgedCursor {
        AgedCursor {
            tenant: self.tenant.clone(),
            created_at: self.created_at,
            key: self.key,
        }
    }
}

/// Where a list of aged instances continues: after the one with these values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AgedCursor {
    /// Its tenant.
    pub tenant: String,
    /// When it started.
    pub created_at: Time,
    /// Its key.
    pub key: InstanceKey,
}

/// What history takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HistorySize {
    /// Rows that are packed.
    pub rows: u64,
    /// Bytes they have packed.
    pub bytes: u64,
    /// Bytes of the database.
    pub database: u64,
    /// Of them, those that are free to be used again.
    pub free: u64,
}

/// What is asked of a store to keep history small.
pub trait HistoryReader {
    /// Instances that started at `until` or before, tenant by tenant, the oldest first; `after` is the
    /// last one seen.
    fn aged_instances(
        &self,
        until: Time,
        after: Option<AgedCursor>,
        limit: usize,
    ) -> Result<Vec<AgedInstance>, StoreError>;
    /// The first rows of an entity that are not packed: so many, or as many as have together the
    /// bytes, and one at least.
    fn unpacked_rows(
        &self,
        entity: Entity,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>, StoreError>;
    /// Whether somebody of the tree below a root is live, ended after this time, or has Action
    /// messages open.
    fn is_tree_recent(&self, root: InstanceKey, ended_after: Time) -> Result<bool, StoreError>;
    /// Instances of the tree below a root, in no order.
    fn below(&self, root: InstanceKey, limit: usize) -> Result<Vec<InstanceKey>, StoreError>;
    /// Whether something is in progress from, to or for an instance, or the log ends with it.
    fn is_in_use(&self, key: InstanceKey) -> Result<bool, StoreError>;
    /// Entities of messages and signals, in their order; `after` is the last one seen.
    fn aged_correlations(
        &self,
        after: Option<Entity>,
        limit: usize,
    ) -> Result<Vec<AgedCorrelation>, StoreError>;
    /// Files of instances that are gone.
    fn files_to_remove(&self, limit: usize) -> Result<Vec<(InstanceKey, Uuid)>, StoreError>;
    /// What history takes.
    fn history_size(&self) -> Result<HistorySize, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::fixtures;

    fn stored(pos: i64, first: u64) -> StoredRow {
        StoredRow {
            pos,
            epoch: 3,
            row: fixtures::row(1, first, first + 1),
        }
    }

    #[test]
    fn rows_come_out_of_a_segment_as_they_went_in() {
        let rows = vec![stored(7, 1), stored(9, 3), stored(12, 5)];
        let segment = HistorySegment::pack(rows.clone()).unwrap().unwrap();
        assert_eq!((segment.first_seq, segment.last_seq), (1, 6));
        assert_eq!(segment.unpack().unwrap(), rows);
        assert_eq!(HistorySegment::pack(Vec::new()).unwrap(), None);
    }

    #[test]
    fn a_damaged_segment_is_an_error_at_every_bit() {
        let rows = vec![stored(7, 1), stored(9, 3)];
        let segment = HistorySegment::pack(rows).unwrap().unwrap();
        for bit in 0..segment.body.len() * 8 {
            let mut damaged = segment.clone();
            damaged.body[bit / 8] ^= 1 << (bit % 8);
            // Some bits of the header mean nothing to a reader.
            if let Ok(rows) = damaged.unpack() {
                assert_eq!(rows, segment.unpack().unwrap(), "bit {bit}");
            }
        }
        let cut = HistorySegment {
            body: segment.body[..segment.body.len() / 2].to_vec(),
            ..segment.clone()
        };
        assert!(matches!(cut.unpack(), Err(StoreError::Unreadable(_))));
        let bomb = HistorySegment {
            unpacked: 4,
            ..segment
        };
        assert!(matches!(bomb.unpack(), Err(StoreError::Unreadable(_))));
    }
}
