//! A process definition as the modeller wrote it: flow nodes, sequence flows, lanes. Its serde form
//! is the JSON form of a definition.
//!
//! Not here: look-ups and compiled templates (`executable`), reading BPMN XML (`bpmn_xml`), the
//! rules of a definition (`validate`). Actions are in `action`.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

pub use super::element_type::ElementType;
use super::{
    action::{Action, Key},
    ad_hoc::AdHoc,
    event_definition::EventDefinition,
    loop_characteristics::LoopCharacteristics,
    mapping::{DataObject, Mapping},
    one_or_several,
    schedule::Schedule,
    task_settings::UserTask,
    webhook::Webhook,
};
use crate::limits::LANE_DEPTH;

/// One executable BPMN process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProcessDefinition {
    /// The modeller's id of the process, by which clients start it.
    pub id: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Documentation for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<String>,
    /// A number, for clients that number workflows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<i64>,
    /// When a live instance expires: an ISO 8601 duration after its start, or a cron expression
    /// (UTC) whose next time after the start counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<String>,
    /// How long an Action message of an instance stays open, as ISO 8601 duration; by default
    /// [`limits::ACTION_MESSAGE_OPEN`](crate::limits::ACTION_MESSAGE_OPEN).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_message_expiry: Option<String>,
    /// Whether a client without a token may start it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub anonymous_start: bool,
    /// Who is notified when an instance has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
    /// Paths into the data whose values instances can be found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search_keys: Vec<String>,
    /// Data objects of the process and its subprocesses: their variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_objects: Vec<DataObject>,
    /// All flow nodes, in document order.
    pub nodes: Vec<FlowNode>,
    /// All sequence flows, in document order.
    #[serde(default)]
    pub flows: Vec<SequenceFlow>,
    /// Lanes with their roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
}

impl ProcessDefinition {
    /// Ids of the flows whose condition is not evaluated: each is the default of its source, or
    /// leaves a node that takes all of its flows.
    pub fn unevaluated_flows(&self) -> HashSet<&str> {
        let sources: HashMap<&str, &FlowNode> = self
            .nodes
            .iter()
            .map(|node| (node.id.as_str(), node))
            .collect();
        let is_unevaluated = |flow: &&SequenceFlow| {
            sources.get(flow.source.as_str()).is_some_and(|source| {
                !source.kind.evaluates_conditions()
                    || (source.kind.has_default_flow()
                        && source.default_flow.as_deref() == Some(flow.id.as_str()))
            })
        };
        self.flows
            .iter()
            .filter(is_unevaluated)
            .map(|flow| flow.id.as_str())
            .collect()
    }
}

impl ProcessDefinition {
    /// Whether it represents a global task: one task, with the id of the process.
    pub fn is_global_task(&self) -> bool {
        let [only] = &self.nodes[..] else {
            return false;
        };
        only.id == self.id && only.kind.is_global_task()
    }

    /// The flows that its link events represent: one from each throw event to the catch event with
    /// the same name in the same scope, with the id of the throw event.
    pub fn link_flows(&self) -> Vec<SequenceFlow> {
        let of_kind = |kind: ElementType| {
            let nodes = self.nodes.iter().filter(move |node| node.kind == kind);
            nodes.filter_map(|node| Some((node.link()?, node)))
        };
        let catches: HashMap<_, &FlowNode> = of_kind(ElementType::IntermediateCatchEvent).collect();
        of_kind(ElementType::IntermediateThrowEvent)
            .filter_map(|(link, throw)| {
                Some(SequenceFlow {
                    id: throw.id.clone(),
                    name: None,
                    source: throw.id.clone(),
                    target: catches.get(&link)?.id.clone(),
                    condition: None,
                })
            })
            .collect()
    }
}

