//! The rows of the log and of its snapshots: what is appended, and what is read back.
//!
//! Bodies are bytes here; what they mean is the codec's business. Not here: read models (see
//! [`change`](super::change)).

use uuid::Uuid;

use crate::model::ids::{InstanceKey, Time};

/// What a log entity is. The number is stored, so it never changes meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum EntityKind {
    /// A process instance.
    Instance = 1,
    /// A message with its correlation key: who waits for it, what is kept for others.
    Message = 2,
    /// A signal: who waits for it.
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

/// Whose history a log row belongs to. Rows of one entity are ordered by `first_seq`; entities
/// share nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Its key, unique within the kind.
    pub key: Uuid,
}

/// The last of the instances: behind it are the entities of messages and signals.
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

    /// Reads the stored form; `None` when the kind is unknown (written by a newer version).
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

    /// The key of the instance this entity is; of another it is no instance's.
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
    /// Whose history this is.
    pub entity: Entity,
    /// The tenant the entity belongs to.
    pub tenant: String,
    /// The seq of the first record; (entity, first_seq) is unique in the log.
    pub first_seq: u64,
    /// The seq of the last record.
    pub last_seq: u64,
    /// The process time of the command.
    pub time: Time,
    /// The encoded records, and the answer.
    pub body: Vec<u8>,
}

/// A log row as read back, with what the store added to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRow {
    /// Its place in the log; grows with every row, gaps are allowed.
    pub pos: i64,
    /// Which ownership of the log wrote it: with an embedded store, which opening of the data
    /// directory.
    pub epoch: i64,
    /// What was appended.
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

/// All that is needed to bring an entity back into memory, read at one point in time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// The newest snapshot.
    pub snapshot: Option<SnapshotRow>,
    /// The rows after the snapshot (all rows when there is none), in order.
    pub rows: Vec<StoredRow>,
}

impl Loaded {
    /// True when the log knows nothing of the entity.
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.rows.is_empty()
    }
}

/// A message from one entity to another, kept until the receiver has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    /// The record of the source that sent it; unique within the source.
    pub seq: u64,
    /// Who shall receive it.
    pub target: Entity,
    /// The encoded message.
    pub body: Vec<u8>,
    /// The record of the source that holds what the message brings, when the message itself does
    /// not: what goes to many is written once.
    pub brings: Option<u64>,
}

/// A message still to be delivered, as read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxMessage {
    /// Who sent it.
    pub source: Entity,
    /// What was sent.
    pub row: OutboxRow,
}
