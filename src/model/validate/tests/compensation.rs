//! Compensation, transactions and their cancel events.

use super::{links::with, *};

/// A compensated task `a` with its boundary event `b` and handler `u`, after a change.
fn compensated(change: impl Fn(&mut Value, &mut Value)) -> Value {
    let mut event = json!({"id": "b", "type": "boundaryEvent", "attachedTo": "a",
        "compensationHandler": "u", "event": {"type": "compensation"}});
    let mut handler = json!({"id": "u", "type": "task", "forCompensation": true});
    change(&mut event, &mut handler);
    with(
        json!([{"id": "a", "type": "task"}, event, handler]),
        &[("s", "a"), ("a", "e")],
    )
}

#[test]
fn a_compensation_boundary_event_has_one_handler_beside_it() {
    check(compensated(|_, _| {}), &[]);
    let unhandled = compensated(|event, _| drop(event["compensationHandler"].take()));
    check(
        unhandled,
        &["u unreachable?", "b missing_compensation_handler"],
    );
    check(
        compensated(|_, handler| handler["forCompensation"] = json!(false)),
        &["u no_outgoing_flow?", "b no_compensation_handler"],
    );
    for wrong in ["none", "e", "s"] {
        let elsewhere = compensated(|event, _| event["compensationHandler"] = json!(wrong));
        check(elsewhere, &["u unreachable?", "b no_compensation_handler"]);
    }
    let mut twice = compensated(|_, _| {});
    twice["nodes"].as_array_mut().expect("a list").push(
        json!({"id": "c", "type": "boundaryEvent", "attachedTo": "a", "compensationHandler": "u",
            "event": {"type": "compensation"}}),
    );
    check(twice, &["c ambiguous_boundary"]);
    let back = compensated(|_, handler| {
        handler["actions"] =
            json!([{"name": "x", "type": "saveData", "trigger": "manual", "allowBack": true}]);
    });
    check(back, &["u unsupported_back_step"]);
}

#[test]
fn no_flow_touches_a_compensation_handler() {
    for (source, target) in [("b", "e"), ("u", "e"), ("a", "u")] {
        let mut process = compensated(|_, _| {});
        process["flows"]
            .as_array_mut()
            .expect("a list")
            .push(json!({"id": "wrong", "source": source, "target": target}));
        check(process, &["wrong flow_at_compensation"]);
    }
}

#[test]
fn the_compensated_activity_is_in_the_scope_of_the_event() {
    let throwing = |activity: &str| {
        let mut process = compensated(|_, _| {});
        let nodes = process["nodes"].as_array_mut().expect("a list");
        nodes.push(json!({"id": "t", "type": "endEvent",
            "event": {"type": "compensation", "activity": activity}}));
        nodes.push(json!({"id": "c", "type": "task"}));
        let flows = process["flows"].as_array_mut().expect("a list");
        flows.push(json!({"id": "f8", "source": "s", "target": "c"}));
        flows.push(json!({"id": "f9", "source": "c", "target": "t"}));
        process
    };
    check(throwing("a"), &[]);
    for wrong in ["none", "c", "e"] {
        check(throwing(wrong), &["t nothing_to_compensate"]);
    }
}

#[test]
fn a_cancelled_transaction_has_a_cancel_boundary_event() {
    let cancelling = |kind: &str, boundary: bool, back: bool| {
        let mut nodes = vec![
            json!({"id": "t", "type": kind}),
            json!({"id": "i", "type": "startEvent", "scope": "t"}),
            json!({"id": "a", "type": "userTask", "scope": "t", "actions": [
                {"name": "x", "type": "saveData", "trigger": "manual", "allowBack": back}]}),
            json!({"id": "c", "type": "endEvent", "scope": "t", "event": {"type": "cancel"}}),
        ];
        let mut flows = vec![("s", "t"), ("t", "e"), ("i", "a"), ("a", "c")];
        if boundary {
            nodes.push(
                json!({"id": "b", "type": "boundaryEvent", "attachedTo": "t",
                "event": {"type": "cancel"}}),
            );
            flows.push(("b", "e"));
        }
        with(Value::Array(nodes), &flows)
    };
    check(cancelling("transaction", true, false), &[]);
    check(
        cancelling("transaction", false, false),
        &["c missing_cancel_boundary"],
    );
    check(
        cancelling("subProcess", false, false),
        &["c no_transaction"],
    );
    check(
        cancelling("subProcess", true, false),
        &["c no_transaction", "b no_transaction"],
    );
    check(
        cancelling("transaction", true, true),
        &["a unsupported_back_step"],
    );
}

