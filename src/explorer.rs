//! The soundness explorer: walks every interleaving of a small model through the pure engine and
//! reports where it gets stuck, grows without bound, never arrives, or ends with tokens left.
//!
//! Data are ignored: a condition may be true or false, except that in an exclusive or inclusive
//! gateway without default flow at least one always holds. Waiting elements are continued in every
//! order: user tasks are completed, timers fire, messages and signals arrive, called processes end
//! normally or with every error that is caught around them. The engine's limit of activations is 0
//! here, so that each step moves one element and the elements of parallel branches interleave.
//!
//! Not covered: the values of data (a path it finds may never be taken), the work of actions, back
//! steps, holds. A non-interrupting event occurs at most twice for one activity. Beyond
//! [`EXPLORED_STATES`](crate::limits::EXPLORED_STATES) states there is no verdict.
//!
//! Where to go next: `model` for the simplified definition, `moves` for what can happen next,
//! `oracle` for the conditions, `marking` for when two states are equal, `verdict` for the report.
//!
//! # Rationale
//!
//! **The explorer walks the engine, not a net derived from the model.** With a limit of no
//! activation each step moves one element, so parallel branches interleave, and what is verified is
//! what runs; a second semantics would have to be kept equal. States are distinguished by what an
//! instance remembers, without times and numbers.

mod marking;
mod model;
mod moves;
mod oracle;
mod verdict;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    engine::{InstanceState, Record, RecordBatch, state::Scope},
    model::{
        compile,
        definition::ProcessDefinition,
        executable::{ExecutableNode, ExecutableProcess},
        node_kind::{ExecutableEventDefinition, NodeKind},
        problem::Problem,
    },
};

use marking::Marking;
use verdict::FaultCollector;
pub use verdict::{Exploration, Fault, FaultKind};

/// How often a non-interrupting event occurs at its activity.
const OCCURRENCES: u32 = 2;
/// Number of steps back along a path that are searched for growth.
const STEPS_BACK: usize = 1_000;

/// A reached state, without the engine's own state.
struct Reached {
    /// The state before it; itself for an initial state.
    from: usize,
    /// The step that led here, for people.
    step: String,
    /// Whether that step may be repeated without limit.
    recurs: bool,
    marking: Marking,
    leads_to: Vec<usize>,
    end: End,
}

/// How far a state is explored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Execution continues.
    Open,
    /// The instance has ended.
    Ended,
    /// Something is wrong here, or it is unknown how execution continues.
    Stopped,
}

/// Explores the control flow of a definition, visiting at most this many states. Parts that do not
/// affect the control flow (conditions, times, names) need not be valid.
///
/// # Errors
/// The problems of a definition whose control flow cannot run.
pub fn explore(definition: &ProcessDefinition, most: usize) -> Result<Exploration, Vec<Problem>> {
    let (process, _) = compile::compile(model::bare(definition))?;
    let mut walk = Walk {
        process: &process,
        known: HashMap::new(),
        reached: Vec::new(),
        open: VecDeque::new(),
        activated: BTreeSet::new(),
        ends: Vec::new(),
        faults: FaultCollector::default(),
        is_complete: true,
    };
    walk.begin();
    while let Some((index, state)) = walk.open.pop_front() {
        if walk.reached.len() >= most {
            walk.is_complete = false;
            break;
        }
        walk.expand(index, &state);
    }
    Ok(walk.into_exploration())
}

/// An exploration in progress.
struct Walk<'a> {
    process: &'a ExecutableProcess,
    /// By the key that distinguishes states.
    known: HashMap<String, usize>,
    reached: Vec<Reached>,
    /// States whose moves have not been explored yet.
    open: VecDeque<(usize, InstanceState)>,
    /// Nodes that were activated at least once.
    activated: BTreeSet<Arc<str>>,
    /// Steps that completed end events of the process.
    ends: Vec<Ending>,
    faults: FaultCollector,
    /// Whether nothing was left out.
    is_complete: bool,
}

