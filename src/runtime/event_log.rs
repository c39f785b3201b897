//! What the log says of instances: incidents as they are raised, and what operators do. Never data,
//! which belong to users.
//!
//! Not here: what the lines look like (`logging`), what else is logged of administrators
//! (`web::http::audit`).

use super::instance_request::{Committed, Envelope, InstanceRequest, InstanceResponse, Reply};
use crate::{
    engine::{Record, access::Caller},
    logging::{AUDIT, INCIDENT, shortened},
};

/// Commands that are worth a line when an operator gives them.
const OF_OPERATORS: [&str; 8] = [
    "terminate",
    "dismiss",
    "hold",
    "unhold",
    "patch",
    "retry",
    "skip",
    "assign",
];

/// One line for each incident that a durable row has raised.
pub(super) fn incidents(committed: &Committed) {
    for (_, record) in committed.row.numbered() {
        let Record::IncidentRaised { element, incident } = record else {
            continue;
        };
        let token = committed
            .next
            .tokens
            .iter()
            .find(|token| token.element == *element);
        let node = token
            .map(|token| token.node.to_string())
            .unwrap_or_default();
        let (process, instance) = (&committed.process.row, committed.instance.to_string());
        log::warn!(
            target: INCIDENT,
            process = process.id.as_str(), version = process.version, node = node.as_str(), code = incident.code.as_str(),
            instance = instance.as_str();
            "an incident was raised"
        );
    }
}

/// Has an operator's command logged once it is durable.
pub(super) fn of_operators(envelope: Envelope) -> Envelope {
    match (&envelope.caller, &envelope.ask) {
        (
            Some(Caller {
                operator: true,
                subject,
                ..
            }),
            InstanceRequest::Apply { command, .. },
        ) if OF_OPERATORS.contains(&command.name()) => {
            let (by, name) = (subject.clone(), command.name());
            Envelope {
                reply: logged(envelope.reply, by, name),
                ..envelope
            }
        }
        _ => envelope,
    }
}

fn logged(reply: Reply, by: String, command: &'static str) -> Reply {
    Reply::to(move |answer| {
        if let InstanceResponse::Applied(committed) = &answer {
            let (process, instance) = (&committed.process.row, committed.instance.to_string());
            log::info!(
                target: AUDIT,
                command, process = process.id.as_str(), instance = instance.as_str(), by = &*shortened(&by);
                "an operator's command was applied"
            );
        }
        reply.send(answer);
    })
}
