//! Embedded subprocesses: their contents, and where each begins.

use super::*;

/// A process whose task is a subprocess of these nodes, chained by flows.
fn with_subprocess(nodes: &[Value]) -> Value {
    let mut definition = with_task(json!({"type": "subProcess"}));
    for node in nodes {
        let mut node = node.clone();
        if node.get("scope").is_none() {
            node["scope"] = json!("t");
        }
        definition["nodes"]
            .as_array_mut()
            .expect("a list")
            .push(node);
    }
    for pair in nodes.windows(2) {
        let (source, target) = (&pair[0]["id"], &pair[1]["id"]);
        definition["flows"].as_array_mut().expect("a list").push(
            json!({"id": format!("in{}", target.as_str().expect("an id")), "source": source, "target": target}),
        );
    }
    definition
}

fn start() -> Value {
    json!({"id": "a", "type": "startEvent"})
}

fn end() -> Value {
    json!({"id": "z", "type": "endEvent"})
}

#[test]
fn a_subprocess_starts_at_its_start_event_or_at_nodes_without_incoming_flow() {
    check(with_subprocess(&[start(), end()]), &[]);
    let mut implicit = with_subprocess(&[json!({"id": "a", "type": "task"}), end()]);
    check(implicit.clone(), &["t implicit_start?"]);
    let back = json!({"id": "back", "source": "z", "target": "a"});
    implicit["nodes"][4]["type"] = json!("task");
    implicit["flows"].as_array_mut().expect("a list").push(back);
    check(
        implicit,
        &["a unreachable?", "z unreachable?", "t subprocess_start"],
    );
    check(
        with_task(json!({"type": "subProcess"})),
        &["t empty_subprocess?"],
    );
    let second = json!({"id": "b", "type": "startEvent"});
    let twice = with_subprocess(&[start(), end(), second]);
    let problems = validate(&serde_json::from_value(twice).expect("a definition"));
    assert!(
        problems
            .iter()
            .any(|problem| problem.code == "subprocess_start"),
        "{problems:?}"
    );
    let mut named = start();
    named["startCondition"] = json!("x");
    check(with_subprocess(&[named, end()]), &["a misplaced_start"]);
}

#[test]
fn flows_and_events_stay_in_their_subprocess() {
    let mut crossing = with_subprocess(&[start(), end()]);
    crossing["flows"][2]["target"] = json!("e");
    check(crossing, &["z unreachable?", "inz flow_crosses_scope"]);
    let mut stranger = start();
    stranger["scope"] = json!("e");
    check(
        with_subprocess(&[stranger, end()]),
        &[
            "a unreachable?",
            "z unreachable?",
            "a unknown_scope",
            "t subprocess_start",
            "inz flow_crosses_scope",
        ],
    );
}

#[test]
fn a_subprocess_is_not_its_own_scope() {
    let mut definition = with_subprocess(&[start(), end()]);
    definition["nodes"][1]["scope"] = json!("t");
    let problems = validate(&serde_json::from_value(definition).expect("a definition"));
    assert!(
        problems.iter().any(|problem| problem.code == "scope_cycle"),
        "{problems:?}"
    );
}

#[test]
fn subprocesses_are_nested_up_to_a_limit() {
    let nested = |depth: usize| {
        let mut definition = with_task(json!({"type": "subProcess"}));
        for level in 0..depth {
            let scope = if level == 0 {
                "t".to_owned()
            } else {
                format!("s{}", level - 1)
            };
            let (start, inner) = (format!("i{level}"), format!("s{level}"));
            let last = level + 1 == depth;
            let kind = if last { "endEvent" } else { "subProcess" };
            definition["nodes"].as_array_mut().expect("a list").extend([
                json!({"id": start, "type": "startEvent", "scope": scope}),
                json!({"id": inner, "type": kind, "scope": scope}),
            ]);
            definition["flows"]
                .as_array_mut()
                .expect("a list")
                .push(json!({"id": format!("g{level}"), "source": start, "target": inner}));
        }
        let problems = validate(&serde_json::from_value(definition).expect("a definition"));
        problems
            .iter()
            .filter(|found| found.code == "too_deep")
            .count()
    };
    assert_eq!(nested(crate::limits::SUBPROCESS_DEPTH), 0);
    assert!(nested(crate::limits::SUBPROCESS_DEPTH + 2) > 0);
}
