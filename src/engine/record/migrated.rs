//! Record types about a migration to another version: the names of nodes there, and the
//! subscriptions from then on.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{created::ProcessRef, subscription::Subscription};
use crate::model::{event_definition::EventRef, ids::Time};

/// An instance runs another version from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migrated {
    /// The version it ran.
    pub from: ProcessRef,
    /// The version it runs.
    pub to: ProcessRef,
    /// Nodes and flows that have another id there, by their ids before.
    pub renamed: BTreeMap<Arc<str>, Arc<str>>,
}

/// What somebody waits for after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenewedSubscription {
    /// Which definition of the event.
    pub event: EventRef,
    /// What is waited for.
    pub subscription: Subscription,
    /// Which occurrence comes next, from 1.
    pub occurrence: u32,
    /// Since when, when it was waited for before.
    pub since: Option<Time>,
}
