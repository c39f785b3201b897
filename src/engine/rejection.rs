//! A refused command: nothing was recorded, and the caller learns what was expected.

use crate::model::field_error::FieldErrors;

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The kind, one wire code each.
    pub kind: RejectionKind,
    /// "expected …, but …".
    pub message: String,
    /// What is wrong per path of the payload, for [`RejectionKind::InvalidData`].
    pub fields: FieldErrors,
    /// Keys in their wire form of the elements that may be meant, for an ambiguous
    /// [`RejectionKind::Conflict`].
    pub elements: Vec<String>,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The request itself makes no sense for this process.
    BadRequest,
    /// A token is needed for this.
    Unauthenticated,
    /// There is no such instance, or none this caller may know of.
    NotFound,
    /// May be seen, not done.
    Forbidden,
    /// The state moved on, or the request is ambiguous.
    Conflict,
    /// The action cannot run now.
    Unavailable(Unavailable),
    /// A non-repeatable action ran already in this visit.
    AlreadyExecuted,
    /// The payload breaks the action's keys.
    InvalidData,
    /// A command id was used before with another body.
    IdReused,
}

impl RejectionKind {
    /// In one word, for those who count.
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

/// Why an action cannot run now; the wire's `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The instance has ended.
    Ended,
    /// The instance is on hold.
    OnHold,
    /// No node has such an action.
    UnknownAction,
    /// The action runs by itself.
    NotManual,
    /// No active element offers it.
    NotActive,
    /// The element has an incident.
    Incident,
    /// Its parent action has not run.
    ParentNotRun,
    /// The activity it starts cannot be started now: another one is active in a sequential ad-hoc
    /// subprocess, or nothing begins there any more.
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

    /// A payload that breaks its keys.
    pub fn invalid_data(fields: FieldErrors) -> Self {
        let listed: Vec<&str> = fields.keys().map(String::as_str).collect();
        let message = format!(
            "expected data that fit the keys, but the values at these paths do not:  {}",
            listed.join(", ")
        );
        Self {
            fields,
            ..Self::new(RejectionKind::InvalidData, message)
        }
    }

    /// The one answer for "does not exist" and "is not yours".
    pub fn not_found() -> Self {
        Self::new(
            RejectionKind::NotFound,
            "expected the key of an instance you may see, but there is none with this key; one \
            that ended long ago may have been deleted",
        )
    }
}
