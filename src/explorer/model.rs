//! Reduces a definition to its control flow for the explorer. Data, actions, rights and times are
//! removed or made uniform.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    action::{Action, ActionType, Required, Trigger},
    definition::{CallActivity, ElementType, FlowNode, ProcessDefinition},
    event_definition::{EventDefinition, EventRef, TimerValue},
    loop_characteristics::{LoopCharacteristics, MultiInstance, StandardLoop},
};

/// Path of the list that replaces every collection.
pub const COLLECTION: &str = "explored";
/// The process that replaces every called process.
pub const CALLED: &str = "called";
/// The process that replaces the work of a task that can fail.
const WORK: &str = "work";
/// The condition of flows whose condition was not drawn.
const UNDRAWN: &str = "undrawn";

/// The bare control flow of a definition.
pub fn bare(definition: &ProcessDefinition) -> ProcessDefinition {
    let mut bare = definition.clone();
    bare.alias = None;
    bare.expiry = None;
    bare.anonymous_start = false;
    bare.webhooks.clear();
    bare.search_keys.clear();
    bare.lanes.clear();
    let found = |id: &str| definition.nodes.iter().find(|node| node.id == id);
    let scope_of = |id: &str| found(id)?.scope.as_deref();
    let caught: Vec<&FlowNode> = definition.nodes.iter().filter(|it| is_error(it)).collect();
    let interruptible: BTreeSet<&str> = definition
        .nodes
        .iter()
        .filter(|event| event.events.iter().any(comes_from_outside))
        .filter_map(|event| event.attached_to.as_deref())
        .collect();
    let at_boundary = |id: &str| {
        let mut events = caught.iter();
        events.any(|event| event.attached_to.as_deref() == Some(id))
    };
    // An event subprocess catches throws of the same scope.
    let beside = |id: &str| {
        let mut starts = caught
            .iter()
            .filter_map(|start| found(start.scope.as_deref()?));
        starts.any(|it| it.triggered_by_event && it.id != id && it.scope.as_deref() == scope_of(id))
    };
    for node in &mut bare.nodes {
        let around = std::iter::successors(scope_of(&node.id), |scope| scope_of(scope));
        let mut around = around.take(definition.nodes.len());
        // An error of a script propagates through the enclosing subprocesses.
        let throws = has_script(node)
            && (beside(&node.id) || around.any(|scope| at_boundary(scope) || beside(scope)));
        let takes_time = interruptible.contains(&*node.id);
        strip(node, throws || at_boundary(&node.id), takes_time);
    }
    draw_conditions(&mut bare);
    bare
}

