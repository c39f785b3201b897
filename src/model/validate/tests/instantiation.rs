//! What starts a process besides start events.

use super::*;

/// A process started by a gateway with these members, by the message of `c` and by `d`.
fn begun_by_gateway(gateway: Value, d: Value) -> Value {
    let mut definition = json!({"id": "p", "nodes": [
        {"id": "g", "type": "eventBasedGateway", "instantiate": true},
        {"id": "c", "type": "intermediateCatchEvent", "event": {"type": "message", "name": "c"}},
        {"id": "d", "type": "receiveTask", "event": {"type": "message", "name": "d"}},
        {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "gc", "source": "g", "target": "c"}, {"id": "gd", "source": "g", "target": "d"},
            {"id": "ce", "source": "c", "target": "e"}, {"id": "de", "source": "d", "target": "e"}]});
    deep_merge(&mut definition["nodes"][0], &gateway);
    deep_merge(&mut definition["nodes"][2], &d);
    definition
}

/// As [`check`], in any order.
fn check_all(definition: Value, expected: &[&str]) {
    let parsed: ProcessDefinition = serde_json::from_value(definition.clone()).expect("it is one");
    let mut found: Vec<String> = validate(&parsed)
        .iter()
        .map(|found| format!("{} {}", found.element, found.code))
        .collect();
    let mut expected: Vec<&str> = expected
        .iter()
        .map(|text| text.trim_end_matches('?'))
        .collect();
    found.sort();
    expected.sort_unstable();
    assert_eq!(found, expected, "{definition:#}");
}

#[test]
fn gateways_start_a_process_by_messages() {
    let catch = |event: Value| json!({"type": "intermediateCatchEvent", "event": event});
    let mixed = "g event_gateway_mixed?";
    check_all(begun_by_gateway(json!({}), json!({})), &[mixed]);
    check_all(
        begun_by_gateway(json!({"eventGatewayType": "parallel"}), json!({})),
        &[mixed],
    );
    check_all(
        begun_by_gateway(
            json!({"instantiate": false, "eventGatewayType": "parallel"}),
            json!({}),
        ),
        &["g misplaced_event_gateway_type", "p implicit_start?", mixed],
    );
    check_all(
        begun_by_gateway(json!({}), catch(json!({"name": "c"}))),
        &["d ambiguous_start"],
    );
    check_all(
        begun_by_gateway(json!({}), catch(json!({"name": "d-${x}"}))),
        &["d invalid_message"],
    );
    check_all(
        begun_by_gateway(json!({}), catch(json!({"type": "signal"}))),
        &["d event_gateway_target"],
    );
    check_all(
        begun_by_gateway(json!({}), json!({"event": {"correlationKey": "a"}})),
        &["d no_effect?", mixed],
    );
    check_all(
        begun_by_gateway(
            json!({"eventGatewayType": "parallel"}),
            json!({"event": {"correlationKey": "a"}}),
        ),
        &[mixed],
    );
    check_all(
        begun_by_gateway(json!({}), json!({"event": null})),
        &["gd event_gateway_target", mixed, "d event_gateway_target"],
    );
    let looping = json!({"loop": {"type": "multiInstance", "cardinality": "2"}});
    check_all(
        begun_by_gateway(json!({}), looping),
        &["gd event_gateway_target", mixed],
    );
    let mut attached = begun_by_gateway(json!({}), json!({}));
    let nodes = attached["nodes"].as_array_mut().expect("a list");
    nodes.push(
        json!({"id": "b", "type": "boundaryEvent", "attachedTo": "d", "event": {"type": "error"}}),
    );
    let flows = attached["flows"].as_array_mut().expect("a list");
    flows.push(json!({"id": "be", "source": "b", "target": "e"}));
    check_all(
        attached,
        &["gd event_gateway_target", mixed, "b nothing_to_catch?"],
    );
}

#[test]
fn receive_tasks_start_a_process_by_messages() {
    let receive = |patch: Value| {
        let mut definition = json!({"id": "p", "nodes": [
            {"id": "r", "type": "receiveTask", "instantiate": true,
                "event": {"type": "message", "name": "m"}},
            {"id": "t", "type": "task"}, {"id": "e", "type": "endEvent"}],
            "flows": [{"id": "rt", "source": "r", "target": "t"},
                {"id": "te", "source": "t", "target": "e"}]});
        deep_merge(&mut definition, &patch);
        definition
    };
    let with = |patch: Value| {
        let mut definition = receive(json!({}));
        deep_merge(&mut definition["nodes"][0], &patch);
        definition
    };
    check(receive(json!({})), &[]);
    check(with(json!({"event": null})), &["r invalid_instantiate"]);
    check(
        with(json!({"event": {"name": "m${x}"}})),
        &["r invalid_message"],
    );
    check(
        with(json!({"event": {"correlationKey": "k"}})),
        &["r misplaced_message"],
    );
    check(
        with(json!({"type": "userTask", "event": null})),
        &["r misplaced_instantiate"],
    );
    check(
        with(json!({"event": {"type": "signal"}})),
        &["r unsupported_event"],
    );
    check(
        with(json!({"loop": {"type": "standard", "maximum": 2}})),
        &["r invalid_instantiate"],
    );
    let mut entered = receive(json!({}));
    entered["flows"][1] = json!({"id": "tr", "source": "t", "target": "r"});
    check(entered, &["e unreachable?", "r invalid_instantiate"]);
    let mut twice = receive(json!({}));
    twice["nodes"][1] = json!({"id": "t", "type": "startEvent",
        "event": {"type": "message", "name": "m"}});
    twice["flows"][0]["source"] = json!("t");
    twice["flows"][0]["target"] = json!("e");
    twice["flows"][1]["source"] = json!("r");
    check(twice, &["t ambiguous_start"]);
}
