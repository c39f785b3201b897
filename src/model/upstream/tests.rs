//! Compared with a search of the model, flow by flow.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::model::{compile::compile, definition::ProcessDefinition};

/// A process whose nodes are gateways, a task and its boundary event, with these flows.
fn process(flows: &[(usize, usize)]) -> ExecutableProcess {
    let mut nodes: Vec<_> = (1..12)
        .map(|id| json!({"id": format!("n{id}"), "type": "inclusiveGateway"}))
        .collect();
    nodes.push(json!({"id": "n0", "type": "startEvent"}));
    nodes.push(json!({"id": "n12", "type": "task"}));
    nodes.push(
        json!({"id": "n13", "type": "boundaryEvent", "attachedTo": "n12",
        "event": {"type": "error"}}),
    );
    let flows: Vec<_> = flows
        .iter()
        .enumerate()
        .map(|(index, (source, target))| {
            let id = format!("f{index}");
            json!({"id": id, "source": format!("n{source}"), "target": format!("n{target}")})
        })
        .collect();
    let json = json!({"id": "p", "nodes": nodes, "flows": flows});
    let definition: ProcessDefinition = serde_json::from_value(json).expect("it has the form");
    compile(definition).expect("it is valid").0
}

/// The nodes from which a flow is reached without passing the join.
fn walked(
    process: &ExecutableProcess,
    join: &ExecutableNode,
    flow: &Arc<str>,
) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&ExecutableNode> = process.source_of(flow).into_iter().collect();
    while let Some(node) = open.pop() {
        if node.id == join.id || !found.insert(node.id.clone()) {
            continue;
        }
        open.extend(
            node.incoming
                .iter()
                .filter_map(|flow| process.source_of(flow)),
        );
        if let NodeKind::Boundary { attached_to, .. } = &node.kind {
            open.extend(process.node(attached_to));
        }
    }
    found
}

#[test]
fn upstream_nodes_equal_those_of_a_graph_search() {
    // A fixed sequence that looks random (a linear congruential generator).
    let mut seed = 7_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    for _ in 0..60 {
        // A path through all, so that each is reached, and flows across.
        let mut flows: Vec<(usize, usize)> = (0..12).map(|node| (node, node + 1)).collect();
        flows.push((13, 1 + draw(11) as usize));
        flows.push((12, 1 + draw(11) as usize));
        for _ in 0..draw(12) {
            let (source, target) = (1 + draw(11) as usize, 1 + draw(12) as usize);
            if source != target {
                flows.push((source, target));
            }
        }
        let process = process(&flows);
        assert!(process.has_late_join());
        for join in process
            .nodes()
            .iter()
            .filter(|node| node.is_inclusive_join())
        {
            let found = process.upstream(join).into_owned();
            assert_eq!(found, *process.upstream(join), "kept");
            for (flow, nodes) in join.incoming.iter().zip(&found) {
                let all = process.nodes().iter().enumerate();
                let all = all.filter(|(place, _)| nodes.contains(*place));
                let ids: BTreeSet<Arc<str>> = all.map(|(_, node)| node.id.clone()).collect();
                assert_eq!(ids, walked(&process, join, flow), "{flow} of {}", join.id);
            }
        }
    }
}

#[test]
fn the_cached_result_is_bounded() {
    let process = process(&[(0, 1), (1, 2), (1, 2), (2, 12)]);
    let join = process.node("n2").expect("it is there");
    process
        .upstream
        .bytes
        .store(UPSTREAM_BYTES, Ordering::Relaxed);
    assert!(matches!(process.upstream(join), Cow::Owned(_)));
    assert_eq!(
        process.upstream.bytes.load(Ordering::Relaxed),
        UPSTREAM_BYTES
    );
    process.upstream.bytes.store(0, Ordering::Relaxed);
    assert!(matches!(process.upstream(join), Cow::Borrowed(_)));
}
