//! Link events, and escalations by their codes.

use super::*;

/// A process with these nodes and flows besides its start, its end and what leads there.
pub(super) fn with(nodes: Value, flows: &[(&str, &str)]) -> Value {
    let mut all = vec![
        json!({"id": "s", "type": "startEvent"}),
        json!({"id": "e", "type": "endEvent"}),
    ];
    all.extend(nodes.as_array().expect("a list").iter().cloned());
    let flows = flows.iter().map(|(source, target)| {
        json!({"id": format!("{source}-{target}"), "source": source, "target": target})
    });
    json!({"id": "p", "nodes": all, "flows": flows.collect::<Vec<_>>()})
}

fn link(id: &str, kind: &str, name: &str) -> Value {
    json!({"id": id, "type": format!("intermediate{kind}Event"),
        "event": {"type": "link", "name": name}})
}

#[test]
fn each_throw_event_has_one_catch_event_in_its_scope() {
    let (throw, catch) = (|id| link(id, "Throw", "on"), |id| link(id, "Catch", "on"));
    let flows = [("s", "t"), ("c", "e")];
    check(with(json!([throw("t"), catch("c")]), &flows), &[]);
    let two = [("s", "t"), ("s", "u"), ("c", "e")];
    check(with(json!([throw("t"), throw("u"), catch("c")]), &two), &[]);
    check(
        with(json!([throw("t")]), &[("s", "t")]),
        &[
            "t no_outgoing_flow?",
            "e unreachable?",
            "t link_without_catch",
        ],
    );
    check(
        with(json!([catch("c")]), &[("s", "e"), ("c", "e")]),
        &["c unreachable?", "c link_without_throw?"],
    );
    check(
        with(
            json!([throw("t"), catch("c"), catch("d")]),
            &[("s", "t"), ("c", "e"), ("d", "e")],
        ),
        &["c unreachable?", "d ambiguous_link"],
    );
    check(
        with(
            json!([throw("t"), catch("c")]),
            &[("s", "t"), ("c", "e"), ("t", "e")],
        ),
        &["t-e flow_at_link"],
    );
    check(
        with(
            json!([throw("t"), catch("c")]),
            &[("s", "t"), ("c", "e"), ("s", "c")],
        ),
        &["s-c flow_at_link"],
    );
    check(
        with(
            json!([link("t", "Throw", " "), link("c", "Catch", " ")]),
            &flows,
        ),
        &["t invalid_link_name", "c invalid_link_name"],
    );
}

#[test]
fn links_do_not_leave_their_scope() {
    let inner = json!([
        {"id": "p1", "type": "subProcess"},
        {"id": "i", "type": "startEvent", "scope": "p1"},
        {"id": "t", "type": "intermediateThrowEvent", "scope": "p1", "event": {"type": "link", "name": "on"}},
        link("c", "Catch", "on"),
    ]);
    check(
        with(inner, &[("s", "p1"), ("p1", "e"), ("i", "t"), ("c", "e")]),
        &[
            "t no_outgoing_flow?",
            "c unreachable?",
            "c link_without_throw?",
            "t link_without_catch",
        ],
    );
}

#[test]
fn an_escalation_throw_event_names_its_code() {
    let throw = |event: Value| {
        let throw = json!({"id": "t", "type": "intermediateThrowEvent", "event": event});
        with(json!([throw]), &[("s", "t"), ("t", "e")])
    };
    check(throw(json!({"type": "escalation", "code": "LATE"})), &[]);
    check(
        throw(json!({"type": "escalation"})),
        &["t unsupported_event"],
    );
    check(
        throw(json!({"type": "escalation", "code": " "})),
        &["t invalid_escalation_code"],
    );
    check(
        throw(json!({"type": "error", "code": "POOR"})),
        &["t unsupported_event"],
    );
    let catch = |id: &str, code: Value| {
        json!({"id": id, "type": "boundaryEvent", "attachedTo": "a", "interrupting": false,
            "event": {"type": "escalation", "code": code}})
    };
    let call = json!({"id": "a", "type": "callActivity", "call": {"calledElement": "q"}});
    let flows = [("s", "a"), ("a", "e"), ("b", "e"), ("c", "e")];
    let two = |first: Value, second: Value| {
        with(json!([call, catch("b", first), catch("c", second)]), &flows)
    };
    check(two(json!("LATE"), json!(null)), &[]);
    check(two(json!("LATE"), json!("LATE")), &["c ambiguous_boundary"]);
    check(two(json!(null), json!(null)), &["c ambiguous_boundary"]);
    let task = json!({"id": "a", "type": "task"});
    check(
        with(json!([task, catch("b", json!("LATE"))]), &flows[..3]),
        &["b nothing_to_catch?"],
    );
}