/// Subprocess `o` with a task `a` and an event subprocess `v` that compensation begins, after a change
/// of the list of nodes.
fn with_event_subprocess(change: impl Fn(&mut Vec<Value>)) -> Value {
    let mut nodes = vec![
        json!({"id": "o", "type": "subProcess"}),
        json!({"id": "i", "type": "startEvent", "scope": "o"}),
        json!({"id": "a", "type": "task", "scope": "o"}),
        json!({"id": "v", "type": "subProcess", "scope": "o", "triggeredByEvent": true}),
        json!({"id": "c", "type": "startEvent", "scope": "v", "event": {"type": "compensation"}}),
        json!({"id": "w", "type": "userTask", "scope": "v"}),
        json!({"id": "x", "type": "endEvent", "scope": "v"}),
    ];
    change(&mut nodes);
    let flows = [("s", "o"), ("o", "e"), ("i", "a"), ("c", "w"), ("w", "x")];
    with(Value::Array(nodes), &flows)
}

#[test]
fn an_event_subprocess_compensates_the_subprocess_around_it() {
    let warned = "a no_outgoing_flow?";
    check(with_event_subprocess(|_| {}), &[warned]);
    let beside = with_event_subprocess(|nodes| nodes[4]["interrupting"] = json!(false));
    check(beside, &[warned, "c no_effect?"]);
    let named = with_event_subprocess(|nodes| nodes[4]["event"]["activity"] = json!("a"));
    check(named, &[warned, "c nothing_to_compensate"]);
    let in_process = with_event_subprocess(|nodes| nodes[3]["scope"] = Value::Null);
    check(in_process, &[warned, "c nothing_to_compensate"]);
    let in_handler = with_event_subprocess(|nodes| {
        nodes[0]["forCompensation"] = json!(true);
    });
    let problems = [
        warned,
        "c misplaced_compensation",
        "s-o flow_at_compensation",
        "o-e flow_at_compensation",
    ];
    check(in_handler, &problems);
    let twice = with_event_subprocess(|nodes| {
        let event = json!({"type": "compensation"});
        nodes.push(
            json!({"id": "v2", "type": "subProcess", "scope": "o", "triggeredByEvent": true}),
        );
        nodes.push(json!({"id": "c2", "type": "startEvent", "scope": "v2", "event": event}));
    });
    check(
        twice,
        &[warned, "c2 no_outgoing_flow?", "c2 ambiguous_compensation"],
    );
    let handled = with_event_subprocess(|nodes| {
        nodes.push(
            json!({"id": "b", "type": "boundaryEvent", "attachedTo": "o",
            "compensationHandler": "u", "event": {"type": "compensation"}}),
        );
        nodes.push(json!({"id": "u", "type": "task", "forCompensation": true}));
    });
    check(handled, &[warned, "c ambiguous_compensation"]);
    let back = with_event_subprocess(|nodes| {
        nodes[5]["actions"] =
            json!([{"name": "x", "type": "saveData", "trigger": "manual", "allowBack": true}]);
    });
    check(back, &[warned, "w unsupported_back_step"]);
    let cancels = with_event_subprocess(|nodes| {
        nodes[0]["type"] = json!("transaction");
        nodes[6]["event"] = json!({"type": "cancel"});
        nodes.push(
            json!({"id": "b", "type": "boundaryEvent", "attachedTo": "o",
            "event": {"type": "cancel"}}),
        );
    });
    check(
        cancels,
        &[warned, "b no_outgoing_flow?", "x no_transaction"],
    );
}

#[test]
fn an_event_subprocess_may_compensate_the_enclosing_scope() {
    let throwing = |activity: &str, is_compensation: bool| {
        with_event_subprocess(|nodes| {
            if !is_compensation {
                nodes[4]["event"] = json!({"type": "error"});
            }
            nodes[6]["event"] = json!({"type": "compensation", "activity": activity});
            nodes.push(
                json!({"id": "b", "type": "boundaryEvent", "attachedTo": "a",
                "compensationHandler": "u", "scope": "o", "event": {"type": "compensation"}}),
            );
            let handler = json!({"id": "u", "type": "task", "scope": "o", "forCompensation": true});
            nodes.push(handler);
        })
    };
    for is_compensation in [true, false] {
        check(throwing("a", is_compensation), &["a no_outgoing_flow?"]);
        let wrong = throwing("o", is_compensation);
        check(wrong, &["a no_outgoing_flow?", "x nothing_to_compensate"]);
    }
}
