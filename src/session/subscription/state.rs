//! One followed instance of a connection: its channel, its cursor, and the phase of its
//! subscription.

use std::{sync::Arc, time::Instant};

use super::super::{
    outgoing::Held,
    protocol::{client::FrameId, server::ResyncReason},
    task_notes::SentNotes,
};
use crate::{limits::PotPlace, model::ids::InstanceKey, runtime::channel::InstanceChannel};

/// A followed instance.
pub(in crate::session) struct FollowedInstance {
    /// The channel of its committed rows.
    pub channel: Arc<InstanceChannel>,
    /// Its place in the pot of all subscriptions.
    pub place: Option<PotPlace>,
    /// The number the client is at.
    pub cursor: u64,
    /// Its phase.
    pub phase: SubscriptionPhase,
    /// Whether the instance has ended, according to the rows pulled so far.
    pub ended: bool,
    /// Whether children are followed as they are announced.
    pub tree: bool,
    /// The notes on tasks that the client was sent.
    pub notes: SentNotes,
    /// The parent because of which it is followed; `None` if the client asked for it.
    pub because: Option<InstanceKey>,
    /// Distinguishes its present beginning from earlier ones.
    pub round: u64,
    /// What to send besides the frames when it has begun.
    pub acknowledgement: Acknowledgement,
    /// When to read an announced instance again that does not exist yet.
    pub not_found_deadline: Option<Instant>,
    /// Its start is no longer in progress, so it exists by now or never will.
    pub last_read: bool,
}

impl FollowedInstance {
    /// Whether its start is not answered yet.
    pub fn awaits_start(&self) -> bool {
        matches!(self.phase, SubscriptionPhase::AwaitingStart)
    }

    /// What the client is still to be sent: a beginning that is replaced by another passes on its
    /// replies.
    pub fn pending_replies(self) -> Acknowledgement {
        match self.phase {
            SubscriptionPhase::Reading(_) | SubscriptionPhase::Ready(_) => self.acknowledgement,
            SubscriptionPhase::AwaitingStart | SubscriptionPhase::Live => Acknowledgement::None,
        }
    }
}

/// The phase of a subscription.
pub(in crate::session) enum SubscriptionPhase {
    /// Its start is not answered yet, so it is not known whether the client may see it.
    AwaitingStart,
    /// Its instance is being read.
    Reading(StartFrom),
    /// Its first frames are ready to be sent in their place.
    Ready(Vec<Held>),
    /// Frames are pulled as they come.
    Live,
}

/// How a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum StartFrom {
    /// With a snapshot; with the reason if it replaces what the client has.
    Snapshot(Option<ResyncReason>),
    /// With what was missed after the cursor.
    Replay,
}

/// What a client is sent when its subscription has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::session) enum Acknowledgement {
    /// Nothing: the server follows a child without being asked.
    None,
    /// Replies to `subscribe`: several if another one came before the first was answered.
    Replies(Vec<FrameId>),
    /// `live`, after a resume.
    Live,
    /// Nothing; but unlike an announced child it exists, and a refusal ends the subscription.
    Shown,
    /// Nothing: the client claims that it was announced. Until the server announces it, too, the
    /// client must not be able to distinguish an instance that does not exist from one that it may
    /// not see.
    Claimed,
}

impl Acknowledgement {
    /// This acknowledgement, with the replies of an earlier beginning.
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
