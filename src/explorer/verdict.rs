//! The result of an exploration, in words.

use std::fmt;

use super::{Reached, moves::enabled};
use crate::{engine::InstanceState, model::executable::ExecutableProcess};

/// The result of an exploration.
pub struct Exploration {
    /// Number of reached states.
    pub states: usize,
    /// Whether these are all states; otherwise there is no verdict beyond them.
    pub is_complete: bool,
    /// The faults, the first of each kind and element.
    pub faults: Vec<Fault>,
}

impl Exploration {
    /// Whether it is certain that nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.is_complete && !self.faults.iter().any(|fault| fault.kind.is_fault())
    }

    /// Whether no end event was reached while tokens are left in its scope, which soundness of
    /// workflow nets requires in addition.
    pub fn completes_properly(&self) -> bool {
        let mut kinds = self.faults.iter().map(|fault| fault.kind);
        !kinds.any(|kind| kind == FaultKind::Improper)
    }

    /// The verdict as one line.
    pub fn verdict(&self) -> String {
        let faults = self
            .faults
            .iter()
            .filter(|fault| fault.kind.is_fault())
            .count();
        match (faults, self.is_complete) {
            (0, true) if self.completes_properly() => {
                format!("sound: all {} states can come to an end", self.states)
            }
            (0, true) => format!(
                "sound as BPMN ends a process, with its last token: all {} states can come to an \
                end, but an end event is reached while tokens are left",
                self.states
            ),
            (0, false) => format!(
                "without verdict beyond {} states: nothing is wrong in these, but there are more",
                self.states
            ),
            (faults, true) => format!("unsound: {faults} fault(s) in {} states", self.states),
            (faults, false) => format!(
                "unsound: {faults} fault(s) in {} states, and there are more states",
                self.states
            ),
        }
    }
}

/// A fault of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// Id of the node at which it occurs.
    pub element: String,
    /// The expected and the found behaviour.
    pub sentence: String,
    /// The shortest path to it, step by step; empty for an element that is never reached.
    pub path: Vec<String>,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No step is possible, and the instance has not ended.
    Deadlock,
    /// No sequence of steps leads to an end.
    Endless,
    /// The number of tokens grows without bound.
    Growth,
    /// An element that is never activated.
    Dead,
    /// An element that may be active twice at the same time; BPMN allows it, but it is rarely
    /// intended.
    Twice,
    /// An end event that is reached while tokens are left in its scope; in BPMN these continue, and
    /// soundness of workflow nets forbids it.
    Improper,
    /// An end event of the process that one instance may reach more than once.
    EndTwice,
    /// An element that stops for a reason that depends on data. The flow behind it was not
    /// explored.
    Unknown,
}

impl FaultKind {
    /// Its stable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock",
            Self::Endless => "endless",
            Self::Growth => "unbounded_growth",
            Self::Dead => "dead_element",
            Self::Twice => "active_twice",
            Self::Improper => "improper_completion",
            Self::EndTwice => "end_twice",
            Self::Unknown => "not_explored",
        }
    }

    /// Whether it makes a model unsound.
    pub fn is_fault(self) -> bool {
        match self {
            Self::Deadlock | Self::Endless | Self::Growth | Self::Dead => true,
            Self::Twice | Self::Improper | Self::EndTwice | Self::Unknown => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        if !self.path.is_empty() {
            write!(f, ": {}", self.path.join("; "))?;
        }
        Ok(())
    }
}

/// Collects faults: for each kind and element the first, which has the shortest path.
#[derive(Default)]
pub(super) struct FaultCollector {
    found: Vec<Found>,
}

/// A fault and how to reach it.
struct Found {
    kind: FaultKind,
    element: String,
    sentence: String,
    /// The state in which it was found, or the state before the step in which it was found.
    state: Option<usize>,
    step: Option<String>,
}

impl FaultCollector {
    fn add(&mut self, kind: FaultKind, element: String, sentence: String, state: Option<usize>) {
        self.add_behind(kind, element, sentence, state, None);
    }

    fn add_behind(
        &mut self,
        kind: FaultKind,
        element: String,
        sentence: String,
        state: Option<usize>,
        step: Option<&str>,
    ) {
        let is_known = |known: &Found| known.kind == kind && known.element == element;
        if !self.found.iter().any(is_known) {
            self.found.push(Found {
                kind,
                element,
                sentence,
                state,
                step: step.map(str::to_owned),
            });
        }
    }

