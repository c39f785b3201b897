//! Scopes: the instance itself, and each active embedded subprocess. A scope knows how much in it is
//! active and which flows wait at its joins; it is complete when neither is left.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Compensation, CompensationRun, ElementInstance, InstanceState, Subscriptions};
use crate::{engine::record::Arrival, model::ids::ElementKey};

/// What is in a scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// Taken flows that wait at joins, in order of arrival.
    pub(super) waiting: BTreeMap<Arc<str>, Vec<Arrival>>,
    /// The flows that complex gateways continued with, as long as they wait for the others.
    pub(super) resetting: BTreeMap<Arc<str>, Vec<Arrival>>,
    /// How many of its own elements are active.
    pub(super) live: u32,
    /// Whether anything in it was ever active.
    pub(super) begun: bool,
    /// What its event subprocesses wait for; `None` before that was opened.
    pub(super) subscriptions: Option<Subscriptions>,
    /// What completed in it and may be compensated, in order of completion.
    pub(super) compensations: Vec<Compensation>,
    /// What of that is being compensated, by the elements that asked for it.
    pub(super) compensating: BTreeMap<ElementKey, CompensationRun>,
    /// Whether an interrupting event subprocess has taken it over.
    pub(super) interrupted: bool,
}

impl Scope {
    /// How many of its own elements are active; those of scopes in it are not counted.
    pub fn live(&self) -> u32 {
        self.live
    }

    /// Whether anything in it was ever active.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// What its event subprocesses wait for; `None` before that was opened.
    pub fn subscriptions(&self) -> Option<&Subscriptions> {
        self.subscriptions.as_ref()
    }

    /// Whether an interrupting event subprocess has taken it over: no other one begins any more.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Taken flows waiting at a join.
    pub fn waiting_at(&self, node: &str) -> &[Arrival] {
        self.waiting.get(node).map_or(&[], Vec::as_slice)
    }

    /// The flows that a complex gateway continued with, when it waits for the others before it
    /// resets.
    pub fn resetting(&self, node: &str) -> Option<&[Arrival]> {
        self.resetting.get(node).map(Vec::as_slice)
    }

    /// All complex gateways that wait before they reset.
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
    /// A complex gateway continued with these flows, or has reset.
    pub(super) fn change_gateway(&mut self, node: &Arc<str>, taken: Option<&[Arrival]>) {
        match taken {
            Some(taken) => drop(self.resetting.insert(node.clone(), taken.to_vec())),
            None => drop(self.resetting.remove(node)),
        }
    }

    /// Flows that lead to an element wait no longer.
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
    /// A scope: that of an element, or the instance itself. `None` for an element that is no scope,
    /// or has not begun as one.
    pub fn scope(&self, scope: Option<ElementKey>) -> Option<&Scope> {
        match scope {
            None => Some(&self.root),
            Some(key) => self.elements.get(&key)?.as_scope.as_deref(),
        }
    }

    /// The scope to write to; begins it.
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
        // Scopes begin after those around them, so this ends.
        std::iter::successors(element.scope, |key| self.elements.get(key)?.scope)
            .any(|around| around == scope)
    }

    /// Everything in a scope, active or retained, at any depth, in order of activation.
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
