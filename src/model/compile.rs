//! Makes the executable form of a definition: resolves references, compiles templates, paths and
//! key lists.
//!
//! Not here: the rules that make this possible (`validate`, which runs first).

mod actions;
pub(super) mod events;
mod surroundings;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::Span;

use self::actions::{compile_actions, compile_ad_hoc_actions, compile_template, complete_action};
use self::events::{compile_catches, compile_events, compile_start};
use self::surroundings::Surroundings;
use super::{
    ad_hoc::AdHoc,
    called_process::CalledProcess,
    computed_template::ComputedTemplate,
    copying::CopyList,
    cron,
    definition::{CallActivity, ElementType, FlowNode, Lane, ProcessDefinition},
    event_definition,
    executable::{
        ExecutableAction, ExecutableFlow, ExecutableNode, ExecutableProcess, Expiry, Subprocess,
    },
    loop_characteristics::LoopCharacteristics,
    mapping::{DataObject, ExecutableMapping, Mapping, declared},
    node_kind::{ACTIVATION_COUNTS, GatewayKind, NodeKind, SubProcess, TaskKind},
    path::DataPath,
    problem::{Problem, Severity},
    search_attributes::SearchKeys,
    task_settings::{TaskSettings, UserTask},
    upstream::Upstream,
    validate::validate,
};
use crate::{duration, limits};

/// Compiles a definition; returns it with its warnings.
///
/// # Errors
/// All problems, including warnings, if any is an error.
pub fn compile(
    definition: ProcessDefinition,
) -> Result<(ExecutableProcess, Vec<Problem>), Vec<Problem>> {
    let problems = validate(&definition);
    if problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        return Err(problems);
    }
    let links = definition.link_flows();
    let around = Surroundings::of(&definition, &links);
    let compile_node = |node: &FlowNode| {
        compile_node(node, &around)
            .map_err(|sentence| vec![Problem::error(&node.id, "not_compilable", sentence)])
    };
    let mut nodes: Vec<ExecutableNode> = definition
        .nodes
        .iter()
        .map(compile_node)
        .collect::<Result<_, _>>()?;
    let by_id: BTreeMap<Arc<str>, usize> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| (Arc::clone(&node.id), index))
        .collect();
    let name = definition.name.as_ref().unwrap_or(&definition.id).clone();
    // `validate` has checked that it can be read.
    let expiry = definition.expiry.as_deref().and_then(compile_expiry);
    let action_message_expiry = action_message_expiry(&definition);
    let not_compilable =
        |sentence| vec![Problem::error(&definition.id, "not_compilable", sentence)];
    let search_keys = SearchKeys::compile(&definition.search_keys).map_err(not_compilable)?;
    let lanes = lanes_of_candidates(&definition, &mut nodes);
    let event_subprocess_starts = around.event_subprocess_starts(None);
    let has_conditional = has_conditional(&definition);
    let with_default = |object: &&DataObject| object.scope.is_none() && object.default.is_some();
    let data_objects = declared(definition.data_objects.iter().filter(with_default));
    let implicit_starts = ids(around.entry_points.implicit(None));
    let flow_sources = flow_sources(&nodes);
    Ok((
        ExecutableProcess {
            definition,
            name,
            expiry,
            action_message_expiry,
            search_keys,
            data_objects,
            upstream: Upstream::of(&nodes, &by_id, &flow_sources),
            implicit_starts,
            event_starts: event_starts(&nodes),
            has_conditional,
            event_subprocess_starts,
            flow_sources,
            lanes,
            nodes,
            by_id,
        },
        problems,
    ))
}

fn action_message_expiry(definition: &ProcessDefinition) -> Span {
    let written = definition.action_message_expiry.as_deref();
    let written = written.and_then(|text| duration::parse(text).ok());
    written
        .unwrap_or_else(|| Span::new().seconds(limits::ACTION_MESSAGE_OPEN.as_secs().cast_signed()))
}

