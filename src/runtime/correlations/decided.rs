//! The outcome of a decision on a message or signal: a row, what is sent, what the publisher gets.
//!
//! Not here: how it is decided ([`decide`](mod@super::decide)).

use super::{record::CorrelationRow, state::Outcome};
use crate::{
    engine::{instance_message::InstanceMessage, trace::TraceContext},
    model::ids::InstanceKey,
};

/// A message to send once the row is durable.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Number of its record.
    pub number: u64,
    /// The receiver; `None` for the entity itself.
    pub target: Option<InstanceKey>,
    /// What it says.
    pub message: InstanceMessage,
    /// Number of the publication whose data a delivery brings.
    pub brings: Option<u64>,
    /// The trace of what was published.
    pub trace: Option<TraceContext>,
}

/// What came of a command.
#[derive(Debug, Default)]
pub struct Decided {
    /// The records; none when nothing changed.
    pub row: Option<CorrelationRow>,
    /// To be sent after the commit.
    pub outgoing: Vec<Outgoing>,
    /// For who published.
    pub outcome: Outcome,
    /// Numbers of the deliveries whose end who published waits for: not those of the outbox to the
    /// entity itself.
    pub awaited: Vec<u64>,
    /// Deliveries that are over, for who waits for their end.
    pub settled: Vec<SettledDelivery>,
    /// The instance that was asked for: see [`CorrelationCommand::Live`](super::decide::CorrelationCommand::Live).
    pub live: Option<InstanceKey>,
    /// Whether what was published goes to more later.
    pub goes_on: bool,
}

/// The answer to who asked for a decision, once it is durable.
#[derive(Debug, Default)]
pub struct CorrelationAnswer {
    /// See [`Decided::awaited`].
    pub awaited: Vec<u64>,
    /// See [`Decided::outcome`].
    pub outcome: Outcome,
    /// See [`Decided::live`].
    pub live: Option<InstanceKey>,
    /// See [`Decided::goes_on`].
    pub goes_on: bool,
    /// Whether nothing changed, as it had been decided before.
    pub is_repeat: bool,
}

/// A delivery that is over.
#[derive(Debug)]
pub struct SettledDelivery {
    /// Its number.
    pub number: u64,
    /// When it was not taken: what came of that.
    pub not_taken: Option<NotTaken>,
}

/// What came of a delivery that was not taken.
#[derive(Debug)]
pub struct NotTaken {
    /// Numbers of the deliveries in its stead.
    pub instead: Vec<u64>,
    /// What is true of the publication now.
    pub outcome: Outcome,
}

/// Why a publication is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPublished {
    /// Its id was used with another body.
    IdReused,
    /// No more can be kept.
    Full,
}
