//! The commands of a process instance. A command is an imperative: it is checked against the state
//! and may be refused.
//!
//! `access` checks who may send it; `record` has the records that follow from it.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    correlation::{EventDelivery, JoiningStart},
    http_call::CallAnswer,
    instance_message::InstanceMessage,
    record::{CommandTag, Created, StoredFile},
    trace::TraceContext,
};
use crate::model::{
    event_definition::EventRef,
    ids::{ElementKey, InstanceKey, Time},
};

/// A command to a live process instance. Starting one is [`StartInstance`].
#[derive(Clone, Debug)]
pub enum Command {
    /// A user runs a manual action.
    Run(RunAction),
    /// A timer is due: of a delayed action, of a timer event, of a user task's reminder, or of the
    /// instance's expiry.
    FireTimer(TimerKey),
    /// A message of the parent or a child has arrived.
    Receive {
        /// The sender.
        from: InstanceKey,
        /// The number of the sender's record, by which the receiver deduplicates.
        number: u64,
        /// The message.
        message: Box<InstanceMessage>,
        /// The trace it belongs to.
        trace: Option<TraceContext>,
    },
    /// Delivers a message or signal to a subscribed element. Sent only by the server.
    Deliver(Box<EventDelivery>),
    /// Delivers a message that was to start an instance to this one, which another message of the
    /// same event-based gateway has started. Refused when no element here waits for it. Sent only
    /// by the server.
    Join(Box<JoiningStart>),
    /// A client publishes a message to this instance.
    TakeMessage(TakeMessage),
    /// The outcome of an HTTP call: its response, or that it was given up.
    TakeAnswer {
        /// The number of the record that placed or repeated the call; the response of each is taken
        /// once.
        number: u64,
        /// Its outcome.
        answer: Box<CallAnswer>,
        /// The trace the call belongs to.
        trace: Option<TraceContext>,
    },
    /// A client dismisses an open Action message.
    CloseOffer {
        /// The number of the message's record.
        seq: u64,
    },
    /// A client starts a subprocess of this instance.
    StartChild(Box<StartChild>),
    /// Terminates the instance and all live instances below it. Of a finished instance it
    /// terminates what that has left running.
    Terminate,
    /// Terminates the instance because an instance above it in the tree has ended other than by
    /// finishing. A finished instance closes the Action messages that it has left open. Sent only
    /// by the server.
    EndWithAncestor,
    /// Terminates a subprocess on behalf of its user.
    Dismiss,
    /// Puts the instance on hold: nothing happens in it until `Unhold`.
    Hold,
    /// Releases the instance from hold, and does the work that became due meanwhile.
    Unhold,
    /// Corrects data, as an operator.
    Patch {
        /// The element whose variables are changed; `None` for the data of the instance.
        scope: Option<ElementKey>,
        /// Merged deeply into the variables.
        data: Value,
    },
    /// Repeats the work that failed with an incident.
    Retry {
        /// The element with the incident.
        element: ElementKey,
    },
    /// Continues without the work that failed with an incident.
    Skip {
        /// The element with the incident.
        element: ElementKey,
    },
    /// Moves the token of an element to another node of its scope, as an operator.
    MoveToken {
        /// The element that has the token.
        element: ElementKey,
        /// The id of the other node.
        to: String,
    },
    /// Claims a user task.
    Claim {
        /// The user task.
        element: ElementKey,
    },
    /// Gives a user task back to the group.
    Release {
        /// The user task.
        element: ElementKey,
    },
    /// Assigns a user task to a user.
    Assign {
        /// The user task.
        element: ElementKey,
        /// The subject of the user.
        user: String,
    },
}

impl Command {
    /// The kind of command, in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::FireTimer(_) => "timer",
            Self::Receive { .. } => "message",
            Self::Deliver(_) => "delivery",
            Self::Join(_) => "join",
            Self::TakeMessage(_) => "publish",
            Self::TakeAnswer { .. } => "answer",
            Self::CloseOffer { .. } => "done",
            Self::StartChild(_) => "start_child",
            Self::Terminate => "terminate",
            Self::EndWithAncestor => "end",
            Self::Dismiss => "dismiss",
            Self::Hold => "hold",
            Self::Unhold => "unhold",
            Self::Patch { .. } => "patch",
            Self::Retry { .. } => "retry",
            Self::Skip { .. } => "skip",
            Self::MoveToken { .. } => "move",
            Self::Claim { .. } => "claim",
            Self::Release { .. } => "release",
            Self::Assign { .. } => "assign",
        }
    }
}

