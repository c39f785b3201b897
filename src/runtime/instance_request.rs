//! What is sent to an instance's actor, and what comes back through its commit gate.
//!
//! Sessions, REST, timers, peers and the admin pages all send the same [`Envelope`]; there is no
//! second way in for commands. Who only reads sends a [`Read`](super::read_queue::Read).

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
    /// Who asks; `None` for the server itself (timers, peers), which may do everything.
    pub caller: Option<Caller>,
    /// What is asked.
    pub ask: InstanceRequest,
    /// Where the answer goes, once everything it was computed from is durable.
    pub reply: ReplyTo,
}

impl Envelope {
    /// Whose share of what all use it takes; what the server does by itself is nobody's to take away.
    pub fn kind(&self) -> CallerKind {
        self.caller.as_ref().map_or(CallerKind::Staff, Caller::kind)
    }
}

/// A read request to an instance.
pub enum InstanceRequest {
    /// Begin to exist; a repeat is answered like the first.
    Start(Box<Start>),
    /// Start a subprocess from this instance, unless its Action message was answered by others.
    StartChild {
        /// The subprocess, which is to accept it.
        start: Box<Start>,
        /// The Action message it answers, if any.
        offer: Option<u64>,
    },
    /// Apply a command.
    Apply {
        /// What to do.
        command: Box<Command>,
        /// Its identity, if it deduplicates.
        tag: Option<CommandTag>,
        /// Refuse when the instance has moved on from this number.
        if_seq: Option<u64>,
    },
    /// Go to another version of the definition.
    Migrate {
        /// Which, and how.
        migration: Box<MigrationRequest>,
        /// Its identity, if it deduplicates.
        tag: Option<CommandTag>,
        /// Refuse when the instance has moved on from this number.
        if_seq: Option<u64>,
    },
    /// What would become of it in another version.
    PlanMigration(Box<MigrationRequest>),
    /// Whether a file may come with a run now.
    MayUpload {
        /// The run, still without its file and data.
        run: Box<RunAction>,
        /// Id and subject of the command, if it deduplicates: a repeat may bring its file again.
        command: Option<(Uuid, String)>,
        /// Refuse when the instance has moved on from this number.
        if_seq: Option<u64>,
    },
    /// Whether the caller may work at a user task now: run this action there or, without one, act at
    /// all.
    MayWork {
        /// The task; without it the one that offers the action.
        element: Option<ElementKey>,
        /// The action.
        action: Option<String>,
    },
    /// Look at the whole state, in the order of commands: for a start that copies from this
    /// instance. Anyone who only reads does not wait behind commands:
    /// [`read_queue`](super::read_queue).
    Observe,
}

impl InstanceRequest {
    /// Whether it only looks.
    pub(super) fn is_look(&self) -> bool {
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
    /// Which; of the same process.
    pub target: Arc<DeployedProcess>,
    /// Ids of nodes and flows there, by those in the version that the instance runs.
    pub mapping: BTreeMap<String, String>,
}

/// A start, with its definition resolved.
#[derive(Clone)]
pub struct Start {
    /// What to start.
    pub command: StartInstance,
    /// The definition it will run.
    pub process: Arc<DeployedProcess>,
    /// Its identity, if a client gave it.
    pub tag: Option<CommandTag>,
    /// Where it belongs; `None` for the root of a new tree.
    pub place: Option<TreePlace>,
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum InstanceResponse {
    /// The command is durable.
    Applied(Arc<Committed>),
    /// The command was applied before; this is what the first answer said.
    Duplicate(Arc<Committed>),
    /// Who got what was published.
    Published(Box<Published>),
    /// Nothing was to be done: a repeat from a peer, a stale timer.
    Unchanged,
    /// These files may come.
    MayUpload(UploadRules),
    /// What would become of the instance.
    Migration(Box<MigrationPlan>),
    /// The caller may work there.
    MayWork(Box<TaskAccess>),
    /// The file asked for.
    File(Box<StoredFile>),
    /// The state, as asked for.
    Observed(Arc<Observed>),
    /// Refused; nothing changed.
    Refused(Refusal),
}

/// Why nothing was done.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// The engine's word.
    Rejected(Rejection),
    /// It is there, but not for this caller. To the caller it is as if there were none; only
    /// the server itself, which follows children nobody asked for, tells the two apart.
    Hidden,
    /// `ifSeq` is stale; the instance is at this number.
    Stale(u64),
    /// Strangers of this address have so many live instances already.
    TooManyLive(usize),
    /// A bounded queue is full; try again.
    Busy,
    /// The disk has too little free space for this; nothing was changed. Try again when it has.
    NoRoom(DiskRoom),
    /// The disk failed: it may be done or not. A repeat with the same id is answered truly.
    Unknown,
    /// The instance cannot be brought into memory, as something of it is damaged or missing in the
    /// store; the sentence says what.
    Damaged(Arc<str>),
    /// Something broke before anything was changed; the log says. Try again.
    Internal,
}

/// A durable row with what its receivers get.
#[derive(Debug)]
pub struct Committed {
    /// Whose row.
    pub instance: InstanceKey,
    /// The definition it runs.
    pub process: Arc<DeployedProcess>,
    /// The records.
    pub row: RecordBatch,
    /// The trace its command came with, when a span was made of that.
    pub cause: Option<TraceContext>,
    /// Who belongs to the instance after it.
    pub members: Members,
    /// The next step after it.
    pub next: NextStep,
    /// Live children after it.
    pub children: Vec<Child>,
    /// Frames made of it, once, by the first session that needs them.
    pub rendered: Rendered,
}

impl Committed {
    /// What of the next step a caller may do.
    pub fn standpoint(&self, caller: &Caller) -> Permissions {
        Permissions::of(&self.process.executable, &self.members, &self.next, caller)
    }

