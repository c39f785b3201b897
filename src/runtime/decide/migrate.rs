//! Migration of an instance to another version of its definition: the engine decides, and from then
//! on the instance runs the other compiled form.

use std::sync::Arc;

use super::{ActorDecision, DecisionContext, input, repeated, require_seq, visible_mut, written};
use crate::{
    engine::{self, access::Caller, migration::MigrationTarget, record::CommandTag},
    runtime::{
        decide::Memory,
        instance_request::{InstanceResponse, MigrationRequest, Refusal},
        keys, room_policy,
    },
};

/// Migrates the instance, or refuses.
pub(super) fn decide(
    memory: &mut Memory,
    caller: Option<&Caller>,
    migration: &MigrationRequest,
    (tag, if_seq): (Option<CommandTag>, Option<u64>),
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    let (state, process) = visible_mut(memory, caller)?;
    if let Some(tag) = &tag
        && let Some(decision) = repeated(state, tag)?
    {
        return Ok(decision);
    }
    require_seq(state, if_seq)?;
    room_policy::admit_migration(around.disk_room)?;
    let source = process.clone();
    let key = state.key();
    let child_key = move |seq| keys::of_child(key, seq, around.now);
    let search_keys = &migration.target.executable.search_keys;
    let before = search_keys.texts_of(&source.executable.search_keys, state.data());
    let outcome = engine::migrate(
        &source.executable,
        state,
        &target(migration),
        input(around, &child_key, caller, tag),
    )?;
    let (state, process) = memory.as_mut().ok_or(Refusal::Internal)?;
    *process = Arc::clone(&migration.target);
    Ok(written(state, process, outcome, before))
}

/// The plan of a migration.
pub(super) fn plan(
    memory: &mut Memory,
    caller: Option<&Caller>,
    migration: &MigrationRequest,
    around: DecisionContext,
) -> Result<ActorDecision, Refusal> {
    let (state, process) = visible_mut(memory, caller)?;
    let source = process.clone();
    let key = state.key();
    let child_key = move |seq| keys::of_child(key, seq, around.now);
    let plan = engine::plan_migration(
        &source.executable,
        state,
        &target(migration),
        &input(around, &child_key, caller, None),
    )?;
    Ok(ActorDecision::InstanceResponse(
        InstanceResponse::Migration(Box::new(plan)),
    ))
}

fn target(migration: &MigrationRequest) -> MigrationTarget<'_> {
    MigrationTarget {
        reference: migration.target.reference(),
        process: &migration.target.executable,
        evaluator: migration.target.evaluator.as_ref(),
        mapping: &migration.mapping,
    }
}
