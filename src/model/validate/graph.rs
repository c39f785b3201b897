//! How nodes and flows are connected: ids, ends of flows, gateways and their conditions,
//! reachability.

use std::collections::{HashMap, HashSet};

use super::Report;
use crate::{
    limits::JOIN_FLOWS,
    model::{
        definition::{ElementType, FlowNode, ProcessDefinition, SequenceFlow},
        entry_points::EntryPoints,
        event_definition::EventDefinition,
    },
};

pub(super) fn check(definition: &ProcessDefinition, report: &mut Report) {
    check_ids(definition, report);
    let nodes: HashMap<&str, &FlowNode> = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut outgoing: HashMap<&str, Vec<&SequenceFlow>> = HashMap::new();
    let mut incoming: HashMap<&str, usize> = HashMap::new();
    for flow in &definition.flows {
        *incoming.entry(&flow.target).or_default() += 1;
        check_ends(flow, &nodes, report);
        if let Some(condition) = &flow.condition {
            let source = nodes.get(flow.source.as_str()).copied();
            check_condition(flow, condition, source, report);
        }
        outgoing.entry(&flow.source).or_default().push(flow);
    }
    let links = definition.link_flows();
    for flow in &links {
        outgoing.entry(&flow.source).or_default().push(flow);
    }
    for node in &definition.nodes {
        check_incoming(node, incoming.get(&*node.id).copied(), report);
        let scope = node.scope.as_deref().and_then(|scope| nodes.get(scope));
        check_outgoing(
            node,
            scope.copied(),
            outgoing.get(node.id.as_str()).map_or(&[], Vec::as_slice),
            definition.is_global_task(),
            report,
        );
    }
    let entry_points = EntryPoints::of(definition);
    check_starts(definition, &entry_points, report);
    check_reach(definition, &outgoing, &entry_points, report);
}

fn check_incoming(node: &FlowNode, flows: Option<usize>, report: &mut Report) {
    let waits_for_tokens = matches!(
        node.kind,
        ElementType::InclusiveGateway | ElementType::ComplexGateway
    );
    if let Some(count) = flows.filter(|count| waits_for_tokens && *count > JOIN_FLOWS) {
        let message = format!(
            "expected at most {JOIN_FLOWS} flows that enter a {}, as it compares all tokens with \
            them, but {count} do; join some of them before",
            node.kind.bpmn_name()
        );
        report.error(&node.id, "too_many_flows", message);
    }
}

fn check_ids(definition: &ProcessDefinition, report: &mut Report) {
    let nodes = definition
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node.kind.bpmn_name()));
    let flows = definition
        .flows
        .iter()
        .map(|flow| (flow.id.as_str(), "sequenceFlow"));
    let lanes = definition
        .lanes
        .iter()
        .map(|lane| (lane.id.as_str(), "lane"));
    let mut seen = HashMap::new();
    // A global task is its process.
    if !definition.is_global_task() {
        seen.insert(definition.id.as_str(), "process");
    }
    for (id, what) in nodes.chain(flows).chain(lanes) {
        report.name(id, "id", id);
        if let Some(first) = seen.insert(id, what) {
            let message = format!(
                "expected each id once, but `{id}` is the id of a {first} and of another {what}; \
                rename one"
            );
            let message = if first == what {
                message
            } else {
                message.replace("another", "a")
            };
            report.error(id, "duplicate_id", message);
        }
    }
}

fn check_ends(flow: &SequenceFlow, nodes: &HashMap<&str, &FlowNode>, report: &mut Report) {
    for (end, id) in [("source", &flow.source), ("target", &flow.target)] {
        if !nodes.contains_key(id.as_str()) {
            let found = if id.is_empty() {
                "it has none".to_owned()
            } else {
                format!("`{id}` is not one")
            };
            let message = format!(
                "expected the {end} of the flow to be a node of the process, but {found}; \
                connect it"
            );
            report.error(&flow.id, "unknown_node", message);
        }
    }
    if nodes
        .get(flow.source.as_str())
        .is_some_and(|node| node.kind == ElementType::EndEvent)
    {
        let message = format!(
            "expected no flow to leave an end event, but this one leaves `{}`; remove it",
            flow.source
        );
        report.error(&flow.id, "flow_leaves_end", message);
    }
    if nodes
        .get(flow.target.as_str())
        .is_some_and(|node| node.kind == ElementType::StartEvent)
    {
        let message = format!(
            "expected no flow to enter a start event, but this one enters `{}`; remove it",
            flow.target
        );
        report.error(&flow.id, "flow_enters_start", message);
    }
    if nodes
        .get(flow.target.as_str())
        .is_some_and(|node| node.kind == ElementType::BoundaryEvent)
    {
        let message = format!(
            "expected no flow to enter a boundary event, but this one enters `{}`; remove it",
            flow.target
        );
        report.error(&flow.id, "flow_enters_boundary", message);
    }
}

