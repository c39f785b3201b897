//! The counterpart of each element in the target, and the elements without one, with the reason.
//! Nothing is changed here.

use std::{
    mem::{Discriminant, discriminant},
    sync::Arc,
};

use super::target::MigrationTarget;
use crate::{
    engine::state::{ElementInstance, InstanceState, Scope},
    model::{
        executable::{ExecutableNode, ExecutableProcess},
        ids::ElementKey,
        loop_characteristics::Loop,
        node_kind::{EventDefinitions, ExecutableEventDefinition, GatewayKind, NodeKind, TaskKind},
    },
};

/// The plan of a migration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MigrationPlan {
    /// Its active elements, in order of activation.
    pub elements: Vec<PlannedElement>,
    /// The reasons against the migration; with any, nothing is migrated.
    pub problems: Vec<MigrationProblem>,
}

/// An active element and its counterpart.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedElement {
    /// The key of the element.
    pub element: ElementKey,
    /// Its node.
    pub node: Arc<str>,
    /// The node of its counterpart; `None` without a counterpart.
    pub to: Option<Arc<str>>,
}

/// A part of the instance that has no counterpart in the target.
#[derive(Clone, Debug, PartialEq)]
pub struct MigrationProblem {
    /// The element; `None` when the problem concerns a join, a completed element, or the mapping.
    pub element: Option<ElementKey>,
    /// The node.
    pub node: Arc<str>,
    /// The problem and its remedy, as a continuation after “but”.
    pub message: String,
}

/// Checks everything that is active or waits.
pub(super) fn make(
    source: &ExecutableProcess,
    state: &InstanceState,
    target: &MigrationTarget<'_>,
) -> MigrationPlan {
    let mut planner = Planner {
        source,
        target,
        plan: MigrationPlan::default(),
    };
    planner.check_mapping();
    for (key, element) in state.active() {
        planner.check_element(key, element);
    }
    for (by, open) in state.all_subscriptions() {
        for event in open.begun() {
            planner.check_begun(by.element(), event);
        }
    }
    planner.check_scope(state.scope(None));
    for (_, element) in state.active() {
        planner.check_scope(element.as_scope());
    }
    planner.plan
}

struct Planner<'a> {
    source: &'a ExecutableProcess,
    target: &'a MigrationTarget<'a>,
    plan: MigrationPlan,
}

