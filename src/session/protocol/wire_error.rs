//! Translates refusals into the stable error codes of the wire, for frames and REST problems.

use std::{collections::BTreeMap, time::Duration};

use super::{super::shared_rates::RateExceeded, code::ErrorCode, server::FieldEntry};
use crate::{
    engine::{
        Rejection,
        rejection::{RejectionKind, Unavailable},
    },
    journal::disk_room::DiskRoom,
    limits,
    model::field_error::FieldError,
    runtime::instance_request::Refusal,
};

/// A refusal as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// From the stable list.
    pub code: ErrorCode,
    /// A reason within the code, for `action_not_available`, and for `busy` because of the disk.
    pub reason: Option<&'static str>,
    /// "expected …, but …".
    pub message: String,
    /// The violations by path of the payload, for `invalid_data`.
    pub fields: Option<BTreeMap<String, FieldEntry>>,
    /// The number of the instance, for a stale `ifSeq`.
    pub seq: Option<u64>,
    /// Keys of the elements that may be meant, for an ambiguous action.
    pub elements: Option<Box<[String]>>,
    /// Milliseconds until a repeat may succeed, for `rate_limited`.
    pub after_ms: Option<u32>,
}

impl WireError {
    /// An error with a code and its sentence.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: None,
            message: message.into(),
            fields: None,
            seq: None,
            elements: None,
            after_ms: None,
        }
    }

    /// `rate_limited`: a repeat may succeed after this time.
    pub fn rate_limited(after: Duration, message: impl Into<String>) -> Self {
        Self {
            after_ms: Some(u32::try_from(after.as_nanos().div_ceil(1_000_000)).unwrap_or(u32::MAX)),
            ..Self::new(ErrorCode::RateLimited, message)
        }
    }
}

impl From<RateExceeded> for WireError {
    fn from(spent: RateExceeded) -> Self {
        Self::rate_limited(spent.after, spent.sentence())
    }
}

impl From<Refusal> for WireError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => rejection.into(),
            Refusal::Hidden => Rejection::not_found().into(),
            Refusal::Stale(seq) => {
                let sentence = format!(
                    "expected the instance's number to be ifSeq, but it is {seq}: read the \
                    instance again, then decide"
                );
                Self {
                    seq: Some(seq),
                    ..Self::new(ErrorCode::Conflict, sentence)
                }
            }
            Refusal::TooManyLive(most) => Self::rate_limited(
                limits::LIVE_AGAIN,
                format!(
                    "expected at most {most} live instances that were started from this address \
                    without a user's token, but this is one more: end some, or start it as a user"
                ),
            ),
            Refusal::Busy => Self::new(
                ErrorCode::Busy,
                "expected space in the queue for another command, but it is full: try again",
            ),
            Refusal::NoRoom(room) => Self {
                reason: Some(room.name()),
                ..Self::new(ErrorCode::Busy, no_room(room))
            },
            Refusal::Unknown => Self::new(
                ErrorCode::OutcomeUnknown,
                "expected to make this durable, but the server's disk failed: it may have been \
                done or not; send it again with the same id, which gets the true answer",
            ),
            Refusal::Damaged(sentence) => Self::new(ErrorCode::Conflict, &*sentence),
            Refusal::Internal => Self::new(
                ErrorCode::Internal,
                "expected to apply this command, but an internal error occurred; nothing was \
                changed: try again",
            ),
        }
    }
}

impl From<Rejection> for WireError {
    fn from(rejection: Rejection) -> Self {
        let (code, reason) = match rejection.kind {
            RejectionKind::BadRequest => (ErrorCode::BadRequest, None),
            RejectionKind::Unauthenticated => (ErrorCode::Unauthenticated, None),
            RejectionKind::NotFound => (ErrorCode::NotFound, None),
            RejectionKind::Forbidden => (ErrorCode::Forbidden, None),
            RejectionKind::Conflict => (ErrorCode::Conflict, None),
            RejectionKind::Unavailable(why) => (ErrorCode::ActionNotAvailable, Some(reason(why))),
            RejectionKind::AlreadyExecuted => (ErrorCode::AlreadyExecuted, None),
            RejectionKind::InvalidData => (ErrorCode::InvalidData, None),
            RejectionKind::IdReused => (ErrorCode::IdReused, None),
        };
        let message = |(path, error): (String, FieldError)| (path, FieldEntry::from(error));
        let fields = (code == ErrorCode::InvalidData)
            .then(|| rejection.fields.into_iter().map(message).collect());
        let elements =
            Some(rejection.elements.into_boxed_slice()).filter(|elements| !elements.is_empty());
        Self {
            code,
            reason,
            message: rejection.message,
            fields,
            seq: None,
            elements,
            after_ms: None,
        }
    }
}

fn no_room(room: DiskRoom) -> &'static str {
    match room {
        DiskRoom::Enough | DiskRoom::Low => {
            "expected space on the server's disk for a new instance, but less is free than its low \
            watermark; nothing was changed: try again when the operator has freed space"
        }
        DiskRoom::Critical => {
            "expected space on the server's disk, but less is free than its critical watermark, \
            and only commands that complete or end something are accepted; nothing was changed: \
            try again when the operator has freed space"
        }
        DiskRoom::Full => {
            "expected space on the server's disk, but it is full; nothing was changed: try again \
            when the operator has freed space"
        }
    }
}

fn reason(why: Unavailable) -> &'static str {
    match why {
        Unavailable::Ended => "ended",
        Unavailable::OnHold => "on_hold",
        Unavailable::UnknownAction => "unknown_action",
        Unavailable::NotManual => "not_manual",
        Unavailable::NotActive => "not_active",
        Unavailable::Incident => "incident",
        Unavailable::ParentNotRun => "parent_not_run",
        Unavailable::NotEnabled => "not_enabled",
    }
}
