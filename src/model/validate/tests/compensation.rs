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
fn no_flow_is_at_a_handler_or_leads_to_it() {
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
fn what_is_to_be_compensated_is_beside_the_event() {
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
fn what_is_cancelled_is_a_transaction_with_a_way_out() {
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