/// A step that completed an end event of the process.
struct Ending {
    node: Arc<str>,
    from: usize,
    to: usize,
    step: String,
}

impl Walk<'_> {
    fn begin(&mut self) {
        let events = self.process.event_starts().map(|(node, _, _)| node);
        let by_event = events.filter(|node| node.start().is_none());
        let starts = self.process.start_events().map(|(node, _)| node);
        for node in starts.chain(by_event) {
            let (state, row) = moves::start(self.process, node);
            self.note(&row);
            self.reach(None, format!("start at '{}'", node.id), false, state);
        }
    }

    fn note(&mut self, row: &RecordBatch) {
        for record in &row.records {
            if let Record::ElementActivated { node, .. } = record {
                self.activated.insert(node.clone());
            }
        }
    }

    fn expand(&mut self, index: usize, state: &InstanceState) {
        let moves = moves::enabled(self.process, state);
        if moves.is_empty() {
            self.reached[index].end = End::Stopped;
            self.faults.stuck(index, self.process, state);
            return;
        }
        for next in moves {
            let (found, is_all) = moves::perform(self.process, state, &next);
            self.is_complete &= is_all;
            for (after, row, choice) in found {
                self.note(&row);
                let step = next.description(&choice);
                for (end, left) in left_behind(self.process, state, &after, &row) {
                    self.faults.improper(index, &step, &end, &left);
                }
                let ends = process_ends(self.process, &row);
                let to = self.reach(Some(index), step.clone(), next.recurs(), after);
                let ends = ends.into_iter();
                self.ends.extend(ends.map(|node| Ending {
                    node,
                    from: index,
                    to,
                    step: step.clone(),
                }));
            }
        }
    }

    fn reach(
        &mut self,
        from: Option<usize>,
        step: String,
        recurs: bool,
        state: InstanceState,
    ) -> usize {
        let key = marking::key(&state);
        let index = self.reached.len();
        if let Some(&known) = self.known.get(&key) {
            if let Some(from) = from {
                self.reached[from].leads_to.push(known);
            }
            return known;
        }
        self.known.insert(key, index);
        self.reached.push(Reached {
            from: from.unwrap_or(index),
            step,
            recurs,
            marking: Marking::of(&state),
            leads_to: Vec::new(),
            end: End::Open,
        });
        if let Some(from) = from {
            self.reached[from].leads_to.push(index);
        }
        let end = if !state.status().is_live() {
            End::Ended
        } else if self.faults.stops(index, self.process, &state) || self.grows(index) {
            End::Stopped
        } else {
            End::Open
        };
        self.reached[index].end = end;
        self.twice(index);
        if end == End::Open {
            self.open.push_back((index, state));
        }
        index
    }

    /// Whether a state before this one had the same tokens but fewer of them: the steps from there
    /// to here can then be repeated forever. With an inclusive join this does not follow.
    fn grows(&mut self, index: usize) -> bool {
        if self.process.has_late_join() {
            return false;
        }
        let mut at = index;
        for _ in 0..STEPS_BACK {
            let reached = &self.reached[at];
            if reached.recurs || reached.from == at {
                return false;
            }
            at = reached.from;
            if let Some(more) = self.reached[index]
                .marking
                .beyond(&self.reached[at].marking)
            {
                self.faults.grows(index, more);
                return true;
            }
        }
        false
    }

    /// Reports a node that is active twice, unless an event that does not interrupt has occurred
    /// twice before: that the path behind it is then active twice is intended.
    fn twice(&mut self, index: usize) {
        let Some(node) = self.reached[index].marking.twice() else {
            return;
        };
        let (mut at, mut occurred) = (index, BTreeSet::new());
        while self.reached[at].from != at {
            let reached = &self.reached[at];
            if reached.recurs && !occurred.insert(&reached.step) {
                return;
            }
            at = reached.from;
        }
        self.faults.twice(index, node);
    }

    /// End events of the process that one instance may reach more than once.
    fn end_again(&mut self) {
        let nodes: BTreeSet<&Arc<str>> = self.ends.iter().map(|end| &end.node).collect();
        for node in nodes {
            let of_node = || self.ends.iter().filter(|end| end.node == *node);
            let behind = behind(&self.reached, of_node().map(|end| end.to));
            if let Some(again) = of_node().find(|end| behind[end.from]) {
                self.faults.end_again(again.from, &again.step, node);
            }
        }
    }

    fn into_exploration(mut self) -> Exploration {
        self.end_again();
        if self.is_complete {
            let nodes = self.process.nodes().iter();
            // A boundary event of compensation is only the link to its handler.
            let nodes = nodes.filter(|node| !leads_to_handler(node));
            let dead = nodes.filter(|node| !self.activated.contains(&node.id));
            for node in dead {
                self.faults.dead(&node.id);
            }
            if let Some(index) = endless(&self.reached) {
                self.faults.endless(index);
            }
        }
        self.faults
            .into_exploration(&self.reached, self.is_complete)
    }
}

