//! The lineage of elements: which elements a back step ends, and which remain.
//!
//! An arrival names the nearest *retained* element before it. Elements that no back step can need
//! are not retained; their descendants are linked to the elements before them.

use std::collections::BTreeSet;

use super::{ElementInstance, InstanceState};
use crate::{engine::record::Arrival, model::ids::ElementKey};

impl InstanceState {
    /// Whether `element` is `ancestor` or descends from it. The lineage of an element that is not
    /// retained is unknown.
    pub fn descends(&self, element: ElementKey, ancestor: ElementKey) -> bool {
        // The latest element first: lineage points backwards in time, so each element is visited
        // once, however many paths lead to it.
        let mut pending = BTreeSet::from([element]);
        while let Some(key) = pending.pop_last() {
            if key == ancestor {
                return true;
            }
            // Elements activated before the ancestor cannot descend from it.
            if key > ancestor
                && let Some(element) = self.elements.get(&key)
            {
                pending.extend(element.arrivals.iter().filter_map(|arrival| arrival.from));
                // Elements in a subprocess descend from the ancestors of the subprocess.
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

    /// The retained element instances before an element, nearest first.
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
