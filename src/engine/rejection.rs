//! A refused command: nothing was recorded, and the caller gets the reason.

use crate::model::field_error::FieldErrors;

/// The reason why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The kind, one wire code each.
    pub kind: RejectionKind,
    /// The sentence: "expected …, but …".
    pub message: String,
    /// The errors by path of the payload, for [`RejectionKind::InvalidData`].
    pub fields: FieldErrors,
    /// The wire keys of the elements among which the request is ambiguous, for
    /// [`RejectionKind::Conflict`].
    pub elements: Vec<String>,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The request makes no sense for this process.
    BadRequest,
    /// The request needs a token.
    Unauthenticated,
    /// The instance does not exist, or the caller may not see it.
    NotFound,
    /// The caller may see it, but not do it.
    Forbidden,
    /// The state has changed, or the request is ambiguous.
    Conflict,
    /// The action cannot run now.
    Unavailable(Unavailable),
    /// A non-repeatable action ran already in this visit.
    AlreadyExecuted,
    /// The payload violates the action's keys.
    InvalidData,
    /// A command id was used before with another body.
    IdReused,
}

impl RejectionKind {
    /// The kind in one word, for metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Conflict => "conflict",
            Self::Unavailable(_) => "unavailable",
            Self::AlreadyExecuted => "already_executed",
            Self::InvalidData => "invalid_data",
            Self::IdReused => "id_reused",
        }
    }
}

/// The reason why an action cannot run now; `reason` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The instance has ended.
    Ended,
    /// The instance is on hold.
    OnHold,
    /// No node has such an action.
    UnknownAction,
    /// The action is not run by users.
    NotManual,
    /// No active element offers it.
    NotActive,
    /// The element has an incident.
    Incident,
    /// Its parent action has not run.
    ParentNotRun,
    /// The activity that it starts cannot be started now: another one is active in a sequential
    /// ad-hoc subprocess, or the completion condition is true.
    NotEnabled,
}

impl Rejection {
    /// A refusal of this kind with its sentence.
    pub fn new(kind: RejectionKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            fields: FieldErrors::new(),
            elements: Vec::new(),
        }
    }

    /// The refusal of a payload that violates its keys.
    pub fn invalid_data(fields: FieldErrors) -> Self {
        let listed: Vec<&str> = fields.keys().map(String::as_str).collect();
        let message = format!(
            "expected data that fit the keys, but the values at these paths do not: {}",
            listed.join(", ")
        );
        Self {
            fields,
            ..Self::new(RejectionKind::InvalidData, message)
        }
    }

    /// The same refusal for an instance that does not exist and for one that the caller may not
    /// see.
    pub fn not_found() -> Self {
        Self::new(
            RejectionKind::NotFound,
            "expected the key of an instance you may see, but there is none with this key; one \
            that ended long ago may have been deleted",
        )
    }
}