fn check_condition(
    flow: &SequenceFlow,
    condition: &str,
    source: Option<&FlowNode>,
    report: &mut Report,
) {
    let is_default = |node: &FlowNode| {
        node.kind.has_default_flow() && node.default_flow.as_deref() == Some(&*flow.id)
    };
    match source {
        Some(node) if is_default(node) => {
            let message = "expected no condition on a default flow, but there is one: it is not \
                evaluated; remove it";
            return report.warning(&flow.id, "default_with_condition", message);
        }
        Some(node) if !node.kind.evaluates_conditions() => {
            let why = if node.kind == ElementType::EventBasedGateway {
                "the first event decides; remove it".to_owned()
            } else {
                let id = &node.id;
                format!(
                    "all of its flows are taken; remove it, or make `{id}` an inclusive gateway"
                )
            };
            let message = format!(
                "expected no condition on a flow that leaves a {}, but there is one: it is not \
                evaluated, because {why}",
                node.kind.bpmn_name(),
            );
            return report.warning(&flow.id, "misplaced_condition", message);
        }
        Some(node) if node.kind.is_event() => {
            let message = format!(
                "expected conditions on flows that leave activities and gateways, but `{}` is a \
                {}; it is evaluated nevertheless: put a gateway between",
                node.id,
                node.kind.bpmn_name()
            );
            report.warning(&flow.id, "misplaced_condition", message);
        }
        _ => {}
    }
    if matches!(condition.trim(), "" | "${}") {
        report.error(
            &flow.id,
            "invalid_condition",
            "expected an expression such as ${amount > 100}, but it is empty; write one",
        );
    }
}

fn check_outgoing(
    node: &FlowNode,
    scope: Option<&FlowNode>,
    outgoing: &[&SequenceFlow],
    is_alone: bool,
    report: &mut Report,
) {
    let ends_there = is_alone
        || node.kind == ElementType::EndEvent
        || node.for_compensation
        || node.triggered_by_event
        || node.is_compensation();
    // A throw or start event of compensation continues; a boundary event leads to its handler.
    let goes_on = matches!(
        node.kind,
        ElementType::IntermediateThrowEvent | ElementType::StartEvent
    );
    let ends_there = ends_there && !goes_on;
    // Flows between the activities of an ad-hoc subprocess are an exception.
    let is_free = scope.is_some_and(|scope| scope.kind == ElementType::AdHocSubProcess);
    if outgoing.is_empty() && !ends_there && !is_free {
        let kind = node.kind.bpmn_name();
        let message =
            format!("expected a flow that leaves the {kind}, but there is none: tokens end here");
        report.warning(&node.id, "no_outgoing_flow", message);
    }
    if let Some(default) = &node.default_flow {
        check_default(node, default, outgoing, report);
    }
    if node.kind.chooses() {
        check_choice(node, outgoing, report);
    }
}

fn check_default(node: &FlowNode, default: &str, outgoing: &[&SequenceFlow], report: &mut Report) {
    if !node.kind.has_default_flow() {
        let kind = node.kind.bpmn_name();
        let message = format!(
            "expected a default flow only on activities and on gateways that choose, but this is a \
            {kind}: it has no effect; remove `default`"
        );
        report.warning(&node.id, "misplaced_default", message);
        return;
    }
    if !outgoing.iter().any(|flow| flow.id == default) {
        let message = format!(
            "expected the default flow to be one that leaves `{}`, but `{default}` does not; \
            choose one that does",
            node.id
        );
        report.error(&node.id, "unknown_flow", message);
    }
}

