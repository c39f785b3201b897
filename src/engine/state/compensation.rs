//! The completed activities that may be compensated, scope by scope in order of completion, and
//! those that are being compensated.
//!
//! A completed embedded subprocess keeps the activities completed in it, and its variables; a whole
//! keeps its iterations. The kept variables count to the bytes of variables that elements own.
//! `engine::compensation` runs the handlers.

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
    /// The number of the record that completed it, or the last one in it if it was terminated.
    seq: u64,
    element: ElementKey,
    node: Arc<str>,
    /// Whether it completed; otherwise it was terminated because a transaction around it was
    /// cancelled.
    finished: bool,
    /// The number of the iteration that it was, if it was one.
    iteration: Option<u32>,
    /// The activities completed in it as a scope.
    as_scope: Option<Box<Scope>>,
    /// Its variables at its completion, and their bytes.
    variables: Option<Box<Value>>,
    owned_bytes: usize,
}

/// The compensation requested by one element, as far as it has not begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompensationRun {
    /// The activities in order of completion: the last is compensated next.
    pending: Vec<Compensation>,
    /// The lineage of its handlers.
    arrivals: Vec<Arrival>,
}

impl Compensation {
    /// The completed element.
    pub fn element(&self) -> ElementKey {
        self.element
    }

    /// The node of that element.
    pub fn node(&self) -> &Arc<str> {
        &self.node
    }

    /// Whether it completed; otherwise only the activities completed in it are compensated.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The number of the iteration that it was, if it was one.
    pub fn iteration(&self) -> Option<u32> {
        self.iteration
    }

    /// The number of completed activities in it, itself included.
    fn size(&self) -> usize {
        1 + self.as_scope.as_deref().map_or(0, Scope::remembered)
    }

    /// The bytes of variables kept for it and for the activities completed in it.
    fn bytes(&self) -> usize {
        self.owned_bytes + self.as_scope.as_deref().map_or(0, Scope::remembered_bytes)
    }
}

impl CompensationRun {
    /// The activity that is compensated next.
    pub fn next(&self) -> Option<&Compensation> {
        self.pending.last()
    }

    /// The activities whose compensation has not begun, in order of completion.
    pub fn pending(&self) -> &[Compensation] {
        &self.pending
    }

    /// The lineage of its handlers.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }
}

impl Scope {
    /// The activities completed in it that may be compensated, in order of completion.
    pub fn compensations(&self) -> &[Compensation] {
        &self.compensations
    }

    /// The compensation requested by an element here, while it is in progress.
    pub fn compensating(&self, by: ElementKey) -> Option<&CompensationRun> {
        self.compensating.get(&by)
    }

    /// All compensation requested here that is in progress.
    pub fn compensation_runs(&self) -> impl Iterator<Item = &CompensationRun> {
        self.compensating.values()
    }

    /// The nodes of all activities that may be or are to be compensated in it, at any depth.
    pub fn remembered_nodes(&self) -> Vec<&Arc<str>> {
        let mut nodes = Vec::new();
        for remembered in self.all_remembered() {
            nodes.push(&remembered.node);
            let inside = remembered.as_scope.as_deref();
            nodes.extend(inside.into_iter().flat_map(Scope::remembered_nodes));
        }
        nodes
    }

    /// Renames the nodes of activities that may be compensated to their ids in another version.
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

    /// The number of the record that completed the last of the activities completed in it.
    fn last_completion(&self) -> Option<u64> {
        self.compensations.last().map(|completed| completed.seq)
    }

    /// Keeps activities again whose compensation did not take place.
    fn keep_again(&mut self, given_up: impl IntoIterator<Item = Compensation>) {
        self.compensations.extend(given_up);
        self.compensations.sort_by_key(|completed| completed.seq);
    }

    fn all_remembered(&self) -> impl Iterator<Item = &Compensation> {
        let pending = self.compensating.values().flat_map(|run| &run.pending);
        self.compensations.iter().chain(pending)
    }

    fn remembered(&self) -> usize {
        self.all_remembered().map(Compensation::size).sum()
    }

    /// The bytes of variables kept for activities that may be compensated in it.
    pub fn remembered_bytes(&self) -> usize {
        self.all_remembered().map(Compensation::bytes).sum()
    }
}

impl ElementInstance {
    /// The bytes that its variables count once they are kept to compensate it.
    pub fn bytes_kept(&self) -> usize {
        let text = self.variables.as_deref().map(Value::to_string);
        self.owned_bytes.max(text.map_or(0, |text| text.len()))
    }

    /// The bytes that it counts, including those kept in it as a scope, and for the activity that it
    /// compensates.
    pub fn bytes(&self) -> usize {
        let in_scope = self.as_scope.as_deref().map_or(0, Scope::remembered_bytes);
        let undoing = self.undoing.as_deref().map_or(0, Compensation::bytes);
        self.owned_bytes + in_scope + undoing
    }

