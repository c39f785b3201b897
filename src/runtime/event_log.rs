//! What the log says of instances: incidents as they are raised, and what operators do. Never data,
//! which belong to users.
//!
//! Not here: what the lines look like (`logging`), what else is logged of administrators
//! (`web::http::audit`).

use super::{
    audit::{AuditLog, AuditNote},
    correlations::publish::PublishReply,
    instance_request::{Committed, Envelope, InstanceRequest, InstanceResponse, Reply},
};
use crate::{
    engine::{Command, Record, access::Caller, correlation::Correlation},
    logging::{AUDIT, Field, INCIDENT, shortened},
};

/// Commands that are worth a line when an operator gives them.
const OF_OPERATORS: [&str; 10] = [
    "publish",
    "terminate",
    "dismiss",
    "hold",
    "unhold",
    "patch",
    "retry",
    "skip",
    "move",
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
pub(super) fn of_operators(audit: &AuditLog, envelope: Envelope) -> Envelope {
    match (&envelope.caller, &envelope.ask) {
        (Some(caller), InstanceRequest::Apply { command, .. })
            if caller.operator && OF_OPERATORS.contains(&command.name()) =>
        {
            let noted = Noted {
                audit: audit.clone(),
                caller: caller.clone(),
                command: command.name(),
                details: details_of(command),
            };
            Envelope {
                reply: noted.logged(envelope.reply),
                ..envelope
            }
        }
        _ => envelope,
    }
}

/// What a command is given besides, as far as it is no user's data.
fn details_of(command: &Command) -> Vec<(&'static str, Field)> {
    match command {
        Command::Retry { element } | Command::Skip { element } => {
            vec![("element", element.0.into())]
        }
        Command::Patch {
            scope: Some(scope), ..
        } => vec![("scope", scope.0.into())],
        Command::MoveToken { element, to } => {
            vec![("element", element.0.into()), ("to", to.into())]
        }
        Command::Assign { element, user } => {
            vec![("element", element.0.into()), ("user", user.into())]
        }
        _ => Vec::new(),
    }
}

/// What is logged of an operator's command.
struct Noted {
    audit: AuditLog,
    caller: Caller,
    command: &'static str,
    details: Vec<(&'static str, Field)>,
}

impl Noted {
    fn logged(self, reply: Reply) -> Reply {
        Reply::to(move |answer| {
            if let InstanceResponse::Applied(committed) = &answer {
                self.write(committed);
            }
            reply.send(answer);
        })
    }

    fn write(self, committed: &Committed) {
        let (process, instance) = (&committed.process.row, committed.instance.to_string());
        log::info!(
            target: AUDIT,
            command = self.command, process = process.id.as_str(), instance = instance.as_str(),
            by = &*shortened(&self.caller.subject);
            "an operator's command was applied"
        );
        let mut details = vec![
            ("process", Field::from(&process.id)),
            ("instance", Field::Text(instance)),
        ];
        details.extend(self.details);
        self.audit.note(&AuditNote {
            tenant: &self.caller.tenant,
            subject: &self.caller.subject,
            address: self.caller.address,
            act: self.command,
            details: &details,
        });
    }
}

/// Has what an operator publishes to anyone who waits logged once it is durable.
pub(super) fn of_publishers(
    audit: &AuditLog,
    by: Option<Caller>,
    correlation: &Correlation,
    reply: PublishReply,
) -> PublishReply {
    let Some(caller) = by.filter(|caller| caller.operator) else {
        return reply;
    };
    let (act, name) = match correlation {
        Correlation::Message { name, .. } => ("message published", name.to_string()),
        Correlation::Signal { name } => ("signal published", name.to_string()),
    };
    let audit = audit.clone();
    Box::new(move |answer| {
        if let Ok(published) = &answer {
            let outcome = &published.outcome;
            let reached = (outcome.instances.len() + outcome.started.len()) as u64;
            let details = [("name", Field::from(&name)), ("instances", reached.into())];
            log::info!(
                target: AUDIT,
                by = &*shortened(&caller.subject), tenant = &*shortened(&caller.tenant), name = &*shortened(&name);
                "{act}"
            );
            audit.note(&AuditNote {
                tenant: &caller.tenant,
                subject: &caller.subject,
                address: caller.address,
                act,
                details: &details,
            });
        }
        reply(answer);
    })
}
