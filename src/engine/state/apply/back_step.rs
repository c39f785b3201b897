//! Applies a back step: a completed element gets a new visit, and the descendants of the old visit
//! are removed.
//!
//! The data restored by a back step are computed before, by the same rule
//! ([`InstanceState::restored_data`]).

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{
    engine::{
        record::Arrival,
        state::{
            Child, ElementInstance, FirstRun, InstanceState, OpenMessage, merges::Author,
            merges::Merge,
        },
    },
    model::ids::{ElementKey, Time},
};

impl InstanceState {
    /// The open Action messages that a back step to this first run of an action of `to` closes.
    pub(in crate::engine) fn undone_messages(&self, to: ElementKey, first_run: u64) -> Vec<u64> {
        let undone = |message: &OpenMessage| self.is_undone(message.author, to, first_run);
        self.open
            .iter()
            .filter(|(_, message)| undone(message))
            .map(|(&seq, _)| seq)
            .collect()
    }

    /// The children that a back step to this first run of an action of `to` ends.
    pub(in crate::engine) fn undone_children(
        &self,
        to: ElementKey,
        first_run: u64,
    ) -> impl Iterator<Item = &Child> {
        self.children
            .values()
            .filter(move |child| self.is_undone(child.author(), to, first_run))
    }

    /// The data before a first run, with every later merge that a back step to `to` does not undo:
    /// the variables of `to` and of the scopes around it, the innermost first, then the data of the
    /// instance (`None`).
    pub(in crate::engine) fn restored_data(
        &self,
        to: ElementKey,
        first_run: u64,
    ) -> Option<Vec<(Option<ElementKey>, Value)>> {
        let merges = self.merges.as_ref()?;
        let scopes = self.owners(Some(to)).map(|(key, _)| Some(key));
        let restored = |scope| {
            let keep = |merge: &Merge| self.survives_restore(merge, to, first_run);
            (scope, merges.folded(scope, keep))
        };
        Some(scopes.chain([None]).map(restored).collect())
    }

    /// Whether a back step undoes the changes of an author. Changes of `to` itself before the
    /// action's first run are part of the state that its new visit keeps; all other changes by `to`
    /// and its descendants are undone.
    fn is_undone(&self, author: Author, to: ElementKey, first_run: u64) -> bool {
        author.since > first_run
            && author
                .element
                .is_some_and(|element| self.descends(element, to))
    }

    fn survives_restore(&self, merge: &Merge, to: ElementKey, first_run: u64) -> bool {
        merge.seq < first_run || !(merge.given_up || self.is_undone(merge.author, to, first_run))
    }

    pub(super) fn return_to(&mut self, seq: u64, time: Time, to: ElementKey, action: &Arc<str>) {
        let Some(retained) = self.elements.get(&to).cloned() else {
            return;
        };
        let again = ElementKey(seq);
        let first = retained.first_runs.get(action);
        let first_run = first.map_or(0, FirstRun::seq);
        self.give_back_to_joins(to);
        self.take_merges_back(
            to,
            first_run,
            again,
            first.is_some_and(|first| first.view.is_some()),
        );
        let mut decisions = std::mem::take(&mut self.decisions);
        decisions.retain(|decision| !self.is_undone(decision.author, to, first_run));
        self.decisions = decisions;
        self.reassign(to, Some(again), |author| author.since <= first_run);
        let descendants: Vec<ElementKey> = self
            .elements
            .keys()
            .copied()
            .filter(|&key| self.descends(key, to))
            .collect();
        for key in descendants {
            self.remove(seq, key);
        }
        if let Some(scope) = self.scope_mut(retained.scope) {
            scope.live += 1;
        }
        self.put_element(again, visit_again(retained, time, action));
        self.forget_merges();
    }