impl Planner<'_> {
    fn problem(&mut self, element: Option<ElementKey>, node: &str, why: &str) {
        self.plan.problems.push(MigrationProblem {
            element,
            node: node.into(),
            message: format!("'{node}' {why}"),
        });
    }

    fn check_mapping(&mut self) {
        for (from, to) in self.target.mapping {
            let is_known = |process: &ExecutableProcess, id: &str| {
                process.node(id).is_some() || process.source_of(id).is_some()
            };
            if !is_known(self.source, from) {
                let why = "is mapped, but the version that the instance runs has no such node or \
                     flow: leave it out";
                self.problem(None, from, why);
            } else if !is_known(self.target.process, to) {
                let why = format!(
                    "is mapped to '{to}', which the target does not have: map it to a node of it"
                );
                self.problem(None, from, &why);
            }
        }
    }

    /// The id of a node or flow in the target.
    fn renamed<'i>(&'i self, id: &'i str) -> &'i str {
        self.target.mapping.get(id).map_or(id, String::as_str)
    }

    fn check_element(&mut self, key: ElementKey, element: &ElementInstance) {
        let id = element.node().clone();
        let counterpart = self.target.process.node(self.renamed(&id));
        self.plan.elements.push(PlannedElement {
            element: key,
            node: id.clone(),
            to: counterpart.map(|node| node.id.clone()),
        });
        let Some(node) = self.source.node(&id) else {
            return self.problem(
                Some(key),
                &id,
                "is not in the version that the instance runs",
            );
        };
        let Some(counterpart) = counterpart else {
            return self.problem(
                Some(key),
                &id,
                "is not in the target: map it to another node, or move its token first",
            );
        };
        if let Some(why) = self.difference(node, counterpart) {
            return self.problem(Some(key), &id, &why);
        }
        if element.is_undoing() {
            let why = "undoes what was done: wait until it has, or skip what fails there";
            return self.problem(Some(key), &id, why);
        }
        let at_work: Vec<Arc<str>> = element.actions_at_work().cloned().collect();
        for action in at_work {
            if counterpart.action(&action).is_none() {
                let why = format!(
                    "is at work on its action '{action}', which '{}' of the target does not have: \
                     wait until it is done, or skip it",
                    counterpart.id
                );
                self.problem(Some(key), &id, &why);
            }
        }
    }

    /// The reason why a node is no counterpart of another.
    fn difference(&self, node: &ExecutableNode, counterpart: &ExecutableNode) -> Option<String> {
        let to = &counterpart.id;
        if shape(&node.kind) != shape(&counterpart.kind) {
            return Some(format!(
                "is another kind of element than '{to}' of the target: map it to one of its kind, \
                 or move its token first"
            ));
        }
        let scope = node.scope.as_deref().map(|scope| self.renamed(scope));
        if scope != counterpart.scope.as_deref() {
            return Some(format!(
                "lies in another subprocess than '{to}' of the target: map the subprocess, too, or \
                 move its token first"
            ));
        }
        if runs(node.looping.as_ref()) != runs(counterpart.looping.as_ref()) {
            return Some(format!(
                "runs once or more than once in another way than '{to}' of the target: map it to \
                 one that runs as it does"
            ));
        }
        None
    }

    /// A parallel event of which some definitions have occurred: the others must exist in the
    /// target, otherwise it is never triggered.
    fn check_begun(&mut self, by: Option<ElementKey>, event: &str) {
        let awaited = |node: &ExecutableNode| node.kind.awaited().map(events);
        let to = self.target.process.node(self.renamed(event));
        // An event that the target does not wait for at all is no problem.
        let Some((to, wanted)) = to.and_then(|to| Some((to, awaited(to)?))) else {
            return;
        };
        if self.source.node(event).and_then(awaited) != Some(wanted) {
            let why = format!(
                "waits for the rest of its event definitions (parallelMultiple), as some have come, and \
                 '{}' of the target has others: wait until all have come, or map it to one with the same",
                to.id
            );
            self.problem(by, event, &why);
        }
    }

    /// Checks flows that wait at joins, and activities that may be compensated.
    fn check_scope(&mut self, scope: Option<&Scope>) {
        let Some(scope) = scope else { return };
        for (join, arrivals) in scope.waiting() {
            let flows: Vec<&str> = arrivals.iter().map(|arrival| &*arrival.flow).collect();
            self.check_join(join, &flows);
        }
        for join in scope.all_resetting() {
            let taken = scope.resetting(join).unwrap_or_default();
            let flows: Vec<&str> = taken.iter().map(|arrival| &*arrival.flow).collect();
            self.check_join(join, &flows);
        }
        for completed in scope.remembered_nodes() {
            let node = self.source.node(completed);
            let counterpart = self.target.process.node(self.renamed(completed));
            let can_be_undone = |(node, to): (&ExecutableNode, &ExecutableNode)| {
                let has_handler = |node: &ExecutableNode| node.compensation_handler.is_some();
                shape(&node.kind) == shape(&to.kind) && has_handler(node) == has_handler(to)
            };
            if !node.zip(counterpart).is_some_and(can_be_undone) {
                let why = "has completed and may be undone, which the target could not do: map it to \
                     one of its kind with a compensation handler";
                self.problem(None, completed, why);
            }
        }
    }

    fn check_join(&mut self, join: &Arc<str>, flows: &[&str]) {
        let node = self.source.node(join);
        let counterpart = self.target.process.node(self.renamed(join));
        let joined = node
            .zip(counterpart)
            .filter(|(node, to)| to.is_join() && self.difference(node, to).is_none());
        let Some((_, counterpart)) = joined else {
            let why = "holds tokens that wait for others, and no join of its kind in the target \
                 does: map it to one";
            return self.problem(None, join, why);
        };
        let lost = flows.iter().find(|flow| {
            let flow = self.renamed(flow);
            !counterpart
                .incoming
                .iter()
                .any(|incoming| **incoming == *flow)
        });
        if let Some(flow) = lost {
            let why = format!(
                "holds a token that came by the flow '{flow}', which does not lead to '{}' in the \
                 target: map the flow to one that does",
                counterpart.id
            );
            self.problem(None, join, &why);
        }
    }
}

/// The properties of a node's kind on which its element instances depend.
type Shape = (
    Discriminant<NodeKind>,
    Option<(Vec<Discriminant<ExecutableEventDefinition>>, bool)>,
    Option<Discriminant<TaskKind>>,
    Option<Discriminant<GatewayKind>>,
    [bool; 3],
);

/// The types of the definitions of an event, and whether all have to occur.
fn events(event: &EventDefinitions) -> (Vec<Discriminant<ExecutableEventDefinition>>, bool) {
    (
        event.iter().map(discriminant).collect(),
        event.is_parallel(),
    )
}

fn shape(kind: &NodeKind) -> Shape {
    let (mut event, mut task, mut gateway, mut flags) = (None, None, None, [false; 3]);
    match kind {
        NodeKind::Start(start) => event = Some(events(&start.event)),
        NodeKind::End(thrown) | NodeKind::Throw(thrown) => event = Some(events(thrown)),
        NodeKind::Catch(caught) => event = Some(events(caught)),
        NodeKind::Boundary {
            event: caught,
            interrupting,
            ..
        } => (event, flags[0]) = (Some(events(caught)), *interrupting),
        NodeKind::Task(kind) => task = Some(discriminant(kind)),
        NodeKind::Call(_) => {}
        NodeKind::SubProcess(it) => {
            flags = [it.transaction, it.ad_hoc.is_some(), it.triggered_by_event];
        }
        NodeKind::Gateway(kind) => gateway = Some(discriminant(kind)),
    }
    (discriminant(kind), event, task, gateway, flags)
}

/// How a node is repeated: in parallel, sequentially, or as a standard loop.
fn runs(looping: Option<&Loop>) -> Option<Option<bool>> {
    looping.map(|looping| match looping {
        Loop::MultiInstance(multi) => Some(multi.sequential),
        Loop::Standard { .. } => None,
    })
}
