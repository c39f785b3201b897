//! The lines of the log about instances: incidents when they are raised, and commands of operators.
//! They never contain data, which belong to users.
//!
//! Not here: the format of lines (`logging`), the other acts of administrators
//! (`web::http::audit`).

use super::{
    audit::AuditNote,
    correlations::Outcome,
    decide::MIGRATE,
    instance_request::{Committed, Envelope, InstanceRequest},
};
use crate::{
    engine::{Command, Record, access::Caller, correlation::Correlation},
    journal::AuditRow,
    logging::{AUDIT, INCIDENT, LogField, shortened},
};

/// Commands that are logged when an operator gives them.
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

/// Logs each incident that a durable row has raised.
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

/// Has an operator's command recorded in the audit log with its row, and logged once that is
/// durable.
pub(super) fn of_operators(mut envelope: Envelope) -> Envelope {
    match (&envelope.caller, &envelope.request) {
        (Some(caller), InstanceRequest::Apply { command, .. })
            if caller.operator && OF_OPERATORS.contains(&command.name()) =>
        {
            let noted = Noted {
                caller: caller.clone(),
                command: command.name(),
                details: details_of(command),
            };
            envelope.reply = envelope.reply.with_audit(noted);
        }
        (Some(caller), InstanceRequest::Migrate { migration, .. }) => {
            let noted = Noted {
                caller: caller.clone(),
                command: MIGRATE,
                details: vec![("version", migration.target.row.version.into())],
            };
            envelope.reply = envelope.reply.with_audit(noted);
        }
        _ => {}
    }
    envelope
}

/// Further parameters of a command that are not a user's data.
fn details_of(command: &Command) -> Vec<(&'static str, LogField)> {
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

/// The audit entry of an operator's command.
pub(super) struct Noted {
    caller: Caller,
    command: &'static str,
    details: Vec<(&'static str, LogField)>,
}

impl Noted {
    /// Writes the line of the log, once the command is durable.
    pub(super) fn log(&self, committed: &Committed) {
        let (process, instance) = (&committed.process.row, committed.instance.to_string());
        log::info!(
            target: AUDIT,
            command = self.command, process = process.id.as_str(), instance = instance.as_str(),
            by = &*shortened(&self.caller.subject);
            "an operator's command was applied"
        );
    }

    /// The row of the audit log, written with the command's row.
    pub(super) fn row(&self, committed: &Committed) -> AuditRow {
        let mut details = vec![
            ("process", LogField::from(&committed.process.row.id)),
            ("instance", LogField::Text(committed.instance.to_string())),
        ];
        details.extend(self.details.iter().cloned());
        let note = AuditNote {
            tenant: &self.caller.tenant,
            subject: &self.caller.subject,
            address: self.caller.address,
            act: self.command,
            details: &details,
        };
        note.row()
    }
}

/// The audit entry of a publication by an operator.
pub(super) struct NotedPublication {
    caller: Caller,
    act: &'static str,
    name: String,
}

impl NotedPublication {
    /// The entry of a publication by this caller; `None` when it is not recorded.
    pub(super) fn of(caller: Option<Caller>, correlation: &Correlation) -> Option<Self> {
        let caller = caller.filter(|caller| caller.operator)?;
        let (act, name) = match correlation {
            Correlation::Message { name, .. } => ("message published", name.to_string()),
            Correlation::Signal { name } => ("signal published", name.to_string()),
        };
        Some(Self { caller, act, name })
    }

    /// Writes the line of the log, once the publication is durable.
    pub(super) fn log(&self) {
        let (by, tenant) = (&self.caller.subject, &self.caller.tenant);
        log::info!(
            target: AUDIT,
            by = &*shortened(by), tenant = &*shortened(tenant), name = &*shortened(&self.name);
            "{}", self.act
        );
    }

    /// The row of the audit log, with the number of receivers.
    pub(super) fn row(&self, outcome: &Outcome) -> AuditRow {
        let reached = outcome.copies() as u64;
        let details = [
            ("name", LogField::from(&self.name)),
            ("instances", reached.into()),
        ];
        let note = AuditNote {
            tenant: &self.caller.tenant,
            subject: &self.caller.subject,
            address: self.caller.address,
            act: self.act,
            details: &details,
        };
        note.row()
    }
}
