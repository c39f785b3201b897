//! One followed instance of a connection: its channel, its cursor, and how far its beginning is.

use std::{sync::Arc, time::Instant};

use super::super::{
    connection::Out,
    protocol::{client::FrameId, server::ResyncReason},
    task_notes::ToldNotes,
};
use crate::{limits::PotPlace, model::ids::InstanceKey, runtime::channel::InstanceChannel};

/// A followed instance.
pub(in crate::session) struct Subscription {
    /// Where its committed rows are.
    pub channel: Arc<InstanceChannel>,
    /// Its place among the subscriptions of all.
    pub place: Option<PotPlace>,
    /// The number the client is at.
    pub cursor: u64,
    /// How far it is.
    pub phase: Phase,
    /// Whether the instance has ended, as far as it was pulled.
    pub ended: bool,
    /// Whether children are followed as they are announced.
    pub tree: bool,
    /// What the client got beside its frames.
    pub notes: ToldNotes,
    /// The parent for whose sake it is followed; `None` when the client asked for it.
    pub because: Option<InstanceKey>,
    /// Tells its present beginning from earlier ones.
    pub round: u64,
    /// What to say besides the frames when it has begun.
    pub acknowledgement: Acknowledgement,
    /// An announced instance that is not there yet: when it is looked for again.
    pub not_found_deadline: Option<Instant>,
    /// Its start is no longer in progress, so it is there by now or never.
    pub last_look: bool,
}

impl Subscription {
    /// Whether its start is not answered yet.
    pub fn awaits_start(&self) -> bool {
        matches!(self.phase, Phase::AwaitingStart)
    }

    /// What the client was promised and has not got: a beginning that gives way to another owes its
    /// replies.
    pub fn pending_replies(self) -> Acknowledgement {
        match self.phase {
            Phase::Looking(_) | Phase::Ready(_) => self.acknowledgement,
            Phase::AwaitingStart | Phase::Live => Acknowledgement::None,
        }
    }
}

/// How far a following is.
pub(in crate::session) enum Phase {
    /// Its start is not answered yet: whether the client may see it is not known.
    AwaitingStart,
    /// Its instance is being looked at.
    Looking(StartFrom),
    /// Its first frames are ready to be sent in their place.
    Ready(Vec<Out>),
    /// Frames are pulled as they come.
    Live,
}

/// How a following begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum StartFrom {
    /// With a snapshot; with the reason when it replaces what the client holds.
    Snapshot(Option<ResyncReason>),
    /// With what was missed after the cursor.
    Replay,
}

/// What a client gets when its subscription has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::session) enum Acknowledgement {
    /// Nothing: the server follows a child by itself.
    None,
    /// Replies to `subscribe`: several when one came while another was not answered.
    Replies(Vec<FrameId>),
    /// `live`, after a resume.
    Live,
    /// Nothing; but unlike an announced child it is there, and a refusal ends the subscription.
    Shown,
    /// Nothing: the client says that it was announced. Until the server says so too, one that is
    /// not there is distinguished from one that is not for this client as little as anywhere.
    Claimed,
}

impl Acknowledgement {
    /// This courtesy, with the replies that an earlier beginning owes.
    pub fn after(self, owed: Acknowledgement) -> Self {
        match (owed, self) {
            (Acknowledgement::Replies(mut owed), Acknowledgement::Replies(ids)) => {
                owed.extend(ids);
                Acknowledgement::Replies(owed)
            }
            (
                Acknowledgement::Replies(owed),
                Acknowledgement::None | Acknowledgement::Shown | Acknowledgement::Claimed,
            ) => Acknowledgement::Replies(owed),
            (_, acknowledgement) => acknowledgement,
        }
    }
}
