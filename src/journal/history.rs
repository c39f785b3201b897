//! The history of ended instances: compressed rows of the log, and the operations of a store that
//! keep it small.
//!
//! Rows move from the log to segments, the oldest of an instance first, and nothing else changes:
//! readers find rows in either place. Not here: which instances are old enough, and how fast they
//! are moved (`runtime::retention`).

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

/// Consecutive rows of one entity, compressed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HistorySegment {
    /// The entity.
    pub entity: Entity,
    /// The seq of their first record.
    pub first_seq: u64,
    /// The seq of their last record.
    pub last_seq: u64,
    /// The number of rows.
    pub rows: u32,
    /// Their bytes, uncompressed.
    pub unpacked: u32,
    /// The encoded rows as zlib (RFC 1950), whose checksum detects damage.
    pub body: Vec<u8>,
}

/// A row within a segment, without its entity.
#[derive(Serialize, Deserialize)]
struct PackedRow(i64, i64, u64, u64, i64, RowBytes);

/// Bytes that are encoded as bytes, and not as a list of numbers.
struct RowBytes(Vec<u8>);

impl Serialize for RowBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for RowBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = RowBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<RowBytes, E> {
                Ok(RowBytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

impl HistorySegment {
    /// Compresses rows of one entity; `None` if there are none.
    ///
    /// # Errors
    /// Only for values that MessagePack cannot represent; rows contain none.
    pub fn pack(rows: Vec<StoredRow>) -> Result<Option<Self>, StoreError> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(None);
        };
        let (entity, first_seq, last_seq) =
            (first.row.entity, first.row.first_seq, last.row.last_seq);
        let (tenant, count) = (first.row.tenant.clone(), rows.len() as u32);
        let pack = |StoredRow { pos, epoch, row }: StoredRow| {
            let (time, body) = (row.time.0, RowBytes(row.body));
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
        // At most the compressed length, whatever the bytes contain.
        let maximum = u64::from(self.unpacked) + 1;
        ZlibDecoder::new(&self.body[..])
            .take(maximum)
            .read_to_end(&mut encoded)
            .map_err(|error| damaged(&error.to_string()))?;
        if encoded.len() != self.unpacked as usize {
            return Err(damaged("they have another length"));
        }
        let (tenant, packed): (String, Vec<PackedRow>) =
            codec::decode(&encoded).map_err(|error| damaged(&error.to_string()))?;
        let row = |PackedRow(pos, epoch, first_seq, last_seq, time, RowBytes(body))| StoredRow {
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

/// Operations that keep history small. Each is applied completely or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryChange {
    /// Replaces rows of the log by these segments. Rows that no longer exist are no error.
    Pack(Vec<HistorySegment>),
    /// Deletes the snapshots of these entities: their compressed rows contain the same.
    ForgetSnapshots(Vec<Entity>),
    /// Deletes everything that is stored of these instances, except their files, which are recorded
    /// for removal.
    Drop(Vec<DroppedInstance>),
    /// Deletes everything that is stored of these entities of messages and signals.
    DropCorrelations(Vec<Entity>),
    /// Recorded files were removed.
    FilesRemoved(Vec<(InstanceKey, Uuid)>),
    /// Returns free space at the end of the database to the system: a MiB at most.
    ShrinkDatabase,
}

/// An instance to delete.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DroppedInstance {
    /// Its key.
    pub key: InstanceKey,
    /// Its files.
    pub files: Vec<Uuid>,
}

/// The data about the entity of a message or signal that retention needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgedCorrelation {
    /// Which.
    pub entity: Entity,
    /// The time of its last row.
    pub last: Time,
    /// Whether a message from or to it is in delivery, or the log ends with it.
    pub is_in_use: bool,
}

/// The data about an instance that retention needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgedInstance {
    /// Its tenant.
    pub tenant: String,
    /// Its key.
    pub key: InstanceKey,
    /// When it started.
    pub created_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Whether it is the root of its tree.
    pub is_root: bool,
    /// Whether it has rows that are not compressed.
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

/// Where a list of instances by age continues: after the one with these values.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AgedCursor {
    /// Its tenant.
    pub tenant: String,
    /// When it started.
    pub created_at: Time,
    /// Its key.
    pub key: InstanceKey,
}

/// The size of history.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HistorySize {
    /// Compressed rows.
    pub rows: u64,
    /// Their compressed bytes.
    pub bytes: u64,
    /// Bytes of the database.
    pub database: u64,
    /// Those of its bytes that are free.
    pub free: u64,
}

/// Queries that retention needs.
pub trait HistoryReader {
    /// Instances that started at or before `until`, tenant by tenant, the oldest first; `after` is
    /// the last one seen.
    fn aged_instances(
        &self,
        until: Time,
        after: Option<AgedCursor>,
        limit: usize,
    ) -> Result<Vec<AgedInstance>, StoreError>;
    /// The first rows of an entity that are not compressed: at most `limit` of them with at most
    /// `bytes` together, but at least one.
    fn unpacked_rows(
        &self,
        entity: Entity,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>, StoreError>;
    /// Whether an instance of the tree below a root is live, has ended after this time, or has open
    /// Action messages.
    fn is_tree_recent(&self, root: InstanceKey, ended_after: Time) -> Result<bool, StoreError>;
    /// Instances of the tree below a root, in any order.
    fn below(&self, root: InstanceKey, limit: usize) -> Result<Vec<InstanceKey>, StoreError>;
    /// Whether a message from or to an instance or a call of it is in progress, or the log ends
    /// with it.
    fn is_in_use(&self, key: InstanceKey) -> Result<bool, StoreError>;
    /// Entities of messages and signals, in order; `after` is the last one seen.
    fn aged_correlations(
        &self,
        after: Option<Entity>,
        limit: usize,
    ) -> Result<Vec<AgedCorrelation>, StoreError>;
    /// Files of deleted instances.
    fn files_to_remove(&self, limit: usize) -> Result<Vec<(InstanceKey, Uuid)>, StoreError>;
    /// The size of history.
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
    fn rows_survive_packing_unchanged() {
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
            // Some bits of the header have no effect on a reader.
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
