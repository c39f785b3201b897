//! Record types about the beginning of an instance: its process, its owner, and its start data.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    engine::correlation::Correlation,
    model::ids::{InstanceKey, Time},
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
    /// The instance that started it.
    pub parent: Option<ParentLink>,
    /// Root of its tree; itself for a root.
    pub root: InstanceKey,
    /// Its level in the tree: 1 for a root, one more for each subprocess.
    pub level: u32,
    /// Subject that started it.
    pub started_by: String,
    /// Subject that started the root.
    pub root_started_by: String,
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

/// A definition revision.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessRef {
    /// The modeller's process id.
    pub id: String,
    /// Version, from 1.
    pub version: u32,
    /// Content hash of the source.
    pub revision: String,
}

/// How a child is tied to its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParentLink {
    /// The parent.
    pub instance: InstanceKey,
    /// The parent's record this child comes from.
    pub seq: u64,
    /// Whether the parent wants the child's data at its end.
    pub wants_result: bool,
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
