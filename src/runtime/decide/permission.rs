//! Whether a caller may upload a file or work on a user task now, without applying a command.

use uuid::Uuid;

use super::{ActorDecision, DecisionContext, Memory, input, require_seq, visible_mut};
use crate::{
    engine::{self, access::Caller, command::RunAction, state::Seen},
    model::{ids::ElementKey, upload::UploadRules},
    runtime::{
        instance_request::{InstanceResponse, Refusal},
        keys, room_policy,
        task_access::TaskAccess,
    },
};

/// The rules for an upload's file, before its bytes are read.
pub(super) fn upload(
    memory: &mut Memory,
    caller: Option<&Caller>,
    run: &RunAction,
    (command, if_seq): (Option<(Uuid, String)>, Option<u64>),
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    let (state, process) = visible_mut(memory, caller)?;
    let repeats =
        command.is_some_and(|(id, subject)| state.commands().seen(id, &subject) != Seen::New);
    if repeats {
        // The rules of the action at that time are not known; the command itself is compared
        // later, and then answered with its first answer.
        return Ok(ActorDecision::InstanceResponse(
            InstanceResponse::MayUpload(UploadRules::anything()),
        ));
    }
    require_seq(state, if_seq)?;
    room_policy::admit_large(around.disk_room)?;
    let key = state.key();
    let child_key = move |seq| keys::of_child(key, seq, around.now);
    let input = input(around, &child_key, caller, None);
    let rules = engine::may_upload(
        &process.executable,
        process.evaluator.as_ref(),
        state,
        run,
        &input,
    )?;
    Ok(ActorDecision::InstanceResponse(
        InstanceResponse::MayUpload(rules),
    ))
}

/// Whether the caller may work on a user task, for drafts and presence.
pub(super) fn work(
    memory: &mut Memory,
    caller: Option<&Caller>,
    task: (Option<ElementKey>, Option<&str>),
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    let (state, process) = visible_mut(memory, caller)?;
    let process = process.clone();
    let key = state.key();
    let child_key = move |seq| keys::of_child(key, seq, around.now);
    let input = input(around, &child_key, caller, None);
    let element = engine::may_work(
        &process.executable,
        process.evaluator.as_ref(),
        state,
        task,
        &input,
    )?;
    let access = TaskAccess::of(state, process, element);
    Ok(ActorDecision::InstanceResponse(InstanceResponse::MayWork(
        Box::new(access),
    )))
}
