//! The kinds of nodes that a definition may contain, by their BPMN names.
//!
//! Not here: the contents of a node (`definition`), its compiled form (`node_kind`).

use serde::{Deserialize, Serialize};

/// The BPMN element kinds that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ElementType {
    /// None start event or, with a schedule, timer start event.
    StartEvent,
    /// None, error, escalation or terminate end event.
    EndEvent,
    /// None, escalation or link event: runs its actions, throws and completes.
    IntermediateThrowEvent,
    /// Waits for its event; a link catch event is reached from its throw events.
    IntermediateCatchEvent,
    /// Error, escalation, timer or conditional boundary event.
    BoundaryEvent,
    /// Undefined task: runs its actions and completes.
    Task,
    /// Manual task: runs its actions and completes.
    ManualTask,
    /// User task: waits for its user.
    UserTask,
    /// Service task without a job type: runs its actions and completes.
    ServiceTask,
    /// Send task: runs its actions, sends its message and completes.
    SendTask,
    /// Receive task: waits for its message.
    ReceiveTask,
    /// Script task: runs its script and completes.
    ScriptTask,
    /// Business rule task: runs its rules and completes.
    BusinessRuleTask,
    /// Chooses one outgoing flow.
    ExclusiveGateway,
    /// Chooses one or more outgoing flows; waits at a join for flows that can still arrive.
    InclusiveGateway,
    /// Forks and joins.
    ParallelGateway,
    /// Chooses like an inclusive gateway; its join continues once its activation condition is true.
    ComplexGateway,
    /// Waits for the first of the events behind it.
    EventBasedGateway,
    /// Starts a child instance and waits for its end.
    CallActivity,
    /// Embedded subprocess: a scope of its own, which completes when nothing in it is active.
    SubProcess,
    /// Embedded subprocess that can be cancelled, which compensates what has completed in it.
    Transaction,
    /// Embedded subprocess without order: users start the activities in it.
    AdHocSubProcess,
}

impl ElementType {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::StartEvent,
        Self::EndEvent,
        Self::IntermediateThrowEvent,
        Self::IntermediateCatchEvent,
        Self::BoundaryEvent,
        Self::Task,
        Self::ManualTask,
        Self::UserTask,
        Self::ServiceTask,
        Self::SendTask,
        Self::ReceiveTask,
        Self::ScriptTask,
        Self::BusinessRuleTask,
        Self::ExclusiveGateway,
        Self::InclusiveGateway,
        Self::ParallelGateway,
        Self::ComplexGateway,
        Self::EventBasedGateway,
        Self::CallActivity,
        Self::SubProcess,
        Self::Transaction,
        Self::AdHocSubProcess,
    ];

    /// Whether it can contain other nodes.
    pub fn is_scope(self) -> bool {
        matches!(
            self,
            Self::SubProcess | Self::Transaction | Self::AdHocSubProcess
        )
    }

    /// Whether it is an activity: a task, a subprocess, a call activity.
    pub fn is_activity(self) -> bool {
        match self {
            Self::Task
            | Self::ManualTask
            | Self::UserTask
            | Self::ServiceTask
            | Self::SendTask
            | Self::ReceiveTask
            | Self::ScriptTask
            | Self::BusinessRuleTask
            | Self::CallActivity
            | Self::SubProcess
            | Self::Transaction
            | Self::AdHocSubProcess => true,
            Self::StartEvent
            | Self::EndEvent
            | Self::IntermediateThrowEvent
            | Self::IntermediateCatchEvent
            | Self::BoundaryEvent
            | Self::ExclusiveGateway
            | Self::InclusiveGateway
            | Self::ParallelGateway
            | Self::ComplexGateway
            | Self::EventBasedGateway => false,
        }
    }

    /// Whether it may be a global task, which is beside the processes.
    pub fn is_global_task(self) -> bool {
        matches!(
            self,
            Self::Task
                | Self::ManualTask
                | Self::UserTask
                | Self::ScriptTask
                | Self::BusinessRuleTask
        )
    }

    /// Whether the conditions of its outgoing flows are evaluated: not for a parallel gateway,
    /// which takes all of them, nor for an event-based one, where the first event decides.
    pub fn evaluates_conditions(self) -> bool {
        !matches!(self, Self::ParallelGateway | Self::EventBasedGateway)
    }

    /// Whether it may have a default flow: gateways that choose, and activities.
    pub fn has_default_flow(self) -> bool {
        self.evaluates_conditions() && !self.is_event()
    }

    /// Whether it is an event.
    pub fn is_event(self) -> bool {
        matches!(
            self,
            Self::StartEvent
                | Self::EndEvent
                | Self::IntermediateThrowEvent
                | Self::IntermediateCatchEvent
                | Self::BoundaryEvent
        )
    }

    /// Whether it is an event that is waited for, or that begins when something occurs.
    pub fn catches_events(self) -> bool {
        matches!(
            self,
            Self::StartEvent | Self::IntermediateCatchEvent | Self::BoundaryEvent
        )
    }

    /// Whether it is a gateway whose outgoing flows are chosen by conditions.
    pub fn chooses(self) -> bool {
        matches!(
            self,
            Self::ExclusiveGateway | Self::InclusiveGateway | Self::ComplexGateway
        )
    }

    /// The BPMN tag name, as in frames and problems: `userTask`.
    pub fn bpmn_name(self) -> &'static str {
        match self {
            Self::StartEvent => "startEvent",
            Self::EndEvent => "endEvent",
            Self::IntermediateThrowEvent => "intermediateThrowEvent",
            Self::IntermediateCatchEvent => "intermediateCatchEvent",
            Self::BoundaryEvent => "boundaryEvent",
            Self::Task => "task",
            Self::ManualTask => "manualTask",
            Self::UserTask => "userTask",
            Self::ServiceTask => "serviceTask",
            Self::SendTask => "sendTask",
            Self::ReceiveTask => "receiveTask",
            Self::ScriptTask => "scriptTask",
            Self::BusinessRuleTask => "businessRuleTask",
            Self::ExclusiveGateway => "exclusiveGateway",
            Self::InclusiveGateway => "inclusiveGateway",
            Self::ParallelGateway => "parallelGateway",
            Self::ComplexGateway => "complexGateway",
            Self::EventBasedGateway => "eventBasedGateway",
            Self::CallActivity => "callActivity",
            Self::SubProcess => "subProcess",
            Self::Transaction => "transaction",
            Self::AdHocSubProcess => "adHocSubProcess",
        }
    }
}
