//! The statuses of a process instance, and their names.

use serde::{Deserialize, Serialize};

/// Status of a process instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Its first record is made; lasts until its start event begins, in the same row.
    Created,
    /// Running.
    Started,
    /// Held: nothing moves until `unhold`.
    OnHold,
    /// Ended normally.
    Finished,
    /// A subprocess that its user has ended.
    Dismissed,
    /// Ended by an operator, or with its parent.
    Terminated,
    /// Its time was over.
    Expired,
    /// Ended by an error end event.
    Failed,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Started,
        Self::OnHold,
        Self::Finished,
        Self::Dismissed,
        Self::Terminated,
        Self::Expired,
        Self::Failed,
    ];

    /// Whether the instance can still move.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Created | Self::Started | Self::OnHold)
    }

    /// The status with this wire name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The wire name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Started => "started",
            Self::OnHold => "onHold",
            Self::Finished => "finished",
            Self::Dismissed => "dismissed",
            Self::Terminated => "terminated",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }
}
