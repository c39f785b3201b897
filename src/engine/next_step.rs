//! What a receiver is told after each row: where the tokens are and which actions may be run now. Derived, never stored.
//!
//! Owned and cheap (names are shared), so it can outlive the step that made it; `session` writes it as JSON.

use std::sync::Arc;

use super::{
    actions,
    record::{Incident, Status},
    state::{ElementInstance, InstanceState},
};
use crate::model::{
    action::Trigger,
    executable::{ExecutableAction, ExecutableNode, ExecutableProcess},
    ids::ElementKey,
};

/// The next step of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct NextStep {
    /// Status of the instance.
    pub status: Status,
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
    /// Whether running it moves the token back.
    pub back: bool,
}

/// Reads the next step off the state.
pub fn next_step(process: &ExecutableProcess, state: &InstanceState) -> NextStep {
    let mut tokens = Vec::new();
    let mut offers = Vec::new();
    for (key, element) in state.active() {
        let Some(node) = process.node(element.node()) else { continue };
        tokens.push(Token { element: key, node: node.id.clone(), incident: element.incidents().first().cloned() });
        let runnable = manual(node).filter(|action| actions::can_run(element, action).is_ok());
        offers.extend(runnable.map(|action| offer(key, node, action, false)));
    }
    for (key, element) in state.passed() {
        let Some(node) = process.node(element.node()) else { continue };
        let open = manual(node).filter(|action| opens_back(element, action));
        offers.extend(open.map(|action| offer(key, node, action, true)));
    }
    NextStep { status: state.status(), tokens, offers }
}

fn offer(element: ElementKey, node: &ExecutableNode, action: &ExecutableAction, back: bool) -> Offer {
    Offer { element, node: node.id.clone(), action: action.name.clone(), back }
}

fn manual(node: &ExecutableNode) -> impl Iterator<Item = &ExecutableAction> {
    let all = node.actions.iter().flat_map(|action| std::iter::once(action).chain(&action.children));
    all.filter(|action| action.trigger == Trigger::Manual)
}

fn opens_back(element: &ElementInstance, action: &ExecutableAction) -> bool {
    action.allow_back && element.first_run(&action.name).is_some()
}