fn check_choice(node: &FlowNode, outgoing: &[&SequenceFlow], report: &mut Report) {
    let is_default = |flow: &SequenceFlow| node.default_flow.as_deref() == Some(flow.id.as_str());
    // A flow without a condition is always taken by an inclusive gateway.
    if outgoing.len() > 1 && node.kind == ElementType::ExclusiveGateway {
        let unconditional: Vec<&str> = outgoing
            .iter()
            .filter(|flow| flow.condition.is_none() && !is_default(flow))
            .map(|flow| flow.id.as_str())
            .collect();
        if let [first, others @ ..] = &unconditional[..] {
            check_unconditional(node, first, others, report);
            return;
        }
    }
    if node.default_flow.is_none()
        && !outgoing.is_empty()
        && outgoing.iter().all(|flow| flow.condition.is_some())
    {
        let message = "expected a default flow, but there is none: when no condition is true, \
            the gateway stops with an incident";
        report.warning(&node.id, "no_default_flow", message);
    }
}

/// Warns of flows of an exclusive gateway that have no condition and are not its default: the first
/// one is taken when no condition is true, and the others never.
fn check_unconditional(node: &FlowNode, first: &str, others: &[&str], report: &mut Report) {
    let never = others
        .iter()
        .copied()
        .chain(node.default_flow.as_deref())
        .take(5)
        .map(|id| format!("`{id}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let (never, advice) = if never.is_empty() {
        (String::new(), format!("make `{first}` the default flow"))
    } else {
        (
            format!(", and {never} never"),
            "write the conditions".to_owned(),
        )
    };
    let message = format!(
        "expected a condition on each flow that leaves `{}` but its default, but `{first}` has \
        none: it is taken when no condition is true{never}; {advice}",
        node.id
    );
    report.warning(&node.id, "missing_condition", message);
}

fn check_starts(
    definition: &ProcessDefinition,
    entry_points: &EntryPoints<'_>,
    report: &mut Report,
) {
    check_start_events(definition, report);
    let has_start = !entry_points.starts(None).is_empty();
    let implicit = entry_points.implicit(None);
    if definition.is_global_task() {
        // It is called, and begins without a start event.
    } else if let [_, ..] = implicit {
        report_implicit_starts(definition, implicit, report);
    } else if !has_start {
        let message = "expected a start event, or a node that no flow enters, but there is neither: \
            nothing could begin; draw a start event";
        report.error(&definition.id, "no_start_event", message);
    }
}

/// Checks that the start events differ in their conditions and events.
fn check_start_events(definition: &ProcessDefinition, report: &mut Report) {
    let starts = definition
        .nodes
        .iter()
        .filter(|node| node.kind == ElementType::StartEvent && node.scope.is_none());
    let (mut conditions, mut events) = (HashMap::new(), HashMap::new());
    for start in starts {
        for event in &start.events {
            let name = event_name(event);
            if let Some(other) = events.insert(name, &start.id)
                && *other != start.id
            {
                let (what, name) = name;
                let message = format!(
                    "expected each {what} to start the process at one start event, but `{name}` \
                    does at `{other}` and at `{}`; remove one",
                    start.id
                );
                report.error(&start.id, "ambiguous_start", message);
            }
        }
        if start.schedule.is_some() || !start.events.is_empty() {
            continue;
        }
        if let Some(other) = conditions.insert(start.start_condition.as_deref(), &start.id) {
            let condition = start
                .start_condition
                .as_ref()
                .map_or("none".to_owned(), |condition| format!("`{condition}`"));
            let message = format!(
                "expected start events to differ in their start condition, but that of `{other}` \
                and of `{}` is {condition}: neither can be chosen; change one, or draw one start \
                event",
                start.id
            );
            report.error(&start.id, "ambiguous_start", message);
        }
    }
}

fn report_implicit_starts(
    definition: &ProcessDefinition,
    implicit: &[&FlowNode],
    report: &mut Report,
) {
    let named = implicit
        .iter()
        .take(5)
        .map(|node| format!("`{}`", node.id))
        .collect::<Vec<_>>()
        .join(", ");
    let more = match implicit.len().saturating_sub(5) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "expected a start event, but there is none: an instance begins at {named}{more}, which \
        no flow enters; draw one"
    );
    report.warning(&definition.id, "implicit_start", message);
    if definition.anonymous_start {
        let message = "expected keys, because anyone may start this process, but without a \
            start event there are none: draw one and list the start data that are accepted";
        report.error(&definition.id, "missing_keys", message);
    }
}

