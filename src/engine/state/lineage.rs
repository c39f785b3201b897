//! Who descends from whom: what a back step has to end, and what stays.
//!
//! An arrival names the nearest *kept* element it descends from. Elements that back steps cannot
//! need leave no retained element instance; what came from them is tied to what they came from.

use std::collections::BTreeSet;

use super::{ElementInstance, InstanceState};
use crate::{engine::record::Arrival, model::ids::ElementKey};

impl InstanceState {
    /// Whether `element` is `ancestor` or came from it. An element that left no retained element instance descends from
    /// nothing.
    pub fn descends(&self, element: ElementKey, ancestor: ElementKey) -> bool {
        // Latest first: lineage points backwards in time, so each element is looked at once,
        // however many ways lead to it.
        let mut pending = BTreeSet::from([element]);
        while let Some(key) = pending.pop_last() {
            if key == ancestor {
                return true;
            }
            // Nothing before the ancestor can come from it.
            if key > ancestor
                && let Some(element) = self.elements.get(&key)
            {
                pending.extend(element.arrivals.iter().filter_map(|arrival| arrival.from));
                // What is in a subprocess came from what the subprocess came from.
                pending.extend(element.scope);
            }
        }
        false
    }

    /// Whether a taken flow came from `ancestor`.
    pub fn arrival_descends(&self, arrival: &Arrival, ancestor: ElementKey) -> bool {
        arrival
            .from
            .is_some_and(|from| self.descends(from, ancestor))
    }

    /// The retained element instances an element came from, nearest first.
    pub(super) fn ancestors(&self, element: &ElementInstance) -> Vec<ElementKey> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        let around = std::iter::successors(element.scope, |key| self.elements.get(key)?.scope)
            .filter_map(|key| self.elements.get(&key));
        let mut pending: Vec<ElementKey> = std::iter::once(element)
            .chain(around)
            .flat_map(|element| &element.arrivals)
            .filter_map(|arrival| arrival.from)
            .collect();
        while let Some(key) = pending.pop() {
            if !seen.insert(key) {
                continue;
            }
            if let Some(ancestor) = self.elements.get(&key) {
                found.push(key);
                pending.extend(ancestor.arrivals.iter().filter_map(|arrival| arrival.from));
            }
        }
        found
    }
}
