//! Messages between instances and the entities of BPMN's messages and signals: what an instance
//! tells such an entity, what that brings to instances and starts.

use std::sync::Arc;

use super::{
    AGAIN, CorrelationCommand, CorrelationRequest, OutboxDelivery, deliver, keys, told_first,
};
use crate::{
    engine::{
        command::StartInstance,
        correlation::{Correlation, CorrelationNote},
        instance_message::InstanceMessage,
        record::CommandTag,
    },
    model::ids::InstanceKey,
    runtime::{
        Runtime,
        correlations::{decided::CorrelationAnswer, publish::Instead},
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
    ask(runtime, delivery, (tenant, correlation, command), |_, _| ());
}

/// Asks an entity; what was delivered is over with its answer, and `then` runs right before.
fn ask(
    runtime: &Arc<Runtime>,
    delivery: OutboxDelivery,
    (tenant, correlation, command): (String, Correlation, CorrelationCommand),
    then: impl FnOnce(&Runtime, &OutboxDelivery) + Send + Sync + 'static,
) {
    let (answered, active) = (runtime.clone(), runtime.active());
    let trace = delivery.trace.clone();
    let reply = Box::new(move |answer: Result<CorrelationAnswer, Refusal>| {
        // What follows is in progress before this is over.
        let _active = active;
        match answer {
            Ok(answer) => {
                then(&answered, &delivery);
                told_first::told(&answered, delivery, answer);
            }
            Err(refusal) => match refusal.again_after(AGAIN) {
                None => answered.outbox.taken(&answered, &delivery),
                Some(pause) => {
                    let again = answered.clone();
                    answered.later(pause, move || deliver(&again, delivery, 0));
                }
            },
        }
    });
    runtime.correlate(CorrelationRequest {
        tenant,
        correlation,
        command,
        trace,
        noted: None,
        reply,
    });
}

/// The start of an instance by an event.
///
/// # Errors
/// A sentence about what cannot be started.
pub(super) fn start(
    runtime: &Runtime,
    delivery: &OutboxDelivery,
) -> Result<InstanceRequest, String> {
    let InstanceMessage::StartByEvent { head, start_event } = &*delivery.message else {
        return Err("the message is no start".to_owned());
    };
    let id = &head.process.id;
    let process = runtime
        .definitions
        .published(&head.tenant, id)
        .ok_or_else(|| format!("no version of process '{id}' is published"))?;
    let mut head = (**head).clone();
    head.process = process.reference();
    let command = StartInstance {
        head,
        start_condition: None,
        start_event: Some(start_event.clone()),
        trace: delivery.trace.clone(),
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
    if let InstanceMessage::StartByEvent { head, .. } = &*delivery.message {
        log::warn!(
            "process '{}' could not be started by an event: {sentence}",
            head.process.id
        );
    }
    not_started(runtime, delivery, Instead::Refused(sentence));
}

/// Another instance took what was to start this one.
pub(super) fn joined(runtime: &Arc<Runtime>, delivery: OutboxDelivery, by: InstanceKey) {
    not_started(runtime, delivery, Instead::Joined(by));
}

fn not_started(runtime: &Arc<Runtime>, delivery: OutboxDelivery, instead: Instead) {
    let InstanceMessage::StartByEvent { head, .. } = &*delivery.message else {
        return runtime.outbox.taken(runtime, &delivery);
    };
    let (from, tenant): (InstanceKey, _) = (head.key, head.tenant.clone());
    let joined = match &instead {
        Instead::Joined(by) => Some(*by),
        Instead::Refused(_) => None,
    };
    // Once that is noted: whoever has asked before waits for it by then.
    let tell_publisher = move |runtime: &Runtime, delivery: &OutboxDelivery| {
        let not_started = Some((from, instead));
        runtime
            .correlations
            .delivered(delivery.source, delivery.number, not_started);
    };
    let Some(correlation) = head.correlation.clone() else {
        tell_publisher(runtime, &delivery);
        return runtime.outbox.taken(runtime, &delivery);
    };
    let tag = CommandTag {
        id: keys::of_throw(from, delivery.number),
        subject: THROWN.to_owned(),
        hash: 0,
    };
    let note = CorrelationNote::NotStarted { joined };
    let command = CorrelationCommand::Note { from, tag, note };
    ask(
        runtime,
        delivery,
        (tenant, correlation, command),
        tell_publisher,
    );
}
