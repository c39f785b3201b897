//! The result of a decision on a message or signal: a row, messages to send, the publisher's
//! answer.
//!
//! Not here: how it is decided ([`decide`](mod@super::decide)).

use super::{outcome::Outcome, record::CorrelationRow};
use crate::{
    engine::{instance_message::InstanceMessage, trace::TraceContext},
    model::ids::InstanceKey,
};

/// A message to send once the row is durable.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The number of its record.
    pub number: u64,
    /// The receiver; `None` for the entity itself.
    pub target: Option<InstanceKey>,
    /// The message.
    pub message: InstanceMessage,
    /// The number of the publication whose data a delivery has.
    pub publication: Option<u64>,
    /// The trace of the publication.
    pub trace: Option<TraceContext>,
}

/// The result of a command.
#[derive(Debug, Default)]
pub struct Decided {
    /// The row; `None` when nothing changed.
    pub row: Option<CorrelationRow>,
    /// Messages to send after the commit.
    pub outgoing: Vec<Outgoing>,
    /// The publisher's answer.
    pub outcome: Outcome,
    /// Numbers of the deliveries whose end the publisher waits for: not the messages of the entity
    /// to itself.
    pub awaited: Vec<u64>,
    /// Deliveries that have ended, for those who wait for that.
    pub settled: Vec<SettledDelivery>,
    /// The instance that was asked for: see
    /// [`CorrelationCommand::Live`](super::decide::CorrelationCommand::Live).
    pub live: Option<InstanceKey>,
    /// Whether the publication has further receivers later.
    pub is_partial: bool,
}

/// The answer to a command, once it is durable.
#[derive(Debug, Default)]
pub struct CorrelationAnswer {
    /// See [`Decided::awaited`].
    pub awaited: Vec<u64>,
    /// See [`Decided::outcome`].
    pub outcome: Outcome,
    /// See [`Decided::live`].
    pub live: Option<InstanceKey>,
    /// See [`Decided::is_partial`].
    pub is_partial: bool,
    /// Whether nothing changed, because the command was decided before.
    pub is_repeat: bool,
}

/// A delivery that has ended.
#[derive(Debug)]
pub struct SettledDelivery {
    /// Its number.
    pub number: u64,
    /// The consequence, if it was not taken.
    pub not_taken: Option<NotTaken>,
}

/// The consequence of a delivery that was not taken.
#[derive(Debug)]
pub struct NotTaken {
    /// Numbers of the deliveries that replace it.
    pub instead: Vec<u64>,
    /// The outcome of the publication now.
    pub outcome: Outcome,
}

/// Why a publication is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPublished {
    /// Its id was used before with another body.
    IdReused,
    /// No more messages can be kept.
    Full,
}
