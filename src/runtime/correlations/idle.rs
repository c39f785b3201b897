//! The subscriptions to which a message may be delivered: those without a delivery in progress.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

/// Subscriptions by process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdleSubscriptions(BTreeMap<Arc<str>, BTreeSet<u64>>);

impl IdleSubscriptions {
    /// Adds one.
    pub fn insert(&mut self, process: &Arc<str>, subscription: u64) {
        let of_process = self.0.entry(process.clone()).or_default();
        of_process.insert(subscription);
    }

    /// Removes one.
    pub fn remove(&mut self, process: &str, subscription: u64) {
        if let Some(of_process) = self.0.get_mut(process) {
            of_process.remove(&subscription);
            if of_process.is_empty() {
                self.0.remove(process);
            }
        }
    }

    /// The one of a process that has waited longest.
    pub fn oldest(&self, process: &str) -> Option<u64> {
        self.0.get(process)?.first().copied()
    }

    /// The processes that have any.
    pub fn processes(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
