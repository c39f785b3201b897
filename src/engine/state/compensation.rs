//! What may be compensated: completed activities with a handler, scope by scope in order of
//! completion; and which of them are being compensated.
//!
//! A completed embedded subprocess takes what completed in it along, with its variables; so does an
//! activity that ran more than once with its iterations. What is kept counts to the bytes of variables
//! that elements own. Who runs the handlers: `engine::compensation`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ElementInstance, InstanceState, Scope,
    apply::{Names, rename},
    merges::Merge,
};
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
    /// Which iteration of its activity it was, if it was one.
    iteration: Option<u32>,
    /// What completed in it as a scope.
    as_scope: Option<Box<Scope>>,
    /// The variables it ended with, and how many bytes they count.
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

    /// Which iteration of its activity it was, if it was one.
    pub fn iteration(&self) -> Option<u32> {
        self.iteration
    }

    /// How many completed activities it stands for.
    fn size(&self) -> usize {
        1 + self.as_scope.as_deref().map_or(0, Scope::remembered)
    }

    /// How many bytes of variables are kept for it, and for what completed in it.
    fn bytes(&self) -> usize {
        self.owned_bytes + self.as_scope.as_deref().map_or(0, Scope::remembered_bytes)
    }
}

impl CompensationRun {
    /// What is compensated next.
    pub fn next(&self) -> Option<&Compensation> {
        self.pending.last()
    }

    /// What has not begun to be compensated, in order of completion.
    pub fn pending(&self) -> &[Compensation] {
        &self.pending
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

    /// What an element has asked to be compensated here, while that is in progress.
    pub fn compensating(&self, by: ElementKey) -> Option<&CompensationRun> {
        self.compensating.get(&by)
    }

    /// All that elements have asked to be compensated here, while that is in progress.
    pub fn compensation_runs(&self) -> impl Iterator<Item = &CompensationRun> {
        self.compensating.values()
    }

    /// What completed in it and may be compensated, or is about to be, at any depth: the nodes.
    pub fn remembered_nodes(&self) -> Vec<&Arc<str>> {
        let mut nodes = Vec::new();
        for remembered in self.all_remembered() {
            nodes.push(&remembered.node);
            let inside = remembered.as_scope.as_deref();
            nodes.extend(inside.into_iter().flat_map(Scope::remembered_nodes));
        }
        nodes
    }

    /// Gives what may be compensated the names it has in another version.
    pub(super) fn rename_remembered(&mut self, names: &Names) {
        let pending = self
            .compensating
            .values_mut()
            .flat_map(|run| &mut run.pending);
        for remembered in self.compensations.iter_mut().chain(pending) {
            rename(&mut remembered.node, names);
            if let Some(scope) = &mut remembered.as_scope {
                scope.rename(names);
            }
        }
    }

    fn all_remembered(&self) -> impl Iterator<Item = &Compensation> {
        let pending = self.compensating.values().flat_map(|run| &run.pending);
        self.compensations.iter().chain(pending)
    }

    fn remembered(&self) -> usize {
        self.all_remembered().map(Compensation::size).sum()
    }

    /// How many bytes of variables are kept for what may be compensated in it.
    pub fn remembered_bytes(&self) -> usize {
        self.all_remembered().map(Compensation::bytes).sum()
    }
}

impl ElementInstance {
    /// How many bytes its variables count once they are kept to compensate it.
    pub fn bytes_kept(&self) -> usize {
        let text = self.variables.as_deref().map(Value::to_string);
        self.owned_bytes.max(text.map_or(0, |text| text.len()))
    }

    /// How many bytes it counts, with what is kept in it as a scope.
    pub(super) fn bytes(&self) -> usize {
        self.owned_bytes + self.as_scope.as_deref().map_or(0, Scope::remembered_bytes)
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
            (scope.waiting, scope.resetting) = Default::default();
            scope.compensating.clear();
            (scope.live, scope.subscriptions, scope.interrupted) = (0, None, false);
            scope
        });
        let compensation = Compensation {
            seq,
            element: key,
            node: element.node.clone(),
            finished,
            iteration: element.loop_counter,
            as_scope,
            owned_bytes: element.bytes_kept(),
            variables: element.variables.clone(),
        };
        let bytes = compensation.bytes();
        if let Some(scope) = self.scope_mut(element.scope) {
            scope.compensations.push(compensation);
            self.owned_bytes += bytes;
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
        let asked = element.compensates.into_iter().chain([key]);
        let around: Vec<Option<ElementKey>> =
            std::iter::successors(element.scope, |key| self.elements.get(key)?.scope)
                .map(Some)
                .chain([None])
                .collect();
        for (by, scope) in asked.flat_map(|by| around.iter().map(move |scope| (by, *scope))) {
            // Handlers run in the scope of the element that asked, or in one around that.
            let is_asked = |scope: &Scope| scope.compensating.contains_key(&by);
            if self.scope(scope).is_some_and(is_asked)
                && let Some(scope) = self.scope_mut(scope)
            {
                let given_up = scope.compensating.remove(&by).into_iter();
                let pending = given_up.flat_map(|run| run.pending);
                scope.compensations.extend(pending);
                scope.compensations.sort_by_key(|completed| completed.seq);
            }
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
        seq: u64,
        key: ElementKey,
        by: ElementKey,
        of: ElementKey,
    ) {
        let Some(scope) = self.elements.get(&key).map(|element| element.scope) else {
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
        let (Some(started), Some(mut element)) = (started, self.take_element(key)) else {
            return;
        };
        self.owned_bytes = self.owned_bytes.saturating_sub(started.bytes());
        element.compensates = Some(by);
        let is_again = element.node == started.node;
        if is_again {
            element.as_scope = started.as_scope;
            element.loop_counter = started.iteration;
            element.unfinished = !started.finished;
        }
        // The handler of an iteration reads what that did.
        if !is_again && started.iteration.is_some() {
            element.undone_iteration = Some(started.node.clone());
        }
        if is_again || started.iteration.is_some() {
            (element.variables, element.owned_bytes) = (started.variables, started.owned_bytes);
        }
        if let (Some(merges), Some(Value::Object(variables))) =
            (&mut self.merges, element.variables.as_deref())
        {
            merges.push(Merge::declaration(seq, key, variables.clone()), seq);
        }
        self.put_element(key, element);
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
