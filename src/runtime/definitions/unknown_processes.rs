//! Warnings about processes that a definition starts or calls and that are not deployed. They are
//! no errors, because the processes may be deployed later.

use crate::model::{
    action::MessageType,
    executable::{ActionWork, ExecutableAction, ExecutableProcess},
    problem::Problem,
    start_message::StartMessage,
};

/// Warnings for every started or called process that `is_known` does not know. Names that come from
/// data are not checked.
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

/// Ids of all started or called processes, with repetitions.
pub(super) fn started(process: &ExecutableProcess) -> Vec<String> {
    let mut ids = Vec::new();
    each(process, |_, _, called| ids.push(called.to_owned()));
    ids
}

/// Calls `found` for each start or call with the element, the kind of start, and the id of the
/// process.
fn each(process: &ExecutableProcess, mut found: impl FnMut(&str, &str, &str)) {
    for node in process.nodes() {
        if let Some(called) = node.call().and_then(|call| call.process.fixed()) {
            found(&node.id, "the call activity", called);
        }
        for action in node.all_actions() {
            if let Some(called) = started_by(action) {
                found(&node.id, &format!("action `{}`", action.name), &called);
            }
        }
    }
}

/// The process that an action starts, or that it asks a client to start.
fn started_by(action: &ExecutableAction) -> Option<String> {
    match &action.work {
        ActionWork::StartSubprocess { subprocess, .. } => {
            subprocess.process.fixed().map(str::to_owned)
        }
        ActionWork::WebsocketSend {
            message,
            message_type: MessageType::Action,
            ..
        } => StartMessage::named_process(&message.shape()),
        _ => None,
    }
}
