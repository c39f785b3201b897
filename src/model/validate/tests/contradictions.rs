//! Things that a definition declares twice, and lanes.

use super::*;

#[test]
fn a_node_is_in_one_lane_or_in_nested_lanes() {
    let lanes = |lanes: Value| {
        let mut definition = with_task(json!({}));
        definition["lanes"] = lanes;
        definition
    };
    check(
        lanes(json!([{"id": "a", "nodes": ["t"]}, {"id": "b", "nodes": ["s"]}])),
        &[],
    );
    check(
        lanes(json!([{"id": "a", "nodes": ["t", "s", "t"]}])),
        &["t several_lanes"],
    );
    check(
        lanes(json!([{"id": "a", "nodes": ["t"]}, {"id": "b", "nodes": ["t"]}])),
        &["t several_lanes"],
    );
    let nested = json!([{"id": "c", "nodes": ["t"], "parent": "b"}, {"id": "a", "nodes": ["t"]}, {"id": "b", "nodes": [], "parent": "a"}]);
    check(lanes(nested), &[]);
    let cousins = json!([{"id": "a", "nodes": ["t"]}, {"id": "b", "nodes": ["t"], "parent": "a"}, {"id": "c", "nodes": ["t"], "parent": "a"}]);
    check(lanes(cousins), &["t several_lanes"]);
    check(
        lanes(json!([{"id": "a", "nodes": [], "parent": "x"}])),
        &["a unknown_lane"],
    );
    let circle =
        json!([{"id": "a", "nodes": [], "parent": "b"}, {"id": "b", "nodes": [], "parent": "a"}]);
    check(lanes(circle), &["a nested_parent", "b nested_parent"]);
    let nested = |levels: usize| -> Value {
        let outer = |level: usize| level.checked_sub(1).map(|outer| format!("l{outer}"));
        let levels = 0..=levels;
        levels
            .map(|at| json!({"id": format!("l{at}"), "nodes": [], "parent": outer(at)}))
            .collect()
    };
    check(lanes(nested(crate::limits::LANE_DEPTH)), &[]);
    check(
        lanes(nested(crate::limits::LANE_DEPTH + 1)),
        &["l33 too_deep"],
    );
}

/// Contradictions name both places.
#[test]
fn duplicates_are_reported_at_both_places() {
    let says = |definition: Value, parts: &[&str]| {
        let parsed: ProcessDefinition =
            serde_json::from_value(definition.clone()).expect("the test's definition is valid");
        let problems = validate(&parsed);
        let is_said = problems
            .iter()
            .any(|problem| parts.iter().all(|part| problem.message.contains(part)));
        assert!(is_said, "{parts:?} in {problems:#?}");
    };
    let mut definition = with_task(json!({}));
    definition["flows"][0]["id"] = json!("t");
    says(definition, &["`t`", "a userTask", "a sequenceFlow"]);
    let mut definition = with_task(json!({}));
    definition["lanes"] = json!([{"id": "a", "nodes": ["t"]}, {"id": "b", "nodes": ["t"]}]);
    says(definition, &["`t`", "lane `a`", "lane `b`"]);
    let mut definition = with_task(json!({}));
    definition["lanes"] = json!([{"id": "a", "nodes": ["t", "s", "t"]}]);
    says(definition, &["`t` is number 1 and number 3", "lane `a`"]);
    says(
        with_actions(&[
            json!({}),
            json!({"order": 1, "name": "b"}),
            json!({"order": 2}),
        ]),
        &["action 1 and action 3", "`a`"],
    );
    says(
        with_action(json!({"keys": [{"path": "x"}, {"path": "y"}, {"path": "x"}]})),
        &["number 1 and number 3", "`x`"],
    );
    let mut definition = with_task(json!({}));
    definition["nodes"][2] = json!({"id": "s2", "type": "startEvent"});
    says(definition, &["`s`", "`s2`", "start condition"]);
    let mut definition = with_task(json!({}));
    definition["nodes"][0]["startCondition"] = json!("vip");
    definition["nodes"][2] = json!({"id": "s2", "type": "startEvent", "startCondition": "vip"});
    says(definition, &["`s`", "`s2`", "`vip`"]);
}