/// Whether an event comes from outside of the activity whose boundary event waits for it, so that
/// the activity takes time.
fn comes_from_outside(event: &EventDefinition) -> bool {
    match event {
        EventDefinition::Timer { .. }
        | EventDefinition::Message { .. }
        | EventDefinition::Signal { .. }
        | EventDefinition::Conditional { .. } => true,
        EventDefinition::Error { .. }
        | EventDefinition::Escalation { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Terminate => false,
    }
}

/// Gives flows a condition that a drawing leaves out: where several flows of an exclusive gateway
/// have none, and where no flow of an inclusive gateway has one.
fn draw_conditions(bare: &mut ProcessDefinition) {
    let nodes = bare.nodes.iter();
    let gateways = nodes.filter(|node| {
        let mut without = 0;
        let mut with = 0;
        for flow in bare.flows.iter().filter(|flow| flow.source == node.id) {
            if flow.condition.is_some() {
                with += 1;
            } else if node.default_flow.as_ref() != Some(&flow.id) {
                without += 1;
            }
        }
        match node.kind {
            ElementType::ExclusiveGateway => without > 1,
            ElementType::InclusiveGateway => without > 1 && with == 0,
            _ => false,
        }
    });
    let drawn: BTreeMap<String, Option<String>> = gateways
        .map(|node| (node.id.clone(), node.default_flow.clone()))
        .collect();
    for flow in &mut bare.flows {
        let default = drawn.get(&flow.source);
        if default.is_some_and(|default| default.as_ref() != Some(&flow.id)) {
            flow.condition.get_or_insert_with(|| UNDRAWN.to_owned());
        }
    }
}

/// Whether an event catches an error.
fn is_error(event: &FlowNode) -> bool {
    let catches = event.kind == ElementType::StartEvent || event.attached_to.is_some();
    let mut events = event.events.iter();
    catches && events.any(|event| matches!(event, EventDefinition::Error { .. }))
}

fn has_script(node: &FlowNode) -> bool {
    let mut actions = node.actions.iter();
    actions.any(|action| matches!(action.work, ActionType::BusinessRule { .. }))
}

fn strip(node: &mut FlowNode, catches_errors: bool, takes_time: bool) {
    let is_call = node.kind == ElementType::CallActivity;
    // A receive task still waits for its message.
    let receives = node.kind == ElementType::ReceiveTask && !node.events.is_empty();
    if is_task(node.kind) && !receives {
        node.kind = match takes_time || waits(node) {
            // It can fail, so it becomes a call activity.
            _ if catches_errors => ElementType::CallActivity,
            true => ElementType::UserTask,
            false => ElementType::Task,
        };
        node.events.clear();
        node.call = None;
    }
    if node.kind == ElementType::CallActivity {
        node.call = Some(CallActivity {
            called_element: if is_call { CALLED } else { WORK }.to_owned(),
            params_to_copy: Some(Vec::new()),
            without_params: Vec::new(),
            business_key: None,
            output_key: None,
            output: None,
        });
    }
    if let Some(looping) = &mut node.looping {
        *looping = bare_loop(looping);
    }
    if let Some(ad_hoc) = &mut node.ad_hoc {
        ad_hoc.active_elements = None;
    }
    node.actions.clear();
    node.keys.clear();
    // Without data an expression in a mapping fails.
    node.inputs.clear();
    node.outputs.clear();
    node.task = None;
    node.can_go_back = false;
    if node.kind == ElementType::StartEvent && node.scope.is_none() {
        node.schedule = None;
        node.start_condition = Some(node.id.clone());
        node.events.clear();
    }
    for (event, place) in node.events.iter_mut().zip(0..) {
        // Each waits for a different event.
        let name = EventRef {
            definition: place,
            node: node.id.as_str().into(),
        };
        bare_event(event, &name.to_string(), node.interrupting);
    }
}

/// Every list has the same items, every loop runs twice; none ends early.
fn bare_loop(looping: &LoopCharacteristics) -> LoopCharacteristics {
    match looping {
        LoopCharacteristics::MultiInstance(multiple) => {
            LoopCharacteristics::MultiInstance(MultiInstance {
                sequential: multiple.sequential,
                collection: Some(COLLECTION.to_owned()),
                ..MultiInstance::default()
            })
        }
        LoopCharacteristics::Standard(_) => LoopCharacteristics::Standard(StandardLoop {
            maximum: Some(2),
            ..StandardLoop::default()
        }),
    }
}

fn is_task(kind: ElementType) -> bool {
    matches!(
        kind,
        ElementType::Task
            | ElementType::ManualTask
            | ElementType::UserTask
            | ElementType::ServiceTask
            | ElementType::SendTask
            | ElementType::ReceiveTask
            | ElementType::ScriptTask
            | ElementType::BusinessRuleTask
    )
}

/// Whether a task waits until somebody or something completes it.
fn waits(node: &FlowNode) -> bool {
    let has_to_complete = matches!(node.kind, ElementType::UserTask | ElementType::ReceiveTask);
    (has_to_complete && node.actions.is_empty()) || node.actions.iter().any(holds)
}

fn holds(action: &Action) -> bool {
    let is_awaited = matches!(
        action.work,
        ActionType::HttpRequest(_)
            | ActionType::StartSubprocess {
                asynchronous: false,
                ..
            }
    );
    action.required == Required::Mandatory
        && (action.trigger == Trigger::Manual || action.timer.is_some() || is_awaited)
}

/// Every time is one hour; every name is specific to the event.
fn bare_event(event: &mut EventDefinition, id: &str, interrupting: bool) {
    match event {
        EventDefinition::Timer { when, time_zone } => {
            let recurs = matches!(when, TimerValue::Cycle(_)) && !interrupting;
            *time_zone = None;
            *when = if recurs {
                TimerValue::Cycle("R/PT1H".to_owned())
            } else {
                TimerValue::Duration("PT1H".to_owned())
            };
        }
        EventDefinition::Message {
            name,
            correlation_key,
            data,
            time_to_live,
        } => {
            id.clone_into(name);
            (*correlation_key, *data, *time_to_live) = (None, None, None);
        }
        EventDefinition::Signal {
            name,
            data,
            business_key,
        } => {
            id.clone_into(name);
            (*data, *business_key) = (None, None);
        }
        EventDefinition::Error { .. }
        | EventDefinition::Conditional { .. }
        | EventDefinition::Escalation { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Terminate => {}
    }
}
