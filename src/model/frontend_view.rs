//! The part of a definition that users without access to its source may see: ids and names, the
//! data of its manual actions and starts, and how its nodes are connected.
//!
//! It uses the members of the JSON form. Left out is everything that is evaluated, sent or
//! addressed: conditions, rules, templates, calls, webhooks, schedules, assignees, roles. The
//! visible members are listed here one by one, so a new member of a definition is left out until it
//! is added here. The same for a diagram: `bpmn_xml::diagram`; as TypeScript: `typescript`.
//!
//! # Rationale
//!
//! **What a frontend sees of a definition is a list of what is shown**, member by member and
//! element by element (`model::frontend_view`, `model::bpmn_xml::diagram`): a new member is left
//! out until it is added there. Messages of incidents quote expressions, so they depend on
//! permissions, too.

use serde::Serialize;

use super::{
    action::{Action, ActionType, Key, Required, Trigger, orders},
    definition::{ElementType, FlowNode, Lane, ProcessDefinition, SequenceFlow},
};

/// A process, as far as a frontend needs it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    documentation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    anonymous_start: bool,
    nodes: Vec<NodeView<'a>>,
    flows: Vec<FlowView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lanes: Vec<LaneView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    r#type: ElementType,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_condition: Option<&'a str>,
    #[serde(skip_serializing_if = "no_keys")]
    keys: &'a [Key],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<ActionView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attached_to: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionView<'a> {
    name: &'a str,
    order: i64,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<ParamsView<'a>>,
    trigger: Trigger,
    required: Required,
    repeatable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    allow_back: bool,
    #[serde(skip_serializing_if = "no_keys")]
    keys: &'a [Key],
    strict_keys: bool,
}

/// The visible parameters of an action.
#[derive(Serialize)]
#[serde(untagged)]
enum ParamsView<'a> {
    Upload(UploadView<'a>),
    Activity { activity: &'a str },
}

/// The files that an upload accepts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UploadView<'a> {
    max_bytes: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    types: Option<&'a [String]>,
}

#[derive(Serialize)]
struct FlowView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    source: &'a str,
    target: &'a str,
}

#[derive(Serialize)]
struct LaneView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    nodes: &'a [String],
}

impl<'a> From<&'a ProcessDefinition> for FrontendView<'a> {
    fn from(process: &'a ProcessDefinition) -> Self {
        Self {
            id: &process.id,
            name: process.name.as_deref(),
            documentation: process.documentation.as_deref(),
            alias: process.alias,
            anonymous_start: process.anonymous_start,
            nodes: process.nodes.iter().map(NodeView::from).collect(),
            flows: process.flows.iter().map(FlowView::from).collect(),
            lanes: process.lanes.iter().map(LaneView::from).collect(),
        }
    }
}

impl<'a> From<&'a FlowNode> for NodeView<'a> {
    fn from(node: &'a FlowNode) -> Self {
        Self {
            id: &node.id,
            name: node.name.as_deref(),
            r#type: node.kind,
            scope: node.scope.as_deref(),
            start_condition: node.start_condition.as_deref(),
            keys: &node.keys,
            actions: orders(&node.actions)
                .into_iter()
                .zip(&node.actions)
                .map(ActionView::from)
                .collect(),
            attached_to: node.attached_to.as_deref(),
        }
    }
}

impl<'a> From<(i64, &'a Action)> for ActionView<'a> {
    fn from((order, action): (i64, &'a Action)) -> Self {
        let params = match &action.work {
            ActionType::UploadFile {
                max_bytes, types, ..
            } => Some(ParamsView::Upload(UploadView {
                max_bytes: *max_bytes,
                types: types.as_deref(),
            })),
            ActionType::StartActivity { activity } => Some(ParamsView::Activity { activity }),
            _ => None,
        };
        Self {
            name: &action.name,
            order,
            r#type: action.work.name(),
            params,
            trigger: action.trigger,
            required: action.required,
            repeatable: action.repeatable,
            parent: action.parent.as_deref(),
            allow_back: action.allow_back,
            keys: &action.keys,
            strict_keys: action.strict_keys,
        }
    }
}

impl<'a> From<&'a SequenceFlow> for FlowView<'a> {
    fn from(flow: &'a SequenceFlow) -> Self {
        Self {
            id: &flow.id,
            name: flow.name.as_deref(),
            source: &flow.source,
            target: &flow.target,
        }
    }
}

