//! The stored form of drafts of tasks: what a user has typed into an action and not sent. Their
//! data have no meaning here. Their purpose: `runtime::drafts`.

use std::sync::Arc;

use crate::model::ids::{ElementKey, InstanceKey, Time};

/// The identity of a draft.
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
    /// Its identity.
    pub key: DraftKey,
    /// The user's tenant.
    pub tenant: String,
    /// Whether the user has no user's token.
    pub stranger: bool,
    /// The input, as JSON.
    pub data: String,
    /// When it was saved last.
    pub saved_at: Time,
}

/// A change of one draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftChange {
    /// Saves a draft, replacing an earlier one.
    Put(Arc<DraftRow>),
    /// Removes a draft.
    Removed(DraftKey),
}
