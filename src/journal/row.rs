//! The rows of the log and its snapshots: as appended, and as read back.
//!
//! Bodies are bytes here; the codec knows their meaning. Not here: read models
//! ([`change`](super::change)).

use uuid::Uuid;

use crate::model::ids::{InstanceKey, Time};

/// The kind of a log entity. The number is stored, so it never changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum EntityKind {
    /// A process instance.
    Instance = 1,
    /// A message with its correlation key.
    Message = 2,
    /// A signal.
    Signal = 3,
}

impl EntityKind {
    fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Instance),
            2 => Some(Self::Message),
            3 => Some(Self::Signal),
            _ => None,
        }
    }
}

/// The entity whose history a log row belongs to. Rows of one entity are ordered by `first_seq`;
/// entities are independent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Entity {
    /// Its kind.
    pub kind: EntityKind,
    /// Its key, unique within the kind.
    pub key: Uuid,
}

/// The last instance in order: entities of messages and signals come after it.
pub const LAST_INSTANCE: Entity = Entity {
    kind: EntityKind::Instance,
    key: Uuid::max(),
};

impl Entity {
    /// The stored form: the kind's number, then the key. Its byte order is the order of entities.
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[0] = self.kind as u8;
        bytes[1..].copy_from_slice(self.key.as_bytes());
        bytes
    }

    /// Reads the stored form; `None` if the kind is unknown (written by a newer version).
    pub fn from_bytes(bytes: [u8; 17]) -> Option<Self> {
        let [kind, key @ ..] = bytes;
        Some(Self {
            kind: EntityKind::from_number(kind)?,
            key: Uuid::from_bytes(key),
        })
    }

    /// The partition (0–255) that owns this entity: the key's last byte, as with
    /// [`InstanceKey::partition`].
    pub fn partition(self) -> u8 {
        InstanceKey(self.key).partition()
    }

    /// The key of the instance that this entity is; for another kind, a key of no instance.
    pub fn instance(self) -> InstanceKey {
        InstanceKey(self.key)
    }

    /// Whether it is a process instance.
    pub fn is_instance(self) -> bool {
        self.kind == EntityKind::Instance
    }
}

impl From<InstanceKey> for Entity {
    fn from(key: InstanceKey) -> Self {
        Self {
            kind: EntityKind::Instance,
            key: key.0,
        }
    }
}

/// One applied command: the records `first_seq..=last_seq` of its entity, encoded in `body`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogRow {
    /// The entity.
    pub entity: Entity,
    /// The tenant the entity belongs to.
    pub tenant: String,
    /// The seq of the first record; (entity, first_seq) is unique in the log.
    pub first_seq: u64,
    /// The seq of the last record.
    pub last_seq: u64,
    /// The process time of the command.
    pub time: Time,
    /// The encoded records, and the response.
    pub body: Vec<u8>,
}

/// A log row as read back, with the additions of the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRow {
    /// Its position in the log; grows with every row, with possible gaps.
    pub pos: i64,
    /// The ownership of the log that wrote it: with an embedded store, the number of the opening of
    /// the data directory.
    pub epoch: i64,
    /// The appended row.
    pub row: LogRow,
}

/// An entity's encoded state after the record `seq`, which is always the last one of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotRow {
    /// The last record the state includes.
    pub seq: u64,
    /// The encoded state.
    pub body: Vec<u8>,
}

/// Everything that is needed to load an entity, read at one point in time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// The newest snapshot.
    pub snapshot: Option<SnapshotRow>,
    /// The rows after the snapshot (all rows if there is none), in order.
    pub rows: Vec<StoredRow>,
}

impl Loaded {
    /// Bytes of all of it, encoded.
    pub fn bytes(&self) -> usize {
        let snapshot = self.snapshot.as_ref().map_or(0, |row| row.body.len());
        let rows = self.rows.iter();
        snapshot + rows.map(|stored| stored.row.body.len()).sum::<usize>()
    }

    /// Whether the log has nothing of the entity.
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.rows.is_empty()
    }
}

/// A message from one entity to another, kept until the receiver has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    /// The record of the source that sent it; unique within the source.
    pub seq: u64,
    /// The receiver.
    pub target: Entity,
    /// The encoded message.
    pub body: Vec<u8>,
    /// The record of the source that contains the message's data, if the message does not: data for
    /// many receivers are written once.
    pub publication: Option<u64>,
}

/// An undelivered message, as read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxMessage {
    /// The sender.
    pub source: Entity,
    /// The message.
    pub row: OutboxRow,
}
