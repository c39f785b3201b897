//! Messages between instances and the entities of BPMN's messages and signals: notes of instances
//! to an entity, and deliveries and starts by an entity.

use std::sync::Arc;

use super::{
    AGAIN, CorrelationCommand, CorrelationRequest, OutboxDelivery, deliver, delivery_order, keys,
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
        correlations::{decided::CorrelationAnswer, publish::NotStartedReason},
        instance_request::{InstanceRequest, InstanceResponse, Refusal, ResolvedStart},
    },
};

/// The subject of publications by instances; clients cannot have it.
const THROWN: &str = "instance";

/// Delivers a note to an entity, from an instance or from the entity itself.
pub(super) fn deliver_note(runtime: &Arc<Runtime>, delivery: OutboxDelivery) {
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
    send_command(runtime, delivery, (tenant, correlation, command), |_, _| ());
}

/// Sends a command to an entity; the delivery ends with its answer, and `then` runs right before.
fn send_command(
    runtime: &Arc<Runtime>,
    delivery: OutboxDelivery,
    (tenant, correlation, command): (String, Correlation, CorrelationCommand),
    then: impl FnOnce(&Runtime, &OutboxDelivery) + Send + Sync + 'static,
) {
    let (answered, active) = (runtime.clone(), runtime.active());
    let (trace, note) = (delivery.trace.clone(), delivery.note());
    let reply = Box::new(move |answer: Result<CorrelationAnswer, Refusal>| {
        // The following work is counted as in progress before this ends.
        let _active = active;
        match answer {
            Ok(answer) => {
                then(&answered, &delivery);
                delivery_order::received(&answered, delivery, answer);
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
        note,
        reply,
    });
}

/// The start of an instance by an event.
///
/// # Errors
/// A sentence that says why it cannot be started.
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
    Ok(InstanceRequest::Start(Box::new(ResolvedStart {
        command,
        process,
        tag: None,
        place: None,
    })))
}

/// Handles the response of an instance to a delivery of an entity.
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
    // A delivery that was not taken is settled by a note of the instance, with what replaces it.
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

/// An instance cannot begin: reports that to the entity, which may start another one.
pub(super) fn not_startable(runtime: &Arc<Runtime>, delivery: OutboxDelivery, sentence: String) {
    if let InstanceMessage::StartByEvent { head, .. } = &*delivery.message {
        log::warn!(
            "process '{}' could not be started by an event: {sentence}",
            head.process.id
        );
    }
    not_started(runtime, delivery, NotStartedReason::Refused(sentence));
}

/// Another instance took the message that was to start this one.
pub(super) fn joined(runtime: &Arc<Runtime>, delivery: OutboxDelivery, by: InstanceKey) {
    not_started(runtime, delivery, NotStartedReason::Joined(by));
}

fn not_started(runtime: &Arc<Runtime>, delivery: OutboxDelivery, instead: NotStartedReason) {
    let InstanceMessage::StartByEvent { head, .. } = &*delivery.message else {
        return runtime.outbox.taken(runtime, &delivery);
    };
    let (from, tenant): (InstanceKey, _) = (head.key, head.tenant.clone());
    let joined = match &instead {
        NotStartedReason::Joined(by) => Some(*by),
        NotStartedReason::Refused(_) => None,
    };
    // Called after that was recorded, so a later request finds the record.
    let notify_publisher = move |runtime: &Runtime, delivery: &OutboxDelivery| {
        let not_started = Some((from, instead));
        runtime
            .correlations
            .delivered(delivery.source, delivery.number, not_started);
    };
    let Some(correlation) = head.correlation.clone() else {
        notify_publisher(runtime, &delivery);
        return runtime.outbox.taken(runtime, &delivery);
    };
    let tag = CommandTag {
        id: keys::of_throw(from, delivery.number),
        subject: THROWN.to_owned(),
        hash: 0,
    };
    let note = CorrelationNote::NotStarted { joined };
    let command = CorrelationCommand::Note { from, tag, note };
    send_command(
        runtime,
        delivery,
        (tenant, correlation, command),
        notify_publisher,
    );
}
