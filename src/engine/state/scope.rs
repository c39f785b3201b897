//! Scopes: the instance itself, and each active embedded subprocess. A scope counts its active
//! elements and knows the flows that wait at its joins; it is complete when it has neither.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Compensation, CompensationRun, ElementInstance, InstanceState, Subscriptions};
use crate::{engine::record::Arrival, model::ids::ElementKey};

/// The state of a scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// The flows that wait at joins, in order of arrival.
    pub(super) waiting: BTreeMap<Arc<str>, Vec<Arrival>>,
    /// The flows with which complex gateways continued, as long as they wait for the others.
    pub(super) resetting: BTreeMap<Arc<str>, Vec<Arrival>>,
    /// The number of its active elements, without those of inner scopes.
    pub(super) live: u32,
    /// Whether an element in it was ever activated.
    pub(super) begun: bool,
    /// The subscriptions of its event subprocesses; `None` before they were opened.
    pub(super) subscriptions: Option<Subscriptions>,
    /// The activities completed in it that may be compensated, in order of completion.
    pub(super) compensations: Vec<Compensation>,
    /// The compensation in progress, by the elements that requested it.
    pub(super) compensating: BTreeMap<ElementKey, CompensationRun>,
    /// Whether an interrupting event subprocess has started in it.
    pub(super) interrupted: bool,
}

impl Scope {
    /// The number of its active elements, without those of inner scopes.
    pub fn live(&self) -> u32 {
        self.live
    }

    /// Whether an element in it was ever activated.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// The subscriptions of its event subprocesses; `None` before they were opened.
    pub fn subscriptions(&self) -> Option<&Subscriptions> {
        self.subscriptions.as_ref()
    }

    /// Whether an interrupting event subprocess has started in it, so that no other one can start.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// The flows that wait at a join.
    pub fn waiting_at(&self, node: &str) -> &[Arrival] {
        self.waiting.get(node).map_or(&[], Vec::as_slice)
    }

    /// The flows with which a complex gateway continued, while it waits for the others before it is
    /// reset.
    pub fn resetting(&self, node: &str) -> Option<&[Arrival]> {
        self.resetting.get(node).map(Vec::as_slice)
    }

    /// All complex gateways that wait before they are reset.
    pub fn all_resetting(&self) -> impl Iterator<Item = &Arc<str>> {
        self.resetting.keys()
    }

    /// All joins with waiting flows.
    pub fn waiting(&self) -> impl Iterator<Item = (&Arc<str>, &[Arrival])> {
        self.waiting
            .iter()
            .map(|(node, arrivals)| (node, arrivals.as_slice()))
    }
}

impl Scope {
    /// Sets the flows with which a complex gateway continued; `None` resets the gateway.
    pub(super) fn change_gateway(&mut self, node: &Arc<str>, taken: Option<&[Arrival]>) {
        match taken {
            Some(taken) => drop(self.resetting.insert(node.clone(), taken.to_vec())),
            None => drop(self.resetting.remove(node)),
        }
    }

    /// Removes flows from those that wait at a node, because an element consumes them.
    pub(super) fn take_arrivals(&mut self, node: &Arc<str>, arrivals: &[Arrival]) {
        let Some(waiting) = self.waiting.get_mut(node) else {
            return;
        };
        for arrival in arrivals {
            if let Some(index) = waiting.iter().position(|waiting| waiting == arrival) {
                waiting.remove(index);
            }
        }
        if waiting.is_empty() {
            self.waiting.remove(node);
        }
    }
}

impl InstanceState {
    /// The state of a scope: of an element, or of the instance for `None`. `None` for an element
    /// that is no scope or has not begun as one.
    pub fn scope(&self, scope: Option<ElementKey>) -> Option<&Scope> {
        match scope {
            None => Some(&self.root),
            Some(key) => self.elements.get(&key)?.as_scope.as_deref(),
        }
    }

    /// The state of a scope for a change; begins it.
    pub(super) fn scope_mut(&mut self, scope: Option<ElementKey>) -> Option<&mut Scope> {
        match scope {
            None => Some(&mut self.root),
            Some(key) => Some(
                self.elements
                    .get_mut(&key)?
                    .as_scope
                    .get_or_insert_default(),
            ),
        }
    }

    /// Whether an element is in a scope, at any depth.
    pub fn is_inside(&self, element: &ElementInstance, scope: ElementKey) -> bool {
        // A scope begins after the scopes around it, so this ends.
        std::iter::successors(element.scope, |key| self.elements.get(key)?.scope)
            .any(|around| around == scope)
    }

    /// All elements in a scope, active or retained, at any depth, in order of activation.
    pub fn inside(&self, scope: Option<ElementKey>) -> Vec<ElementKey> {
        let Some(scope) = scope else {
            return self.elements.keys().copied().collect();
        };
        self.elements
            .range(scope..)
            .filter(|(_, element)| self.is_inside(element, scope))
            .map(|(&key, _)| key)
            .collect()
    }
}
