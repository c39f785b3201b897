//! Boundary events: what they are attached to.

use super::*;

/// A process whose task is this node, with a boundary event made of `event` attached to it.
fn with_boundary(node: Value, event: Value) -> Value {
    let mut definition = with_task(node);
    let mut boundary = json!({
        "id": "b", "type": "boundaryEvent", "attachedTo": "t", "event": {"type": "error"},
    });
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
fn error_boundary_events_are_attached_to_activities_that_can_fail() {
    let call = || json!({"type": "callActivity", "call": {"calledElement": "q"}});
    let starting = |params: Value| json!({"actions": [{"name": "a", "type": "startSubprocess", "params": params}]});
    check(with_boundary(call(), json!({})), &[]);
    check(
        with_boundary(call(), json!({"event": {"code": "POOR"}})),
        &[],
    );
    check(
        with_boundary(starting(json!({"process": "q", "async": false})), json!({})),
        &[],
    );
    check(
        with_boundary(starting(json!({"process": "q"})), json!({})),
        &["b nothing_to_catch?"],
    );
    check(
        with_boundary(json!({}), json!({})),
        &["b nothing_to_catch?"],
    );
    let thrown = json!({"type": "escalation", "code": "LATE"});
    let in_loop = json!({"loop": {"type": "multiInstance", "cardinality": 2, "behavior": "one", "event": thrown}});
    for (caught, problems) in [
        (json!({"type": "escalation"}), &[][..]),
        (json!({"type": "escalation", "code": "LATE"}), &[]),
        (
            json!({"type": "escalation", "code": "OTHER"}),
            &["b nothing_to_catch?"],
        ),
    ] {
        check(
            with_boundary(in_loop.clone(), json!({"event": caught})),
            problems,
        );
    }
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
        &["b unreachable?", "b no_activity"],
    );
    for (code, problems) in [
        ("", &["b invalid_error_code"]),
        (" ", &["b invalid_error_code"]),
    ] {
        check(
            with_boundary(call(), json!({"event": {"code": code}})),
            problems,
        );
    }
    let mut twice = with_boundary(call(), json!({}));
    twice["nodes"].as_array_mut().expect("a list").push(json!({
        "id": "c", "type": "boundaryEvent", "attachedTo": "t", "event": {"type": "error"},
    }));
    twice["flows"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"id": "f4", "source": "c", "target": "b"}));
    check(twice, &["f4 flow_enters_boundary", "c ambiguous_boundary"]);
    let mut unconnected = with_boundary(call(), json!({}));
    unconnected["flows"].as_array_mut().expect("a list").pop();
    check(unconnected, &["b no_outgoing_flow?"]);
}

#[test]
fn timers_are_caught_at_every_activity() {
    let timer = |when: Value| json!({"event": {"type": "timer", "when": when}});
    for node in [
        json!({}),
        json!({"type": "userTask"}),
        json!({"type": "manualTask"}),
    ] {
        let every = with_boundary(node, timer(json!({"cycle": "R3/PT10S"})));
        check(every, &[]);
    }
    let beside = |event: Value| {
        let mut event = event;
        event["interrupting"] = json!(false);
        with_boundary(json!({}), event)
    };
    check(beside(timer(json!({"duration": "PT1H"}))), &[]);
    check(
        with_boundary(
            json!({"type": "callActivity", "call": {"calledElement": "q"}}),
            json!({"interrupting": false}),
        ),
        &["b unsupported_attribute"],
    );
    for wrong in [
        json!({"duration": "soon"}),
        json!({"date": "today"}),
        json!({"cycle": "R/"}),
        json!({"duration": "${"}),
    ] {
        check(with_boundary(json!({}), timer(wrong)), &["b invalid_timer"]);
    }
    check(
        with_boundary(json!({}), json!({"event": {"type": "terminate"}})),
        &["b unsupported_event"],
    );
    check(
        with_boundary(json!({}), json!({"event": null})),
        &["b unsupported_event"],
    );
}
