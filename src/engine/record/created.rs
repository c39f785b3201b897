//! Record types about the beginning of an instance: its process, its owner, and its start data.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    engine::correlation::Correlation,
    model::{
        hash_text,
        ids::{InstanceKey, Time},
    },
};

/// Birth certificate of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Created {
    /// Its generated key.
    pub key: InstanceKey,
    /// Tenant it belongs to.
    pub tenant: String,
    /// The definition it runs, for good.
    pub process: ProcessRef,
    /// The starter's name for the matter.
    pub business_key: Option<String>,
    /// How it is tied to the instance that started it; `None` for the root of a tree.
    pub parent: Option<ParentLink>,
    /// Subject that started it.
    pub started_by: String,
    /// Start data, after the start event's keys.
    pub data: Value,
    /// When it expires, if it does; in the head of a start: unless its process says so.
    pub expires_at: Option<Time>,
    /// Where the stranger who started it came from, as a keyed hash; `None` for what others started.
    pub origin: Option<Uuid>,
    /// Whether it is a test of a draft.
    pub test: bool,
    /// The time a schedule started it for.
    pub scheduled_for: Option<Time>,
    /// The message with a key that started it: of its process no other instance starts by this
    /// message and key while it is live.
    pub correlation: Option<Correlation>,
}

impl Created {
    /// The root of its tree; itself for a root.
    pub fn root(&self) -> InstanceKey {
        self.parent.as_ref().map_or(self.key, |link| link.root)
    }

    /// Its level in the tree: 1 for a root, one more for each subprocess.
    pub fn level(&self) -> u32 {
        self.parent.as_ref().map_or(1, |link| link.level)
    }

    /// Subject that started the root.
    pub fn root_started_by(&self) -> &str {
        let parent = self.parent.as_ref();
        parent.map_or(&self.started_by, |link| &link.root_started_by)
    }

    /// How a child of this instance is tied to it that comes from its record `seq`.
    pub fn link(&self, seq: u64, wants_result: bool) -> ParentLink {
        ParentLink {
            instance: self.key,
            seq,
            wants_result,
            root: self.root(),
            level: self.level().saturating_add(1),
            root_started_by: self.root_started_by().to_owned(),
        }
    }
}

/// A definition revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessRef {
    /// The modeller's process id.
    pub id: String,
    /// Version, from 1.
    pub version: u32,
    /// Content hash of the source.
    #[serde(with = "hash_text")]
    pub revision: String,
}

/// How a child is tied to its parent, and to the tree of instances that both are in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParentLink {
    /// The parent.
    pub instance: InstanceKey,
    /// The parent's record this child comes from.
    pub seq: u64,
    /// Whether the parent wants the child's data at its end.
    pub wants_result: bool,
    /// Root of the tree.
    pub root: InstanceKey,
    /// The child's level in the tree: 2 below the root.
    pub level: u32,
    /// Subject that started the root.
    pub root_started_by: String,
}

/// Identity of a command for deduplication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandTag {
    /// The client's id for it.
    pub id: Uuid,
    /// The subject that used it; another subject's id is unknown.
    pub subject: String,
    /// Hash of the canonical body; another body under the same id is refused.
    pub hash: u64,
}
