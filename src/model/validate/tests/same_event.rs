//! Events beside each other that wait for the same message or signal.

use super::*;

fn message(name: &str, key: Option<&str>) -> Value {
    match key {
        Some(key) => json!({"type": "message", "name": name, "correlationKey": key}),
        None => json!({"type": "message", "name": name}),
    }
}

fn signal() -> Value {
    json!({"type": "signal", "name": "go"})
}

/// Two boundary events `a` and `b` of the task.
fn boundary(first: Value, second: Value, interrupting: bool) -> Value {
    let mut definition = with_task(json!({}));
    for (id, event) in [("a", first), ("b", second)] {
        let node = json!({"id": id, "type": "boundaryEvent", "attachedTo": "t",
            "interrupting": interrupting, "event": event});
        definition["nodes"].as_array_mut().unwrap().push(node);
        let flow = json!({"id": format!("{id}e"), "source": id, "target": "e"});
        definition["flows"].as_array_mut().unwrap().push(flow);
    }
    definition
}

#[test]
fn boundary_events_wait_for_different_messages() {
    for interrupting in [true, false] {
        let same = boundary(message("m", None), message("m", None), interrupting);
        check(same, &["b same_event?"]);
        let keys = (message("m", Some("${k}")), message("m", Some("${l}")));
        check(boundary(keys.0, keys.1, interrupting), &[]);
        let names = (message("m", None), message("n", None));
        check(boundary(names.0, names.1, interrupting), &[]);
        check(boundary(message("go", None), signal(), interrupting), &[]);
    }
    check(boundary(signal(), signal(), true), &["b same_event?"]);
    check(boundary(signal(), signal(), false), &[]);
}

#[test]
fn events_behind_a_gateway_wait_for_different_messages() {
    for (event, others) in [
        (message("m", None), message("n", None)),
        (signal(), message("go", None)),
    ] {
        for (second, problems) in [(&event, &["b same_event?"][..]), (&others, &[])] {
            let definition = json!({"id": "p", "nodes": [{"id": "s", "type": "startEvent"},
                {"id": "g", "type": "eventBasedGateway"},
                {"id": "a", "type": "intermediateCatchEvent", "event": event},
                {"id": "b", "type": "intermediateCatchEvent", "event": second},
                {"id": "e", "type": "endEvent"}],
                "flows": [{"id": "f1", "source": "s", "target": "g"}, {"id": "f2", "source": "g", "target": "a"},
                    {"id": "f3", "source": "g", "target": "b"}, {"id": "f4", "source": "a", "target": "e"},
                    {"id": "f5", "source": "b", "target": "e"}]});
            check(definition, problems);
        }
    }
}

#[test]
fn event_subprocesses_of_a_scope_wait_for_different_messages() {
    let with = |event: &Value, interrupting: bool| {
        let mut definition = with_task(json!({}));
        for (id, start) in [("x", "a"), ("y", "b")] {
            let end = format!("end{id}");
            let nodes = [
                json!({"id": id, "type": "subProcess", "triggeredByEvent": true}),
                json!({"id": start, "type": "startEvent", "scope": id, "event": event,
                    "interrupting": interrupting}),
                json!({"id": end, "type": "endEvent", "scope": id}),
            ];
            definition["nodes"].as_array_mut().unwrap().extend(nodes);
            let flow = json!({"id": format!("{id}f"), "source": start, "target": end});
            definition["flows"].as_array_mut().unwrap().push(flow);
        }
        definition
    };
    for interrupting in [true, false] {
        let same = with(&message("m", None), interrupting);
        check(same, &["b same_event?"]);
    }
    check(with(&signal(), true), &["b same_event?"]);
    check(with(&signal(), false), &[]);
}
