//! Bugs that are planted to show that each check can fail.

/// The deliberate bug of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The store loses its newest transactions in a crash, although it reported them as durable.
    LostTail,
    /// Clients send a command again under another id.
    AnotherId,
    /// A pushed frame is lost on its way, and the connection continues.
    LostFrame,
    /// A pushed frame differs from its record.
    ChangedFrame,
    /// The log records timers a minute before they fired.
    EarlyTimer,
    /// The log records some rows an hour before they were written.
    TimeGoesBack,
    /// The audit log lacks the commands of operators.
    UnknownAct,
    /// While the machine's clock is behind, process time stops.
    TimeHeldUp,
    /// The log holds rows with a number left out.
    Gap,
    /// The store forgets messages between instances.
    LostMessage,
    /// An instance forgets in a crash which messages of others it has received.
    ForgottenReceipt,
    /// A crash loses the stored messages.
    ForgottenDelivery,
    /// One client never gets a reply.
    Silence,
}
