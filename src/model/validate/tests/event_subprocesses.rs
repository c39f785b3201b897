//! Event subprocesses, conditional events, and what follows event-based gateways.

use super::*;

/// A process with these nodes and flows besides; the task leads to `g` where there is one.
fn with(nodes: Value, flows: Value) -> Value {
    let mut definition = with_task(json!({}));
    for (name, more) in [("nodes", nodes), ("flows", flows)] {
        let list = definition[name].as_array_mut().expect("a list");
        list.extend(more.as_array().expect("a list").iter().cloned());
    }
    definition
}

/// A process with an event subprocess `x` that begins with `a`, made of `start`.
fn with_event_subprocess(start: Value) -> Value {
    let mut begins = json!({"id": "a", "type": "startEvent", "scope": "x",
        "event": {"type": "timer", "when": {"duration": "PT1H"}}});
    deep_merge(&mut begins, &start);
    with(
        json!([{"id": "x", "type": "subProcess", "triggeredByEvent": true}, begins,
            {"id": "z", "type": "endEvent", "scope": "x"}]),
        json!([{"id": "az", "source": "a", "target": "z"}]),
    )
}

#[test]
fn an_event_subprocess_starts_by_its_event() {
    check(with_event_subprocess(json!({})), &[]);
    check(with_event_subprocess(json!({"interrupting": false})), &[]);
    for (start, problem) in [
        (json!({"event": null}), "a unsupported_event"),
        (
            json!({"event": {"type": "terminate", "when": null}}),
            "a unsupported_event",
        ),
        (
            json!({"event": {"type": "error", "when": null}, "interrupting": false}),
            "a unsupported_attribute",
        ),
        (
            json!({"event": {"type": "conditional", "when": null, "condition": " "}}),
            "a invalid_condition",
        ),
        (json!({"startCondition": "x"}), "a misplaced_start"),
    ] {
        let mut definition = with_event_subprocess(start);
        let event = definition["nodes"][4]["event"].as_object_mut();
        if let Some(event) = event {
            event.retain(|_, value| !value.is_null());
        }
        check(definition, &[problem]);
    }
    let mut plain = with_event_subprocess(json!({}));
    plain["nodes"][3]["triggeredByEvent"] = json!(false);
    check(
        plain,
        &[
            "x no_outgoing_flow?",
            "x unreachable?",
            "a unreachable?",
            "z unreachable?",
            "a unsupported_event",
        ],
    );
    let misplaced = with_task(json!({"triggeredByEvent": true}));
    check(misplaced, &["t misplaced_triggered_by_event"]);
    check(
        with_task(json!({"interrupting": false})),
        &["t misplaced_interrupting"],
    );
}

#[test]
fn an_event_subprocess_has_no_flows_and_no_boundary_events() {
    let mut entered = with_event_subprocess(json!({}));
    entered["flows"].as_array_mut().expect("a list").extend([
        json!({"id": "in", "source": "t", "target": "x"}),
        json!({"id": "out", "source": "x", "target": "e"}),
    ]);
    check(
        entered,
        &[
            "in flow_at_event_subprocess",
            "out flow_at_event_subprocess",
        ],
    );
    let mut attached = with_event_subprocess(json!({}));
    attached["nodes"]
        .as_array_mut()
        .expect("a list")
        .push(json!(
            {"id": "b", "type": "boundaryEvent", "attachedTo": "x", "event": {"type": "error"}}
        ));
    attached["flows"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"id": "be", "source": "b", "target": "e"}));
    check(attached, &["b no_activity"]);
}

#[test]
fn each_error_has_at_most_one_event_subprocess() {
    let mut twice = with_event_subprocess(json!({}));
    twice["nodes"][4]["event"] = json!({"type": "error", "code": "POOR"});
    let nodes = twice["nodes"].as_array_mut().expect("a list");
    nodes.extend([
        json!({"id": "y", "type": "subProcess", "triggeredByEvent": true}),
        json!({"id": "b", "type": "startEvent", "scope": "y", "event": {"type": "error", "code": "POOR"}}),
        json!({"id": "c", "type": "endEvent", "scope": "y"}),
    ]);
    twice["flows"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"id": "bc", "source": "b", "target": "c"}));
    check(twice.clone(), &["b ambiguous_event_subprocess"]);
    twice["nodes"][7]["event"] = json!({"type": "error"});
    check(twice, &[]);
}

/// The task leads to the event-based gateway `g`, that to the catch event `c` and to `target`.
fn with_event_gateway(target: Value) -> Value {
    let id = target["id"].clone();
    let timer = json!({"type": "timer", "when": {"duration": "PT1H"}});
    with(
        json!([{"id": "g", "type": "eventBasedGateway"},
            {"id": "c", "type": "intermediateCatchEvent", "event": timer}, target]),
        json!([{"id": "tg", "source": "t", "target": "g"}, {"id": "gc", "source": "g", "target": "c"},
            {"id": "gx", "source": "g", "target": id}, {"id": "ce", "source": "c", "target": "e"},
            {"id": "xe", "source": id, "target": "e"}]),
    )
}

#[test]
fn events_follow_an_event_based_gateway() {
    let catch = json!({"id": "d", "type": "intermediateCatchEvent",
        "event": {"type": "conditional", "condition": "x > 1"}});
    check(with_event_gateway(catch.clone()), &[]);
    check(
        with_event_gateway(json!({"id": "d", "type": "userTask"})),
        &["gx event_gateway_target"],
    );
    let mut entered = with_event_gateway(catch.clone());
    entered["flows"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"id": "td", "source": "t", "target": "d"}));
    check(entered, &["d event_gateway_other_flow"]);
    let mut conditional = with_event_gateway(catch.clone());
    conditional["flows"][4]["condition"] = json!("x > 1");
    check(conditional, &["gx misplaced_condition?"]);
    let mut alone = with_event_gateway(catch);
    let flows = alone["flows"].as_array_mut().expect("a list");
    flows.remove(4);
    check(alone, &["d unreachable?", "g event_gateway_events?"]);
}
