//! Errors and escalations: their codes, and which of the surrounding events catch them.
//!
//! Not here: how they propagate to outer scopes (`engine::throwing`).

use std::sync::Arc;

use super::event_definition::EventRef;

/// The variable of what catches an error with its code; `null` if it has none.
pub const ERROR_CODE: &str = "errorCode";
/// The variable of what catches an error with its message; `null` if it has none.
pub const ERROR_MESSAGE: &str = "errorMessage";
/// The variable of what catches an escalation with its code.
pub const ESCALATION_CODE: &str = "escalationCode";

/// The errors or escalations that a boundary event, or the start event of an event subprocess,
/// catches.
#[derive(Debug)]
pub struct Catch {
    /// The event definition.
    pub event: EventRef,
    /// Whether it catches escalations; otherwise errors.
    pub escalation: bool,
    /// The code it catches; `None` catches all, including failures without a code.
    pub code: Option<Arc<str>>,
    /// Whether the activity ends when it catches.
    pub interrupting: bool,
    /// Whether other definitions of the event have to occur, too.
    pub parallel: bool,
}

/// An error or escalation, which propagates to outer scopes until an event catches it.
#[derive(Clone, Copy, Debug)]
pub enum Thrown<'a> {
    /// An error with its code; a failure without code is only caught by an event without code.
    Error(Option<&'a str>),
    /// An escalation with its code.
    Escalation(&'a str),
}

impl Thrown<'_> {
    /// Which of these catches it: the one with its code, otherwise the one without code.
    pub fn caught_by<'c>(self, catches: &[&'c Catch]) -> Option<&'c Catch> {
        let (escalates, code) = match self {
            Self::Error(code) => (false, code),
            Self::Escalation(code) => (true, Some(code)),
        };
        let fitting = || {
            let all = catches.iter().copied();
            all.filter(|catch| catch.escalation == escalates)
        };
        fitting()
            .find(|catch| code.is_some() && catch.code.as_deref() == code)
            .or_else(|| fitting().find(|catch| catch.code.is_none()))
    }
}
