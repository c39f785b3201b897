//! What leaves through the commit gate once a row is durable: frames for followers, changes of
//! lists, the reply, effects. They leave in this order, so that the sender's connection receives
//! the frames of its commit before the reply.
//!
//! Runs on the thread of the commit gate or of the writer, so it must be short and must not block.

use std::sync::Arc;

use super::{
    Runtime, event_log,
    instance_request::{Committed, InstanceResponse, ReplyTo},
    keys,
    lists::Origin,
    outbox::OutboxDelivery,
    trees::Tree,
};
use crate::{
    engine::{Effect, instance_message::InstanceMessage},
    journal::{Entity, Owner, ReadModelChange},
};

/// Releases a committed row that takes `bytes` in the store.
pub(super) fn release(
    runtime: &Arc<Runtime>,
    (committed, bytes): (&Arc<Committed>, usize),
    changes: &[ReadModelChange],
    (effects, tree): (Vec<Effect>, Option<Arc<Tree>>),
    reply: ReplyTo,
) {
    let _active = runtime.active();
    runtime.presence.follow(committed);
    runtime.hub.publish(committed, bytes);
    let head = &committed.members.head;
    let origin = Origin {
        tenant: &head.tenant,
        started_by: &head.started_by,
    };
    runtime.lists.publish(origin, changes);
    runtime.drop_outdated_drafts(committed);
    // Subscriptions to messages are registered before the reply, so that a message published after
    // it finds them.
    let is_note = |effect: &Effect| matches!(effect, Effect::Notify { .. });
    let (notes, effects): (Vec<_>, Vec<_>) = effects.into_iter().partition(is_note);
    for note in notes {
        perform(runtime, committed, tree.as_ref(), note);
    }
    reply.send(InstanceResponse::Applied(committed.clone()));
    event_log::incidents(committed);
    for effect in effects {
        perform(runtime, committed, tree.as_ref(), effect);
    }
}

fn perform(
    runtime: &Arc<Runtime>,
    committed: &Committed,
    tree: Option<&Arc<Tree>>,
    effect: Effect,
) {
    match effect {
        Effect::Send {
            number,
            target,
            message,
        } => {
            let is_turn = matches!(*message, InstanceMessage::StartMore { .. });
            let owner = is_turn.then(|| Arc::new(owner(committed)));
            post(
                runtime,
                committed,
                tree,
                (number, target.into(), message),
                owner,
            );
        }
        Effect::Notify {
            number,
            correlation,
            note,
        } => {
            let tenant = committed.members.head.tenant.clone();
            let target = keys::of_correlation(&tenant, &correlation);
            let message = Box::new(InstanceMessage::Note {
                tenant,
                correlation,
                note,
            });
            post(runtime, committed, tree, (number, target, message), None);
        }
        Effect::SetTimer(timer) => {
            let owner = owner(committed);
            let (due, key) = (timer.due, timer.key);
            runtime.timers.set(owner, due, committed.instance, key);
        }
        Effect::Call(_) => runtime.http_calls.placed(),
        // If such a timer still fires, or such an answer still arrives, its action is gone and it
        // is dropped.
        Effect::ClearTimer(_) | Effect::ForgetCall(_) => {}
    }
}

/// Hands a message with its number and its receiver to the outbox. An instance that sends messages
/// always belongs to a tree.
fn post(
    runtime: &Arc<Runtime>,
    committed: &Committed,
    tree: Option<&Arc<Tree>>,
    (number, target, message): (u64, Entity, Box<InstanceMessage>),
    owner: Option<Arc<Owner>>,
) {
    let Some(tree) = tree.cloned() else { return };
    runtime.outbox.post(
        runtime,
        OutboxDelivery {
            source: Entity::from(committed.instance),
            number,
            target,
            message,
            trace: committed.row.trace.clone(),
            tree,
            owner,
        },
    );
}

/// The owner of a committed row, whose turns its effects take.
fn owner(committed: &Committed) -> Owner {
    let row = &committed.process.row;
    Owner {
        tenant: row.tenant.clone(),
        process: row.id.clone(),
    }
}
