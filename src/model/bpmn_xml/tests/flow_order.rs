//! The order of the flows of a node.

use super::*;

const FLOWS: &str = r#"<startEvent id="s"/><exclusiveGateway id="g">OF_G</exclusiveGateway>
    <task id="a"/><task id="b"/><task id="c">OF_C</task>
    <sequenceFlow id="first" sourceRef="s" targetRef="g"/>
    <sequenceFlow id="to_a" sourceRef="g" targetRef="a"><conditionExpression>n > 1</conditionExpression></sequenceFlow>
    <sequenceFlow id="next" sourceRef="a" targetRef="b"/>
    <sequenceFlow id="to_b" sourceRef="g" targetRef="b"><conditionExpression>n > 0</conditionExpression></sequenceFlow>
    <sequenceFlow id="to_c" sourceRef="g" targetRef="c"/>"#;

/// The ids of the flows, with these children of the gateway and of the last task.
fn flows(of_gateway: &str, of_task: &str) -> (Vec<String>, Vec<Problem>) {
    let (definition, warnings) =
        read_one(&FLOWS.replace("OF_G", of_gateway).replace("OF_C", of_task));
    let flows = definition.flows.into_iter().map(|flow| flow.id);
    (flows.collect(), warnings)
}

fn outgoing(names: &[&str]) -> String {
    let children = names
        .iter()
        .map(|name| format!("<outgoing> {name} </outgoing>"));
    children.collect()
}

#[test]
fn outgoing_elements_set_the_order_of_flows() {
    let written = ["first", "to_a", "next", "to_b", "to_c"];
    let swapped = ["first", "to_b", "next", "to_a", "to_c"];
    let (found, warnings) = flows("", "");
    assert_eq!(
        (&*found, warnings),
        (&written.map(String::from)[..], vec![])
    );

    let (found, warnings) = flows(&outgoing(&["to_b", "to_a", "to_c"]), "");
    assert_eq!(found, swapped);
    // Other engines would evaluate `to_a` first.
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let warning = &warnings[0];
    assert_eq!((&*warning.element, warning.code), ("g", "flow_order"));
    assert!(warning.message.contains("to_b, to_a"), "{warning:?}");

    // Flows without a child follow, in document order; children may have prefixes and occur twice.
    let (found, _) = flows(&outgoing(&["t:to_b", "to_b"]), "");
    assert_eq!(found, swapped);
    // If no other condition would be evaluated first, there is no warning.
    let (found, warnings) = flows(&outgoing(&["to_c", "to_a"]), "");
    assert_eq!(found, ["first", "to_c", "next", "to_a", "to_b"]);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn names_that_are_not_flows_of_the_node_are_warnings() {
    let said = |of_gateway: &str, of_task: &str| -> Vec<(String, String)> {
        let (found, warnings) = flows(of_gateway, of_task);
        assert_eq!(found, ["first", "to_a", "next", "to_b", "to_c"]);
        assert!(warnings.iter().all(|warning| warning.code == "no_effect"));
        let said = warnings.into_iter();
        said.map(|warning| (warning.element, warning.message))
            .collect()
    };
    let [(element, message)] = &said(&outgoing(&["gone", "to_a"]), "")[..] else {
        panic!("one name is unknown")
    };
    assert!(element == "g" && message.contains("`gone`, and there is no such flow"));
    let [(_, message)] = &said(&outgoing(&["next"]), "")[..] else {
        panic!("one flow leaves another node")
    };
    assert!(message.contains("that flow leaves `a`"), "{message}");
    let [(element, message)] = &said("", "<incoming>to_c</incoming><incoming>next</incoming>")[..]
    else {
        panic!("one flow leads to another node")
    };
    assert!(element == "c" && message.contains("that flow leads to `b`"));
}

#[test]
fn a_direction_that_contradicts_the_flows_is_reported() {
    let gateway = |direction: &str, flows: &[(&str, &str)]| {
        let flows: String = flows
            .iter()
            .enumerate()
            .map(|(place, (from, to))| {
                format!(r#"<sequenceFlow id="f{place}" sourceRef="{from}" targetRef="{to}"/>"#)
            })
            .collect();
        format!(
            r#"<startEvent id="s"/><task id="a"/><task id="b"/><task id="c"/>
            <parallelGateway id="g" gatewayDirection="{direction}"/>{flows}"#
        )
    };
    let split = [("s", "g"), ("g", "a"), ("g", "b")];
    let join = [("s", "a"), ("s", "b"), ("a", "g"), ("b", "g"), ("g", "c")];
    let through = [("s", "g"), ("g", "a")];
    let problems = |direction: &str, flows: &[(&str, &str)]| -> Vec<(&'static str, bool)> {
        let xml = document("", &gateway(direction, flows));
        let found = match read(&xml) {
            Ok(mut read) => read.remove(0).1,
            Err(problems) => problems,
        };
        let found = found
            .into_iter()
            .filter(|it| it.code == "gateway_direction");
        found
            .map(|it| (it.code, it.severity == Severity::Error))
            .collect()
    };
    for (direction, flows) in [
        ("Diverging", &split[..]),
        ("Converging", &join[..]),
        ("Unspecified", &through[..]),
    ] {
        assert_eq!(problems(direction, flows), vec![], "{direction}");
    }
    for (direction, flows) in [("Converging", &split[..]), ("Diverging", &join[..])] {
        assert_eq!(problems(direction, flows), [("gateway_direction", true)]);
    }
    for (direction, flows) in [("Mixed", &split[..]), ("Diverging", &through[..])] {
        assert_eq!(problems(direction, flows), [("gateway_direction", false)]);
    }
}