impl<'a> From<&'a Lane> for LaneView<'a> {
    fn from(lane: &'a Lane) -> Self {
        Self {
            id: &lane.id,
            name: lane.name.as_deref(),
            parent: lane.parent.as_deref(),
            nodes: &lane.nodes,
        }
    }
}

fn no_keys(keys: &&[Key]) -> bool {
    keys.is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A definition with a value in each member that others do not see.
    fn whole() -> Value {
        let automatic = |name: &str, kind: &str, params: Value| json!({"name": name, "type": kind, "params": params});
        json!({
            "id": "loan", "name": "Loan", "documentation": "Lends money.", "expiry": "P1DT13S",
            "anonymousStart": true, "searchKeys": ["SECRET.path"],
            "webhooks": [{"url": "https://SECRET.example/ended"}],
            "nodes": [
                {"id": "start", "type": "startEvent", "keys": [{"path": "amount", "required": true,
                    "schema": {"type": "number", "minimum": 1}}]},
                {"id": "nightly", "type": "startEvent", "startCondition": "night",
                    "schedule": {"when": {"cycle": "0 13 * * *"}}},
                {"id": "ask", "type": "userTask", "task": {"assignee": "${SECRET.who}"}, "actions": [
                    automatic("show", "websocketSend", json!({"message": "{\"a\":\"SECRET\"}"})),
                    automatic("rate", "businessRule", json!({"script": "return SECRET"})),
                    automatic("call", "httpRequest", json!({"method": "GET", "url": "https://SECRET.example"})),
                    automatic("up", "appendToParent", json!({"message": "SECRET", "destination": "SECRET"})),
                    automatic("sub", "startSubprocess", json!({"process": "SECRET"})),
                    {"name": "save", "type": "saveData", "trigger": "manual", "keys": [{"path": "name"}]},
                    {"name": "bring", "type": "uploadFile", "trigger": "manual",
                        "params": {"destination": "SECRET.place", "maxBytes": 7, "types": ["image/*"]}}
                ]},
                {"id": "split", "type": "exclusiveGateway", "defaultFlow": "f3"},
                {"id": "call", "type": "callActivity", "call": {"calledElement": "SECRET", "output": "SECRET"}},
                {"id": "broken", "type": "boundaryEvent", "attachedTo": "call",
                    "event": {"type": "error", "code": "SECRET"}},
                {"id": "end", "type": "endEvent", "event": {"type": "error", "code": "SECRET"}}
            ],
            "flows": [{"id": "f2", "name": "much", "source": "split", "target": "end", "condition": "amount > SECRET"}],
            "lanes": [{"id": "desk", "name": "Desk", "nodes": ["ask"], "execute": ["SECRET"], "view": ["SECRET"]}]
        })
    }

    #[test]
    fn the_frontend_view_hides_expressions_requests_and_addresses() {
        let definition: ProcessDefinition =
            serde_json::from_value(whole()).expect("the test's definition is valid");
        let view = serde_json::to_value(FrontendView::from(&definition)).expect("views are JSON");
        assert!(!view.to_string().contains("SECRET"), "{view}");
        assert!(!view.to_string().contains("13"), "{view}");
        let node = |index: usize| &view["nodes"][index];
        assert_eq!(
            (&view["name"], &view["anonymousStart"]),
            (&json!("Loan"), &json!(true))
        );
        assert_eq!(
            node(0)["keys"][0],
            json!({"path": "amount", "required": true, "schema": {"type": "number", "minimum": 1}})
        );
        assert_eq!(node(1)["startCondition"], "night");
        assert_eq!(
            node(2)["actions"][5],
            json!({"name": "save", "order": 5, "type": "saveData", "trigger": "manual",
                "required": "mandatory", "repeatable": false, "allowBack": false,
                "keys": [{"path": "name"}], "strictKeys": false})
        );
        assert_eq!(
            node(2)["actions"][6]["params"],
            json!({"maxBytes": 7, "types": ["image/*"]})
        );
        assert_eq!(node(5)["attachedTo"], "call");
        assert_eq!(
            view["flows"],
            json!([{"id": "f2", "name": "much", "source": "split", "target": "end"}])
        );
        assert_eq!(
            view["lanes"],
            json!([{"id": "desk", "name": "Desk", "nodes": ["ask"]}])
        );
    }
}
