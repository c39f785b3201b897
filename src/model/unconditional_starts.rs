//! The processes that an instance certainly starts, whatever its data and its users do, before
//! anything waits.
//!
//! Tokens are followed from one start event, or from all implicit starts. They stop at everything
//! that waits (a user, a timer, a subprocess, a response) or chooses (a gateway, a collection that
//! may be empty). An end by an error invalidates everything. So every result holds for each
//! instance that does not stop with an incident; other starts are possible, too. Used by
//! `runtime::definitions::cycles`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    action::{MessageType, Required, Target, Trigger},
    executable::{ActionWork, ExecutableAction, ExecutableNode, ExecutableProcess},
    ids::{InstanceKey, Time},
    node_kind::{
        EventDefinitions, ExecutableEventDefinition, GatewayKind, NodeKind, StartEvent, TaskKind,
    },
    start_message::StartMessage,
    template::{Builtins, Template},
};

/// A process that is certainly started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertainStart {
    /// The node that starts it.
    pub node: String,
    /// Its id.
    pub process: String,
    /// The start condition it is started with.
    pub start_condition: Option<String>,
}

/// The processes that an instance certainly starts if it begins at this start event, or for `None`
/// at the implicit starts.
///
/// Each node that is followed takes one of `nodes`; `None` when there are too few.
pub fn certain_starts(
    process: &ExecutableProcess,
    start_event: Option<&str>,
    nodes: &mut usize,
) -> Option<Vec<CertainStart>> {
    let mut walk = Walk {
        process,
        starts: Vec::new(),
        seen: BTreeSet::new(),
        arrived: BTreeMap::new(),
        // Such an event subprocess may end everything before it begins.
        fails: process.event_subprocess_starts(None).any(|node| {
            node.start()
                .is_some_and(|start| has_condition(&start.event))
        }),
    };
    let mut next: Vec<String> = match start_event {
        Some(id) => vec![id.to_owned()],
        None => process
            .implicit_starts
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    while let Some(id) = next.pop() {
        if let Some(node) = process.node(&id).filter(|_| walk.seen.insert(id.clone())) {
            *nodes = nodes.checked_sub(1)?;
            next.extend(walk.visit(node));
        }
    }
    Some(if walk.fails { Vec::new() } else { walk.starts })
}

/// The start event for a start with this condition, if there is exactly one; `Some(None)` for the
/// implicit starts.
pub fn start_event<'a>(
    process: &'a ExecutableProcess,
    condition: Option<&str>,
) -> Option<Option<&'a ExecutableNode>> {
    if condition.is_none() && !process.implicit_starts.is_empty() {
        return Some(None);
    }
    let all: Vec<(&ExecutableNode, &StartEvent)> = process
        .start_events()
        .filter(|(_, start)| start.is_for_clients())
        .collect();
    let fitting = all
        .iter()
        .filter(|(_, start)| start.condition.as_deref() == condition);
    match (condition, &all[..], &fitting.collect::<Vec<_>>()[..]) {
        (None, [(only, _)], _) => Some(Some(only)),
        (_, _, [(only, _)]) => Some(Some(only)),
        _ => None,
    }
}

fn has_condition(event: &EventDefinitions) -> bool {
    event
        .iter()
        .any(|event| matches!(event, ExecutableEventDefinition::Conditional))
}

struct Walk<'a> {
    process: &'a ExecutableProcess,
    starts: Vec<CertainStart>,
    seen: BTreeSet<String>,
    /// Flows that certainly reach a join.
    arrived: BTreeMap<String, BTreeSet<String>>,
    fails: bool,
}