    /// Removes the undone merges if the back step restores data, so that no later restore brings
    /// them back. Otherwise the data stay as they are, and the merges are marked, so that a later
    /// restore of earlier data leaves them out.
    fn take_merges_back(
        &mut self,
        to: ElementKey,
        first_run: u64,
        again: ElementKey,
        restores: bool,
    ) {
        let Some(mut merges) = self.merges.take() else {
            return;
        };
        merges.move_scope(to, again);
        if restores {
            merges.retain(|merge| self.survives_restore(merge, to, first_run));
        } else {
            for merge in merges
                .iter_mut()
                .filter(|merge| self.is_undone(merge.author, to, first_run))
            {
                merge.given_up = true;
                merge.author.element = Some(again);
            }
        }
        self.merges = Some(merges);
    }

    /// Joins that have continued since `to` get back the flows that do not descend from it. Flows
    /// that descend from it are removed.
    fn give_back_to_joins(&mut self, to: ElementKey) {
        let mut kept: BTreeMap<Option<ElementKey>, Waiting> = BTreeMap::new();
        for (&key, element) in &self.elements {
            if key != to && element.arrivals.len() > 1 && self.descends(key, to) {
                let others = self.not_from(&element.arrivals, to);
                let scope = kept.entry(element.scope).or_default();
                scope
                    .entry(element.node.clone())
                    .or_default()
                    .extend(others);
            }
        }
        let of_elements = self
            .elements
            .iter()
            .filter(|(_, element)| element.as_scope.is_some())
            .map(|(&key, _)| Some(key));
        let scopes: Vec<Option<ElementKey>> = of_elements.chain([None]).collect();
        for &scope in &scopes {
            let waiting = self
                .scope(scope)
                .into_iter()
                .flat_map(|scope| scope.waiting());
            for (node, arrivals) in waiting {
                let others = self.not_from(arrivals, to);
                let scope = kept.entry(scope).or_default();
                scope.entry(node.clone()).or_default().extend(others);
            }
        }
        for scope in scopes {
            let mut waiting = kept.remove(&scope).unwrap_or_default();
            waiting.retain(|_, arrivals| !arrivals.is_empty());
            let undone: Vec<Arc<str>> = self.gateways_undone(scope, to);
            if let Some(scope) = self.scope_mut(scope) {
                scope.waiting = waiting;
                scope.resetting.retain(|node, _| !undone.contains(node));
            }
        }
    }

    /// The complex gateways of a scope that continued with a flow that descends from `to`.
    fn gateways_undone(&self, scope: Option<ElementKey>, to: ElementKey) -> Vec<Arc<str>> {
        let held = self.scope(scope).into_iter();
        let resetting = held.flat_map(|scope| &scope.resetting);
        let descends = |taken: &[Arrival]| {
            let mut taken = taken.iter();
            taken.any(|arrival| self.arrival_descends(arrival, to))
        };
        resetting
            .filter(|(_, taken)| descends(taken))
            .map(|(node, _)| node.clone())
            .collect()
    }

    /// Those of these flows that do not descend from `to`.
    fn not_from(&self, arrivals: &[Arrival], to: ElementKey) -> Vec<Arrival> {
        arrivals
            .iter()
            .filter(|arrival| !self.arrival_descends(arrival, to))
            .cloned()
            .collect()
    }
}

/// Flows that wait at joins.
type Waiting = BTreeMap<Arc<str>, Vec<Arrival>>;

/// The new visit of a completed element, with the action states from before the action's first run.
fn visit_again(retained: ElementInstance, time: Time, action: &Arc<str>) -> ElementInstance {
    let mut again = ElementInstance::begun(retained.scope, retained.node, retained.arrivals, time);
    // The new visit is assigned to the user of the old one.
    again.assignee = retained.assignee;
    (again.variables, again.owned_bytes) = (retained.variables, retained.owned_bytes);
    if let Some(first) = retained.first_runs.get(action) {
        again.actions = first.actions.clone();
        let earlier = retained
            .first_runs
            .iter()
            .filter(|(_, earlier)| earlier.seq < first.seq);
        again.first_runs = earlier
            .map(|(name, earlier)| (name.clone(), earlier.clone()))
            .collect();
    }
    for action in again.actions.values_mut() {
        // A triggering that was not done at that time has been done or cancelled in the old visit.
        // It is not repeated, and does not count as done, so its children do not run.
        action.cancelled = action.started.saturating_sub(action.completed);
        action.delayed.clear();
    }
    again
}
