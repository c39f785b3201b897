//! What reaches a connection from the runtime: wake-ups, answers, replays. Senders never wait.
//!
//! Bounded by construction: one pending wake-up per followed instance, one answer per unanswered
//! command.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::mpsc::{
    UnboundedReceiver, UnboundedSender, error::TryRecvError, unbounded_channel,
};

use super::{
    protocol::{channel::Channel, client::FrameId},
    subscription::lists::Listed,
};
use crate::{
    journal::StoreError,
    model::ids::InstanceKey,
    runtime::{
        channel::Follower,
        idle_tracker::{Active, IdleTracker},
        instance_request::{InstanceResponse, Observed},
        missed_rows::Missed,
    },
};

/// Something for a connection.
pub enum Inbound {
    /// A followed instance has new rows.
    Wake(InstanceKey),
    /// A command was answered.
    Answered {
        /// Which.
        command: PendingCommand,
        /// How.
        answer: InstanceResponse,
    },
    /// A look at an instance that is to be followed.
    Looked {
        /// The instance.
        instance: InstanceKey,
        /// The subscription's round: an answer to an earlier one is dropped.
        round: u64,
        /// What was seen.
        answer: InstanceResponse,
    },
    /// Rows that a follower has missed.
    Missed {
        /// The instance.
        instance: InstanceKey,
        /// See [`Inbound::Looked`].
        round: u64,
        /// The instance's number when they were requested.
        observed: Arc<Observed>,
        /// The rows; `None` when there are too many.
        rows: Result<Option<Arc<Missed>>, StoreError>,
    },
    /// A followed list has changed.
    ListChanged {
        /// Which.
        channel: Channel,
        /// See [`Inbound::Looked`].
        round: u64,
    },
    /// Lists have changed whose changes the connection follows.
    Changed {
        /// See [`Inbound::Looked`].
        round: u64,
    },
    /// The lines of a list that is to be followed.
    Listed {
        /// Which.
        channel: Channel,
        /// See [`Inbound::Looked`].
        round: u64,
        /// The lines.
        listed: Listed,
    },
    /// Some user of the server has changed: anyone who is connected may not be allowed to any more.
    UsersChanged,
    /// An operator ends the connection.
    Close,
    /// The server is going down: say so, and go within this many milliseconds.
    Drain {
        /// When the client may come back.
        reconnect_after_ms: u64,
    },
}

/// A command whose answer is outstanding.
#[derive(Clone, Debug)]
pub struct PendingCommand {
    /// The client's id.
    pub id: FrameId,
    /// What kind, where the answer depends on it.
    pub kind: CommandKind,
}

/// What kind of command an answer belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// A start of this instance.
    Start {
        /// The key it has or gets.
        instance: InstanceKey,
        /// Whether it is to be followed.
        follow: bool,
        /// The subject of an anonymous start: the answer brings it a token.
        anonymous: Option<String>,
    },
    /// A message to this instance.
    Publish(InstanceKey),
    /// Has a task open, and perhaps types there.
    Presence {
        /// Whether the user types.
        typing: bool,
    },
    /// Any other command on an instance.
    Other,
}

/// The sending side; also what channels wake.
pub struct Inbox {
    sender: UnboundedSender<Box<Inbound>>,
    woken: Mutex<HashSet<InstanceKey>>,
    unsettled: Option<Unsettled>,
}

/// The receiving side. What is in it is on the heap, piece by piece: the queue has room for 32 of them
/// from the start, and most connections are idle.
pub struct InboundReceiver(UnboundedReceiver<Box<Inbound>>);

impl InboundReceiver {
    /// What comes next; `None` once there is no inbox any more. What was not waited for to the end is
    /// not lost.
    pub async fn recv(&mut self) -> Option<Inbound> {
        self.0.recv().await.map(|inbound| *inbound)
    }

    /// What is there already.
    ///
    /// # Errors
    /// Nothing is.
    pub fn try_recv(&mut self) -> Result<Inbound, TryRecvError> {
        self.0.try_recv().map(|inbound| *inbound)
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// With a test clock: what is in the inbox, or came of it and is not sent yet, counts as activity.
struct Unsettled {
    activity: Arc<IdleTracker>,
    held: Mutex<Option<Active>>,
}

impl Inbox {
    /// An inbox and the receiver its connection reads.
    pub fn new(activity: Option<Arc<IdleTracker>>) -> (Self, InboundReceiver) {
        let (sender, receiver) = unbounded_channel();
        let unsettled = activity.map(|activity| Unsettled {
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

    /// Puts something in; after the connection's end it is dropped.
    pub fn put(&self, inbound: Inbound) {
        let Some(Unsettled { activity, held }) = &self.unsettled else {
            let _ = self.sender.send(Box::new(inbound));
            return;
        };
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let active = activity.begin();
        if self.sender.send(Box::new(inbound)).is_ok() {
            held.get_or_insert(active);
        }
    }

    /// The connection has sent everything it had: with nothing in the inbox, it is at rest.
    pub fn settle(&self, receiver: &InboundReceiver) {
        if let Some(Unsettled { held, .. }) = &self.unsettled {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            if receiver.is_empty() {
                *held = None;
            }
        }
    }

    /// The connection ends: it holds nothing up any more.
    pub fn end(&self) {
        if let Some(Unsettled { held, .. }) = &self.unsettled {
            *held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// The connection turns to an instance: the next row wakes it again.
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
