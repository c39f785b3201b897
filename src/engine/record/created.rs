//! Record types of the creation of an instance: its process, its owner, and its start data.

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

/// The first record of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Created {
    /// Its generated key.
    pub key: InstanceKey,
    /// The tenant of the instance.
    pub tenant: String,
    /// The version of the definition that it runs when created.
    pub process: ProcessRef,
    /// The business key: a name given by the starter, such as an order number.
    pub business_key: Option<String>,
    /// Its relation to the instance that started it; `None` for the root of a tree.
    pub parent: Option<ParentLink>,
    /// The subject that started it.
    pub started_by: String,
    /// The start data, filtered by the keys of the start event.
    pub data: Value,
    /// When it expires, if it does. In the head of a start it may be `None`; then the process
    /// decides.
    pub expires_at: Option<Time>,
    /// A keyed hash of the address of the stranger who started it; `None` when no stranger did.
    pub origin: Option<Uuid>,
    /// Whether it tests a draft.
    pub test: bool,
    /// The due time in the schedule that started it.
    pub scheduled_for: Option<Time>,
    /// The message with a key that started it. While it is live, this message and key start no
    /// other instance of the process.
    pub correlation: Option<Correlation>,
}

impl Created {
    /// The root of its tree; its own key for a root.
    pub fn root(&self) -> InstanceKey {
        self.parent.as_ref().map_or(self.key, |link| link.root)
    }

    /// Its level in the tree: 1 for a root, one more for each subprocess.
    pub fn level(&self) -> u32 {
        self.parent.as_ref().map_or(1, |link| link.level)
    }

    /// The subject that started the root.
    pub fn root_started_by(&self) -> &str {
        let parent = self.parent.as_ref();
        parent.map_or(&self.started_by, |link| &link.root_started_by)
    }

    /// The relation to this instance of a child that its record `seq` started.
    pub fn link(&self, seq: u64, awaited: bool, wants_result: bool) -> ParentLink {
        ParentLink {
            instance: self.key,
            seq,
            wants_result,
            root: self.root(),
            level: self.level().saturating_add(1),
            root_started_by: self.root_started_by().to_owned(),
            awaited,
        }
    }
}

/// A version of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessRef {
    /// The process id from the model.
    pub id: String,
    /// The version, from 1.
    pub version: u32,
    /// The hash of the source.
    #[serde(with = "hash_text")]
    pub revision: String,
}

/// The relation of a child to its parent, and to their tree of instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParentLink {
    /// The parent.
    pub instance: InstanceKey,
    /// The number of the parent's record that started the child.
    pub seq: u64,
    /// Whether the parent needs the child's data when it ends.
    pub wants_result: bool,
    /// The root of the tree.
    pub root: InstanceKey,
    /// The child's level in the tree: 2 directly below the root.
    pub level: u32,
    /// The subject that started the root.
    pub root_started_by: String,
    /// Whether an element of the parent waits for this child.
    #[serde(default)]
    pub awaited: bool,
}

/// Identity of a command for deduplication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandTag {
    /// The id that the client gave it.
    pub id: Uuid,
    /// The subject that sent it; the ids of different subjects are independent.
    pub subject: String,
    /// The hash of the canonical body; another body under the same id is refused.
    pub hash: u64,
}
