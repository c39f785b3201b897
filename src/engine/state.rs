//! The state of a process instance: the fold of its records. Only `apply`, a child module, can
//! write it; every field is private to this module, so the compiler enforces this.
//!
//! The state holds only what its records have put there. `lineage` has the questions of descent,
//! `merges` what is needed to restore earlier data, `decisions` the outcome of approvals,
//! `commands` the deduplication of commands.

mod apply;
mod call;
mod commands;
mod compensation;
mod decisions;
mod element;
mod http_call;
mod lineage;
mod loop_state;
mod merges;
mod scope;
mod subscription;
mod traces;
mod variables;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    access::Members,
    correlation::EventDelivery,
    record::{ChildStarted, Created, Record, Status, StoredFile, batch::RecordBatch},
    trace::TraceContext,
};
use crate::model::ids::{ElementKey, InstanceKey, Time};

use self::{
    decisions::Decisions,
    merges::{Author, Merges},
};
pub use call::Call;
pub use commands::{Commands, Seen};
pub use compensation::{Compensation, CompensationRun};
pub use decisions::Decision;
pub use element::{ActionState, AdHocState, ElementInstance, FirstRun};
pub use http_call::OpenCall;
pub use loop_state::LoopState;
pub use scope::Scope;
pub use subscription::{OpenSubscription, Subscriptions};

/// The state of one process instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceState {
    head: Arc<Created>,
    /// Subjects to which an element is or was assigned.
    participants: Arc<BTreeSet<Arc<str>>>,
    status: Status,
    created_at: Time,
    ended_at: Option<Time>,
    seq: u64,
    data: Arc<Value>,
    view: Arc<Value>,
    /// Active elements, and completed ones that are retained for back steps.
    elements: BTreeMap<ElementKey, ElementInstance>,
    /// The number of active elements.
    active_elements: usize,
    /// The instance as a scope.
    root: Scope,
    /// Open Action messages by record number.
    open: BTreeMap<u64, OpenMessage>,
    children: BTreeMap<InstanceKey, Child>,
    parent_received: u64,
    parent_finished: bool,
    /// Whether it was terminated after it had finished.
    descendants_ended: bool,
    decisions: Decisions,
    /// Whether work that failed with an incident was ever skipped.
    has_skipped: bool,
    /// Merges since the earliest snapshot that a back step may restore; `None` without such a
    /// snapshot.
    merges: Option<Merges>,
    /// Bytes of the variables declared by elements, including retained ones.
    owned_bytes: usize,
    files: BTreeMap<Uuid, StoredFile>,
    commands: Commands,
    /// Messages and signals that were delivered while the instance was on hold.
    held_deliveries: Vec<EventDelivery>,
    /// Instances that were not started because this one received their start messages.
    joined: BTreeSet<InstanceKey>,
    /// The trace of the command that started it.
    #[serde(default)]
    trace: Option<Arc<TraceContext>>,
}

/// A child, as its parent knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Number of the record that started it.
    pub seq: u64,
    /// How it was started. Its `received` grows with each message of the child.
    pub start: ChildStarted,
    /// Its last known status.
    pub status: Status,
    /// Whether its end was requested. Later messages of the child, except that of its end, are
    /// dropped.
    pub ending: bool,
}

impl Child {
    fn author(&self) -> Author {
        Author {
            element: self.start.element,
            since: self.seq,
        }
    }
}

/// An Action message that waits for the response of a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenMessage {
    /// The rendered message.
    pub body: Value,
    /// Until when it accepts a response.
    pub until: Time,
    author: Author,
}

impl OpenMessage {
    /// The element that sent it, or the nearest retained element instance in its place.
    pub fn element(&self) -> Option<ElementKey> {
        self.author.element
    }
}

