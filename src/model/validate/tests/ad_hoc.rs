//! Ad-hoc subprocesses.

use super::{links::with, *};

/// An ad-hoc subprocess `h` with user tasks `a` and `b`, a flow from `a` to task `c`, and more
/// nodes, after a change of `h`.
fn ad_hoc(patch: Value, more: &[Value]) -> Value {
    let mut around = json!({"id": "h", "type": "adHocSubProcess"});
    deep_merge(&mut around, &patch);
    let mut nodes = vec![
        around,
        json!({"id": "a", "type": "userTask", "scope": "h"}),
        json!({"id": "b", "type": "userTask", "scope": "h"}),
        json!({"id": "c", "type": "task", "scope": "h"}),
    ];
    nodes.extend(more.iter().cloned());
    with(json!(nodes), &[("s", "h"), ("h", "e"), ("a", "c")])
}

fn starting(patch: Value) -> Value {
    let mut action = json!({"name": "go", "type": "startActivity", "trigger": "manual",
        "params": {"activity": "a"}});
    deep_merge(&mut action, &patch);
    ad_hoc(json!({"actions": [action]}), &[])
}

#[test]
fn the_fields_of_an_ad_hoc_subprocess_are_consistent() {
    check(ad_hoc(json!({}), &[]), &[]);
    let fields = |fields: Value| ad_hoc(json!({"adHoc": fields}), &[]);
    check(
        fields(json!({"completionCondition": "n > 1", "cancelRemainingInstances": false})),
        &[],
    );
    check(
        fields(json!({"completionCondition": "${}"})),
        &["h invalid_condition"],
    );
    check(
        fields(json!({"cancelRemainingInstances": false})),
        &["h no_effect?"],
    );
    check(fields(json!({"activeElements": ["a", "b", "a"]})), &[]);
    check(
        fields(json!({"activeElements": ["c"]})),
        &["h unknown_activity"],
    );
    check(fields(json!({"activeElements": "todo.list"})), &[]);
    check(fields(json!({"activeElements": "[a"})), &["h invalid_path"]);
    check(
        fields(json!({"activeElements": ["a"], "sequential": true})),
        &["h sequential_active_elements"],
    );
    let mut elsewhere = ad_hoc(json!({}), &[]);
    elsewhere["nodes"][3]["adHoc"] = json!({"sequential": true});
    check(elsewhere, &["a misplaced_ad_hoc"]);
}

#[test]
fn actions_of_an_ad_hoc_subprocess_start_nodes_without_incoming_flow() {
    check(
        starting(json!({"required": "optional", "repeatable": true})),
        &[],
    );
    check(
        starting(json!({"params": {"activity": "c"}})),
        &["h unknown_activity"],
    );
    check(
        starting(json!({"params": {"activity": ""}})),
        &["h unknown_activity", "h missing_param"],
    );
    check(
        starting(json!({"trigger": "automatic"})),
        &["h automatic_start_activity"],
    );
    check(starting(json!({"timer": "PT1H"})), &["h misplaced_timer"]);
    check(starting(json!({"name": "b"})), &["h reserved_name"]);
    check(starting(json!({"name": "a"})), &[]);
    check(starting(json!({"allowBack": true})), &["h back_in_ad_hoc"]);
    check(
        with_action(json!({"type": "startActivity", "params": {"activity": "t"}})),
        &["t misplaced_start_activity"],
    );
}

#[test]
fn an_ad_hoc_subprocess_has_no_start_and_end_events_and_no_back_targets() {
    check(
        ad_hoc(
            json!({}),
            &[json!({"id": "z", "type": "endEvent", "scope": "h"})],
        ),
        &["z event_in_ad_hoc"],
    );
    check(
        ad_hoc(
            json!({}),
            &[json!({"id": "z", "type": "startEvent", "scope": "h"})],
        ),
        &[
            "a unreachable?",
            "b unreachable?",
            "c unreachable?",
            "z event_in_ad_hoc",
        ],
    );
    let back = json!([{"name": "go", "type": "saveData", "trigger": "manual", "allowBack": true}]);
    check(
        ad_hoc(
            json!({}),
            &[json!({"id": "z", "type": "userTask", "scope": "h", "actions": back})],
        ),
        &["z back_in_ad_hoc"],
    );
    let empty = with(
        json!([{"id": "h", "type": "adHocSubProcess"}]),
        &[("s", "h"), ("h", "e")],
    );
    check(empty, &["h empty_subprocess?"]);
    let around = with(
        json!([{"id": "h", "type": "adHocSubProcess"}, {"id": "a", "type": "task", "scope": "h"},
            {"id": "b", "type": "task", "scope": "h"}]),
        &[("s", "h"), ("h", "e"), ("a", "b"), ("b", "a")],
    );
    check(
        around,
        &["a unreachable?", "b unreachable?", "h subprocess_start"],
    );
}
