//! The effects of a step outside its instance. Effects are plain values, carried out by the runtime
//! after the commit.
//!
//! Pushes to clients are not among them: they are derived from the records, live and in a replay
//! alike.

use super::{
    command::{DueTimer, TimerKey},
    correlation::{Correlation, CorrelationNote},
    http_call::OutgoingCall,
    instance_message::InstanceMessage,
};
use crate::model::ids::InstanceKey;

/// One effect of a step.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send a message to another instance; the order per pair of instances is kept.
    Send {
        /// The number of the record here, by which the receiver deduplicates.
        number: u64,
        /// The receiver.
        target: InstanceKey,
        /// The message.
        message: Box<InstanceMessage>,
    },
    /// Notify the entity of a message or signal; the order is kept.
    Notify {
        /// The number of the record here, by which the receiver deduplicates.
        number: u64,
        /// The message or signal.
        correlation: Correlation,
        /// The content of the notification.
        note: CorrelationNote,
    },
    /// Make an HTTP call.
    Call(Box<OutgoingCall>),
    /// Delete the call of this number: its response was taken, or nothing waits for it any more.
    ForgetCall(u64),
    /// Set a timer.
    SetTimer(DueTimer),
    /// Delete a timer.
    ClearTimer(TimerKey),
}
