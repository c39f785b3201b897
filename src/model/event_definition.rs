//! What an event waits for or throws, as the modeller wrote it: BPMN's event definitions.
//!
//! Not here: timers of start events, which start a process by themselves (`schedule`); the compiled
//! form (`node_kind`).

use serde::{Deserialize, Serialize};

/// The definition of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum EventDefinition {
    /// An error: thrown by an end event, caught by a boundary event.
    Error {
        /// Its code. A boundary event without one catches every failure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// An escalation: thrown by an end or intermediate event, caught by a boundary event.
    Escalation {
        /// Its code. A boundary event without one catches every escalation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// A jump within a scope: from every intermediate throw event of this name to the one catch
    /// event of the same name.
    Link {
        /// Its name.
        name: String,
    },
    /// Compensation: asked for by an end or intermediate event; at the boundary of an activity it
    /// names, by its node's `compensationHandler`, what undoes that.
    Compensation {
        /// The only activity that is compensated; without it everything completed in the scope.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activity: Option<String>,
        /// Whether the event waits until everything is compensated.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        wait_for_completion: bool,
    },
    /// The cancellation of a transaction: by an end event in it, left by a boundary event of it.
    Cancel,
    /// Data of which something is true.
    Conditional {
        /// The condition over the data, as written: `${amount > 100}` or bare.
        condition: String,
    },
    /// A time, read when the element is activated.
    Timer {
        /// Which time.
        when: TimerValue,
        /// IANA name of the zone whose clocks and calendar are meant; UTC without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_zone: Option<String>,
    },
    /// A message: sent by throwing events and send tasks, caught by its name and correlation key.
    Message {
        /// Its name, in which `${path}` stands for a value of the data; that of a start event is
        /// fixed.
        name: String,
        /// A text, in which `${path}` stands for a value of the data: a message goes to who waits
        /// for the same. Read when the event begins to wait, or when it is thrown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation_key: Option<String>,
        /// Throwing: template of the data it takes along; nothing without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
        /// Throwing: ISO 8601 duration for which it is kept when nobody waits for it; not without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time_to_live: Option<String>,
    },
    /// A signal: to all that wait for its name.
    Signal {
        /// Its name, in which `${path}` stands for a value of the data; that of a start event is
        /// fixed.
        name: String,
        /// Throwing: template of the data it takes along; nothing without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    },
    /// The end of everything in the scope of the end event.
    Terminate,
}

/// The time of a timer event: a text, in which `${path}` stands for a value of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TimerValue {
    /// Again and again: a cron expression, or an ISO 8601 repeating interval such as `R3/PT10S`.
    Cycle(String),
    /// Once, at this ISO 8601 time.
    Date(String),
    /// Once, this ISO 8601 duration after the element was activated.
    Duration(String),
}

impl EventDefinition {
    /// Its name in BPMN: `timerEventDefinition`.
    pub fn bpmn_name(&self) -> &'static str {
        match self {
            Self::Error { .. } => "errorEventDefinition",
            Self::Escalation { .. } => "escalationEventDefinition",
            Self::Compensation { .. } => "compensateEventDefinition",
            Self::Cancel => "cancelEventDefinition",
            Self::Link { .. } => "linkEventDefinition",
            Self::Conditional { .. } => "conditionalEventDefinition",
            Self::Timer { .. } => "timerEventDefinition",
            Self::Message { .. } => "messageEventDefinition",
            Self::Signal { .. } => "signalEventDefinition",
            Self::Terminate => "terminateEventDefinition",
        }
    }
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

impl TimerValue {
    /// The text as written.
    pub fn text(&self) -> &str {
        match self {
            Self::Cycle(text) | Self::Date(text) | Self::Duration(text) => text,
        }
    }
}
