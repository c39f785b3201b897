//! Messages between instances, and between them and the entities of BPMN's messages and signals.
//! They are delivered in order through the outbox, and processed once.
//!
//! Not pushes to clients: those are records of the instance whose clients see them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    correlation::{Correlation, CorrelationNote, EventDelivery},
    record::created::{CommandTag, Created},
    status::Status,
};
use crate::model::{action::MessageType, event_definition::EventRef, ids::ElementKey};

/// A message of one instance to its parent or child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InstanceMessage {
    /// Parent to child: start.
    Start {
        /// The child's first record without its process version, which the receiver resolves.
        head: Box<Created>,
        /// Names the start event.
        start_condition: Option<String>,
        /// The client's command, if a client started it: already checked, and with the version to
        /// run.
        command: Option<CommandTag>,
    },
    /// Parent to child: end, with this status.
    End {
        /// Status the child ends with.
        status: Status,
    },
    /// To itself, once it has ended other than by finishing, or was terminated after that: end all
    /// live instances below it, on every level, and close what finished ones have left open.
    EndDescendants,
    /// To itself: begin more iterations of a multi-instance activity, as one step begins only a
    /// limited number.
    StartMore {
        /// The activity.
        element: ElementKey,
        /// How many such messages have followed from one another, including this one.
        turn: u32,
    },
    /// Parent to child: the parent finished normally; it no longer receives messages.
    ParentFinished,
    /// Child to parent: push this to your clients.
    Push {
        /// Data or Action.
        kind: MessageType,
        /// The rendered message.
        body: Value,
        /// Node of the child that sent it.
        node: String,
        /// Action of the child that sent it.
        action: String,
    },
    /// Child to parent: merge this into your data.
    Append {
        /// Already nested under its destination.
        patch: Value,
    },
    /// Child to parent: this escalation was thrown and not caught in the child.
    Escalation {
        /// Its code.
        code: String,
        /// What the throwing event owned.
        #[serde(default)]
        carried: Map<String, Value>,
        /// The child's data, if the parent requested a result.
        #[serde(default)]
        data: Option<Value>,
    },
    /// Child to parent: the child has ended. The last message of a child.
    Ended {
        /// The final status.
        status: Status,
        /// The child's data, if the parent requested a result, and the child finished or failed
        /// with an error.
        result: Option<Value>,
        /// The error it failed with.
        error: Option<String>,
        /// What the event that threw the error owned.
        #[serde(default)]
        carried: Map<String, Value>,
    },
    /// Instead of a child that could not be started.
    StartRefused {
        /// Why, for the incident.
        message: String,
    },
    /// Instance to the entity of a message or signal: what it waits for, has taken or throws.
    Note {
        /// The tenant of the instance.
        tenant: String,
        /// The message or signal.
        correlation: Correlation,
        /// The content of the note.
        note: CorrelationNote,
    },
    /// Entity of a message or signal to an instance: a delivery to a subscriber.
    Delivery(EventDelivery),
    /// Entity of a message or signal to a new instance: start at this start event.
    StartByEvent {
        /// Its first record without its process version, which the receiver resolves.
        head: Box<Created>,
        /// The start event.
        start_event: EventRef,
    },
    /// Entity of a signal to itself: deliver a broadcast to more subscribers.
    BroadcastMore {
        /// The tenant of the signal.
        tenant: String,
        /// The signal.
        correlation: Correlation,
        /// Number of the publication.
        publication: u64,
    },
    /// Instead of a child that is not started because an instance above has ended other than by
    /// finishing, and this one with it.
    StartDropped,
}
