//! What leaves through the commit gate once a row is durable: frames to followers, changes of lists, the
//! reply, effects. In this order, so that the sender's connection gets the frames of its commit
//! before the reply.
//!
//! Runs on the journal's release thread: short, never waiting.

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

/// Lets a committed row out, which was stored in so many bytes.
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
    // What waits for a message is known before the reply: anyone who publishes after it finds it.
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
            let goes_on = matches!(*message, InstanceMessage::StartMore { .. });
            let owner = goes_on.then(|| Arc::new(owner(committed)));
            // Who sends has a tree.
            if let Some(tree) = tree.cloned() {
                runtime.outbox.post(
                    runtime,
                    OutboxDelivery {
                        source: Entity::from(committed.instance),
                        number,
                        target: Entity::from(target),
                        message,
                        trace: committed.row.trace.clone(),
                        tree,
                        owner,
                    },
                );
            }
        }
        Effect::Notify {
            number,
            correlation,
            note,
        } => {
            if let Some(tree) = tree.cloned() {
                let tenant = committed.members.head.tenant.clone();
                runtime.outbox.post(
                    runtime,
                    OutboxDelivery {
                        source: Entity::from(committed.instance),
                        number,
                        target: keys::of_correlation(&tenant, &correlation),
                        message: Box::new(InstanceMessage::Note {
                            tenant,
                            correlation,
                            note,
                        }),
                        trace: committed.row.trace.clone(),
                        tree,
                        owner: None,
                    },
                );
            }
        }
        Effect::SetTimer(timer) => {
            let owner = owner(committed);
            let (due, key) = (timer.due, timer.key);
            runtime.timers.set(owner, due, committed.instance, key);
        }
        Effect::Call(_) => runtime.http_calls.placed(),
        // A timer that fires nevertheless finds its action gone and is dropped, and so does an
        // answer.
        Effect::ClearTimer(_) | Effect::ForgetCall(_) => {}
    }
}

/// Whose a committed row is.
fn owner(committed: &Committed) -> Owner {
    let row = &committed.process.row;
    Owner {
        tenant: row.tenant.clone(),
        process: row.id.clone(),
    }
}
