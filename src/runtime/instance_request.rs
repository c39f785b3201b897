//! The messages to an instance's actor, and its responses, which leave through its commit gate.
//!
//! Sessions, REST, timers, other instances and the admin pages all send the same [`Envelope`];
//! commands take no other path. Pure readers send a [`Read`](super::read_queue::Read).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;
use uuid::Uuid;

use super::{
    DAMAGED_AGAIN, ROOM_AGAIN, channel::Rendered, correlations::publish::Published,
    definitions::DeployedProcess, event_log::Noted, missed_rows::MissedRows,
    task_access::TaskAccess, trees::TreePlace,
};
use crate::{
    engine::{
        Command, RecordBatch, Rejection,
        access::{Caller, Members},
        command::{RunAction, StartInstance},
        migration::MigrationPlan,
        next_step::NextStep,
        permissions::Permissions,
        record::{CommandTag, Created, StoredFile, Subscriber},
        state::{Child, OpenMessage, Subscriptions},
        trace::TraceContext,
    },
    journal::{NotWritten, Written, disk_room::DiskRoom},
    limits::{CallerKind, PotPlace},
    model::{
        ids::{ElementKey, InstanceKey, Time},
        upload::UploadRules,
    },
};

/// A message to an instance's actor.
pub struct Envelope {
    /// The sender; `None` for the server itself (timers, other instances), which may do everything.
    pub caller: Option<Caller>,
    /// The request.
    pub request: InstanceRequest,
    /// Receives the response, once everything it was computed from is durable.
    pub reply: ReplyTo,
}

impl Envelope {
    /// The kind of caller, for shares of common resources; the server's own work has an operator's
    /// share.
    pub fn kind(&self) -> CallerKind {
        self.caller.as_ref().map_or(CallerKind::Staff, Caller::kind)
    }
}

/// A request to an instance.
pub enum InstanceRequest {
    /// Begin to exist; a repeat is answered like the first start.
    Start(Box<ResolvedStart>),
    /// Start a subprocess from this instance, unless its Action message was answered by others.
    StartChild {
        /// The start of the subprocess, which has to accept it.
        start: Box<ResolvedStart>,
        /// The Action message it answers, if any.
        offer: Option<u64>,
    },
    /// Apply a command.
    Apply {
        /// The command.
        command: Box<Command>,
        /// Its identity, if it is deduplicated.
        tag: Option<CommandTag>,
        /// Refuse if the instance has moved on from this number.
        if_seq: Option<u64>,
    },
    /// Migrate to another version of the definition.
    Migrate {
        /// The version, and how to map elements to it.
        migration: Box<MigrationRequest>,
        /// Its identity, if it is deduplicated.
        tag: Option<CommandTag>,
        /// Refuse if the instance has moved on from this number.
        if_seq: Option<u64>,
    },
    /// Plan a migration, without migrating.
    PlanMigration(Box<MigrationRequest>),
    /// Ask whether a file may be uploaded for a run now.
    MayUpload {
        /// The run, still without its file and data.
        run: Box<RunAction>,
        /// Id and subject of the command, if it is deduplicated: a repeat may send its file again.
        command: Option<(Uuid, String)>,
        /// Refuse if the instance has moved on from this number.
        if_seq: Option<u64>,
    },
    /// Ask whether the caller may work at a user task now: run the given action there, or any
    /// action.
    MayWork {
        /// The task; if absent, the one that offers the action.
        element: Option<ElementKey>,
        /// The action.
        action: Option<String>,
    },
    /// Read the whole state, in the order of commands: for a start that copies from this instance.
    /// Pure readers do not wait behind commands: see [`read_queue`](super::read_queue).
    Observe,
}

impl InstanceRequest {
    /// Whether the request changes nothing.
    pub(super) fn is_read(&self) -> bool {
        match self {
            Self::Start(_)
            | Self::StartChild { .. }
            | Self::Apply { .. }
            | Self::Migrate { .. } => false,
            Self::MayUpload { .. }
            | Self::MayWork { .. }
            | Self::PlanMigration(_)
            | Self::Observe => true,
        }
    }
}

/// The version that an instance is to run.
#[derive(Clone, Debug)]
pub struct MigrationRequest {
    /// The version; of the same process.
    pub target: Arc<DeployedProcess>,
    /// Ids of its nodes and flows, by the ids in the version that the instance runs.
    pub mapping: BTreeMap<String, String>,
}

