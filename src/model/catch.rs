//! Errors and escalations: what is thrown, and which of the events around catch it.
//!
//! Not here: how they climb the scopes (`engine::throwing`).

use std::sync::Arc;

use super::event_definition::EventRef;

/// What a boundary event, or the start of an event subprocess, catches that is thrown.
#[derive(Debug)]
pub struct Catch {
    /// Which of its event definitions.
    pub event: EventRef,
    /// Whether it catches escalations; else errors.
    pub escalation: bool,
    /// The code it catches; `None` catches every one, and every failure without a code.
    pub code: Option<Arc<str>>,
    /// Whether the activity ends when it catches something.
    pub interrupting: bool,
    /// Whether other definitions of the event have to come, too.
    pub parallel: bool,
}

/// What is thrown and climbs the scopes until something catches it.
#[derive(Clone, Copy, Debug)]
pub enum Thrown<'a> {
    /// An error with its code; without one a failure that only a catch-all catches.
    Error(Option<&'a str>),
    /// An escalation with its code.
    Escalation(&'a str),
}

impl Thrown<'_> {
    /// Which of these catches it: the one with its code, else the one that catches every code.
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
