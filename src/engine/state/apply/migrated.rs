//! Applies a migration: nodes and flows are renamed to their ids in the target, and subscriptions
//! are closed until they are renewed.

use std::{collections::BTreeMap, sync::Arc};

use crate::engine::{
    record::{Arrival, Migrated},
    state::{ElementInstance, InstanceState, Scope},
};

/// Ids in the target version, by ids in the source version.
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
    /// Renames the nodes and flows in it, and closes the subscriptions of its event subprocesses.
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
        // A scope with an interrupting event subprocess opens no subscriptions any more.
        if !self.interrupted
            && let Some(subscriptions) = &mut self.subscriptions
        {
            subscriptions.rename(names);
        }
        self.rename_remembered(names);
    }
}

/// Renames one id.
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
