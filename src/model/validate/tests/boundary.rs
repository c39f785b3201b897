//! Boundary events: what they are attached to.

use super::*;

/// A process whose task is this node, with a boundary event made of `event` attached to it.
fn with_boundary(node: Value, event: Value) -> Value {
    let mut definition = with_task(node);
    let mut boundary = json!({"id": "b", "type": "boundaryEvent", "attachedTo": "t"});
    deep_merge(&mut boundary, &event);
    definition["nodes"]
        .as_array_mut()
        .expect("nodes are a list")
        .push(boundary);
    definition["flows"]
        .as_array_mut()
        .expect("flows are a list")
        .push(json!({"id": "f3", "source": "b", "target": "e"}));
    definition
}

#[test]
fn boundary_events_are_attached_to_what_can_fail() {
    let call = || json!({"type": "callActivity", "call": {"calledElement": "q"}});
    let starting = |params: Value| json!({"actions": [{"name": "a", "type": "startSubprocess", "params": params}]});
    check(with_boundary(call(), json!({})), &[]);
    check(with_boundary(call(), json!({"errorCode": "POOR"})), &[]);
    check(
        with_boundary(starting(json!({"process": "q", "async": false})), json!({})),
        &[],
    );
    check(
        with_boundary(starting(json!({"process": "q"})), json!({})),
        &["b nothing_to_catch"],
    );
    check(with_boundary(json!({}), json!({})), &["b nothing_to_catch"]);
    check(
        with_boundary(call(), json!({"attachedTo": "x"})),
        &["b unreachable?", "b unknown_node"],
    );
    check(
        with_boundary(call(), json!({"attachedTo": null})),
        &["b unreachable?", "b missing_attachment"],
    );
    check(
        with_boundary(call(), json!({"attachedTo": "b"})),
        &["b unreachable?", "b nothing_to_catch"],
    );
    for (code, problems) in [
        ("", &["b invalid_error_code"]),
        (" ", &["b invalid_error_code"]),
    ] {
        check(with_boundary(call(), json!({"errorCode": code})), problems);
    }
    let mut twice = with_boundary(call(), json!({}));
    twice["nodes"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"id": "c", "type": "boundaryEvent", "attachedTo": "t"}));
    twice["flows"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"id": "f4", "source": "c", "target": "b"}));
    check(twice, &["f4 flow_enters_boundary", "c ambiguous_boundary"]);
    let mut unconnected = with_boundary(call(), json!({}));
    unconnected["flows"].as_array_mut().expect("a list").pop();
    check(unconnected, &["b no_outgoing_flow?"]);
}