    /// Whether a caller may see the instance as it is after this row.
    pub fn may_be_seen_by(&self, caller: &Caller) -> bool {
        self.members.may_see(&self.process.executable, caller)
    }

    /// The id of the command that caused it.
    pub fn cause(&self) -> Option<Uuid> {
        self.row.command.as_ref().map(|tag| tag.id)
    }
}

/// A look at an instance. Shared by all that looked at the same time.
#[derive(Debug)]
pub struct Observed {
    /// Who belongs to the instance, with its birth certificate.
    pub members: Members,
    /// The definition it runs.
    pub process: Arc<DeployedProcess>,
    /// The number it is at.
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
    /// Frames made of it, once per set of permissions.
    pub rendered: Rendered,
    /// Rows before it that followers have missed, once they were read.
    pub missed: MissedRows,
}

/// The larger part of a look.
#[derive(Clone, Debug)]
pub struct InstanceContents {
    /// The instance data.
    pub data: Value,
    /// What a client holds that received every Data frame.
    pub view: Value,
    /// Action messages that can be answered, by number.
    pub open: BTreeMap<u64, OpenMessage>,
    /// The events it waits for: by whom, and the nodes of the events.
    pub subscriptions: Vec<(Subscriber, Subscriptions)>,
}

impl Observed {
    /// Birth certificate, without its data.
    pub fn head(&self) -> &Created {
        &self.members.head
    }

    /// What of the next step a caller may do.
    pub fn standpoint(&self, caller: &Caller) -> Permissions {
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
    /// When the server tries again what it must not give up; `usual` unless the disk has no room.
    /// `None` when another try would be refused, too.
    pub(super) fn again_after(&self, usual: Duration) -> Option<Duration> {
        match self {
            Self::Busy | Self::Internal | Self::Unknown => Some(usual),
            Self::NoRoom(_) => Some(ROOM_AGAIN),
            Self::Damaged(_) => Some(DAMAGED_AGAIN),
            Self::Rejected(_) | Self::Hidden | Self::Stale(_) | Self::TooManyLive(_) => None,
        }
    }

    /// Whether it says that something broke, which may break each time.
    pub(super) fn is_breakage(&self) -> bool {
        matches!(self, Self::Internal | Self::Unknown | Self::Damaged(_))
    }
}

/// Where an answer goes. Dropped without one (its actor panicked), it answers that something broke,
/// so nobody waits forever.
pub struct ReplyTo {
    receive: Option<Box<dyn FnOnce(InstanceResponse) + Send + Sync>>,
    /// The answer of one that is dropped.
    dropped: Refusal,
    /// Its place in the instance's mailbox, while it waits there.
    place: Option<PotPlace>,
    /// What the audit log reports the command, if it is an operator's.
    noted: Option<Box<Noted>>,
}

impl ReplyTo {
    /// A reply that hands the answer to `receive`.
    pub fn to(receive: impl FnOnce(InstanceResponse) + Send + Sync + 'static) -> Self {
        Self {
            receive: Some(Box::new(receive)),
            dropped: Refusal::Internal,
            place: None,
            noted: None,
        }
    }

    /// The audit log reports the command.
    pub(super) fn told_of(mut self, noted: Noted) -> Self {
        self.noted = Some(Box::new(noted));
        self
    }

    /// What the audit log reports the command.
    pub(super) fn take_noted(&mut self) -> Option<Box<Noted>> {
        self.noted.take()
    }

    /// The command waits in the instance's mailbox.
    pub(super) fn waits_at(&mut self, place: PotPlace) {
        self.place = Some(place);
    }

    /// It is its turn.
    pub(super) fn leaves_mailbox(&mut self) {
        self.place = None;
    }

    /// The command's row is handed to the writer now: from here on nobody may say that nothing was
    /// changed but the writer.
    pub fn handed_over(mut self) -> Self {
        self.dropped = Refusal::Unknown;
        self
    }

    /// Answers.
    pub fn send(mut self, answer: InstanceResponse) {
        if let Some(receive) = self.receive.take() {
            receive(answer);
        }
    }

    /// Answers, unless what the answer was computed from was not written.
    pub fn send_if(self, written: Written, answer: InstanceResponse) {
        match written {
            Ok(()) => self.send(answer),
            Err(why) => self.refuse(why.into()),
        }
    }

    /// Refuses.
    pub fn refuse(self, refusal: Refusal) {
        self.send(InstanceResponse::Refused(refusal));
    }

    /// The same; `by` sees the answer first.
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
