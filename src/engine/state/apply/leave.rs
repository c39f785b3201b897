//! Applies the end of an element, by completion or by termination: whether it is retained, and to
//! which element its descendants are linked.

use crate::{
    engine::state::{ElementInstance, InstanceState, element::FirstRun, merges::Author},
    model::ids::ElementKey,
};

impl InstanceState {
    /// Completes an element. It is retained (`keep`), or its descendants are linked to the retained
    /// element instance before it.
    pub(super) fn complete(
        &mut self,
        seq: u64,
        key: ElementKey,
        (keep, closes): (bool, bool),
        compensable: bool,
    ) {
        let Some(mut element) = self.take_out(key) else {
            return;
        };
        if compensable {
            self.remember(seq, &mut element, key, true);
        }
        let inherited = element.arrivals.first().and_then(|arrival| arrival.from);
        // Elements activated first in a scope descend from the scope.
        let inherited = inherited.or(element.scope);
        self.end_iteration(&element, true);
        if closes {
            for ancestor in self.ancestors(&element) {
                self.forget(ancestor, None);
            }
            self.forget_references(key, None);
        } else if keep {
            self.forget_earlier_visits(&mut element);
            element.active = false;
            for action in element.actions.values_mut() {
                action.delayed.clear();
            }
            (element.due, element.reminder, element.reminded) = (None, None, None);
            (element.as_scope, element.looping, element.subscriptions) = (None, None, None);
            self.put_element(key, element);
        } else {
            self.forget_references(key, inherited);
        }
        self.forget_merges();
    }

    /// Removes an active element, and links the descendants of elements retained in it to it.
    fn take_out(&mut self, key: ElementKey) -> Option<ElementInstance> {
        self.elements.get(&key)?;
        for inner in self.inside_of_scope(key) {
            self.forget(inner, Some(key));
        }
        let element = self.take_element(key)?;
        if element.active
            && let Some(scope) = self.scope_mut(element.scope)
        {
            scope.live = scope.live.saturating_sub(1);
        }
        Some(element)
    }

    /// The elements in a scope; empty for other elements.
    fn inside_of_scope(&self, key: ElementKey) -> Vec<ElementKey> {
        let is_scope = self
            .elements
            .get(&key)
            .is_some_and(|element| element.as_scope.is_some());
        if is_scope {
            self.inside(Some(key))
        } else {
            Vec::new()
        }
    }

    /// Of several visits of a node in a loop, back steps reach only the latest.
    fn forget_earlier_visits(&mut self, element: &mut ElementInstance) {
        let is_visited = self
            .elements
            .values()
            .any(|other| other.node == element.node);
        let ancestors = is_visited.then(|| self.ancestors(element));
        for ancestor in ancestors.into_iter().flatten() {
            if self
                .elements
                .get(&ancestor)
                .is_some_and(|retained| retained.node == element.node && !retained.unites())
            {
                let from = self.elements[&ancestor]
                    .arrivals
                    .first()
                    .and_then(|arrival| arrival.from);
                for arrival in element
                    .arrivals
                    .iter_mut()
                    .filter(|arrival| arrival.from == Some(ancestor))
                {
                    arrival.from = from;
                }
                self.forget(ancestor, from);
            }
        }
    }

    /// Removes an element that is terminated, or a retained one that a back step has undone.
    pub(super) fn remove(&mut self, seq: u64, key: ElementKey) {
        let Some(mut element) = self.take_out(key) else {
            return;
        };
        if element.active {
            self.give_up_compensation(seq, &mut element, key);
        }
        let heir = element.arrivals.first().and_then(|arrival| arrival.from);
        let heir = heir.or(element.scope);
        if element.active {
            self.end_iteration(&element, false);
        }
        if element.active
            && element.arrivals.len() > 1
            && let Some(scope) = self.scope_mut(element.scope)
        {
            // A join that is terminated before it continued returns its flows; the back step
            // removes those that descend from its target.
            let waiting = scope.waiting.entry(element.node.clone()).or_default();
            waiting.extend(element.arrivals);
        }
        for child in self
            .children
            .values_mut()
            .filter(|child| child.start.element == Some(key))
        {
            child.start.awaited = false;
        }
        self.forget(key, heir);
    }

    /// Removes an element, and links its descendants to `heir`.
    pub(super) fn forget(&mut self, key: ElementKey, heir: Option<ElementKey>) {
        self.take_element(key);
        self.forget_references(key, heir);
    }

    fn forget_references(&mut self, key: ElementKey, heir: Option<ElementKey>) {
        let of_elements = self
            .elements
            .values_mut()
            .flat_map(|element| &mut element.arrivals);
        for arrival in of_elements.filter(|arrival| arrival.from == Some(key)) {
            arrival.from = heir;
        }
        let of_scopes = self
            .elements
            .values_mut()
            .filter_map(|element| element.as_scope.as_deref_mut());
        let waiting = of_scopes
            .chain([&mut self.root])
            .flat_map(|scope| scope.waiting.values_mut().flatten());
        for arrival in waiting.filter(|arrival| arrival.from == Some(key)) {
            arrival.from = heir;
        }
        if let Some(merges) = &mut self.merges {
            merges.drop_scope(key);
        }
        self.reassign(key, heir, |_| true);
    }

    /// Gives the merges, open messages, decisions and children of one element to another, as far as
    /// `passes` accepts their author.
    pub(super) fn reassign(
        &mut self,
        key: ElementKey,
        heir: Option<ElementKey>,
        passes: impl Fn(Author) -> bool,
    ) {
        let merges = self
            .merges
            .iter_mut()
            .flat_map(|merges| merges.iter_mut())
            .map(|merge| &mut merge.author);
        let open = self.open.values_mut().map(|message| &mut message.author);
        let decisions = self
            .decisions
            .iter_mut()
            .map(|decision| &mut decision.author);
        for author in merges
            .chain(open)
            .chain(decisions)
            .filter(|author| author.element == Some(key) && passes(**author))
        {
            author.element = heir;
        }
        for child in self.children.values_mut() {
            if child.start.element == Some(key) && passes(child.author()) {
                child.start.element = heir;
            }
        }
    }

    /// Drops the merges that no back step can need any more.
    pub(super) fn forget_merges(&mut self) {
        let first_runs = self
            .elements
            .values()
            .flat_map(|element| element.first_runs.values());
        let earliest = first_runs
            .filter(|first| first.view.is_some())
            .map(FirstRun::seq)
            .min();
        match (earliest, &mut self.merges) {
            (Some(earliest), Some(merges)) => merges.forget_before(earliest),
            (None, merges) => *merges = None,
            (Some(_), None) => {}
        }
    }
}