fn has_conditional(definition: &ProcessDefinition) -> bool {
    let mut events = definition.nodes.iter().flat_map(|node| &node.events);
    events.any(|event| matches!(event, event_definition::EventDefinition::Conditional { .. }))
}

/// The source of each flow.
fn flow_sources(nodes: &[ExecutableNode]) -> BTreeMap<Arc<str>, Arc<str>> {
    let of_node = |node: &ExecutableNode| {
        let source = node.id.clone();
        let ids: Vec<_> = node.outgoing.iter().map(|flow| flow.id.clone()).collect();
        ids.into_iter().map(move |flow| (flow, source.clone()))
    };
    nodes.iter().flat_map(of_node).collect()
}

fn event_starts(nodes: &[ExecutableNode]) -> Vec<usize> {
    let gateways = nodes.iter().filter(|node| node.instantiates().is_some());
    let behind: HashSet<&str> = gateways
        .flat_map(|gateway| gateway.outgoing.iter().map(|flow| &*flow.target))
        .collect();
    let is_start = |node: &ExecutableNode| match &node.kind {
        NodeKind::Start(_) => node.scope.is_none(),
        NodeKind::Task(TaskKind::Receive { instantiates, .. }) => {
            *instantiates || behind.contains(&*node.id)
        }
        NodeKind::Catch(_) => behind.contains(&*node.id),
        NodeKind::End(_)
        | NodeKind::Throw(_)
        | NodeKind::Boundary { .. }
        | NodeKind::Task(
            TaskKind::Undefined
            | TaskKind::Manual
            | TaskKind::User(_)
            | TaskKind::Service
            | TaskKind::Send(_)
            | TaskKind::Script
            | TaskKind::BusinessRule,
        )
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => false,
    };
    let is_named = |node: &ExecutableNode| {
        let mut events = node
            .kind
            .awaited()
            .into_iter()
            .flat_map(|event| event.iter());
        events.any(|event| event.message().or(event.signal()).is_some())
    };
    let started = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| is_start(node) && is_named(node));
    started.map(|(index, _)| index).collect()
}

/// The lanes of a definition, and one more for each user task with candidate groups: within the
/// task's lane, with the groups as the roles that may run its actions.
fn lanes_of_candidates(definition: &ProcessDefinition, nodes: &mut [ExecutableNode]) -> Vec<Lane> {
    let mut lanes = definition.lanes.clone();
    for (written, node) in definition.nodes.iter().zip(nodes) {
        let groups = written.task.as_ref().map(|task| &task.candidate_groups);
        let Some(groups) = groups.filter(|groups| !groups.is_empty()) else {
            continue;
        };
        let around = node.lane.map(|index| lanes[index].clone());
        let of = |list: fn(&Lane) -> &Option<Vec<String>>| {
            around.as_ref().and_then(|lane| list(lane).clone())
        };
        lanes.push(Lane {
            id: written.id.clone(),
            name: None,
            parent: around.as_ref().map(|lane| lane.id.clone()),
            nodes: vec![written.id.clone()],
            view: of(|lane| &lane.view),
            execute: Some(groups.clone()),
            assign: of(|lane| &lane.assign),
            hold: of(|lane| &lane.hold),
        });
        node.lane = Some(lanes.len() - 1);
    }
    lanes
}

/// An ISO 8601 duration, which begins with a `P`, or a cron expression. `None` if it is neither.
pub(super) fn compile_expiry(text: &str) -> Option<Expiry> {
    if text.trim_start().starts_with(['P', 'p', '+', '-']) {
        return duration::parse(text).ok().map(Expiry::After);
    }
    cron::read(text)
        .ok()
        .map(|reading| Expiry::At(Box::new(reading.cron)))
}

