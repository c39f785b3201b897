//! Record types of a migration to another version: the names of nodes there, and the subscriptions
//! after it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{created::ProcessRef, subscription::Subscription};
use crate::model::{event_definition::EventRef, ids::Time};

/// A migration to another version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migrated {
    /// The version before.
    pub from: ProcessRef,
    /// The version after.
    pub to: ProcessRef,
    /// The new ids of nodes and flows whose id differs in the target, by their ids before.
    pub renamed: BTreeMap<Arc<str>, Arc<str>>,
}

/// A subscription after the migration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenewedSubscription {
    /// The definition of the event.
    pub event: EventRef,
    /// The subscription.
    pub subscription: Subscription,
    /// The number of the next occurrence, from 1.
    pub occurrence: u32,
    /// When the subscription was opened, if it existed before the migration.
    pub since: Option<Time>,
}
