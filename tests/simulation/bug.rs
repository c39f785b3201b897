//! Bugs that are planted to show that each check can fail.

/// The deliberate bug of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The store forgets its newest transactions in a crash, though it said they are durable.
    LostTail,
    /// Clients send a command again under another id.
    AnotherId,
    /// A pushed frame is lost on its way, and the connection continues.
    LostFrame,
    /// A pushed frame says something else than was recorded.
    ChangedFrame,
    /// The log says of timers that they fired a minute before they did.
    EarlyTimer,
    /// The log says of some rows that they were written an hour before.
    TimeGoesBack,
    /// The audit log says nothing of operators' commands.
    UnknownAct,
    /// While the machine's clock is behind, no time passes.
    TimeHeldUp,
    /// The log holds rows with a number left out.
    Gap,
    /// The store forgets messages between instances.
    LostMessage,
    /// An instance forgets after a crash which messages of others it has taken.
    ForgottenReceipt,
    /// A crash loses the stored messages.
    ForgottenDelivery,
    /// One client is never answered.
    Silence,
}
