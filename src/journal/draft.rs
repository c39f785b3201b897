//! Drafts of tasks as they are stored: what a user has typed into an action and not sent. Their data
//! are opaque here. What they are for: `runtime::drafts`.

use std::sync::Arc;

use crate::model::ids::{ElementKey, InstanceKey, Time};

/// Whose draft of what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DraftKey {
    /// The instance.
    pub instance: InstanceKey,
    /// The user task.
    pub element: ElementKey,
    /// The action.
    pub action: String,
    /// The user.
    pub subject: String,
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRow {
    /// Whose, of what.
    pub key: DraftKey,
    /// The user's tenant.
    pub tenant: String,
    /// Whether the user is one without a user's token.
    pub stranger: bool,
    /// JSON.
    pub data: String,
    /// When it was saved last.
    pub saved_at: Time,
}

/// A change of one draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftChange {
    /// Saved, in place of the one before.
    Put(Arc<DraftRow>),
    /// Gone.
    Removed(DraftKey),
}
