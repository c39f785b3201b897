//! The notation of escalations, compensation and the end of transactions.

use super::*;

/// A record of a throw, with elements by their names.
pub(super) fn written<'a>(record: &Record, at: impl Fn(&ElementKey) -> &'a str) -> String {
    if let Record::ErrorThrown {
        element,
        code,
        message,
        caught_by,
    } = record
    {
        let caught = caught_by
            .as_ref()
            .map_or("uncaught".to_owned(), |node| format!("to @{node}"));
        return format!("error {code} {message:?} by {} {caught}", at(element));
    }
    if let Record::EscalationThrown {
        element,
        code,
        caught_by,
    } = record
    {
        let caught = caught_by
            .as_ref()
            .map_or("uncaught".to_owned(), |node| format!("to @{node}"));
        return format!("escalated {code} by {} {caught}", at(element));
    }
    if let Record::CompensationThrown { by, of, .. } = record {
        let of: Vec<&str> = of.iter().map(&at).collect();
        let of = if of.is_empty() {
            "nothing".to_owned()
        } else {
            of.join(", ")
        };
        return format!("{} compensates {of}", at(by));
    }
    if let Record::CompensationStarted { element, of, .. } = record {
        return format!("{} begins to compensate {}", at(element), at(of));
    }
    if let Record::CompensationCompleted { element } = record {
        return format!("{} has compensated", at(element));
    }
    if let Record::ScopeInterrupted { scope, node } = record {
        let scope = scope.as_ref().map_or("the instance", at);
        return format!("interrupted {scope} by {node}");
    }
    if let Record::TransactionCancelled { element } = record {
        return format!("cancelled {}", at(element));
    }
    format!("{record:?}")
}
