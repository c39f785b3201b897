//! Processes that a definition starts or calls by a name nobody has deployed: warnings, as they may
//! come later.

use crate::model::{
    action::MessageType,
    executable::{ActionWork, ExecutableAction, ExecutableProcess},
    problem::Problem,
    start_message::StartMessage,
};

/// Warnings of every started or called process that `is_known` does not know. A name that data fill
/// in is nobody's yet.
pub(super) fn warnings(
    process: &ExecutableProcess,
    is_known: impl Fn(&str) -> bool,
) -> Vec<Problem> {
    let mut warnings = Vec::new();
    each(process, |element, what, called| {
        if !is_known(called) {
            let message = format!(
                "{what}: expected the process `{called}` to be deployed, but no process has this \
                id; deploy it, or correct the id"
            );
            warnings.push(Problem::warning(element, "unknown_process", message));
        }
    });
    warnings
}

/// Ids of all started or called processes, as often as they are.
pub(super) fn started(process: &ExecutableProcess) -> Vec<String> {
    let mut ids = Vec::new();
    each(process, |_, _, called| ids.push(called.to_owned()));
    ids
}

/// Calls `found` with the element, what of it starts or calls a process, and the id of that.
fn each(process: &ExecutableProcess, mut found: impl FnMut(&str, &str, &str)) {
    for node in process.nodes() {
        if let Some(call) = node.call() {
            found(&node.id, "the call activity", &call.process);
        }
        for action in node.all_actions() {
            if let Some(called) = started_by(action) {
                found(&node.id, &format!("action `{}`", action.name), &called);
            }
        }
    }
}

/// The process an action starts, or has a client start.
fn started_by(action: &ExecutableAction) -> Option<String> {
    match &action.work {
        ActionWork::StartSubprocess { subprocess, .. } => Some(subprocess.process.to_string()),
        ActionWork::WebsocketSend {
            message,
            message_type: MessageType::Action,
            ..
        } => StartMessage::named_process(&message.shape()),
        _ => None,
    }
}