    /// Takes what it keeps as a scope for a later compensation. Nothing in it is active any more.
    fn take_kept_scope(&mut self) -> Option<Box<Scope>> {
        self.as_scope.take().map(|mut scope| {
            let runs = std::mem::take(&mut scope.compensating);
            scope.keep_again(runs.into_values().flat_map(|run| run.pending));
            (scope.waiting, scope.resetting) = Default::default();
            (scope.live, scope.subscriptions, scope.interrupted) = (0, None, false);
            scope
        })
    }
}

impl InstanceState {
    /// The number of completed activities that may be compensated, in all scopes.
    pub fn compensations(&self) -> usize {
        let of_elements = self
            .elements
            .values()
            .filter_map(|element| element.as_scope.as_deref());
        let kept: usize = of_elements.chain([&self.root]).map(Scope::remembered).sum();
        let undoing = self
            .elements
            .values()
            .filter_map(|it| it.undoing.as_deref());
        kept + undoing.map(Compensation::size).sum::<usize>()
    }

    /// Keeps an element that completes or is terminated, for a later compensation.
    pub(super) fn remember(
        &mut self,
        seq: u64,
        element: &mut ElementInstance,
        key: ElementKey,
        finished: bool,
    ) {
        let as_scope = element.take_kept_scope();
        let completed = as_scope.as_ref().and_then(|scope| scope.last_completion());
        let compensation = Compensation {
            seq: completed.filter(|_| !finished).unwrap_or(seq),
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
            scope.keep_again([compensation]);
            self.owned_bytes += bytes;
        }
    }

    /// Ends the compensation of an element that is terminated. The activity that it compensates, and
    /// those whose compensation it has requested, and which has not begun, may be compensated later.
    /// When a transaction around it is cancelled, so may the activities completed in it.
    pub(super) fn give_up_compensation(
        &mut self,
        seq: u64,
        element: &mut ElementInstance,
        key: ElementKey,
    ) {
        let requesters = element.compensates.into_iter().chain([key]);
        let around: Vec<Option<ElementKey>> =
            std::iter::successors(element.scope, |key| self.elements.get(key)?.scope)
                .map(Some)
                .chain([None])
                .collect();
        for (by, scope) in requesters.flat_map(|by| around.iter().map(move |scope| (by, *scope))) {
            // Handlers run in the scope of the element that requested them, or in a scope around
            // it.
            let is_requested = |scope: &Scope| scope.compensating.contains_key(&by);
            if self.scope(scope).is_some_and(is_requested)
                && let Some(scope) = self.scope_mut(scope)
            {
                let given_up = scope.compensating.remove(&by).into_iter();
                scope.keep_again(given_up.flat_map(|run| run.pending));
            }
        }
        if let Some(undoing) = element.undoing.take() {
            return self.keep_undone(*undoing, element);
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

    /// Keeps the activity again that a terminated element was to compensate.
    fn keep_undone(&mut self, mut undoing: Compensation, element: &mut ElementInstance) {
        if undoing.node == element.node {
            undoing.owned_bytes = element.bytes_kept();
            undoing.variables = element.variables.take();
            undoing.as_scope = element.take_kept_scope();
        }
        let bytes = undoing.bytes();
        if let Some(scope) = self.scope_mut(element.scope) {
            scope.keep_again([undoing]);
            self.owned_bytes += bytes;
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
            // Handlers that run inside the element descend from it through their scope.
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
        let (Some(mut started), Some(mut element)) = (started, self.take_element(key)) else {
            return;
        };
        self.owned_bytes = self.owned_bytes.saturating_sub(started.bytes());
        element.compensates = Some(by);
        let is_again = element.node == started.node;
        if is_again {
            element.as_scope = started.as_scope.take();
            element.loop_counter = started.iteration;
            element.unfinished = !started.finished;
            element.variables = started.variables.take();
            element.owned_bytes = std::mem::take(&mut started.owned_bytes);
        }
        // The handler of an iteration reads the variables of that iteration.
        if !is_again && started.iteration.is_some() {
            element.undone_iteration = Some(started.node.clone());
            element.variables.clone_from(&started.variables);
            element.owned_bytes = started.owned_bytes;
        }
        if let (Some(merges), Some(Value::Object(variables))) =
            (&mut self.merges, element.variables.as_deref())
        {
            merges.push(Merge::declaration(seq, key, variables.clone()), seq);
        }
        element.undoing = Some(Box::new(started));
        self.put_element(key, element);
    }

    pub(super) fn complete_compensation(&mut self, handler: ElementKey) {
        let Some(element) = self.elements.get_mut(&handler) else {
            return;
        };
        let (by, scope) = (element.compensates.take(), element.scope);
        // It has finished its compensation, and is not compensated itself when it completes.
        element.has_undone = true;
        let undone = element.undoing.take().map_or(0, |undone| undone.bytes());
        self.owned_bytes = self.owned_bytes.saturating_sub(undone);
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