impl InstanceState {
    /// The fold of whole rows, on top of a snapshot or from the first row on. `None` without any
    /// record.
    pub fn replay<'a>(
        snapshot: Option<Self>,
        rows: impl IntoIterator<Item = &'a RecordBatch>,
    ) -> Option<Self> {
        let mut state = snapshot;
        for row in rows {
            for (seq, record) in row.numbered() {
                match (&mut state, record) {
                    (Some(state), record) => state.apply(seq, row.time, record),
                    (none, Record::Created(created)) => {
                        *none = Some(Self::created(seq, row.time, created))
                    }
                    (None, _) => return None,
                }
            }
            if let Some(state) = &mut state {
                state.end_row(row);
            }
        }
        state
    }

    /// The first record; its `data` is emptied once merged into [`Self::data`].
    pub fn head(&self) -> &Created {
        &self.head
    }

    /// The users who belong to the instance.
    pub fn members(&self) -> Members {
        Members {
            head: self.head.clone(),
            participants: self.participants.clone(),
        }
    }

    /// This instance's key.
    pub fn key(&self) -> InstanceKey {
        self.head.key
    }

    /// The status of the instance.
    pub fn status(&self) -> Status {
        self.status
    }

    /// When it was created.
    pub fn created_at(&self) -> Time {
        self.created_at
    }

    /// When it ended; `None` while it is live.
    pub fn ended_at(&self) -> Option<Time> {
        self.ended_at
    }

    /// The number of its last row.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The root scope's data; always a JSON object.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// The same, as a shared value: a later change copies it while somebody holds it.
    pub fn shared_data(&self) -> Arc<Value> {
        self.data.clone()
    }

    /// The view of a client that has received every Data frame.
    pub fn view(&self) -> &Value {
        &self.view
    }

    /// The same, as a shared value: a later change copies it while somebody holds it.
    pub fn shared_view(&self) -> Arc<Value> {
        self.view.clone()
    }

    /// An active or retained element instance.
    pub fn element(&self, key: ElementKey) -> Option<&ElementInstance> {
        self.elements.get(&key)
    }

    /// Active elements in order of activation.
    pub fn active(&self) -> impl Iterator<Item = (ElementKey, &ElementInstance)> {
        self.elements
            .iter()
            .filter(|(_, element)| element.is_active())
            .map(|(&key, element)| (key, element))
    }

    /// The number of active elements, without counting them again.
    pub fn active_count(&self) -> usize {
        self.active_elements
    }

    /// Retained instances of completed elements, oldest first.
    pub fn retained(&self) -> impl DoubleEndedIterator<Item = (ElementKey, &ElementInstance)> {
        self.elements
            .iter()
            .filter(|(_, element)| !element.is_active())
            .map(|(&key, element)| (key, element))
    }

    /// Action messages that accept a response at this time, by record number. They outlive the
    /// normal end of the instance.
    pub fn open(&self, now: Time) -> impl Iterator<Item = (u64, &OpenMessage)> {
        self.open
            .iter()
            .filter(move |(_, message)| message.until > now)
            .map(|(&seq, message)| (seq, message))
    }

    /// The Action message with this number, if it accepts a response at this time.
    pub fn open_message(&self, seq: u64, now: Time) -> Option<&OpenMessage> {
        self.open.get(&seq).filter(|message| message.until > now)
    }

    /// The numbers of all Action messages without response, also of those whose time is over.
    pub fn all_open(&self) -> impl Iterator<Item = u64> {
        self.open.keys().copied()
    }

    /// Until when the last Action message of a finished instance accepts a response.
    pub fn left_open_until(&self) -> Option<Time> {
        let left = self.open.values().map(|message| message.until).max();
        left.filter(|_| self.status == Status::Finished)
    }

    /// All children, live and ended.
    pub fn children(&self) -> &BTreeMap<InstanceKey, Child> {
        &self.children
    }

    /// Whether an instance below may be live or have open Action messages. A finished child may
    /// have left both; a child that ended otherwise has taken them with it.
    pub fn may_have_live_descendants(&self) -> bool {
        self.children
            .values()
            .any(|child| child.status.is_live() || child.status == Status::Finished)
    }

    /// Whether it has finished and left something that can be ended: subprocesses or Action
    /// messages.
    pub fn has_left_something(&self) -> bool {
        self.status == Status::Finished
            && (self.may_have_live_descendants() || !self.open.is_empty())
    }

    /// Whether it was terminated after it had finished, so that nothing can start below it.
    pub fn descendants_ended(&self) -> bool {
        self.descendants_ended
    }

    /// The number of the parent's last received record.
    pub fn parent_received(&self) -> u64 {
        self.parent_received
    }

    /// Whether it has a parent that can still receive messages.
    pub fn can_send_to_parent(&self) -> bool {
        self.head.parent.is_some() && !self.parent_finished
    }

    /// Whether an element of the parent waits for this instance.
    pub fn is_awaited(&self) -> bool {
        self.can_send_to_parent() && self.head.parent.as_ref().is_some_and(|link| link.awaited)
    }

    /// Whether the parent wants this instance's data.
    pub fn wants_result(&self) -> bool {
        let parent = self.head.parent.as_ref();
        parent.is_some_and(|link| link.wants_result)
    }

    /// The last decision of an approval that no step back has undone.
    pub fn last_decision(&self) -> Option<&Decision> {
        self.decisions.last()
    }

    /// Whether work that failed with an incident was ever skipped.
    pub fn has_skipped(&self) -> bool {
        self.has_skipped
    }

    /// The files that users have uploaded, including those that no data refer to any more.
    pub fn files(&self) -> &BTreeMap<Uuid, StoredFile> {
        &self.files
    }

    /// Messages and signals that were delivered while it was on hold, in their order.
    pub fn held_deliveries(&self) -> &[EventDelivery] {
        &self.held_deliveries
    }

    /// Whether this delivery arrived while the instance was on hold.
    pub fn holds_delivery(&self, delivery: &EventDelivery) -> bool {
        self.held_deliveries.iter().any(|held| {
            (held.by, &held.event) == (delivery.by, &delivery.event)
                && held.number >= delivery.number
        })
    }

    /// Whether it received the message that would have started this instance.
    pub fn has_joined(&self, instance: InstanceKey) -> bool {
        self.joined.contains(&instance)
    }

    /// Whether an instance is its parent.
    pub fn parent_is(&self, instance: InstanceKey) -> bool {
        let parent = self.head.parent.as_ref();
        parent.is_some_and(|link| link.instance == instance)
    }

    /// The command ids that it has seen.
    pub fn commands(&self) -> &Commands {
        &self.commands
    }
}

/// A bounded queue of the newest entries, as in [`Commands`].
type Ring<T> = VecDeque<T>;
