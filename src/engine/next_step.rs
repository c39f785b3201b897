//! The next step, which receivers get after each row: where the tokens are and which actions may be
//! run now. Derived, never stored. The parts that one receiver may see and do:
//! `permissions::Permissions`.
//!
//! Owned and cheap (names are shared), so it can outlive the step that made it; `session` writes it
//! as JSON.

use std::sync::Arc;

use serde_json::Value;

use super::{
    actions::selection,
    instance_outcome::{InstanceOutcome, outcome},
    record::{Incident, Status},
    state::{ElementInstance, InstanceState},
};
use crate::{
    limits,
    model::{
        action::Trigger,
        executable::{ExecutableAction, ExecutableNode, ExecutableProcess},
        ids::{ElementKey, Time},
    },
};

/// The next step of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct NextStep {
    /// Status of the instance.
    pub status: Status,
    /// How it went, once it has finished.
    pub outcome: Option<InstanceOutcome>,
    /// One per active element, in order of activation.
    pub tokens: Vec<Token>,
    /// What may be run now: by element, then order; back steps last.
    pub offers: Vec<Offer>,
}

/// A token, shown wherever an element instance is active.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The element.
    pub element: ElementKey,
    /// Id of its node.
    pub node: Arc<str>,
    /// The element of the embedded subprocess it is in; `None` in the process itself.
    pub scope: Option<ElementKey>,
    /// Which iteration of its scope it is, from 1; `None` for anything else.
    pub loop_counter: Option<u32>,
    /// The subject it belongs to.
    pub assignee: Option<Arc<str>>,
    /// When it is due.
    pub due: Option<Time>,
    /// When it reminded of itself last.
    pub reminded: Option<Time>,
    /// Its oldest unresolved incident.
    pub incident: Option<Incident>,
}

/// A manual action that may be run now.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The element it belongs to.
    pub element: ElementKey,
    /// Id of the node.
    pub node: Arc<str>,
    /// Name of the action.
    pub action: Arc<str>,
    /// The subject the element belongs to.
    pub assignee: Option<Arc<str>>,
    /// Whether running it moves the token back.
    pub back: bool,
    /// What the data hold at its keys, as an object: what a form begins with. `None` when they hold
    /// nothing there, or more than [`limits::INITIAL_BYTES`].
    pub initial: Option<Arc<Value>>,
}

impl NextStep {
    /// Whether any of it belongs to somebody.
    pub fn is_assigned(&self) -> bool {
        self.tokens.iter().any(|token| token.assignee.is_some())
            || self.offers.iter().any(|offer| offer.assignee.is_some())
    }
}

/// Reads the next step off the state.
pub fn next_step(process: &ExecutableProcess, state: &InstanceState) -> NextStep {
    let mut tokens = Vec::new();
    let mut offers = Vec::new();
    let moves = state.status() != Status::OnHold;
    for (key, element) in state.active() {
        let Some(node) = process.node(element.node()) else {
            continue;
        };
        let assignee = element.assignee().cloned();
        tokens.push(Token {
            element: key,
            node: node.id.clone(),
            scope: element.scope(),
            loop_counter: element.loop_counter(),
            assignee,
            due: element.due(),
            reminded: element.reminded(),
            incident: element.incidents().first().cloned(),
        });
        let moves = moves && !element.is_whole(node);
        let runnable = manual(node)
            .filter(|action| moves && selection::can_run(element, node, action).is_ok());
        offers.extend(runnable.map(|action| offer(state, key, node, action, false)));
    }
    for (key, element) in state.retained() {
        let Some(node) = process.node(element.node()) else {
            continue;
        };
        let open = manual(node).filter(|action| moves && opens_back(element, action));
        offers.extend(open.map(|action| offer(state, key, node, action, true)));
    }
    NextStep {
        status: state.status(),
        outcome: outcome(state),
        tokens,
        offers,
    }
}

fn offer(
    state: &InstanceState,
    key: ElementKey,
    node: &ExecutableNode,
    action: &ExecutableAction,
    back: bool,
) -> Offer {
    let element = state.element(key);
    let assignee = element.and_then(|element| element.assignee().cloned());
    let variables = state.variables(Some(key));
    Offer {
        element: key,
        node: node.id.clone(),
        action: action.name.clone(),
        assignee,
        back,
        initial: action
            .keys
            .held_by(&variables, limits::INITIAL_BYTES)
            .map(Arc::new),
    }
}

fn manual(node: &ExecutableNode) -> impl Iterator<Item = &ExecutableAction> {
    let all = node
        .actions
        .iter()
        .flat_map(|action| std::iter::once(action).chain(&action.children));
    all.filter(|action| action.trigger == Trigger::Manual)
}

fn opens_back(element: &ElementInstance, action: &ExecutableAction) -> bool {
    action.allow_back && element.first_run(&action.name).is_some()
}