/// A start, with its definition resolved.
#[derive(Clone)]
pub struct ResolvedStart {
    /// The process to start, and its data.
    pub command: StartInstance,
    /// The definition it will run.
    pub process: Arc<DeployedProcess>,
    /// Its identity, if a client sent it.
    pub tag: Option<CommandTag>,
    /// Its place in a tree; `None` for the root of a new tree.
    pub place: Option<TreePlace>,
}

/// The response to a request.
#[derive(Clone, Debug)]
pub enum InstanceResponse {
    /// The command is durable.
    Applied(Arc<Committed>),
    /// The command was applied before; this is the content of its first response.
    Duplicate(Arc<Committed>),
    /// The receivers of a publication.
    Published(Box<Published>),
    /// Nothing had to be done: a repeat from another instance, or an outdated timer.
    Unchanged,
    /// Files that may be uploaded.
    MayUpload(UploadRules),
    /// The plan of a migration.
    Migration(Box<MigrationPlan>),
    /// The caller may work at this task.
    MayWork(Box<TaskAccess>),
    /// The file asked for.
    File(Box<StoredFile>),
    /// The state.
    Observed(Arc<Observed>),
    /// Refused; nothing changed.
    Refused(Refusal),
}

/// Why a request was refused.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The engine's rejection.
    Rejected(Rejection),
    /// The instance exists, but not for this caller. Clients get the same answer as if it did not
    /// exist; only the server itself, which follows unnamed children, distinguishes the two.
    Hidden,
    /// `ifSeq` is stale; the instance is at this number.
    Stale(u64),
    /// Strangers of this address have this many live instances already.
    TooManyLive(usize),
    /// A bounded queue is full; try again.
    Busy,
    /// The disk has too little free space; nothing was changed. Try again when it has more.
    NoRoom(DiskRoom),
    /// The disk failed: the change may or may not be durable. A repeat with the same id gets the
    /// true answer.
    Unknown,
    /// The instance cannot be loaded, because a part of it is damaged or missing in the store; the
    /// sentence names it.
    Damaged(Arc<str>),
    /// An internal error before anything was changed; the log names it. Try again.
    Internal,
}

/// A durable row, with the data that receivers of its frames need.
#[derive(Debug)]
pub struct Committed {
    /// The instance of the row.
    pub instance: InstanceKey,
    /// The definition it runs.
    pub process: Arc<DeployedProcess>,
    /// The records.
    pub row: RecordBatch,
    /// The trace that its command came with, if a span was made of the command.
    pub cause: Option<TraceContext>,
    /// The users who belong to the instance after it.
    pub members: Members,
    /// The next step after it.
    pub next: NextStep,
    /// Live children after it.
    pub children: Vec<Child>,
    /// Frames of the row, each rendered once, by the first session that needs it.
    pub rendered: Rendered,
}

impl Committed {
    /// The permissions of a caller in the next step.
    pub fn permissions(&self, caller: &Caller) -> Permissions {
        Permissions::of(&self.process.executable, &self.members, &self.next, caller)
    }

    /// Whether a caller may see the instance as it is after this row.
    pub fn may_be_seen_by(&self, caller: &Caller) -> bool {
        self.members.may_see(&self.process.executable, caller)
    }

    /// The id of its command.
    pub fn cause(&self) -> Option<Uuid> {
        self.row.command.as_ref().map(|tag| tag.id)
    }
}

/// An observation of an instance. All that read at the same time share it.
#[derive(Debug)]
pub struct Observed {
    /// The users who belong to the instance, and its first record.
    pub members: Members,
    /// The definition it runs.
    pub process: Arc<DeployedProcess>,
    /// The number that it is at.
    pub seq: u64,
    /// When it was created.
    pub created_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Tokens and actions.
    pub next: NextStep,
    /// Children, live and ended.
    pub children: Vec<Child>,
    /// Data, view and open Action messages, if asked for.
    pub whole: Option<InstanceContents>,
    /// Frames of the observation, rendered once per set of permissions.
    pub rendered: Rendered,
    /// Rows before it that followers have missed, once they are read.
    pub missed: MissedRows,
}

/// The larger part of an observation.
#[derive(Clone, Debug)]
pub struct InstanceContents {
    /// The instance data.
    pub data: Arc<Value>,
    /// The view of a client that has received every Data frame.
    pub view: Arc<Value>,
    /// Action messages that can still be answered, by number.
    pub open: BTreeMap<u64, OpenMessage>,
    /// The events it waits for: each subscriber, with the nodes of its events.
    pub subscriptions: Vec<(Subscriber, Subscriptions)>,
}