/// The kind of an event, and its name.
fn event_name(event: &EventDefinition) -> (&'static str, &str) {
    match event {
        EventDefinition::Message { name, .. } => ("message", name),
        EventDefinition::Signal { name, .. } => ("signal", name),
        EventDefinition::Conditional { condition } => ("condition", condition.trim()),
        EventDefinition::Error { .. }
        | EventDefinition::Timer { .. }
        | EventDefinition::Escalation { .. }
        | EventDefinition::Link { .. }
        | EventDefinition::Compensation { .. }
        | EventDefinition::Cancel
        | EventDefinition::Terminate => (event.bpmn_name(), ""),
    }
}

fn check_reach<'a>(
    definition: &'a ProcessDefinition,
    outgoing: &HashMap<&'a str, Vec<&'a SequenceFlow>>,
    entry_points: &EntryPoints<'a>,
    report: &mut Report,
) {
    let starts = entry_points.all(None);
    let mut open: Vec<&str> = starts.iter().map(|node| node.id.as_str()).collect();
    let has_start = !open.is_empty();
    let entered = entered_without_flow(definition, entry_points);
    // Event subprocesses of the process wait as soon as it has started.
    let of_process = |node: &&FlowNode| node.triggered_by_event && node.scope.is_none();
    let event_subprocesses = definition.nodes.iter().filter(of_process);
    open.extend(
        event_subprocesses
            .filter(|_| has_start)
            .map(|node| &*node.id),
    );
    let mut reached: HashSet<&str> = HashSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(
                outgoing
                    .get(id)
                    .into_iter()
                    .flatten()
                    .map(|flow| flow.target.as_str()),
            );
            open.extend(entered.get(id).into_iter().flatten());
        }
    }
    let is_reached = |node: &&FlowNode| reached.contains(node.id.as_str());
    // Without a start event nothing is reachable, which is reported once.
    if !reached.is_empty() {
        for node in definition.nodes.iter().filter(|node| !is_reached(node)) {
            let message = "expected a way from a start event to this node, but there is none: it \
                never runs; connect or remove it";
            report.warning(&node.id, "unreachable", message);
        }
    }
}

/// The nodes that can be activated without a flow once a node is, by that node: boundary events of
/// an activity, the handler of a compensation event, event subprocesses and the first nodes of a
/// subprocess.
fn entered_without_flow<'a>(
    definition: &'a ProcessDefinition,
    entry_points: &EntryPoints<'a>,
) -> HashMap<&'a str, Vec<&'a str>> {
    let mut entered: HashMap<&str, Vec<&str>> = HashMap::new();
    for (activity, event) in definition
        .nodes
        .iter()
        .filter_map(|node| Some((node.attached_to.as_deref()?, &node.id)))
    {
        entered.entry(activity).or_default().push(event);
    }
    for (event, handler) in definition
        .nodes
        .iter()
        .filter_map(|node| Some((node.id.as_str(), node.compensation_handler.as_ref()?)))
    {
        entered.entry(event).or_default().push(handler);
    }
    // Event subprocesses wait as soon as the surrounding scope begins.
    for subprocess in definition
        .nodes
        .iter()
        .filter(|node| node.triggered_by_event)
    {
        if let Some(scope) = subprocess.scope.as_deref() {
            entered.entry(scope).or_default().push(&subprocess.id);
        }
    }
    // A subprocess that is reached begins.
    for subprocess in definition.nodes.iter().filter(|node| node.kind.is_scope()) {
        let inner = entry_points.all(Some(&subprocess.id));
        let inner = inner.iter().map(|node| node.id.as_str());
        entered.entry(&subprocess.id).or_default().extend(inner);
    }
    entered
}
