//! The next step, which receivers get after each row: the tokens, and the actions that may be run
//! now. It is derived and never stored. `permissions::Permissions` has the parts that one receiver
//! may see.
//!
//! It is owned and cheap (names are shared), so it outlives the step that made it; `session` writes
//! it as JSON.

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
    /// Its outcome, once it has finished.
    pub outcome: Option<InstanceOutcome>,
    /// The tokens: one for each active element, in order of activation.
    pub tokens: Vec<Token>,
    /// The actions that may be run now: by element, then in their order; back steps last.
    pub offers: Vec<Offer>,
}

/// A token, shown wherever an element instance is active.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The key of the element.
    pub element: ElementKey,
    /// Id of its node.
    pub node: Arc<str>,
    /// The element of the embedded subprocess it is in; `None` directly in the process.
    pub scope: Option<ElementKey>,
    /// The number of the iteration that it is, from 1; `None` for other elements.
    pub loop_counter: Option<u32>,
    /// The subject it is assigned to.
    pub assignee: Option<Arc<str>>,
    /// When it is due.
    pub due: Option<Time>,
    /// When its last reminder was sent.
    pub reminded: Option<Time>,
    /// Its oldest unresolved incident.
    pub incident: Option<Incident>,
}

/// A manual action that may be run now.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The element of the action.
    pub element: ElementKey,
    /// Id of the node.
    pub node: Arc<str>,
    /// The name of the action.
    pub action: Arc<str>,
    /// The subject to which the element is assigned.
    pub assignee: Option<Arc<str>>,
    /// Whether running it moves the token back.
    pub back: bool,
    /// The present data at the keys of the action, as an object, with which a form begins. `None`
    /// when there are none, or more than [`limits::INITIAL_BYTES`].
    pub initial: Option<Arc<Value>>,
}

impl NextStep {
    /// Whether an element in it is assigned.
    pub fn is_assigned(&self) -> bool {
        self.tokens.iter().any(|token| token.assignee.is_some())
            || self.offers.iter().any(|offer| offer.assignee.is_some())
    }
}

/// Derives the next step from the state.
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
    // Most actions of large loops have no keys.
    let variables = (!action.keys.is_empty()).then(|| state.variables(Some(key)));
    let initial = variables.and_then(|all| action.keys.held_by(&all, limits::INITIAL_BYTES));
    Offer {
        element: key,
        node: node.id.clone(),
        action: action.name.clone(),
        assignee,
        back,
        initial: initial.map(Arc::new),
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