    /// Whether exploration stops at a state: an element has an incident that no retry fixes.
    pub fn stops(
        &mut self,
        index: usize,
        process: &ExecutableProcess,
        state: &InstanceState,
    ) -> bool {
        let mut stops = false;
        for (_, element) in state.active() {
            let node = element.node().to_string();
            for incident in element.incidents() {
                let (kind, sentence) = match &*incident.code {
                    "step_limit" => continue,
                    "join_incomplete" => {
                        let gathers = process.node(&node).filter(|node| node.gathers_tokens());
                        let expected = match gathers {
                            Some(activity) => {
                                format!("{} tokens to begin", activity.start_quantity)
                            }
                            None => "a token on every incoming flow of".to_owned(),
                        };
                        let sentence =
                            format!("expected {expected} '{node}', but no other token is left");
                        (FaultKind::Deadlock, sentence)
                    }
                    "element_limit" => {
                        let sentence = format!("expected a bound on tokens, but '{node}' has none");
                        (FaultKind::Growth, sentence)
                    }
                    // Nothing is lost as long as something else continues.
                    code => {
                        let sentence = format!(
                            "'{node}' stops by a {code}, so the flow behind it was not explored"
                        );
                        (FaultKind::Unknown, sentence)
                    }
                };
                stops |= kind != FaultKind::Unknown || enabled(process, state).is_empty();
                self.add(kind, node.clone(), sentence, Some(index));
            }
        }
        stops
    }

    /// Reports a state in which no step is possible.
    pub fn stuck(&mut self, index: usize, process: &ExecutableProcess, state: &InstanceState) {
        let waits = state.active().find(|(_, element)| {
            let node = process.node(element.node());
            node.is_some() && element.incidents().is_empty()
        });
        let node = waits.map_or_else(String::new, |(_, element)| element.node().to_string());
        let sentence = format!("expected '{node}' to be left, but it waits forever");
        self.add(FaultKind::Deadlock, node, sentence, Some(index));
    }

    /// Reports a state that has all tokens of an earlier one, and more.
    pub fn grows(&mut self, index: usize, place: String) {
        let sentence =
            format!("expected a bound on tokens, but each round leaves one more at '{place}'");
        self.add(FaultKind::Growth, place, sentence, Some(index));
    }

    /// Reports a node that may be active twice.
    pub fn twice(&mut self, index: usize, place: String) {
        let sentence = format!(
            "'{place}' may be active twice at the same time: flows of parallel branches meet \
            without a join"
        );
        self.add(FaultKind::Twice, place, sentence, Some(index));
    }

    /// Reports a step that completed an end event while a token is left at a node in the same
    /// scope.
    pub fn improper(&mut self, state: usize, step: &str, end: &str, left: &str) {
        let sentence = format!(
            "'{end}' is reached while a token is left at '{left}': BPMN continues with it, and ends \
            with the last one"
        );
        let kind = FaultKind::Improper;
        self.add_behind(kind, end.to_owned(), sentence, Some(state), Some(step));
    }

    /// Reports a step that completes an end event of the process that was reached before.
    pub fn end_again(&mut self, state: usize, step: &str, end: &str) {
        let sentence = format!("'{end}' may be reached more than once in one instance");
        let kind = FaultKind::EndTwice;
        self.add_behind(kind, end.to_owned(), sentence, Some(state), Some(step));
    }

    /// Reports a node that was never activated.
    pub fn dead(&mut self, node: &str) {
        let sentence = format!("expected '{node}' to be activated, but it never is");
        self.add(FaultKind::Dead, node.to_owned(), sentence, None);
    }

    /// Reports a state from which no end can be reached.
    pub fn endless(&mut self, index: usize) {
        let sentence = "expected a way to an end, but none leads there from here";
        self.add(
            FaultKind::Endless,
            String::new(),
            sentence.to_owned(),
            Some(index),
        );
    }

    pub fn into_exploration(self, reached: &[Reached], is_complete: bool) -> Exploration {
        let stops_early = self
            .found
            .iter()
            .any(|found| matches!(found.kind, FaultKind::Growth | FaultKind::Unknown));
        let faults = self.found.into_iter();
        // What is behind these was not explored.
        let faults = faults.filter(|found| found.kind != FaultKind::Dead || !stops_early);
        let faults = faults.map(|found| {
            let way = found.state.map(|state| path(reached, state));
            let way = way.into_iter().flatten();
            Fault {
                kind: found.kind,
                element: found.element,
                sentence: found.sentence,
                path: way.chain(found.step).collect(),
            }
        });
        Exploration {
            states: reached.len(),
            is_complete,
            faults: faults.collect(),
        }
    }
}

/// The steps that led to a state.
fn path(reached: &[Reached], state: usize) -> Vec<String> {
    let mut steps = Vec::new();
    let mut at = state;
    loop {
        steps.push(reached[at].step.clone());
        if reached[at].from == at {
            steps.reverse();
            return steps;
        }
        at = reached[at].from;
    }
}