/// The start of a process instance. `head` becomes its first record after start event and data are
/// checked.
#[derive(Clone, Debug)]
pub struct StartInstance {
    /// Identity, origin and data as sent; `head.data` is filtered by the keys of the start event.
    pub head: Created,
    /// Names the start event where a process has several.
    pub start_condition: Option<String>,
    /// The start event that starts the process by its schedule, a message, a signal or a condition.
    /// Its start condition is not checked.
    pub start_event: Option<EventRef>,
    /// The trace of the start, where no other command carries one.
    pub trace: Option<TraceContext>,
}

/// A message published by a client to the elements of one instance that wait for it.
#[derive(Clone, Debug)]
pub struct TakeMessage {
    /// Name of the message.
    pub name: String,
    /// Its correlation key; without one, every element that waits for the name receives it.
    pub correlation_key: Option<String>,
    /// The data of the message, an object.
    pub data: Value,
}

/// A client's start of a subprocess from an instance's data, as that instance receives it. The
/// caller has checked that the subprocess accepts the data.
#[derive(Clone, Debug)]
pub struct StartChild {
    /// The first record of the subprocess, with its data as sent.
    pub head: Created,
    /// Names the start event where the process has several.
    pub start_condition: Option<String>,
    /// The number of the open Action message that it responds to; `None` when an operator starts it
    /// without one.
    pub offer: Option<u64>,
    /// The client's command, by which a repetition finds the subprocess.
    pub command: CommandTag,
}

/// A user's run of a manual action.
#[derive(Clone, Debug)]
pub struct RunAction {
    /// Name of the action.
    pub action: String,
    /// The element of the action; without it, the element that offers the action.
    pub element: Option<ElementKey>,
    /// The payload, filtered by the keys of the action.
    pub data: Value,
    /// The uploaded file, for actions of type `uploadFile`.
    pub file: Option<StoredFile>,
}

/// The permanent identity of a timer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerKey {
    /// The element it belongs to; `None` for the instance itself.
    pub element: Option<ElementKey>,
    /// The purpose of the timer.
    pub kind: TimerKind,
    /// The number among the timers of its kind in this visit, from 1: of the triggering, reminder
    /// or occurrence.
    pub occurrence: u32,
}

/// The purpose of a timer. The order is that of the stored names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// The work of a delayed action, by its name.
    Action(String),
    /// A definition of a timer event: the element's own, that of a boundary event, of an event
    /// behind an event-based gateway, or of the start of an event subprocess in a scope.
    Event(EventRef),
    /// The expiry of the instance.
    Expiry,
    /// A reminder of a user task.
    Reminder,
}

impl TimerKind {
    /// The kind and the name in it, as stored: `("action", "save")`; for an event's second
    /// definition `("event/01", "late")`.
    pub fn parts(&self) -> (Cow<'static, str>, &str) {
        match self {
            Self::Action(action) => ("action".into(), action),
            Self::Event(event) => match event.definition {
                0 => ("event".into(), &event.node),
                place => (format!("event/{place:02}").into(), &event.node),
            },
            Self::Expiry => ("expiry".into(), ""),
            Self::Reminder => ("reminder".into(), ""),
        }
    }

    /// The kind that has these parts.
    pub fn from_parts(kind: &str, name: &str) -> Option<Self> {
        match kind {
            "action" => Some(Self::Action(name.to_owned())),
            "event" => Some(Self::Event(name.into())),
            "expiry" => Some(Self::Expiry),
            "reminder" => Some(Self::Reminder),
            _ => Some(Self::Event(EventRef {
                definition: kind.strip_prefix("event/")?.parse().ok()?,
                node: name.into(),
            })),
        }
    }
}

/// A timer with the time it is due.
#[derive(Clone, Debug)]
pub struct DueTimer {
    /// The timer.
    pub key: TimerKey,
    /// The earliest time at which it fires.
    pub due: Time,
}

impl TimerKey {
    /// The timer of a triggering of an action.
    pub fn action(element: ElementKey, action: &str, occurrence: u32) -> Self {
        Self {
            element: Some(element),
            kind: TimerKind::Action(action.to_owned()),
            occurrence,
        }
    }

    /// The timer of a timer event's next occurrence. Without an element, an event subprocess of the
    /// instance itself waits for it.
    pub fn event(element: Option<ElementKey>, event: &EventRef, occurrence: u32) -> Self {
        Self {
            element,
            kind: TimerKind::Event(event.clone()),
            occurrence,
        }
    }

    /// The timer of a user task's reminder with this number, from 1.
    pub fn reminder(element: ElementKey, number: u32) -> Self {
        Self {
            element: Some(element),
            kind: TimerKind::Reminder,
            occurrence: number,
        }
    }

    /// The timer of the instance's expiry.
    pub fn expiry() -> Self {
        Self {
            element: None,
            kind: TimerKind::Expiry,
            occurrence: 1,
        }
    }
}