fn leads_to_handler(node: &ExecutableNode) -> bool {
    match &node.kind {
        NodeKind::Boundary { event, .. } => event
            .iter()
            .any(|event| matches!(event, ExecutableEventDefinition::Compensation(_))),
        NodeKind::Start(_)
        | NodeKind::End(_)
        | NodeKind::Catch(_)
        | NodeKind::Throw(_)
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => false,
    }
}

/// The end events that a step completed while other tokens remain in their scope, each with the
/// node of one such token.
fn left_behind(
    process: &ExecutableProcess,
    before: &InstanceState,
    after: &InstanceState,
    row: &RecordBatch,
) -> Vec<(Arc<str>, Arc<str>)> {
    let mut found = Vec::new();
    for record in &row.records {
        let Record::ElementCompleted { element, node, .. } = record else {
            continue;
        };
        let is_end = process
            .node(node)
            .is_some_and(|node| matches!(node.kind, NodeKind::End(_)));
        let Some(scope) = before.element(*element).filter(|_| is_end) else {
            continue;
        };
        let scope = scope.scope();
        let mut active = after
            .active()
            .filter(|(_, element)| element.scope() == scope);
        let waits = after.scope(scope).and_then(|held| {
            let mut waiting = Scope::waiting(held);
            waiting.next().map(|(node, _)| node.clone())
        });
        let left = active.next().map(|(_, element)| element.node().clone());
        found.extend(left.or(waits).map(|left| (node.clone(), left)));
    }
    found
}

/// The completed end events of the process itself.
fn process_ends(process: &ExecutableProcess, row: &RecordBatch) -> Vec<Arc<str>> {
    let mut ends = Vec::new();
    for record in &row.records {
        if let Record::ElementCompleted { node, .. } = record
            && process
                .node(node)
                .is_some_and(|node| node.scope.is_none() && matches!(node.kind, NodeKind::End(_)))
        {
            ends.push(node.clone());
        }
    }
    ends
}

/// The states reachable from these.
fn behind(reached: &[Reached], from: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut is_behind = vec![false; reached.len()];
    let mut open: Vec<usize> = from.collect();
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut is_behind[index], true) {
            open.extend(&reached[index].leads_to);
        }
    }
    is_behind
}

/// The first state from which no end can be reached.
fn endless(reached: &[Reached]) -> Option<usize> {
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); reached.len()];
    for (index, state) in reached.iter().enumerate() {
        state
            .leads_to
            .iter()
            .for_each(|&next| before[next].push(index));
    }
    let mut ends = vec![false; reached.len()];
    let mut open: Vec<usize> = Vec::new();
    open.extend((0..reached.len()).filter(|&index| reached[index].end != End::Open));
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut ends[index], true) {
            open.extend(&before[index]);
        }
    }
    ends.iter().position(|ends| !ends)
}
