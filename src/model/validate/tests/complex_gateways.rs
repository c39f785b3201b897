//! Complex gateways.

use super::*;

/// The task leads to the gateway `g` by two flows; it leads to `a` and to the end.
fn with_complex(gateway: Value, flow: Value) -> Value {
    let mut definition = json!({"id": "p", "nodes": [
        {"id": "s", "type": "startEvent"}, {"id": "g", "type": "complexGateway"},
        {"id": "a", "type": "task"}, {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "s", "target": "g"}, {"id": "f2", "source": "s", "target": "g"},
            {"id": "f3", "source": "g", "target": "a"}, {"id": "f4", "source": "a", "target": "e"}]});
    deep_merge(&mut definition["nodes"][1], &gateway);
    deep_merge(&mut definition["flows"][2], &flow);
    definition
}

#[test]
fn joins_have_an_activation_condition() {
    let counted = || json!({"activationCondition": "${activationCount >= 1}"});
    check(with_complex(counted(), json!({})), &[]);
    check(
        with_complex(json!({}), json!({})),
        &["g no_activation_condition?"],
    );
    check(
        with_complex(json!({"activationCondition": "${}"}), json!({})),
        &["g invalid_condition"],
    );
    let waits = json!({"condition": "waitingForStart && x > 1"});
    check(with_complex(counted(), waits), &["g no_default_flow?"]);
    check(
        with_complex(counted(), json!({"condition": "x > 1"})),
        &["g no_default_flow?", "f3 flow_taken_twice?"],
    );
    let mut misplaced = with_complex(counted(), json!({}));
    misplaced["nodes"][1]["type"] = json!("inclusiveGateway");
    check(misplaced, &["g misplaced_activation_condition"]);
}

#[test]
fn the_flows_that_enter_a_gateway_that_waits_are_limited() {
    let with_flows = |kind: &str, count: usize| {
        let mut definition = with_complex(json!({}), json!({}));
        definition["nodes"][1] = json!({"id": "g", "type": kind});
        let flows = definition["flows"].as_array_mut().expect("a list");
        flows.extend(
            (2..count).map(|at| json!({"id": format!("x{at}"), "source": "s", "target": "g"})),
        );
        definition
    };
    let most = crate::limits::JOIN_FLOWS;
    check(with_flows("inclusiveGateway", most), &[]);
    check(
        with_flows("inclusiveGateway", most + 1),
        &["g too_many_flows"],
    );
    check(with_flows("parallelGateway", most + 1), &[]);
}