fn compile_node(node: &FlowNode, around: &Surroundings<'_>) -> Result<ExecutableNode, String> {
    let id = node.id.as_str();
    let outgoing = compile_outgoing(node, around);
    let attached = around.attached.get(id).map_or(&[][..], Vec::as_slice);
    let looping = node.looping.as_ref();
    let looping = looping.map(|looping: &LoopCharacteristics| looping.compile(id));
    let (mut kind, mut looping) = (compile_kind(node, around)?, looping.transpose()?);
    if let (NodeKind::Call(called), Some(looping)) = (&mut kind, &mut looping) {
        looping.gather(&mut called.output_key);
    }
    Ok(ExecutableNode {
        id: node.id.as_str().into(),
        name: node.name.clone().unwrap_or_else(|| node.id.clone()),
        kind,
        default_flow: default_flow(node, &outgoing),
        scope: node.scope.as_deref().map(Arc::from),
        lane: around.lane(id),
        can_go_back: node.can_go_back,
        outgoing,
        incoming: around
            .incoming
            .get(id)
            .into_iter()
            .flatten()
            .map(|flow| flow.id.as_str().into())
            .collect(),
        actions: compile_node_actions(node, around)?,
        start_quantity: node.start_quantity as usize,
        completion_quantity: node.completion_quantity as usize,
        looping,
        inputs: compile_mappings(&node.inputs)?,
        outputs: compile_mappings(&node.outputs)?,
        data_objects: declared(around.data_objects.get(id).into_iter().flatten().copied()),
        boundary_events: attached
            .iter()
            .map(|event| event.id.as_str().into())
            .collect(),
        for_compensation: node.for_compensation,
        compensation_handler: attached
            .iter()
            .find_map(|event| event.compensation_handler.as_deref())
            .map(Arc::from),
        catches: attached
            .iter()
            .flat_map(|event| compile_catches(event))
            .collect(),
    })
}

fn compile_outgoing(node: &FlowNode, around: &Surroundings<'_>) -> Vec<ExecutableFlow> {
    let flows = around.outgoing.get(node.id.as_str()).into_iter().flatten();
    let compiled = flows.map(|flow| ExecutableFlow {
        id: flow.id.as_str().into(),
        target: flow.target.as_str().into(),
        conditional: flow.condition.is_some() && node.kind.evaluates_conditions(),
    });
    compiled.collect()
}

/// The actions of a node: its own, or those that are built in.
fn compile_node_actions(
    node: &FlowNode,
    around: &Surroundings<'_>,
) -> Result<Vec<ExecutableAction>, String> {
    match node.kind {
        ElementType::UserTask if node.actions.is_empty() => Ok(vec![complete_action()]),
        ElementType::ReceiveTask if node.actions.is_empty() && node.events.is_empty() => {
            Ok(vec![complete_action()])
        }
        ElementType::AdHocSubProcess => {
            let activities = around.entry_points.implicit(Some(&node.id));
            compile_ad_hoc_actions(&node.actions, activities)
        }
        _ => compile_actions(&node.actions),
    }
}

fn compile_mappings(mappings: &[Mapping]) -> Result<Vec<ExecutableMapping>, String> {
    let single = mappings.iter().filter(|mapping| !mapping.is_all());
    single.map(Mapping::compile).collect()
}

