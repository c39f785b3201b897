//! What has happened to a process instance: the frozen record types. Their names are in the past
//! tense, because they state results and not intentions.
//!
//! Records hold evaluated values, so a replay evaluates nothing, reads no clock and generates no
//! id. Once released, a variant never changes; a change adds a variant. `state::apply` applies
//! them, `journal::codec` encodes them.

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
    /// The instance was created.
    #[serde(rename = "created")]
    Created(Box<Created>),
    /// Values were merged into a scope of the data.
    #[serde(rename = "merged")]
    DataMerged {
        /// The element that owns the variables, or `None` for the root scope.
        scope: Option<ElementKey>,
        /// The element that merged them, or that started the child they come from, if any.
        by: Option<ElementKey>,
        /// The child they come from, if any.
        child: Option<InstanceKey>,
        /// The record that placed the HTTP call whose response they are, if they are one.
        call: Option<u64>,
        /// Merged deeply into the variables.
        patch: Value,
    },
    /// An operator corrected the data. The row names the operator.
    #[serde(rename = "patched")]
    DataPatched {
        /// See `DataMerged`.
        scope: Option<ElementKey>,
        /// Merged deeply into the variables.
        patch: Value,
    },
    /// An element declared variables: reads and writes of these names inside it use them from now
    /// on.
    #[serde(rename = "declared")]
    VariablesDeclared {
        /// The element.
        element: ElementKey,
        /// The variables with their first values, which replace variables of the same names that it
        /// already owns.
        variables: Map<String, Value>,
    },
    /// A back step restored earlier data.
    #[serde(rename = "replaced")]
    DataReplaced {
        /// See `DataMerged`.
        scope: Option<ElementKey>,
        /// The variables after it, whole.
        data: Value,
    },
    /// A user's file was attached to this instance.
    #[serde(rename = "file")]
    FileStored(Box<StoredFile>),
    /// A token reached a join that still waits for others.
    #[serde(rename = "arrived")]
    FlowArrived {
        /// The scope of the join: the element of an embedded subprocess, or `None` for the
        /// instance.
        scope: Option<ElementKey>,
        /// The join.
        node: Arc<str>,
        /// The flow that was taken, and the element it came from.
        arrival: Arrival,
    },
    /// An element instance was activated; its key is this record's number.
    #[serde(rename = "activated")]
    ElementActivated {
        /// The scope it is in: the element of an embedded subprocess, or `None` for the instance.
        scope: Option<ElementKey>,
        /// The node.
        node: Arc<str>,
        /// The flows by which its token arrived; a join consumes one for each incoming flow.
        arrivals: Vec<Arrival>,
        /// The number of the iteration that it is, from 1. An iteration owns the loop's variables.
        loop_counter: Option<u32>,
    },
    /// An element instance completed.
    #[serde(rename = "completed")]
    ElementCompleted {
        /// The element.
        element: ElementKey,
        /// Its node.
        node: Arc<str>,
        /// Whether it is retained for back steps.
        keep: bool,
        /// Whether no back step may pass it.
        closes: bool,
        /// Whether it may be compensated from now on.
        compensable: bool,
    },
    /// An element instance was terminated.
    #[serde(rename = "terminated")]
    ElementTerminated {
        /// The element.
        element: ElementKey,
        /// Its node.
        node: Arc<str>,
    },
    /// An operator moved the token of an element to another node. The element ends and that node is
    /// activated in the same row.
    #[serde(rename = "moved")]
    TokenMoved {
        /// The element whose token was moved.
        element: ElementKey,
        /// The node it was moved to.
        node: Arc<str>,
    },
    /// An operator migrated the instance to another version of its definition. Subscriptions are
    /// renewed in the same row.
    #[serde(rename = "migrated")]
    Migrated(Box<Migrated>),
    /// The subscriptions of an element or scope in the version to which the instance was migrated.
    #[serde(rename = "renewed")]
    SubscriptionsRenewed {
        /// The element or scope.
        by: Subscriber,
        /// All its subscriptions.
        subscriptions: Vec<RenewedSubscription>,
    },
    /// An element or scope opened subscriptions to events. At most one such record exists for each.
    #[serde(rename = "subscribed")]
    SubscriptionsOpened {
        /// The element or scope.
        by: Subscriber,
        /// One subscription for each definition of an event.
        subscriptions: Vec<(EventRef, Subscription)>,
    },
    /// A subscribed event occurred.
    #[serde(rename = "triggered")]
    SubscriptionTriggered {
        /// The element or scope that had subscribed.
        by: Subscriber,
        /// The definition of the event.
        event: EventRef,
        /// The subscription after it; `None` when it is closed.
        remains: Option<Subscription>,
    },
    /// An event with several definitions changed.
    #[serde(rename = "multiple")]
    Multiple(Box<MultipleRecord>),
    /// A message or signal was delivered to an element while the instance was on hold. It is
    /// processed when the instance continues.
    #[serde(rename = "deliveryHeld")]
    DeliveryHeld(Box<EventDelivery>),
    /// The entity of a message or signal was notified.
    #[serde(rename = "notified")]
    CorrelationNotified {
        /// The message or signal.
        correlation: Correlation,
        /// The content of the notification.
        note: CorrelationNote,
    },
    /// An action of an element threw an error.
    #[serde(rename = "errorThrown")]
    ErrorThrown {
        /// The element.
        element: ElementKey,
        /// The code of the error.
        code: String,
        /// The message of the error, for people.
        message: String,
        /// The node of the event that catches it; `None` when it fails the instance.
        caught_by: Option<Arc<str>>,
    },
    /// An escalation was thrown, or was passed on by a child in which no event caught it.
    #[serde(rename = "escalated")]
    EscalationThrown {
        /// The event that threw it, or the call activity of the child.
        element: ElementKey,
        /// The code of the escalation.
        code: String,
        /// The node of the event that catches it; `None` when it goes to the parent, or is not
        /// caught at all.
        caught_by: Option<Arc<str>>,
    },
    /// Compensation of completed elements of a scope was requested. The latest is compensated
    /// first.
    #[serde(rename = "compensationThrown")]
    CompensationThrown {
        /// The element that requested it: an event, the cancelled transaction, or the subprocess
        /// that is compensated.
        by: ElementKey,
        /// The scope of the completed elements.
        scope: Option<ElementKey>,
        /// The completed elements, in the order of their completion.
        of: Vec<ElementKey>,
    },
    /// An element began to compensate a completed one.
    #[serde(rename = "compensationStarted")]
    CompensationStarted {
        /// The handler, or a new visit of a subprocess, which compensates the elements completed in
        /// it.
        element: ElementKey,
        /// The element that requested the compensation.
        by: ElementKey,
        /// The completed element.
        of: ElementKey,
    },
    /// A compensating element has finished its compensation; it is about to be completed or
    /// terminated.
    #[serde(rename = "compensationCompleted")]
    CompensationCompleted {
        /// The element.
        element: ElementKey,
    },
    /// A cancel end event was reached: active elements of the transaction are terminated, completed
    /// ones compensated.
    #[serde(rename = "transactionCancelled")]
    TransactionCancelled {
        /// The transaction.
        element: ElementKey,
    },
    /// The condition of a subscription became false again, so its next change to true counts.
    #[serde(rename = "conditionReset")]
    ConditionReset {
        /// The element or scope that has subscribed.
        by: Subscriber,
        /// The definition of the event.
        event: EventRef,
    },
    /// An interrupting event subprocess was started: all other elements of its scope have ended,
    /// back steps to them are impossible, and the event subprocesses of the scope wait for no
    /// events any more.
    #[serde(rename = "interrupted")]
    ScopeInterrupted {
        /// The scope.
        scope: Option<ElementKey>,
        /// The start event of the event subprocess.
        node: Arc<str>,
    },
    /// A terminate end event ended a scope: the tokens that waited at its joins were removed.
    #[serde(rename = "cleared")]
    WaitingFlowsCleared {
        /// The scope.
        scope: Option<ElementKey>,
    },
    /// A complex gateway continued, or was reset.
    #[serde(rename = "gateway")]
    GatewayStateChanged {
        /// The scope it is in.
        scope: Option<ElementKey>,
        /// The gateway.
        node: Arc<str>,
        /// The flows with which it continued; it waits for the others before it is reset. `None`
        /// when it was reset.
        taken: Option<Vec<Arrival>>,
    },
    /// An action was triggered whose work is not done yet, or a user ran one.
    #[serde(rename = "started")]
    ActionStarted {
        /// The element of the action.
        element: ElementKey,
        /// The name of the action.
        action: Arc<str>,
        /// When its work is due, if it is delayed.
        due: Option<Time>,
        /// What a later back step to this action needs.
        remember: Remember,
    },
    /// The work of an action is done.
    #[serde(rename = "done")]
    ActionCompleted {
        /// The element of the action.
        element: ElementKey,
        /// The name of the action.
        action: Arc<str>,
        /// The number of the triggering, from 1.
        occurrence: u32,
    },
    /// A message for the clients of this instance.
    #[serde(rename = "pushed")]
    Pushed(Box<Push>),
    /// An open Action message no longer needs a response.
    #[serde(rename = "offerClosed")]
    OfferClosed {
        /// The number of the record that sent the message.
        seq: u64,
    },
    /// A back step restored an earlier view.
    #[serde(rename = "viewReplaced")]
    ViewReplaced {
        /// The view after it, whole.
        body: Value,
    },
    /// A back step was made: a new visit of a completed element, whose key is this record's number.
    #[serde(rename = "returned")]
    Returned {
        /// The completed element.
        to: ElementKey,
        /// The node of both.
        node: Arc<str>,
        /// The action that is run again.
        action: Arc<str>,
    },
    /// A child instance was started.
    #[serde(rename = "child")]
    ChildStarted(Box<ChildStarted>),
    /// A multi-instance or standard loop changed.
    #[serde(rename = "loop")]
    Loop(Box<LoopRecord>),
    /// An ad-hoc subprocess changed as a whole.
    #[serde(rename = "adHoc")]
    AdHoc(AdHocRecord),
    /// The output mappings of an element wrote to the variables around it, but a later part of its
    /// completion failed. They are not applied again when the completion is repeated.
    #[serde(rename = "outputs")]
    OutputsWritten {
        /// The element.
        element: ElementKey,
    },
    /// A message of a child or of the parent was received, or a message of an instance that would
    /// have been started by what it carries.
    #[serde(rename = "received")]
    MessageReceived {
        /// The sender.
        from: InstanceKey,
        /// The number of the sender's record.
        number: u64,
    },
    /// A child ended.
    #[serde(rename = "childEnded")]
    ChildEnded {
        /// The child.
        child: InstanceKey,
        /// The id of its process.
        process: String,
        /// Its status.
        status: Status,
    },
    /// The parent finished; messages to it are not possible any more.
    #[serde(rename = "parentFinished")]
    ParentFinished,
    /// Everything that the finished instance had left running below it was terminated, and nothing
    /// can start there any more.
    #[serde(rename = "descendantsEnded")]
    DescendantsEnded,
    /// A message to a child or to the parent was sent.
    #[serde(rename = "sent")]
    MessageSent {
        /// The receiver.
        target: InstanceKey,
        /// The message.
        message: Box<InstanceMessage>,
    },
    /// An HTTP call was placed or repeated, or its response taken.
    #[serde(rename = "httpCall")]
    HttpCall(Box<HttpCallRecord>),
    /// Work failed after its command had been accepted.
    #[serde(rename = "incident")]
    IncidentRaised {
        /// The element where it failed.
        element: ElementKey,
        /// Code and message of the failure.
        incident: Incident,
    },
    /// An element was assigned to a user, or to nobody.
    #[serde(rename = "assigned")]
    Assigned {
        /// The element.
        element: ElementKey,
        /// The subject of the user.
        user: Option<Arc<str>>,
    },
    /// A due date was set for a user task, and possibly the time of a reminder.
    #[serde(rename = "scheduled")]
    TaskScheduled {
        /// The user task.
        element: ElementKey,
        /// When the task is due.
        due: Time,
        /// When its first reminder is sent.
        remind: Option<Time>,
    },
    /// A reminder of a user task was sent.
    #[serde(rename = "reminded")]
    Reminded {
        /// The user task.
        element: ElementKey,
        /// When its next reminder is sent.
        again: Option<Time>,
    },
    /// A user approved or rejected.
    #[serde(rename = "decided")]
    Decided {
        /// The element of the approval.
        element: ElementKey,
        /// `true` for approved, `false` for rejected.
        approved: bool,
        /// The user's comment.
        comment: Option<String>,
    },
    /// A triggering of an action was skipped: its work will not be done, and nothing waits for it.
    #[serde(rename = "skipped")]
    ActionSkipped {
        /// The element of the action.
        element: ElementKey,
        /// The name of the action.
        action: Arc<str>,
        /// The number of the triggering, from 1.
        occurrence: u32,
    },
    /// The wait of a call activity was skipped: it continues without a result.
    #[serde(rename = "callSkipped")]
    CallSkipped {
        /// The call activity.
        element: ElementKey,
    },
    /// The instance was put on hold.
    #[serde(rename = "held")]
    Held,
    /// The instance was released from hold.
    #[serde(rename = "unheld")]
    Unheld,
    /// The incidents of an element were resolved: their work is repeated, or left out.
    #[serde(rename = "resolved")]
    IncidentsResolved {
        /// The element.
        element: ElementKey,
        /// Whether the work is left out.
        skipped: bool,
    },
    /// The instance ended.
    #[serde(rename = "ended")]
    Ended {
        /// Its status.
        status: Status,
    },
}

impl Record {
    /// Whether it changes variables that conditions read.
    pub fn changes_data(&self) -> bool {
        matches!(
            self,
            Self::DataMerged { .. } | Self::DataPatched { .. } | Self::DataReplaced { .. }
        )
    }
}

/// A taken sequence flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The sequence flow.
    pub flow: Arc<str>,
    /// The nearest retained element instance before it.
    pub from: Option<ElementKey>,
}

/// A failure at an element that a person has to resolve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Stable code in `snake_case`.
    pub code: String,
    /// Expected and actual state, as a sentence.
    pub message: String,
    /// The action and the triggering whose work failed, when it was the work of an action.
    pub action: Option<(Arc<str>, u32)>,
}
