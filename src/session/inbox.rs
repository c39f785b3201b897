//! Messages of the runtime to a connection: wake-ups, responses, replays. Senders never wait.
//!
//! The queue is bounded by construction: one wake-up per followed instance, one response per
//! unanswered command.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc::{
    UnboundedReceiver, UnboundedSender, error::TryRecvError, unbounded_channel,
};

use super::{
    protocol::{channel::Channel, client::FrameId},
    subscription::lists::ListLines,
    subscription_start::PendingRead,
};
use crate::{
    journal::StoreError,
    model::ids::InstanceKey,
    runtime::{
        channel::Follower,
        idle_tracker::{IdleTracker, InProgress},
        instance_request::{InstanceResponse, Observed},
        missed_rows::Missed,
    },
};

/// A message to a connection.
pub enum Inbound {
    /// A followed instance has new rows.
    Wake(InstanceKey),
    /// A command was answered.
    Answered {
        /// The command.
        command: PendingCommand,
        /// The response.
        answer: InstanceResponse,
    },
    /// The observation of an instance that is to be followed.
    Looked {
        /// The instance.
        instance: InstanceKey,
        /// The look that this answers.
        read: PendingRead,
        /// The observation.
        answer: InstanceResponse,
    },
    /// Rows that a follower has missed.
    Missed {
        /// The instance.
        instance: InstanceKey,
        /// See [`Inbound::Looked`].
        read: PendingRead,
        /// The observation before which the rows were missed.
        observed: Arc<Observed>,
        /// The rows; `None` when there are too many.
        rows: Result<Option<Arc<Missed>>, StoreError>,
    },
    /// A followed list has changed.
    ListChanged {
        /// The list.
        channel: Channel,
        /// The round of the subscription: a response to an earlier round is dropped.
        round: u64,
    },
    /// Lists have changed, for a connection that follows the channel `changes`.
    Changed {
        /// See [`Inbound::ListChanged`].
        round: u64,
    },
    /// The lines of a list that is to be followed.
    Listed {
        /// The list.
        channel: Channel,
        /// See [`Inbound::ListChanged`].
        round: u64,
        /// The lines.
        listed: ListLines,
    },
    /// A user of the server has changed: the client of the connection may have lost its access.
    UsersChanged,
    /// An operator closes the connection.
    Close,
    /// The server is stopping: announce it, and close within this time.
    Drain {
        /// When the client may reconnect, in milliseconds.
        reconnect_after_ms: u64,
    },
}

impl Inbound {
    /// Whether taking it may take long, as the beginning of a subscription to a large instance does.
    pub fn may_take_long(&self) -> bool {
        matches!(
            self,
            Self::Looked { .. } | Self::Missed { .. } | Self::Listed { .. }
        )
    }
}

/// A command without an answer yet.
#[derive(Clone, Debug)]
pub struct PendingCommand {
    /// The client's id.
    pub id: FrameId,
    /// Its kind, if the answer depends on it.
    pub kind: CommandKind,
}

/// The kind of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// A start of this instance.
    Start {
        /// The key of the instance.
        instance: InstanceKey,
        /// Whether it is to be followed.
        follow: bool,
        /// The subject of an anonymous start: its answer contains a token.
        anonymous: Option<String>,
    },
    /// A message to this instance.
    Publish(InstanceKey),
    /// Opens a task, or types there.
    Presence {
        /// Whether the user types.
        typing: bool,
    },
    /// Any other command on an instance.
    Other,
}

/// The sending side, which channels wake, too.
pub struct Inbox {
    sender: UnboundedSender<Box<Inbound>>,
    woken: Mutex<HashSet<InstanceKey>>,
    unsettled: Option<InboxActivity>,
}

/// The receiving side. Entries are boxed, because the queue allocates room for 32 of them from the
/// start, and most connections are idle.
pub struct InboundReceiver(UnboundedReceiver<Box<Inbound>>);

impl InboundReceiver {
    /// The next message; `None` once there is no inbox any more. If the future is dropped, no
    /// message is lost.
    pub async fn recv(&mut self) -> Option<Inbound> {
        self.0.recv().await.map(|inbound| *inbound)
    }

    /// The next message, if there is one.
    ///
    /// # Errors
    /// There is no message.
    pub fn try_recv(&mut self) -> Result<Inbound, TryRecvError> {
        self.0.try_recv().map(|inbound| *inbound)
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// With a test clock: what is in the inbox, or follows from it and is not sent yet, counts as in
/// progress.
struct InboxActivity {
    activity: Arc<IdleTracker>,
    held: Mutex<Option<InProgress>>,
}

impl Inbox {
    /// An inbox and the receiver its connection reads.
    pub fn new(activity: Option<Arc<IdleTracker>>) -> (Self, InboundReceiver) {
        let (sender, receiver) = unbounded_channel();
        let unsettled = activity.map(|activity| InboxActivity {
            activity,
            held: Mutex::default(),
        });
        (
            Self {
                sender,
                woken: Mutex::default(),
                unsettled,
            },
            InboundReceiver(receiver),
        )
    }

    /// Adds a message; after the end of the connection it is dropped.
    pub fn put(&self, inbound: Inbound) {
        let Some(InboxActivity { activity, held }) = &self.unsettled else {
            let _ = self.sender.send(Box::new(inbound));
            return;
        };
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let active = activity.begin();
        if self.sender.send(Box::new(inbound)).is_ok() {
            held.get_or_insert(active);
        }
    }

    /// The connection has sent everything: if the inbox is empty, nothing is in progress.
    pub fn settle(&self, receiver: &InboundReceiver) {
        if let Some(InboxActivity { held, .. }) = &self.unsettled {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            if receiver.is_empty() {
                *held = None;
            }
        }
    }

    /// The connection ends, and no longer counts as in progress.
    pub fn end(&self) {
        if let Some(InboxActivity { held, .. }) = &self.unsettled {
            *held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// The connection handles the wake-up of an instance: the next row wakes it again.
    pub fn turned_to(&self, instance: InstanceKey) {
        self.woken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&instance);
    }
}

impl Follower for Inbox {
    fn wake(&self, instance: InstanceKey) {
        let first = self
            .woken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(instance);
        if first {
            self.put(Inbound::Wake(instance));
        }
    }
}
