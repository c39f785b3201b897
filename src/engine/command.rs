//! The commands of a process instance. A command is an imperative: it is checked against the state
//! and may be refused.
//!
//! Who may send it: `access`. The records that follow from it: `record`.

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
    /// A message from the parent or a child arrives.
    Receive {
        /// The sender.
        from: InstanceKey,
        /// The sender's record number: what the receiver deduplicates by.
        number: u64,
        /// What it says.
        message: Box<InstanceMessage>,
        /// The trace it belongs to.
        trace: Option<TraceContext>,
    },
    /// A message or signal comes to an element that waits for it. The server's own.
    Deliver(Box<EventDelivery>),
    /// A message that was to start an instance comes to this one, which another message behind the
    /// same gateway has started. Refused when nobody here waits for it. The server's own.
    Join(Box<JoiningStart>),
    /// A client sends a message to this instance.
    TakeMessage(TakeMessage),
    /// A call to the outside came to an answer, or is given up.
    TakeAnswer {
        /// The record that placed or repeated the call: what an answer is taken once by.
        number: u64,
        /// Its outcome.
        answer: Box<CallAnswer>,
        /// The trace the call belongs to.
        trace: Option<TraceContext>,
    },
    /// A client is done with an open Action message.
    CloseOffer {
        /// Number of the message's record.
        seq: u64,
    },
    /// A client starts a subprocess from this instance.
    StartChild(Box<StartChild>),
    /// End the instance and everything live below it; of one that has finished, what it has left
    /// behind.
    Terminate,
    /// An instance further up in the tree has ended other than by finishing: end with it; a
    /// finished one closes what it has left open. The server's own.
    EndWithAncestor,
    /// End a subprocess, as its user.
    Dismiss,
    /// Let nothing happen until `Unhold`.
    Hold,
    /// Go on, and catch up with what became due.
    Unhold,
    /// Correct the data, as an operator.
    Patch {
        /// The element whose variables are meant; `None` for the data of the instance.
        scope: Option<ElementKey>,
        /// Deep-merged into them.
        data: Value,
    },
    /// Run what an incident left undone.
    Retry {
        /// The element with the incident.
        element: ElementKey,
    },
    /// Go on without what an incident left undone.
    Skip {
        /// The element with the incident.
        element: ElementKey,
    },
    /// Take the token of an element to another node of its scope, as an operator.
    MoveToken {
        /// The element where the token is.
        element: ElementKey,
        /// The id of the node.
        to: String,
    },
    /// Take a user task.
    Claim {
        /// The user task.
        element: ElementKey,
    },
    /// Give a user task back.
    Release {
        /// The user task.
        element: ElementKey,
    },
    /// Give a user task to somebody.
    Assign {
        /// The user task.
        element: ElementKey,
        /// Subject it shall belong to.
        user: String,
    },
}

impl Command {
    /// What kind of command it is, in one word.
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

/// Start of a process instance. `head` becomes its first record, once start event and data are
/// checked.
#[derive(Clone, Debug)]
pub struct StartInstance {
    /// Identity, origin and data as offered; `head.data` is filtered by the start event's keys.
    pub head: Created,
    /// Names the start event among several.
    pub start_condition: Option<String>,
    /// The start event that starts it by itself, by its schedule, a message or a signal; no
    /// condition is looked at then.
    pub start_event: Option<EventRef>,
    /// The trace it belongs to, where nobody asks who names one.
    pub trace: Option<TraceContext>,
}

/// A client's message to whatever waits for it in an instance.
#[derive(Clone, Debug)]
pub struct TakeMessage {
    /// Name of the message.
    pub name: String,
    /// Its correlation key; without one it is for whatever waits for the name.
    pub correlation_key: Option<String>,
    /// What it brings; an object.
    pub data: Value,
}

/// A client's start of a subprocess out of an instance's data, as that instance takes it. Its caller
/// has looked whether the subprocess accepts it.
#[derive(Clone, Debug)]
pub struct StartChild {
    /// The subprocess's first record, its data still as offered.
    pub head: Created,
    /// Names the start event among several.
    pub start_condition: Option<String>,
    /// Number of the open Action message it answers; `None` for an operator's start without one.
    pub offer: Option<u64>,
    /// The client's command, by which a repeat finds the subprocess.
    pub command: CommandTag,
}

/// A user's run of a manual action.
#[derive(Clone, Debug)]
pub struct RunAction {
    /// Name of the action.
    pub action: String,
    /// The element it is meant for; without it the one that offers the action.
    pub element: Option<ElementKey>,
    /// Payload, filtered by the action's keys.
    pub data: Value,
    /// The file that came with it, for actions of type `uploadFile`.
    pub file: Option<StoredFile>,
}

/// Identifies one timer for good.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerKey {
    /// The element it belongs to; `None` for the instance itself.
    pub element: Option<ElementKey>,
    /// What it is for.
    pub kind: TimerKind,
    /// Which of its kind in this visit, from 1: which triggering, reminder or occurrence.
    pub occurrence: u32,
}

/// What a timer is for. Ordered as its names are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// The work of a delayed action, by its name.
    Action(String),
    /// A definition of a timer event: of the element itself, a boundary event of it, an event behind it
    /// as a gateway, or the start of an event subprocess in it as a scope.
    Event(EventRef),
    /// The expiry of the instance.
    Expiry,
    /// A reminder of a user task.
    Reminder,
}

impl TimerKind {
    /// Its name and what it names, as stored: `("action", "save")`; of an event's second definition
    /// `("event/01", "late")`.
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

    /// The kind with these parts.
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
    /// Which.
    pub key: TimerKey,
    /// Never fires before this.
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

    /// The timer of a timer event's next occurrence; without an element an event subprocess of the
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
