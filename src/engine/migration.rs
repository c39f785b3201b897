//! Migration: an operator moves an instance to another version of its definition. Every active
//! element, and every flow that waits at a join, needs a counterpart there; otherwise nothing
//! changes.
//!
//! A node's counterpart is the node with its id, or the one that the mapping names. Data,
//! assignees, children and the work of actions stay as they are; subscriptions become those of the
//! target (`renewal`). `plan` finds the elements without counterpart, and the reasons. `move_token`
//! moves a single token.
//!
//! # Rationale
//!
//! **All or nothing.** A token without a counterpart would be lost or wait forever. The preview
//! names such tokens, so that they can be mapped or moved first.

mod plan;
mod renewal;
mod target;

use std::{collections::BTreeMap, sync::Arc};

pub use self::{
    plan::{MigrationPlan, MigrationProblem, PlannedElement},
    target::MigrationTarget,
};
use super::{
    command::TimerKey,
    conditions,
    context::{Step, StepInput, StepOutcome},
    elements::{complex_gateway, parallel_gateway},
    guards::{forbidden, require_moving},
    quantities,
    record::{Migrated, Record},
    rejection::{Rejection, RejectionKind},
    state::InstanceState,
};
use crate::model::{executable::ExecutableProcess, ids::ElementKey};

/// The plan of a migration: the counterpart of each element, and the problems.
///
/// # Errors
/// The caller may not migrate the instance, it has ended, or it already runs that version.
pub fn plan_migration(
    source: &ExecutableProcess,
    state: &mut InstanceState,
    target: &MigrationTarget<'_>,
    input: &StepInput<'_>,
) -> Result<MigrationPlan, Rejection> {
    let first_seq = state.seq() + 1;
    let step = Step::new(target.process, target.evaluator, state, first_seq, input);
    may_migrate(&step, target)?;
    Ok(plan::make(source, step.state, target))
}

/// Migrates an instance to another version.
///
/// # Errors
/// A [`Rejection`]; the state is then unchanged.
pub fn migrate(
    source: &ExecutableProcess,
    state: &mut InstanceState,
    target: &MigrationTarget<'_>,
    input: StepInput<'_>,
) -> Result<StepOutcome, Rejection> {
    let first_seq = state.seq() + 1;
    let mut step = Step::new(target.process, target.evaluator, state, first_seq, &input);
    may_migrate(&step, target)?;
    let plan = plan::make(source, step.state, target);
    if let Some(first) = plan.problems.first() {
        let others = match plan.problems.len() - 1 {
            0 => String::new(),
            others => format!(" ({others} more: see the preview)"),
        };
        let sentence = format!(
            "expected a counterpart in version {} for every active element, but {}{others}",
            target.reference.version, first.message
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    }
    let former = renewal::FormerSubscriptions::of(source, step.state);
    let renamed: BTreeMap<Arc<str>, Arc<str>> = target
        .mapping
        .iter()
        .filter(|(from, to)| from != to)
        .map(|(from, to)| (Arc::from(from.as_str()), Arc::from(to.as_str())))
        .collect();
    step.record(Record::Migrated(Box::new(Migrated {
        from: step.state.head().process.clone(),
        to: target.reference.clone(),
        renamed: renamed.clone(),
    })));
    drop_delayed(&mut step);
    renewal::renew(&mut step, former, &renamed);
    continue_joins(&mut step);
    conditions::mark_all(&mut step);
    let active: Vec<ElementKey> = step.state.active().map(|(key, _)| key).collect();
    active.into_iter().for_each(|element| step.queue(element));
    Ok(step.finish(input.command))
}

fn may_migrate(step: &Step<'_>, target: &MigrationTarget<'_>) -> Result<(), Rejection> {
    if step.caller.is_some_and(|caller| !caller.operator) {
        return Err(forbidden(
            "expected role operator or admin to take an instance to another version, but this \
             user has neither",
        ));
    }
    require_moving(step)?;
    if step.state.head().process == target.reference {
        let sentence = format!(
            "expected another version than the one the instance runs, but it runs version {} already",
            target.reference.version
        );
        return Err(Rejection::new(RejectionKind::Conflict, sentence));
    }
    Ok(())
}

/// Cancels delayed triggerings of actions that the target does not have.
fn drop_delayed(step: &mut Step<'_>) {
    let delayed: Vec<(ElementKey, Arc<str>, u32)> = step
        .state
        .active()
        .filter_map(|(key, element)| Some((key, element, step.process.node(element.node())?)))
        .flat_map(|(key, element, node)| {
            let removed = element
                .delayed()
                .filter(|(action, ..)| node.action(action).is_none());
            removed
                .map(move |(action, occurrence, _)| (key, action.clone(), occurrence))
                .collect::<Vec<_>>()
        })
        .collect();
    for (element, action, occurrence) in delayed {
        step.clear_timer(TimerKey::action(element, &action, occurrence));
        step.record(Record::ActionSkipped {
            element,
            action,
            occurrence,
        });
    }
}

/// A join of the target may wait for fewer flows than that of the source, and may continue now.
fn continue_joins(step: &mut Step<'_>) {
    let scopes = step.state.active().map(|(key, _)| Some(key));
    let scopes: Vec<Option<ElementKey>> = [None].into_iter().chain(scopes).collect();
    for scope in scopes {
        let waiting = step.state.scope(scope).into_iter();
        let joins: Vec<Arc<str>> = waiting
            .flat_map(|scope| scope.waiting().map(|(node, _)| node.clone()))
            .collect();
        for join in joins {
            let Some(node) = step.process.node(&join) else {
                continue;
            };
            if node.is_complex_join() {
                complex_gateway::arrived(step, scope, node);
            } else if !node.is_inclusive_join() {
                let waiting = step.state.scope(scope);
                let waiting = waiting.map_or(&[][..], |scope| scope.waiting_at(&join));
                let arrivals = if node.gathers_tokens() {
                    quantities::enough(node, waiting)
                } else {
                    parallel_gateway::one_of_each(node, waiting)
                };
                if let Some(arrivals) = arrivals {
                    step.activate(&join, scope, arrivals);
                }
            }
        }
    }
}
