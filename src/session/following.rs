//! One followed instance of a connection: its channel, its cursor, and how far its beginning is.

use std::{sync::Arc, time::Instant};

use bytestring::ByteString;

use super::frames::{client::FrameId, server::ResyncReason};
use crate::runtime::channel::Channel;

/// A followed instance.
pub(super) struct Following {
    /// Where its committed rows are.
    pub channel: Arc<Channel>,
    /// The number the client stands at.
    pub cursor: u64,
    /// How far it is.
    pub phase: Phase,
    /// Whether children are followed as they are announced.
    pub tree: bool,
    /// Tells its present beginning from earlier ones.
    pub round: u64,
    /// What to say besides the frames when it has begun.
    pub courtesy: Courtesy,
    /// An announced instance that is not there yet: until when it may stay away.
    pub patience: Option<Instant>,
}

/// How far a following is.
pub(super) enum Phase {
    /// Its instance is being looked at.
    Looking(Want),
    /// Its first frames stand ready to be sent in their place.
    Ready(Vec<ByteString>),
    /// Frames are pulled as they come.
    Live,
}

/// How a following begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// With a snapshot; with the reason when it replaces what the client holds.
    Snapshot(Option<ResyncReason>),
    /// With what was missed after the cursor.
    Replay,
}

/// What a client is told when its subscription has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Courtesy {
    /// Nothing: the server follows a child by itself.
    None,
    /// A reply to `subscribe`.
    Reply(FrameId),
    /// `live`, after a resume.
    Live,
}