impl Walk<'_> {
    /// Records the processes that a node starts; returns the nodes that the token reaches after it.
    fn visit(&mut self, node: &ExecutableNode) -> Vec<String> {
        let waits = node
            .actions
            .iter()
            .filter(|action| self.act(node, action))
            .count()
            > 0;
        // The data decide whether it runs at all.
        if node.looping.is_some() {
            return Vec::new();
        }
        if let Some(called) = node.call().and_then(|call| call.process.fixed()) {
            self.start(node, called.to_owned(), None);
        }
        let goes_on = match &node.kind {
            NodeKind::Task(TaskKind::User(_)) => !node.actions.is_empty(),
            NodeKind::Gateway(GatewayKind::Exclusive) => {
                node.outgoing.len() == 1 && !node.outgoing[0].conditional
            }
            // It may have to wait for compensation.
            NodeKind::Throw(event) => !event
                .iter()
                .any(|event| matches!(event, ExecutableEventDefinition::Compensation(_))),
            NodeKind::Catch(event) => event.is_link(),
            NodeKind::Start(_)
            | NodeKind::End(_)
            | NodeKind::Task(
                TaskKind::Undefined
                | TaskKind::Manual
                | TaskKind::Service
                | TaskKind::Send(_)
                | TaskKind::Script
                | TaskKind::BusinessRule,
            )
            | NodeKind::Gateway(GatewayKind::Parallel) => true,
            NodeKind::Call(_)
            | NodeKind::Task(TaskKind::Receive { .. })
            | NodeKind::Gateway(
                GatewayKind::Inclusive
                | GatewayKind::Complex { .. }
                | GatewayKind::EventBased { .. },
            )
            | NodeKind::SubProcess(_)
            | NodeKind::Boundary { .. } => false,
        };
        self.fails |= matches!(&node.kind, NodeKind::End(event) if event.ends_scope());
        let depends = !matches!(node.kind, NodeKind::Gateway(_)) && node.chooses_flows();
        if waits || !goes_on || depends {
            return Vec::new();
        }
        node.outgoing
            .iter()
            .filter(|flow| self.passes(&flow.target, &flow.id))
            .map(|flow| flow.target.to_string())
            .collect()
    }

    /// Whether a flow lets its target begin: a join waits for all of its flows.
    fn passes(&mut self, target: &str, flow: &str) -> bool {
        let Some(node) = self.process.node(target) else {
            return false;
        };
        if !node.is_join() {
            return true;
        }
        if node.gathers_tokens() {
            return false;
        }
        let arrived = self.arrived.entry(target.to_owned()).or_default();
        arrived.insert(flow.to_owned());
        arrived.len() == node.incoming.len()
    }

    /// Records the processes that an action starts immediately. `true` if the node may wait for it.
    fn act(&mut self, node: &ExecutableNode, action: &ExecutableAction) -> bool {
        if action.trigger == Trigger::Manual {
            return action.required == Required::Mandatory;
        }
        if action.timer.is_some() {
            return action.holds_token;
        }
        let waits = match &action.work {
            ActionWork::StartSubprocess {
                subprocess,
                asynchronous,
            } => {
                if let Some(called) = subprocess.process.fixed() {
                    self.start(node, called.to_owned(), None);
                }
                !asynchronous
            }
            ActionWork::WebsocketSend {
                message,
                message_type: MessageType::Action,
                target: Target::Active,
            } => {
                if let Some(StartMessage {
                    process,
                    start_condition,
                    ..
                }) = self.server_start(message)
                {
                    self.start(node, process, start_condition);
                }
                false
            }
            ActionWork::HttpRequest(_) => true,
            ActionWork::WebsocketSend { .. }
            | ActionWork::SaveData
            | ActionWork::AppendToParent { .. }
            | ActionWork::BusinessRule
            | ActionWork::StartActivity { .. }
            | ActionWork::UploadFile { .. } => false,
        };
        // Children of an action that waits run later, if at all.
        let children = action
            .children
            .iter()
            .filter(|_| action.autorun_children && !waits);
        children.fold(waits, |waits, child| {
            let runs = child.trigger == Trigger::Manual || child.required == Required::Mandatory;
            (runs && self.act(node, child)) || waits
        })
    }

    /// The process that a message starts, if that does not depend on data.
    fn server_start(&self, message: &Template) -> Option<StartMessage> {
        if message.paths().next().is_some() {
            return None;
        }
        let nobody = InstanceKey::default();
        let builtins = Builtins {
            process_instance_id: nobody,
            parent: None,
            root: nobody,
            process_name: &self.process.name,
            business_key: None,
            started_by: "",
            scheduled_for: None,
            now: Time(0),
        };
        StartMessage::read_for_server(&message.render(&Value::Null, &builtins).ok()?).ok()?
    }

    fn start(&mut self, node: &ExecutableNode, process: String, start_condition: Option<String>) {
        self.starts.push(CertainStart {
            node: node.id.to_string(),
            process,
            start_condition,
        });
    }
}
