//! What may be compensated: completed activities with a handler, scope by scope in order of
//! completion; and which of them are being compensated.
//!
//! A completed embedded subprocess takes what completed in it along, with its variables. Who runs the
//! handlers: `engine::compensation`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ElementInstance, InstanceState, Scope};
use crate::{engine::record::Arrival, model::ids::ElementKey};

/// A completed activity that may be compensated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compensation {
    /// Number of the record that completed it.
    seq: u64,
    element: ElementKey,
    node: Arc<str>,
    /// Whether it completed; else a transaction around it was cancelled meanwhile.
    finished: bool,
    /// What completed in it as a scope.
    as_scope: Option<Box<Scope>>,
    /// The variables it ended with, and their bytes as declared.
    variables: Option<Box<Value>>,
    owned_bytes: usize,
}

/// What one element has asked to be compensated and has not begun yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompensationRun {
    /// In order of completion: the last is next.
    pending: Vec<Compensation>,
    /// What its handlers descend from.
    arrivals: Vec<Arrival>,
}

impl Compensation {
    /// The completed element.
    pub fn element(&self) -> ElementKey {
        self.element
    }

    /// Its node.
    pub fn node(&self) -> &Arc<str> {
        &self.node
    }

    /// Whether it completed; else only what completed in it is compensated.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// How many completed activities it stands for.
    fn size(&self) -> usize {
        1 + self.as_scope.as_deref().map_or(0, Scope::remembered)
    }
}

impl CompensationRun {
    /// What is compensated next.
    pub fn next(&self) -> Option<&Compensation> {
        self.pending.last()
    }

    /// What its handlers descend from.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }
}

impl Scope {
    /// What completed in it and may be compensated, in order of completion.
    pub fn compensations(&self) -> &[Compensation] {
        &self.compensations
    }

    /// What an element has asked to be compensated here, while that is under way.
    pub fn compensating(&self, by: ElementKey) -> Option<&CompensationRun> {
        self.compensating.get(&by)
    }

    fn remembered(&self) -> usize {
        let pending = self.compensating.values().flat_map(|run| &run.pending);
        let all = self.compensations.iter().chain(pending);
        all.map(Compensation::size).sum()
    }
}

impl InstanceState {
    /// How many completed activities may be compensated, in all scopes.
    pub fn compensations(&self) -> usize {
        let of_elements = self
            .elements
            .values()
            .filter_map(|element| element.as_scope.as_deref());
        of_elements.chain([&self.root]).map(Scope::remembered).sum()
    }

    /// Remembers an element that is left or ended.
    pub(super) fn remember(
        &mut self,
        seq: u64,
        element: &mut ElementInstance,
        key: ElementKey,
        finished: bool,
    ) {
        let as_scope = element.as_scope.take().map(|mut scope| {
            scope.waiting.clear();
            scope.compensating.clear();
            (scope.live, scope.subscriptions) = (0, None);
            scope
        });
        let compensation = Compensation {
            seq,
            element: key,
            node: element.node.clone(),
            finished,
            as_scope,
            variables: element.variables.clone(),
            owned_bytes: element.owned_bytes,
        };
        if let Some(scope) = self.scope_mut(element.scope) {
            scope.compensations.push(compensation);
        }
    }

    /// An element is ended from outside: what it has asked for and has not begun may be
    /// compensated later; what completed in it, too, when a transaction around it is cancelled.
    pub(super) fn give_up_compensation(
        &mut self,
        seq: u64,
        element: &mut ElementInstance,
        key: ElementKey,
    ) {
        if let Some(scope) = self.scope_mut(element.scope) {
            for by in element.compensates.into_iter().chain([key]) {
                let given_up = scope.compensating.remove(&by);
                scope
                    .compensations
                    .extend(given_up.into_iter().flat_map(|run| run.pending));
            }
            scope.compensations.sort_by_key(|completed| completed.seq);
        }
        let completed = element
            .as_scope
            .as_ref()
            .is_some_and(|scope| !scope.compensations.is_empty());
        let mut around = std::iter::successors(element.scope, |key| self.elements.get(key)?.scope);
        let is_cancelled = |key: ElementKey| {
            self.elements
                .get(&key)
                .is_some_and(|element| element.cancelling)
        };
        if completed && around.any(is_cancelled) {
            self.remember(seq, element, key, false);
        }
    }

    pub(super) fn throw_compensation(
        &mut self,
        by: ElementKey,
        scope: Option<ElementKey>,
        of: &[ElementKey],
    ) {
        let mut arrivals = Vec::new();
        if let Some(element) = self.elements.get_mut(&by) {
            element.has_thrown = true;
            // What runs in the element itself descends from it by being in it.
            if scope != Some(by) {
                arrivals = element.arrivals.iter().take(1).cloned().collect();
            }
        }
        let Some(scope) = self.scope_mut(scope) else {
            return;
        };
        let (pending, others): (Vec<_>, Vec<_>) = std::mem::take(&mut scope.compensations)
            .into_iter()
            .partition(|completed| of.contains(&completed.element));
        scope.compensations = others;
        if !pending.is_empty() {
            let run = CompensationRun { pending, arrivals };
            scope.compensating.insert(by, run);
        }
    }

    pub(super) fn start_compensation(
        &mut self,
        handler: ElementKey,
        by: ElementKey,
        of: ElementKey,
    ) {
        let Some(scope) = self.elements.get(&handler).map(|element| element.scope) else {
            return;
        };
        let pending = self
            .scope_mut(scope)
            .and_then(|scope| scope.compensating.get_mut(&by))
            .map(|run| &mut run.pending);
        let started = pending.and_then(|pending| {
            let index = pending.iter().position(|one| one.element == of)?;
            Some(pending.remove(index))
        });
        let (Some(started), Some(element)) = (started, self.elements.get_mut(&handler)) else {
            return;
        };
        element.compensates = Some(by);
        if element.node == started.node {
            (element.as_scope, element.variables) = (started.as_scope, started.variables);
            let declared = std::mem::replace(&mut element.owned_bytes, started.owned_bytes);
            self.owned_bytes = self.owned_bytes.saturating_sub(declared) + started.owned_bytes;
        }
    }

    pub(super) fn complete_compensation(&mut self, handler: ElementKey) {
        let Some(element) = self.elements.get_mut(&handler) else {
            return;
        };
        let (by, scope) = (element.compensates.take(), element.scope);
        // It is left like what it undid, not to be undone itself.
        element.has_undone = true;
        if let (Some(by), Some(scope)) = (by, self.scope_mut(scope))
            && scope
                .compensating
                .get(&by)
                .is_some_and(|run| run.pending.is_empty())
        {
            scope.compensating.remove(&by);
        }
    }
}
