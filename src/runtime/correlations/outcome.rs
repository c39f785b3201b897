//! The outcome of a publication: which instances it was delivered to, and which it started.

use serde::{Deserialize, Serialize};

use crate::{
    limits,
    model::ids::{InstanceKey, Time},
};

/// The outcome of a publication, for its publisher and those who repeat it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Instances it was delivered to, the first [`limits::PUBLICATION_INSTANCES`] of them.
    pub instances: Vec<InstanceKey>,
    /// Instances it started, at most as many.
    pub started: Vec<InstanceKey>,
    /// The number of further instances it is or will be delivered to.
    pub more_instances: u64,
    /// The number of further instances it started.
    pub more_started: u64,
    /// Until when it is kept, if it was kept when it was published.
    pub until: Option<Time>,
}

impl Outcome {
    /// An instance did not begin: another one took the publication, or none did.
    pub fn not_started(&mut self, instance: InstanceKey, joined: Option<InstanceKey>) {
        match self.started.iter().position(|it| *it == instance) {
            Some(at) => drop(self.started.remove(at)),
            None => self.more_started = self.more_started.saturating_sub(1),
        }
        if let Some(joined) = joined {
            self.delivered(joined);
        }
    }

    /// An instance was started.
    pub fn started(&mut self, instance: InstanceKey) {
        name_or_count(&mut self.started, &mut self.more_started, instance);
    }

    /// It is delivered to an instance.
    pub fn delivered(&mut self, instance: InstanceKey) {
        name_or_count(&mut self.instances, &mut self.more_instances, instance);
    }

    /// A delivery to an instance was not taken. An instance that waits twice is named twice.
    pub fn not_taken(&mut self, instance: InstanceKey) {
        let named = &mut self.instances;
        match named.iter().rposition(|named| *named == instance) {
            Some(at) => drop(named.remove(at)),
            None => self.more_instances = self.more_instances.saturating_sub(1),
        }
    }

    /// The number of instances that it started.
    pub fn all_started(&self) -> usize {
        self.started
            .len()
            .saturating_add(self.more_started as usize)
    }

    /// The number of copies of its data.
    pub fn copies(&self) -> usize {
        let named = self.instances.len() + self.started.len();
        named.saturating_add((self.more_instances + self.more_started) as usize)
    }
}

/// Names an instance while there is room, otherwise counts it.
fn name_or_count(named: &mut Vec<InstanceKey>, more: &mut u64, instance: InstanceKey) {
    if named.len() < limits::PUBLICATION_INSTANCES {
        named.push(instance);
    } else {
        *more += 1;
    }
}
