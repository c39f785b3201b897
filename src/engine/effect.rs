//! The effects of a step outside its instance. Effects are plain values, carried out by the runtime
//! after the commit.
//!
//! Pushes are no effects: they are derived from the records, live and in a replay alike.

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
    /// Deliver a message to another instance, in order per pair.
    Send {
        /// Record number here; the receiver deduplicates by it.
        number: u64,
        /// The receiver.
        target: InstanceKey,
        /// What to say.
        message: Box<InstanceMessage>,
    },
    /// Tell those who bring a message or signal, in order.
    Notify {
        /// Record number here; the receiver deduplicates by it.
        number: u64,
        /// Which message or signal.
        correlation: Correlation,
        /// What to say.
        note: CorrelationNote,
    },
    /// Make a call to the outside.
    Call(Box<OutgoingCall>),
    /// The call of this number was answered, or nobody waits for it any more.
    ForgetCall(u64),
    /// Fire a timer when due.
    SetTimer(DueTimer),
    /// Forget a timer.
    ClearTimer(TimerKey),
}
