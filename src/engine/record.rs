//! What has happened to a process instance: the frozen record types. Past tense; results, not
//! intentions.
//!
//! Records hold evaluated values, so a replay evaluates nothing, reads no clock and draws no id.
//! Once released, a variant never changes: add a variant. Applying them: `state::apply`. Encoding:
//! `journal::codec`.

mod ad_hoc;
pub mod batch;
mod child;
pub mod created;
mod looped;
mod migrated;
mod multiple;
mod push;
mod remember;
mod subscription;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::{
    ad_hoc::AdHocRecord,
    child::ChildStarted,
    created::{CommandTag, Created, ParentLink, ProcessRef},
    looped::{Items, LoopRecord},
    migrated::{Migrated, RenewedSubscription},
    multiple::MultipleRecord,
    push::Push,
    remember::Remember,
    subscription::Subscription,
};
pub use super::{
    correlation::{Correlation, CorrelationNote, EventDelivery},
    status::Status,
    stored_file::StoredFile,
    subscriber::Subscriber,
};
use super::{http_call::HttpCallRecord, instance_message::InstanceMessage};
use crate::model::{
    event_definition::EventRef,
    ids::{ElementKey, InstanceKey, Time},
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// The instance began.
    #[serde(rename = "created")]
    Created(Box<Created>),
    /// Values were merged into a scope of the data.
    #[serde(rename = "merged")]
    DataMerged {
        /// The element that owns the variables, or `None` for the root scope.
        scope: Option<ElementKey>,
        /// The element that did it, or that started the child it comes from, if any.
        by: Option<ElementKey>,
        /// The child it comes from, if any.
        child: Option<InstanceKey>,
        /// The record that placed the call to the outside it answers, if it does.
        call: Option<u64>,
        /// Deep-merged.
        patch: Value,
    },
    /// An operator corrected the data; the row says who.
    #[serde(rename = "patched")]
    DataPatched {
        /// See `DataMerged`.
        scope: Option<ElementKey>,
        /// Deep-merged.
        patch: Value,
    },
    /// An element owns variables from now on: what it reads and writes by these names, and what is
    /// in it, is theirs.
    #[serde(rename = "declared")]
    VariablesDeclared {
        /// Which.
        element: ElementKey,
        /// With their first values; they take the place of what it owns by the same names.
        variables: Map<String, Value>,
    },
    /// A back step restored earlier data.
    #[serde(rename = "replaced")]
    DataReplaced {
        /// See `DataMerged`.
        scope: Option<ElementKey>,
        /// All of it.
        data: Value,
    },
    /// A file of a user belongs to this instance from now on.
    #[serde(rename = "file")]
    FileStored(Box<StoredFile>),
    /// A flow reached a join that still waits for others.
    #[serde(rename = "arrived")]
    FlowArrived {
        /// The scope it is in: an element of an embedded subprocess, `None` for the instance.
        scope: Option<ElementKey>,
        /// The join.
        node: Arc<str>,
        /// The flow and where it came from.
        arrival: Arrival,
    },
    /// An element instance began; its key is this record's number.
    #[serde(rename = "activated")]
    ElementActivated {
        /// The scope it is in: an element of an embedded subprocess, `None` for the instance.
        scope: Option<ElementKey>,
        /// The node.
        node: Arc<str>,
        /// The flows that led here; a join consumes one per incoming flow.
        arrivals: Vec<Arrival>,
        /// Which iteration of its scope it is, from 1: it owns the loop's variables then.
        loop_counter: Option<u32>,
    },
    /// An element instance ended normally.
    #[serde(rename = "completed")]
    ElementCompleted {
        /// Which.
        element: ElementKey,
        /// Its node.
        node: Arc<str>,
        /// Whether it leaves a retained element instance that back steps need.
        keep: bool,
        /// Whether it closes everything behind it for back steps.
        closes: bool,
        /// Whether it may be compensated from now on.
        compensable: bool,
    },
    /// An element instance was ended from outside.
    #[serde(rename = "aborted")]
    ElementTerminated {
        /// Which.
        element: ElementKey,
        /// Its node.
        node: Arc<str>,
    },
    /// An operator takes the token of an element to another node. The element ends and that node begins
    /// in the same row.
    #[serde(rename = "moved")]
    TokenMoved {
        /// Where the token was.
        element: ElementKey,
        /// Where it goes.
        node: Arc<str>,
    },
    /// An operator took the instance to another version of its definition. What is waited for is
    /// renewed in the same row.
    #[serde(rename = "migrated")]
    Migrated(Box<Migrated>),
    /// What somebody waits for in the version that the instance runs now.
    #[serde(rename = "renewed")]
    SubscriptionsRenewed {
        /// Who.
        by: Subscriber,
        /// All of it.
        subscriptions: Vec<RenewedSubscription>,
    },
    /// Somebody waits for events. At most once for each element and scope.
    #[serde(rename = "subscribed")]
    SubscriptionsOpened {
        /// Who.
        by: Subscriber,
        /// By the definitions of the events.
        subscriptions: Vec<(EventRef, Subscription)>,
    },
    /// An event that somebody waits for has come.
    #[serde(rename = "triggered")]
    SubscriptionTriggered {
        /// Who waited.
        by: Subscriber,
        /// Which definition of the event.
        event: EventRef,
        /// What is waited for from now on; `None` when the event is not waited for any more.
        remains: Option<Subscription>,
    },
    /// What happened to an event with several definitions.
    #[serde(rename = "multiple")]
    Multiple(Box<MultipleRecord>),
    /// A message or signal came for an element while the instance was on hold: it is taken when
    /// the instance continues.
    #[serde(rename = "deliveryHeld")]
    DeliveryHeld(Box<EventDelivery>),
    /// The entities that bring messages and signals were notified of something.
    #[serde(rename = "notified")]
    CorrelationNotified {
        /// Which message or signal it is about.
        correlation: Correlation,
        /// What they got.
        note: CorrelationNote,
    },
    /// An action of an element threw an error.
    #[serde(rename = "errorThrown")]
    ErrorThrown {
        /// Of which element.
        element: ElementKey,
        /// Its code.
        code: String,
        /// What it says to people.
        message: String,
        /// The node of the event that catches it; `None` when it fails the instance.
        caught_by: Option<Arc<str>>,
    },
    /// An escalation was thrown, or came from a child where nothing caught it.
    #[serde(rename = "escalated")]
    EscalationThrown {
        /// The event that threw it, or the element that waits for the child.
        element: ElementKey,
        /// Its code.
        code: String,
        /// The node of the event that catches it; `None` when it goes to the parent, or nowhere.
        caught_by: Option<Arc<str>>,
    },
    /// Compensation was asked for: so much of what is completed in a scope is undone, the latest
    /// first.
    #[serde(rename = "compensates")]
    CompensationThrown {
        /// The event, the cancelled transaction, or the subprocess that is undone.
        by: ElementKey,
        /// The scope.
        scope: Option<ElementKey>,
        /// The completed elements, in order of completion.
        of: Vec<ElementKey>,
    },
    /// An element undoes a completed one.
    #[serde(rename = "undoes")]
    CompensationStarted {
        /// The handler; or a new visit of a subprocess, which undoes what is completed in it.
        element: ElementKey,
        /// Who asked for it.
        by: ElementKey,
        /// What is undone.
        of: ElementKey,
    },
    /// An element has undone what it was to undo; it is about to be left or ended.
    #[serde(rename = "undone")]
    CompensationCompleted {
        /// Which.
        element: ElementKey,
    },
    /// A cancel end event was reached: what is active in the transaction ends, what is completed is
    /// undone.
    #[serde(rename = "cancelled")]
    TransactionCancelled {
        /// The transaction.
        element: ElementKey,
    },
    /// A condition that somebody waits for is false again.
    #[serde(rename = "conditionReset")]
    ConditionReset {
        /// A waiting element.
        by: Subscriber,
        /// Which definition of the event.
        event: EventRef,
    },
    /// An interrupting event subprocess began: everything else in its scope has ended, nothing there
    /// can be gone back to, and its event subprocesses wait for nothing any more.
    #[serde(rename = "interrupted")]
    ScopeInterrupted {
        /// The scope.
        scope: Option<ElementKey>,
        /// The start event of the event subprocess.
        node: Arc<str>,
    },
    /// A terminate end event ended a scope: the flows that waited at its joins are gone.
    #[serde(rename = "cleared")]
    WaitingFlowsCleared {
        /// The scope.
        scope: Option<ElementKey>,
    },
    /// A complex gateway continued, or has reset.
    #[serde(rename = "gateway")]
    GatewayStateChanged {
        /// The scope it is in.
        scope: Option<ElementKey>,
        /// The gateway.
        node: Arc<str>,
        /// The flows it continued with: it waits for the others before it resets; `None` when it
        /// has.
        taken: Option<Vec<Arrival>>,
    },
    /// An action was triggered but its work is not done yet, or a user set it off.
    #[serde(rename = "started")]
    ActionStarted {
        /// Of which element.
        element: ElementKey,
        /// Its name.
        action: Arc<str>,
        /// When its work is due, if delayed.
        due: Option<Time>,
        /// What a later back step to this action needs.
        remember: Remember,
    },
    /// An action's work is done.
    #[serde(rename = "acted")]
    ActionCompleted {
        /// Of which element.
        element: ElementKey,
        /// Its name.
        action: Arc<str>,
        /// Which triggering, from 1.
        occurrence: u32,
    },
    /// A message for the clients of this instance.
    #[serde(rename = "pushed")]
    Pushed(Box<Push>),
    /// An open Action message needs no answer any more.
    #[serde(rename = "offerClosed")]
    OfferClosed {
        /// Number of its record.
        seq: u64,
    },
    /// A back step restored an earlier view.
    #[serde(rename = "view")]
    ViewReplaced {
        /// All of it.
        body: Value,
    },
    /// The token went back: a new visit of a passed element; its key is this record's number.
    #[serde(rename = "returned")]
    Returned {
        /// The passed element it went back to.
        to: ElementKey,
        /// Its node.
        node: Arc<str>,
        /// The action that is run again.
        action: Arc<str>,
    },
    /// A child instance belongs to this one from now on.
    #[serde(rename = "child")]
    ChildStarted(Box<ChildStarted>),
    /// An activity runs more than once.
    #[serde(rename = "loop")]
    Loop(Box<LoopRecord>),
    /// Something happened to an ad-hoc subprocess as a whole.
    #[serde(rename = "adHoc")]
    AdHoc(AdHocRecord),
    /// What the output mappings of an element read was written around it; it was not left, as what
    /// came then failed. It is not written again.
    #[serde(rename = "outputs")]
    OutputsWritten {
        /// Which.
        element: ElementKey,
    },
    /// A message of a child or the parent was taken, or that of an instance which would have been
    /// started by it.
    #[serde(rename = "heard")]
    MessageReceived {
        /// From whom.
        from: InstanceKey,
        /// The sender's record number.
        number: u64,
    },
    /// A child has ended.
    #[serde(rename = "childEnded")]
    ChildEnded {
        /// Which.
        child: InstanceKey,
        /// Its process id.
        process: String,
        /// How.
        status: Status,
    },
    /// The parent finished; nothing can be sent to it any more.
    #[serde(rename = "orphaned")]
    ParentFinished,
    /// The instance had finished before: what it has left running below it is terminated, and
    /// nothing starts there any more.
    #[serde(rename = "descendantsEnded")]
    DescendantsEnded,
    /// A message to a child or the parent left.
    #[serde(rename = "told")]
    MessageSent {
        /// To whom.
        target: InstanceKey,
        /// What.
        message: Box<InstanceMessage>,
    },
    /// A call to the outside was placed, repeated or answered.
    #[serde(rename = "outside")]
    HttpCall(Box<HttpCallRecord>),
    /// Something went wrong after the command had been accepted.
    #[serde(rename = "incident")]
    IncidentRaised {
        /// Where.
        element: ElementKey,
        /// What.
        incident: Incident,
    },
    /// An element belongs to somebody, or to nobody any more.
    #[serde(rename = "assigned")]
    Assigned {
        /// Which.
        element: ElementKey,
        /// The subject it belongs to.
        user: Option<Arc<str>>,
    },
    /// A user task has a due date, and perhaps a time to remind.
    #[serde(rename = "scheduled")]
    TaskScheduled {
        /// Which.
        element: ElementKey,
        /// When it is due.
        due: Time,
        /// When it reminds first.
        remind: Option<Time>,
    },
    /// A user task reminded of itself.
    #[serde(rename = "reminded")]
    Reminded {
        /// Which.
        element: ElementKey,
        /// When it reminds again.
        again: Option<Time>,
    },
    /// A user approved or rejected in an approval.
    #[serde(rename = "decided")]
    Decided {
        /// Which approval.
        element: ElementKey,
        /// Which of the two.
        approved: bool,
        /// What the user said to it.
        comment: Option<String>,
    },
    /// A triggering was given up: its work will not be done, and nothing waits for it.
    #[serde(rename = "skipped")]
    ActionSkipped {
        /// Of which element.
        element: ElementKey,
        /// Its name.
        action: Arc<str>,
        /// Which triggering, from 1.
        occurrence: u32,
    },
    /// What a call activity waits for was given up: it continues without a result.
    #[serde(rename = "callSkipped")]
    CallSkipped {
        /// The call activity.
        element: ElementKey,
    },
    /// The instance is held until `unhold`.
    #[serde(rename = "held")]
    Held,
    /// The instance continues.
    #[serde(rename = "unheld")]
    Unheld,
    /// The incidents of an element are being retried, or what they left undone is left out.
    #[serde(rename = "resolved")]
    IncidentsResolved {
        /// Where.
        element: ElementKey,
        /// Whether it is left out.
        skipped: bool,
    },
    /// The instance ended.
    #[serde(rename = "ended")]
    Ended {
        /// How.
        status: Status,
    },
}

impl Record {
    /// Whether it changes data that conditions read.
    pub fn changes_data(&self) -> bool {
        matches!(
            self,
            Self::DataMerged { .. } | Self::DataPatched { .. } | Self::DataReplaced { .. }
        )
    }
}

/// A taken flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The sequence flow.
    pub flow: Arc<str>,
    /// The nearest kept element it descends from.
    pub from: Option<ElementKey>,
}

/// Trouble at an element that needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Stable name, `snake_case`.
    pub code: String,
    /// What was expected, and what is the case.
    pub message: String,
    /// The action and its triggering whose work failed, if it was an action.
    pub action: Option<(Arc<str>, u32)>,
}
