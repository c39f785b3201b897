//! Applies a migration: nodes and flows get their names in the new version, and subscriptions wait
//! to be renewed.

use std::{collections::BTreeMap, sync::Arc};

use crate::engine::{
    record::{Arrival, Migrated},
    state::{ElementInstance, InstanceState, Scope},
};

/// Names in the target, by those in the source.
pub(in crate::engine::state) type Names = BTreeMap<Arc<str>, Arc<str>>;

impl InstanceState {
    pub(super) fn migrate(&mut self, migrated: &Migrated) {
        let names = &migrated.renamed;
        Arc::make_mut(&mut self.head).process = migrated.to.clone();
        for element in self.elements.values_mut() {
            element.rename(names);
        }
        self.root.rename(names);
    }
}

impl ElementInstance {
    fn rename(&mut self, names: &Names) {
        rename(&mut self.node, names);
        self.triggered
            .iter_mut()
            .for_each(|node| rename(node, names));
        rename_flows(&mut self.arrivals, names);
        if let Some(subscriptions) = &mut self.subscriptions {
            subscriptions.rename(names);
        }
        if let Some(scope) = &mut self.as_scope {
            scope.rename(names);
        }
    }
}

impl Scope {
    /// Gives what is in it the names of the target; its event subprocesses wait for nothing.
    pub(in crate::engine::state) fn rename(&mut self, names: &Names) {
        for places in [&mut self.waiting, &mut self.resetting] {
            *places = std::mem::take(places)
                .into_iter()
                .map(|(mut node, mut arrivals)| {
                    rename(&mut node, names);
                    rename_flows(&mut arrivals, names);
                    (node, arrivals)
                })
                .collect();
        }
        // One that was taken over opens nothing any more.
        if !self.interrupted
            && let Some(subscriptions) = &mut self.subscriptions
        {
            subscriptions.rename(names);
        }
        self.rename_remembered(names);
    }
}

/// Gives one thing its name in the target.
pub(in crate::engine::state) fn rename(name: &mut Arc<str>, names: &Names) {
    if let Some(new) = names.get(name) {
        *name = new.clone();
    }
}

fn rename_flows(arrivals: &mut [Arrival], names: &Names) {
    for arrival in arrivals {
        rename(&mut arrival.flow, names);
    }
}