/// A node of the process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlowNode {
    /// The modeller's id, unique in the process.
    pub id: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the embedded subprocess that contains it; `None` in the process itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its BPMN element.
    #[serde(rename = "type")]
    pub kind: ElementType,
    /// Whether back steps to nodes before it stay possible after it has completed.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub can_go_back: bool,
    /// Start events: the condition that a start has to name to begin here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_condition: Option<String>,
    /// Start events: the schedule that starts the process here; clients then cannot start it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Start events: the keys of accepted start data; if empty, everything is accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Key>,
    /// The node's actions, in document order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// The variables that it owns from its beginning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Mapping>,
    /// The output mappings, which write into the surrounding scopes when it completes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Mapping>,
    /// Gateways and activities: id of the flow taken when no condition is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_flow: Option<String>,
    /// Call activities: the called process, and the data passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallActivity>,
    /// Activities: how many tokens have to arrive, by any flows, before it begins.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub start_quantity: u32,
    /// Activities: how many tokens leave it by each flow that is taken.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub completion_quantity: u32,
    /// Activities: how they run more than once.
    #[serde(rename = "loop", default, skip_serializing_if = "Option::is_none")]
    pub looping: Option<LoopCharacteristics>,
    /// User tasks: assignment, due date, reminders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<UserTask>,
    /// Boundary events: id of the activity they are attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_to: Option<String>,
    /// Embedded subprocesses: whether it is an event subprocess, which begins by its start event
    /// while the surrounding scope is active.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub triggered_by_event: bool,
    /// Ad-hoc subprocesses: how they run; by default as [`AdHoc::default`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_hoc: Option<AdHoc>,
    /// Events, send and receive tasks: what is thrown or caught, in document order; empty for a
    /// none event. Several are all thrown; of several one is caught.
    #[serde(
        rename = "event",
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "one_or_several"
    )]
    pub events: Vec<EventDefinition>,
    /// Events that catch several definitions: whether all of them have to occur, in any order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parallel_multiple: bool,
    /// Compensation boundary events: id of the activity that compensates the one they are attached
    /// to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation_handler: Option<String>,
    /// Activities: whether it is a compensation handler, which no token reaches.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub for_compensation: bool,
    /// Boundary events: whether the activity ends when the event is caught. Start events of event
    /// subprocesses: whether everything else in the surrounding scope does.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub interrupting: bool,
    /// Receive tasks and event-based gateways: whether their event starts the process here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instantiate: bool,
    /// Event-based gateways that start the process: whether one of their events has to occur, or
    /// all.
    #[serde(default, skip_serializing_if = "EventGatewayType::is_exclusive")]
    pub event_gateway_type: EventGatewayType,
    /// Complex gateways: the condition on which a join continues, over the data and the tokens at
    /// its incoming flows, as written: `${activationCount >= 2}` or bare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_condition: Option<String>,
}

/// How many of the events behind an event-based gateway have to occur.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventGatewayType {
    /// The first one.
    #[default]
    Exclusive,
    /// All of them; the first one starts the process.
    Parallel,
}

impl EventGatewayType {
    /// Whether it is the default.
    pub fn is_exclusive(&self) -> bool {
        *self == Self::Exclusive
    }
}

impl FlowNode {
    /// Whether it throws compensation, or is begun by it.
    pub fn is_compensation(&self) -> bool {
        let mut events = self.events.iter();
        events.any(|event| matches!(event, EventDefinition::Compensation { .. }))
    }

    /// Its scope and the name of its link, if it is a link event.
    pub fn link(&self) -> Option<(Option<&str>, &str)> {
        match self.events.first()? {
            EventDefinition::Link { name } => Some((self.scope.as_deref(), name)),
            EventDefinition::Error { .. }
            | EventDefinition::Escalation { .. }
            | EventDefinition::Timer { .. }
            | EventDefinition::Message { .. }
            | EventDefinition::Signal { .. }
            | EventDefinition::Compensation { .. }
            | EventDefinition::Cancel
            | EventDefinition::Conditional { .. }
            | EventDefinition::Terminate => None,
        }
    }
}

/// The process that a call activity calls, and the data passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallActivity {
    /// Process id; the version that is published at the time of the call runs.
    pub called_element: String,
    /// Paths copied to the child: absent = everything, empty = nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params_to_copy: Option<Vec<String>>,
    /// Paths removed from the copied data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_params: Vec<String>,
    /// Business key of the child, a text with placeholders; if absent, the child has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_key: Option<String>,
    /// Path for the result; if absent, the result is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_key: Option<String>,
    /// Template over the child's data that makes the result; if absent, the result is all the
    /// child's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

/// A sequence flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SequenceFlow {
    /// The modeller's id, unique in the process.
    pub id: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the node it leaves.
    pub source: String,
    /// Id of the node it enters.
    pub target: String,
    /// Condition over the instance data, as written: `${amount > 100}` or bare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// A lane: the roles for its nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lane {
    /// The modeller's id.
    pub id: String,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the lane that contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Ids of its nodes, possibly including those of lanes within it.
    pub nodes: Vec<String>,
    /// Roles that may watch the instance; if absent, only its members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<Vec<String>>,
    /// Roles that may run the actions of its nodes; if absent, every member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execute: Option<Vec<String>>,
    /// Roles that may assign its user tasks; if absent, every member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assign: Option<Vec<String>>,
    /// Roles that may hold and end an instance with a token here; if absent, every member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Vec<String>>,
}

/// Lanes by their ids.
pub struct LaneTree<'a>(HashMap<&'a str, &'a Lane>);

impl<'a> LaneTree<'a> {
    /// The tree of these lanes.
    pub fn new(lanes: &'a [Lane]) -> Self {
        Self(lanes.iter().map(|lane| (lane.id.as_str(), lane)).collect())
    }

    /// The lane with this id.
    pub fn get(&self, id: &str) -> Option<&'a Lane> {
        self.0.get(id).copied()
    }

    /// The lanes that contain a lane, from the inside out. If there are more than [`LANE_DEPTH`], or
    /// lanes contain each other in a circle, as many and one more; `validate` refuses that.
    pub fn around(&self, lane: &'a Lane) -> impl Iterator<Item = &'a Lane> {
        let outer = |lane: &&'a Lane| self.get(lane.parent.as_deref()?);
        std::iter::successors(outer(&lane), outer).take(LANE_DEPTH + 1)
    }
}

fn one() -> u32 {
    1
}

fn is_one(value: &u32) -> bool {
    *value == 1
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}
