//! Messages between instances, and between them and the entities of BPMN's messages and signals. They travel through the outbox: in order per pair,
//! applied once.
//!
//! Not pushes to clients: those are records of the instance whose clients see them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    correlation::{Correlation, CorrelationNote, EventDelivery},
    record::created::{CommandTag, Created},
    status::Status,
};
use crate::model::{action::MessageType, event_definition::EventRef, ids::ElementKey};

/// What one instance tells its parent or child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InstanceMessage {
    /// Parent to child: begin to exist.
    Start {
        /// The child's first record but for its process version, which the receiver resolves.
        head: Box<Created>,
        /// Names the start event.
        start_condition: Option<String>,
        /// The client's command, when a client started it: checked already, and with the version
        /// it runs.
        command: Option<CommandTag>,
    },
    /// Parent to child: end, with this status.
    End {
        /// Status the child ends with.
        status: Status,
    },
    /// To itself, once it has ended other than by finishing, or was terminated after that: end all
    /// that is live below it, on every level, and close what finished instances there left open.
    EndDescendants,
    /// To itself: begin more iterations of a multi-instance activity, of which one step begins only
    /// so many.
    StartMore {
        /// The activity.
        element: ElementKey,
        /// How many such messages have followed from one another, this one included.
        turn: u32,
    },
    /// Parent to child: the parent finished normally; there is nobody to send to any more.
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
    /// Child to parent: this escalation was thrown, and nothing here caught it.
    Escalation {
        /// Its code.
        code: String,
    },
    /// Child to parent: I have ended. The last message of a child.
    Ended {
        /// How.
        status: Status,
        /// The child's data, when the parent asked for a result.
        result: Option<Value>,
        /// The error it failed with.
        error: Option<String>,
    },
    /// In place of a child that could not be started.
    StartRefused {
        /// Why, for the incident.
        message: String,
    },
    /// Instance to the entity of a message or signal: what it waits for, took or throws.
    Note {
        /// Of the instance.
        tenant: String,
        /// Which message or signal.
        correlation: Correlation,
        /// What it says.
        note: CorrelationNote,
    },
    /// Entity of a message or signal to an instance: what somebody there waits for.
    Delivery(EventDelivery),
    /// Entity of a message or signal to a new instance: begin to exist at this start event.
    StartByEvent {
        /// Its first record but for its process version, which the receiver resolves.
        head: Box<Created>,
        /// The start event.
        start_event: EventRef,
    },
    /// Entity of a signal to itself: bring a broadcast to more of those who wait.
    BroadcastMore {
        /// Of the signal.
        tenant: String,
        /// The signal.
        correlation: Correlation,
        /// Number of what was published.
        publication: u64,
    },
    /// In place of a child that is not started because an instance above has ended other than by
    /// finishing, and this one with it.
    StartDropped,
}
