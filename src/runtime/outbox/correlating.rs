//! Messages between instances and the entities of BPMN's messages and signals: what an instance
//! tells such an entity, what that brings to instances and starts.

use std::sync::Arc;

use super::{AGAIN, CorrelationCommand, CorrelationRequest, OutboxDelivery, deliver, keys};
use crate::{
    engine::{
        command::StartInstance,
        correlation::CorrelationNote,
        instance_message::InstanceMessage,
        record::{CommandTag, Created},
    },
    model::ids::InstanceKey,
    runtime::{
        Runtime,
        instance_request::{InstanceRequest, InstanceResponse, Refusal, Start},
    },
};

/// Subject of what instances publish, beside that of clients.
const THROWN: &str = "instance";

/// An entity is notified of something, by an instance or by itself.
pub(super) fn tell(runtime: &Arc<Runtime>, delivery: OutboxDelivery) {
    let from = delivery.source.instance();
    let (tenant, correlation, command) = match &*delivery.message {
        InstanceMessage::Note {
            tenant,
            correlation,
            note,
        } => {
            let tag = CommandTag {
                id: keys::of_throw(from, delivery.number),
                subject: THROWN.to_owned(),
                hash: 0,
            };
            let note = note.clone();
            let command = CorrelationCommand::Note { from, tag, note };
            (tenant.clone(), correlation.clone(), command)
        }
        InstanceMessage::BroadcastMore {
            tenant,
            correlation,
            publication,
        } => (
            tenant.clone(),
            correlation.clone(),
            CorrelationCommand::Continue(*publication),
        ),
        _ => return runtime.outbox.taken(runtime, &delivery),
    };
    let (answered, active) = (runtime.clone(), runtime.active());
    let reply = Box::new(move |answer: Result<_, Refusal>| {
        // What follows is under way before this is over.
        let _active = active;
        let pause = answer.err().and_then(|refusal| refusal.again_after(AGAIN));
        match pause {
            None => answered.outbox.taken(&answered, &delivery),
            Some(pause) => {
                let again = answered.clone();
                answered.later(pause, move || deliver(&again, delivery, 0));
            }
        }
    });
    runtime.correlate(CorrelationRequest {
        tenant,
        correlation,
        command,
        reply,
    });
}

/// The start of an instance by an event.
///
/// # Errors
/// A sentence about what cannot be started.
pub(super) fn start(
    runtime: &Runtime,
    head: &Created,
    start_event: &str,
) -> Result<InstanceRequest, String> {
    let id = &head.process.id;
    let process = runtime
        .definitions
        .published(&head.tenant, id)
        .ok_or_else(|| format!("no version of process '{id}' is published"))?;
    let mut head = head.clone();
    head.process = process.reference();
    let command = StartInstance {
        head,
        start_condition: None,
        start_event: Some(start_event.to_owned()),
    };
    Ok(InstanceRequest::Start(Box::new(Start {
        command,
        process,
        tag: None,
        place: None,
    })))
}

/// What an instance answered to what an entity sent.
pub(super) fn on_answer(
    runtime: &Arc<Runtime>,
    delivery: OutboxDelivery,
    answer: &InstanceResponse,
) {
    if let (
        InstanceMessage::StartByEvent { .. },
        InstanceResponse::Refused(Refusal::Rejected(why)),
    ) = (&*delivery.message, answer)
    {
        return not_startable(runtime, delivery, why.message.clone());
    }
    // What is not taken is settled by a note of the instance, with what comes instead.
    let is_taken = !matches!(
        (&*delivery.message, answer),
        (InstanceMessage::Delivery(_), InstanceResponse::Unchanged)
    );
    if is_taken {
        runtime
            .correlations
            .delivered(delivery.source, delivery.number, None);
    }
    runtime.outbox.taken(runtime, &delivery);
}

/// An instance cannot begin: the entity learns that another may.
pub(super) fn not_startable(runtime: &Arc<Runtime>, delivery: OutboxDelivery, sentence: String) {
    let InstanceMessage::StartByEvent { head, .. } = &*delivery.message else {
        return runtime.outbox.taken(runtime, &delivery);
    };
    let (instance, tenant): (InstanceKey, _) = (head.key, head.tenant.clone());
    log::warn!(
        "process '{}' could not be started by an event: {sentence}",
        head.process.id
    );
    let refused = Some((instance, sentence));
    runtime
        .correlations
        .delivered(delivery.source, delivery.number, refused);
    let Some(correlation) = head.correlation.clone() else {
        return runtime.outbox.taken(runtime, &delivery);
    };
    let tag = CommandTag {
        id: keys::of_throw(instance, delivery.number),
        subject: THROWN.to_owned(),
        hash: 0,
    };
    let (answered, active) = (runtime.clone(), runtime.active());
    let reply = Box::new(move |answer: Result<_, Refusal>| {
        let _active = active;
        let pause = answer.err().and_then(|refusal| refusal.again_after(AGAIN));
        match pause {
            None => answered.outbox.taken(&answered, &delivery),
            Some(pause) => {
                let again = answered.clone();
                answered.later(pause, move || deliver(&again, delivery, 0));
            }
        }
    });
    runtime.correlate(CorrelationRequest {
        tenant,
        correlation,
        command: CorrelationCommand::Note {
            from: instance,
            tag,
            note: CorrelationNote::Ended,
        },
        reply,
    });
}
