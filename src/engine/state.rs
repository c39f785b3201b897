//! What a process instance remembers: the fold of its records. Only `apply` (a child module) can
//! write it; every field is private to this module, so the compiler holds that rule.
//!
//! Derived and never a second truth: nothing here that a record did not put here. Lineage questions
//! (who descends from whom) are in `lineage`, what a restore of earlier data needs in `merges`,
//! what approvals came to in `decisions`, deduplication of commands in `commands`.

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
    /// Subjects that are or were assigned an element.
    participants: Arc<BTreeSet<Arc<str>>>,
    status: Status,
    created_at: Time,
    ended_at: Option<Time>,
    seq: u64,
    data: Arc<Value>,
    view: Arc<Value>,
    /// Active elements and the retained element instances of completed ones that back steps need.
    elements: BTreeMap<ElementKey, ElementInstance>,
    /// How many of them are active.
    active_elements: usize,
    /// The instance as a scope.
    root: Scope,
    /// Open Action messages by record number.
    open: BTreeMap<u64, OpenMessage>,
    children: BTreeMap<InstanceKey, Child>,
    parent_heard: u64,
    parent_finished: bool,
    /// Whether it was terminated after it had finished.
    descendants_ended: bool,
    decisions: Decisions,
    /// Whether what an incident left undone was ever left out.
    has_skipped: bool,
    /// Merges since the earliest snapshot a back step may restore; `None` when there is none.
    merges: Option<Merges>,
    /// Bytes of the variables that elements declared, passed ones included.
    owned_bytes: usize,
    files: BTreeMap<Uuid, StoredFile>,
    commands: Commands,
    /// Messages and signals that came while it was on hold.
    held_deliveries: Vec<EventDelivery>,
    /// Instances whose messages it took instead of their start.
    joined: BTreeSet<InstanceKey>,
    /// The trace that it was started in.
    #[serde(default)]
    trace: Option<Arc<TraceContext>>,
}

/// A child as its parent remembers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    /// Number of the record that started it.
    pub seq: u64,
    /// How it was started; `heard` moves on with each of its messages.
    pub start: ChildStarted,
    /// Its last known status.
    pub status: Status,
    /// Whether it was asked to end; what it still says, but for its end, is dropped.
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

/// An Action message that waits for an answer of a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenMessage {
    /// What it says.
    pub body: Value,
    /// Until when it can be answered.
    pub until: Time,
    author: Author,
}

impl OpenMessage {
    /// The element that sent it, or the nearest retained element instance that stands for it.
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

    /// Birth certificate; its `data` is emptied once merged into [`Self::data`].
    pub fn head(&self) -> &Created {
        &self.head
    }

    /// Those who belong to the instance.
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

    /// Status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// When it was created.
    pub fn created_at(&self) -> Time {
        self.created_at
    }

    /// When it ended, if it did.
    pub fn ended_at(&self) -> Option<Time> {
        self.ended_at
    }

    /// The number its last row ended with.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The root scope's data; always a JSON object.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// The same to be kept: changes make a copy while somebody keeps it.
    pub fn shared_data(&self) -> Arc<Value> {
        self.data.clone()
    }

    /// What a client holds that received every Data frame.
    pub fn view(&self) -> &Value {
        &self.view
    }

    /// The same to be kept: changes make a copy while somebody keeps it.
    pub fn shared_view(&self) -> Arc<Value> {
        self.view.clone()
    }

    /// An element that is active or left a retained element instance.
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

    /// How many elements are active; counted as they come and go.
    pub fn active_count(&self) -> usize {
        self.active_elements
    }

    /// Stones of passed elements, oldest first.
    pub fn retained(&self) -> impl DoubleEndedIterator<Item = (ElementKey, &ElementInstance)> {
        self.elements
            .iter()
            .filter(|(_, element)| !element.is_active())
            .map(|(&key, element)| (key, element))
    }

    /// Action messages that can be answered at this time, by record number. They outlive the normal
    /// end of the instance.
    pub fn open(&self, now: Time) -> impl Iterator<Item = (u64, &OpenMessage)> {
        self.open
            .iter()
            .filter(move |(_, message)| message.until > now)
            .map(|(&seq, message)| (seq, message))
    }

    /// The Action message with this number, if it can be answered at this time.
    pub fn open_message(&self, seq: u64, now: Time) -> Option<&OpenMessage> {
        self.open.get(&seq).filter(|message| message.until > now)
    }

    /// Numbers of all Action messages nobody has answered, also of those whose time is over.
    pub fn all_open(&self) -> impl Iterator<Item = u64> {
        self.open.keys().copied()
    }

    /// Until when at least one Action message of a finished instance stays open.
    pub fn left_open_until(&self) -> Option<Time> {
        let left = self.open.values().map(|message| message.until).max();
        left.filter(|_| self.status == Status::Finished)
    }

    /// Children, live and ended.
    pub fn children(&self) -> &BTreeMap<InstanceKey, Child> {
        &self.children
    }

    /// Whether something below may be live or open to clients. A child that finished may have left
    /// subprocesses running and Action messages open; one that ended otherwise has taken them with
    /// it.
    pub fn may_have_live_descendants(&self) -> bool {
        self.children
            .values()
            .any(|child| child.status.is_live() || child.status == Status::Finished)
    }

    /// Whether it has finished and left something that may be ended: subprocesses, Action messages.
    pub fn has_left_something(&self) -> bool {
        self.status == Status::Finished
            && (self.may_have_live_descendants() || !self.open.is_empty())
    }

    /// Whether it was terminated after it had finished: nothing starts below it any more.
    pub fn descendants_ended(&self) -> bool {
        self.descendants_ended
    }

    /// The parent's record number received last.
    pub fn parent_heard(&self) -> u64 {
        self.parent_heard
    }

    /// Whether there is a parent that can still receive messages.
    pub fn parent_hears(&self) -> bool {
        self.head.parent.is_some() && !self.parent_finished
    }

    /// The last decision of an approval that no step back has undone.
    pub fn last_decision(&self) -> Option<&Decision> {
        self.decisions.last()
    }

    /// Whether what an incident left undone was ever left out.
    pub fn has_skipped(&self) -> bool {
        self.has_skipped
    }

    /// The files users have brought, also those no data refer to any more.
    pub fn files(&self) -> &BTreeMap<Uuid, StoredFile> {
        &self.files
    }

    /// Messages and signals that came while it was on hold, in their order.
    pub fn held_deliveries(&self) -> &[EventDelivery] {
        &self.held_deliveries
    }

    /// Whether this delivery came while it was on hold.
    pub fn holds_delivery(&self, delivery: &EventDelivery) -> bool {
        self.held_deliveries.iter().any(|held| {
            (held.by, &held.event) == (delivery.by, &delivery.event)
                && held.number >= delivery.number
        })
    }

    /// Whether it took the message that was to start this instance.
    pub fn has_joined(&self, instance: InstanceKey) -> bool {
        self.joined.contains(&instance)
    }

    /// Whether an instance is its parent.
    pub fn parent_is(&self, instance: InstanceKey) -> bool {
        let parent = self.head.parent.as_ref();
        parent.is_some_and(|link| link.instance == instance)
    }

    /// Command ids seen.
    pub fn commands(&self) -> &Commands {
        &self.commands
    }
}

/// Newest-first bounded memory; shared by [`Commands`].
type Ring<T> = VecDeque<T>;
