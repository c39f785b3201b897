//! The attributes that a flow node may have: those of BPMN, and Stepwire's own.

use super::ad_hoc;
use crate::model::definition::ElementType;

const EVENT_ATTRIBUTES: &[&str] = &["id", "name", "isInterrupting", "parallelMultiple"];
const START_ATTRIBUTES: &[&str] = &[
    "canGoBack",
    "startCondition",
    "onStartup",
    "timeZone",
    "missed",
    "overlap",
];
/// Stepwire's attributes of nodes that send messages and signals.
const SENDING_ATTRIBUTES: &[&str] = &[
    "canGoBack",
    "correlationKey",
    "data",
    "timeToLive",
    "businessKey",
];
/// Stepwire's attributes of events that wait.
const WAITING_ATTRIBUTES: &[&str] = &["canGoBack", "timeZone", "correlationKey"];
const BOUNDARY_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "attachedToRef",
    "cancelActivity",
    "parallelMultiple",
];
const GATEWAY_ATTRIBUTES: &[&str] = &["id", "name", "default", "gatewayDirection"];
const EVENT_GATEWAY_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "gatewayDirection",
    "instantiate",
    "eventGatewayType",
];
const TASK_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "implementation",
    "messageRef",
    "operationRef",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];
const RECEIVE_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "implementation",
    "messageRef",
    "operationRef",
    "instantiate",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];
const SCRIPT_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "scriptFormat",
    "scriptLanguage",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];
const SUBPROCESS_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "triggeredByEvent",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];
const TRANSACTION_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "triggeredByEvent",
    "method",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];
const CALL_ATTRIBUTES: &[&str] = &[
    "id",
    "name",
    "default",
    "calledElement",
    "isForCompensation",
    "startQuantity",
    "completionQuantity",
];

/// The attributes of a kind, BPMN's and Stepwire's own; `begins` says whether it is the start event of
/// an event subprocess.
pub(super) fn known(
    kind: ElementType,
    begins: bool,
) -> (&'static [&'static str], &'static [&'static str]) {
    match kind {
        ElementType::StartEvent if begins => (EVENT_ATTRIBUTES, WAITING_ATTRIBUTES),
        ElementType::StartEvent => (EVENT_ATTRIBUTES, START_ATTRIBUTES),
        ElementType::EndEvent | ElementType::IntermediateThrowEvent => {
            (EVENT_ATTRIBUTES, SENDING_ATTRIBUTES)
        }
        ElementType::IntermediateCatchEvent => (EVENT_ATTRIBUTES, WAITING_ATTRIBUTES),
        ElementType::BoundaryEvent => (BOUNDARY_ATTRIBUTES, WAITING_ATTRIBUTES),
        ElementType::SubProcess => (SUBPROCESS_ATTRIBUTES, &["canGoBack"]),
        ElementType::Transaction => (TRANSACTION_ATTRIBUTES, &["canGoBack"]),
        ElementType::AdHocSubProcess => (ad_hoc::ATTRIBUTES, ad_hoc::OWN_ATTRIBUTES),
        ElementType::ExclusiveGateway
        | ElementType::InclusiveGateway
        | ElementType::ParallelGateway
        | ElementType::ComplexGateway => (GATEWAY_ATTRIBUTES, &["canGoBack"]),
        ElementType::EventBasedGateway => (EVENT_GATEWAY_ATTRIBUTES, &["canGoBack"]),
        ElementType::CallActivity => (
            CALL_ATTRIBUTES,
            &[
                "canGoBack",
                "paramsToCopy",
                "withoutParams",
                "businessKey",
                "outputKey",
                "output",
            ],
        ),
        ElementType::ScriptTask => (SCRIPT_ATTRIBUTES, &["canGoBack"]),
        ElementType::UserTask => (
            TASK_ATTRIBUTES,
            &[
                "canGoBack",
                "assignee",
                "dueDate",
                "reminder",
                "reminderRepeat",
                "decisionKey",
                "candidateGroups",
            ],
        ),
        ElementType::Task
        | ElementType::ManualTask
        | ElementType::ServiceTask
        | ElementType::BusinessRuleTask => (TASK_ATTRIBUTES, &["canGoBack"]),
        ElementType::SendTask => (TASK_ATTRIBUTES, SENDING_ATTRIBUTES),
        ElementType::ReceiveTask => (RECEIVE_ATTRIBUTES, &["canGoBack", "correlationKey"]),
    }
}
