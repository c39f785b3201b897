//! Which event definitions can be combined, and how many tokens begin and leave an activity.

use super::*;

/// Start `s`, user task `t` with boundary event `b`, end `e`, merged with patches of these nodes.
fn with_events(patches: &[(&str, Value)]) -> Value {
    let mut definition = with_task(json!({}));
    let boundary = json!({"id": "b", "type": "boundaryEvent", "attachedTo": "t", "event": {"type": "signal", "name": "go"}});
    let nodes = definition["nodes"].as_array_mut().expect("a list");
    nodes.push(boundary);
    definition["flows"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"id": "f3", "source": "b", "target": "e"}));
    for (id, patch) in patches {
        let nodes = definition["nodes"].as_array_mut().expect("a list");
        let node = nodes.iter_mut().find(|node| node["id"] == **id);
        deep_merge(node.expect("it is there"), patch);
    }
    definition
}

fn problems(definition: Value) -> Vec<String> {
    let parsed: ProcessDefinition = serde_json::from_value(definition).expect("it is a definition");
    let problems = validate(&parsed);
    let named = problems.iter();
    named
        .map(|found| format!("{} {}", found.element, found.code))
        .collect()
}

#[test]
fn event_definitions_may_be_combined_where_each_can_occur() {
    let signal = json!({"type": "signal", "name": "go"});
    let message = json!({"type": "message", "name": "paid"});
    let hour = json!({"type": "timer", "when": {"duration": "PT1H"}});
    let error = json!({"type": "error", "code": "POOR"});
    let at = |events: &[&Value], parallel: bool| {
        let mut patch = json!({"event": events});
        if parallel {
            patch["parallelMultiple"] = json!(true);
        }
        with_events(&[("b", patch)])
    };
    check(at(&[&signal, &message, &hour], false), &[]);
    check(at(&[&signal, &message, &hour], true), &[]);
    check(at(&[&signal, &error], false), &[]);
    for refused in [
        at(&[&signal, &error], true),
        at(&[&signal, &signal], false),
        at(&[&signal, &json!({"type": "compensation"})], false),
    ] {
        let found = problems(refused);
        let code = "b several_event_definitions".to_owned();
        assert!(found.contains(&code), "{found:?}");
    }
    let many: Vec<Value> = (0..33)
        .map(|place| json!({"type": "signal", "name": format!("s{place}")}))
        .collect();
    check(
        with_events(&[("b", json!({"event": many}))]),
        &["b too_many_event_definitions"],
    );
    check(
        with_events(&[("e", json!({"parallelMultiple": true}))]),
        &["e misplaced_parallel_multiple"],
    );
}

#[test]
fn a_throw_event_ends_its_scope_once() {
    let throws = |events: Value| with_events(&[("e", json!({"event": events}))]);
    let terminate = json!({"type": "terminate"});
    let error = json!({"type": "error", "code": "POOR"});
    check(
        throws(
            json!([{"type": "signal", "name": "go"}, {"type": "message", "name": "go"}, terminate]),
        ),
        &[],
    );
    check(
        throws(json!([terminate, error])),
        &["e several_event_definitions"],
    );
}

#[test]
fn messages_start_a_process_together() {
    let starts =
        |events: Value| with_events(&[("s", json!({"event": events, "parallelMultiple": true}))]);
    check(
        starts(
            json!([{"type": "message", "name": "a"}, {"type": "message", "name": "b", "correlationKey": "${k}"}]),
        ),
        &[],
    );
    check(
        starts(json!([{"type": "message", "name": "a"}, {"type": "signal", "name": "b"}])),
        &["s several_event_definitions"],
    );
    let with_schedule = json!({"event": {"type": "message", "name": "a"}, "schedule": {"when": [{"cycle": "R/PT1H"}, {"date": "2999-01-01T00:00:00Z"}]}});
    check(with_events(&[("s", with_schedule)]), &[]);
}

#[test]
fn only_activities_have_token_quantities() {
    check(
        with_task(json!({"startQuantity": 2, "completionQuantity": 100})),
        &[],
    );
    check(
        with_task(json!({"startQuantity": 0, "completionQuantity": 101})),
        &["t invalid_quantity", "t invalid_quantity"],
    );
    check(
        with_events(&[("e", json!({"startQuantity": 2}))]),
        &["e misplaced_quantity"],
    );
}