impl Observed {
    /// The first record, without its data.
    pub fn head(&self) -> &Created {
        &self.members.head
    }

    /// The permissions of a caller in the next step.
    pub fn permissions(&self, caller: &Caller) -> Permissions {
        Permissions::of(&self.process.executable, &self.members, &self.next, caller)
    }

    /// Keys of the children that are live.
    pub fn live_children(&self) -> impl Iterator<Item = InstanceKey> {
        self.children
            .iter()
            .filter(|child| child.status.is_live())
            .map(|child| child.start.child)
    }
}

impl Refusal {
    /// When the server repeats a request that it must not give up: after `usual`, unless the disk
    /// has no room. `None` when a repeat would be refused, too.
    pub(super) fn again_after(&self, usual: Duration) -> Option<Duration> {
        match self {
            Self::Busy | Self::Internal | Self::Unknown => Some(usual),
            Self::NoRoom(_) => Some(ROOM_AGAIN),
            Self::Damaged(_) => Some(DAMAGED_AGAIN),
            Self::Rejected(_) | Self::Hidden | Self::Stale(_) | Self::TooManyLive(_) => None,
        }
    }

    /// Whether it reports an internal failure, which may occur each time.
    pub(super) fn is_breakage(&self) -> bool {
        matches!(self, Self::Internal | Self::Unknown | Self::Damaged(_))
    }
}

/// Receives the response of a request. If it is dropped without one (because its actor panicked),
/// it sends a refusal, so nobody waits forever.
pub struct ReplyTo {
    receive: Option<Box<dyn FnOnce(InstanceResponse) + Send + Sync>>,
    /// The refusal to send when it is dropped.
    dropped: Refusal,
    /// Its place in the pot of the instance's mailbox, while it waits there.
    place: Option<PotPlace>,
    /// The audit entry of an operator's command.
    noted: Option<Box<Noted>>,
}

impl ReplyTo {
    /// A reply that passes the response to `receive`.
    pub fn to(receive: impl FnOnce(InstanceResponse) + Send + Sync + 'static) -> Self {
        Self {
            receive: Some(Box::new(receive)),
            dropped: Refusal::Internal,
            place: None,
            noted: None,
        }
    }

    /// Adds the audit entry of the command.
    pub(super) fn with_audit(mut self, noted: Noted) -> Self {
        self.noted = Some(Box::new(noted));
        self
    }

    /// Takes the audit entry of the command.
    pub(super) fn take_noted(&mut self) -> Option<Box<Noted>> {
        self.noted.take()
    }

    /// The command takes a place in the instance's mailbox.
    pub(super) fn waits_at(&mut self, place: PotPlace) {
        self.place = Some(place);
    }

    /// The command has left the mailbox.
    pub(super) fn leaves_mailbox(&mut self) {
        self.place = None;
    }

    /// The command's row is now handed to the writer: from here on only the writer knows whether
    /// anything was changed.
    pub fn handed_over(mut self) -> Self {
        self.dropped = Refusal::Unknown;
        self
    }

    /// Sends the response.
    pub fn send(mut self, answer: InstanceResponse) {
        if let Some(receive) = self.receive.take() {
            receive(answer);
        }
    }

    /// Sends the response, unless it was computed from rows that were not written.
    pub fn send_if(self, written: Written, answer: InstanceResponse) {
        match written {
            Ok(()) => self.send(answer),
            Err(why) => self.refuse(why.into()),
        }
    }

    /// Sends a refusal.
    pub fn refuse(self, refusal: Refusal) {
        self.send(InstanceResponse::Refused(refusal));
    }

    /// The same reply, with `by` called on the response first.
    pub(super) fn seen_by(
        mut self,
        by: impl FnOnce(&InstanceResponse) + Send + Sync + 'static,
    ) -> Self {
        if let Some(receive) = self.receive.take() {
            self.receive = Some(Box::new(move |answer| {
                by(&answer);
                receive(answer);
            }));
        }
        self
    }
}

impl Drop for ReplyTo {
    fn drop(&mut self) {
        if let Some(receive) = self.receive.take() {
            receive(InstanceResponse::Refused(self.dropped.clone()));
        }
    }
}

impl From<NotWritten> for Refusal {
    fn from(why: NotWritten) -> Self {
        match why {
            NotWritten::NoRoom => Self::NoRoom(DiskRoom::Full),
            NotWritten::Unknown => Self::Unknown,
        }
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