fn compile_kind(node: &FlowNode, around: &Surroundings<'_>) -> Result<NodeKind, String> {
    let (event, id) = (|| compile_events(node), node.id.as_str());
    Ok(match node.kind {
        ElementType::StartEvent => NodeKind::Start(Box::new(compile_start(node)?)),
        ElementType::EndEvent => NodeKind::End(event()?),
        ElementType::IntermediateThrowEvent => NodeKind::Throw(event()?),
        ElementType::IntermediateCatchEvent => NodeKind::Catch(event()?),
        ElementType::BoundaryEvent => NodeKind::Boundary {
            attached_to: node.attached_to.as_deref().unwrap_or_default().into(),
            event: event()?,
            interrupting: node.interrupting,
        },
        ElementType::Task => NodeKind::Task(TaskKind::Undefined),
        ElementType::ManualTask => NodeKind::Task(TaskKind::Manual),
        ElementType::UserTask => NodeKind::Task(TaskKind::User(Box::new(
            node.task
                .as_ref()
                .map_or_else(|| Ok(TaskSettings::default()), UserTask::compile)?,
        ))),
        ElementType::ServiceTask => NodeKind::Task(TaskKind::Service),
        // `validate` allows a send task only a message.
        ElementType::SendTask => NodeKind::Task(TaskKind::Send(event()?)),
        ElementType::ReceiveTask => NodeKind::Task(TaskKind::Receive {
            event: event()?,
            instantiates: node.instantiate,
        }),
        ElementType::ScriptTask => NodeKind::Task(TaskKind::Script),
        ElementType::BusinessRuleTask => NodeKind::Task(TaskKind::BusinessRule),
        ElementType::ExclusiveGateway => NodeKind::Gateway(GatewayKind::Exclusive),
        ElementType::InclusiveGateway => NodeKind::Gateway(GatewayKind::Inclusive),
        ElementType::ParallelGateway => NodeKind::Gateway(GatewayKind::Parallel),
        ElementType::ComplexGateway => NodeKind::Gateway(GatewayKind::Complex {
            conditional: node.activation_condition.is_some(),
            counts_flows: node
                .activation_condition
                .as_ref()
                .is_some_and(|condition| condition.contains(ACTIVATION_COUNTS)),
        }),
        ElementType::EventBasedGateway => NodeKind::Gateway(GatewayKind::EventBased {
            instantiates: node.instantiate.then_some(node.event_gateway_type),
        }),
        ElementType::CallActivity => {
            let called = node.call.as_ref().ok_or("expected a called process")?;
            let takes_all = node.outputs.iter().any(Mapping::is_all);
            NodeKind::Call(Box::new(compile_call(called, takes_all)?))
        }
        ElementType::SubProcess | ElementType::Transaction | ElementType::AdHocSubProcess => {
            NodeKind::SubProcess(SubProcess {
                triggered_by_event: node.triggered_by_event,
                event_subprocess_starts: around.event_subprocess_starts(Some(&node.id)),
                compensation: around.compensations.get(id).map(|id| Arc::from(*id)),
                starts: ids(around.entry_points.all(Some(&node.id))),
                transaction: node.kind == ElementType::Transaction,
                ad_hoc: match (node.kind, &node.ad_hoc) {
                    (ElementType::AdHocSubProcess, Some(ad_hoc)) => Some(ad_hoc.compile(&node.id)?),
                    (ElementType::AdHocSubProcess, None) => {
                        Some(AdHoc::default().compile(&node.id)?)
                    }
                    _ => None,
                },
            })
        }
    })
}

fn ids(nodes: &[&FlowNode]) -> Vec<Arc<str>> {
    nodes.iter().map(|node| node.id.as_str().into()).collect()
}

fn default_flow(node: &FlowNode, outgoing: &[ExecutableFlow]) -> Option<usize> {
    let default = node
        .default_flow
        .as_deref()
        .filter(|_| node.kind.has_default_flow())?;
    outgoing.iter().position(|flow| &*flow.id == default)
}

fn compile_call(call: &CallActivity, takes_all: bool) -> Result<Subprocess, String> {
    Ok(Subprocess {
        process: CalledProcess::compile(&call.called_element)?,
        copy: CopyList::parse(call.params_to_copy.as_deref(), &call.without_params)?,
        business_key: call
            .business_key
            .as_deref()
            .map(ComputedTemplate::compile_text)
            .transpose()?,
        output_key: call
            .output_key
            .as_deref()
            .map(DataPath::parse_members)
            .transpose()?,
        output: call.output.as_deref().map(compile_template).transpose()?,
        takes_all,
    })
}

#[cfg(test)]
mod tests;
