//! Problems of actions: names, orders, parents, triggers, timers.

use super::*;

/// An automatic push in the task, merged with `patch`.
fn automatic(patch: Value) -> Value {
    let mut action =
        json!({"trigger": "automatic", "type": "websocketSend", "params": {"message": "{}"}});
    deep_merge(&mut action, &patch);
    action
}

#[test]
fn actions_have_names_orders_and_parents() {
    check(with_action(json!({"name": "a b"})), &["t invalid_name"]);
    check(with_action(json!({"name": ""})), &["t invalid_name"]);
    check(with_action(json!({"name": "ä.B-1_"})), &[]);
    check(
        with_actions(&[json!({}), json!({"order": 1})]),
        &["t duplicate_action"],
    );
    check(
        with_actions(&[
            json!({}),
            json!({"name": "b", "order": 1}),
            json!({"parent": "b"}),
        ]),
        &["t duplicate_action"],
    );
    check(with_action(json!({"parent": "x"})), &["t unknown_parent"]);
    check(with_action(json!({"parent": "a"})), &["t nested_parent"]);
    check(
        with_actions(&[
            json!({}),
            json!({"name": "b", "parent": "a"}),
            json!({"name": "c", "parent": "b"}),
        ]),
        &["t nested_parent"],
    );
    check(
        with_actions(&[json!({"parent": "b"}), json!({"name": "b", "parent": "a"})]),
        &["t nested_parent", "t nested_parent"],
    );
    check(with_action(json!({"name": "complete"})), &[]);
    check(
        with_action(automatic(json!({"name": "complete"}))),
        &["t reserved_name"],
    );
}

#[test]
fn orders_differ_among_siblings_only() {
    let child = |name: &str, parent: &str, order: i64| json!({"name": name, "parent": parent, "order": order});
    let (a, b) = (json!({"order": -1}), json!({"name": "b"}));
    let named = |name: &str, order: i64| json!({"name": name, "order": order});
    check(
        with_actions(&[named("b", 0), named("c", 0)]),
        &["t order_tie"],
    );
    check(
        with_actions(&[named("b", 3), named("c", 3), named("d", 3)]),
        &["t order_tie", "t order_tie"],
    );
    // Without one: behind the sibling before it.
    check(
        with_actions(&[json!({}), b.clone(), json!({"name": "c"})]),
        &[],
    );
    check(
        with_actions(&[named("c", 7), b.clone(), named("d", 8)]),
        &["t order_tie"],
    );
    check(
        with_actions(&[a.clone(), b.clone(), child("c", "a", 0), child("d", "b", 0)]),
        &[],
    );
    check(
        with_actions(&[a, b, child("c", "a", 5), child("d", "a", 5)]),
        &["t order_tie"],
    );
}

#[test]
fn automatic_actions_take_no_fields_of_manual_ones() {
    check(
        with_action(automatic(json!({"required": "optional"}))),
        &["t optional_automatic"],
    );
    check(
        with_action(automatic(json!({"keys": [{"path": "a"}]}))),
        &["t misplaced_keys"],
    );
    check(
        with_action(automatic(json!({"strictKeys": true}))),
        &["t misplaced_keys"],
    );
    check(
        with_action(automatic(json!({"allowBack": true}))),
        &["t misplaced_allow_back"],
    );
    check(
        with_action(automatic(json!({"restartFromSnapshot": true}))),
        &["t misplaced_restart"],
    );
    check(
        with_action(automatic(
            json!({"required": "optional", "keys": [{"path": "a"}], "strictKeys": true, "allowBack": true,
            "holdsToken": false, "name": "complete", "restartKeys": ["["]}),
        )),
        &[
            "t optional_automatic",
            "t misplaced_keys",
            "t misplaced_keys",
            "t misplaced_allow_back",
            "t reserved_name",
            "t invalid_path",
            "t misplaced_holds_token",
            "t no_effect?",
        ],
    );
}

#[test]
fn back_fields_go_together() {
    check(
        with_action(
            json!({"allowBack": true, "restartFromSnapshot": true, "restartKeys": ["a", "a.b"]}),
        ),
        &[],
    );
    check(
        with_action(json!({"restartFromSnapshot": true})),
        &["t misplaced_restart"],
    );
    check(
        with_action(json!({"restartKeys": ["a"]})),
        &["t misplaced_restart"],
    );
    check(
        with_action(json!({"restartFromSnapshot": true, "restartKeys": ["a"]})),
        &["t misplaced_restart", "t misplaced_restart"],
    );
    check(
        with_action(json!({"allowBack": true, "restartKeys": ["a"]})),
        &["t no_effect?"],
    );
    check(
        with_action(
            json!({"allowBack": true, "restartFromSnapshot": true, "restartKeys": ["a", "a", "b[0]"]}),
        ),
        &["t duplicate_key", "t invalid_path"],
    );
    let mut closed = with_action(json!({"allowBack": true}));
    closed["nodes"][1]["canGoBack"] = json!(false);
    check(closed, &["t no_effect?"]);
    let mut at_end = with_task(json!({}));
    at_end["nodes"][2]["actions"] =
        json!([{"name": "a", "type": "saveData", "trigger": "manual", "allowBack": true}]);
    check(at_end, &["e misplaced_allow_back"]);
}

#[test]
fn only_delayed_automatic_actions_may_release_the_token() {
    check(
        with_action(automatic(json!({"holdsToken": false}))),
        &["t misplaced_holds_token"],
    );
    check(
        with_action(automatic(json!({"holdsToken": false, "timer": "PT30S"}))),
        &[],
    );
    check(
        with_action(json!({"holdsToken": false})),
        &["t misplaced_holds_token"],
    );
    check(
        with_action(json!({"holdsToken": false, "timer": "PT30S"})),
        &["t misplaced_holds_token"],
    );
}

#[test]
fn an_ineffective_setting_is_a_warning() {
    let child = |patch: Value| {
        let mut child = json!({"name": "b", "parent": "a"});
        deep_merge(&mut child, &patch);
        child
    };
    check(
        with_action(json!({"autorunChildren": true})),
        &["t no_effect?"],
    );
    check(
        with_actions(&[json!({"autorunChildren": true}), child(json!({}))]),
        &["t no_effect?"],
    );
    check(
        with_actions(&[
            json!({"autorunChildren": true}),
            child(automatic(json!({"repeatable": true}))),
        ]),
        &[],
    );
    check(
        with_actions(&[json!({}), child(automatic(json!({})))]),
        &["t never_runs?"],
    );
    check(
        with_actions(&[json!({}), child(json!({"autorunChildren": true}))]),
        &["t no_effect?"],
    );
    check(
        with_action(automatic(json!({"repeatable": true}))),
        &["t no_effect?"],
    );
    let save = |patch: Value| {
        let mut save = json!({"trigger": "automatic"});
        deep_merge(&mut save, &patch);
        save
    };
    check(with_action(save(json!({}))), &["t no_effect?"]);
    check(with_action(save(json!({"timer": "PT1S"}))), &[]);
    check(
        with_actions(&[
            save(json!({"autorunChildren": true})),
            child(automatic(json!({}))),
        ]),
        &[],
    );
}

#[test]
fn optional_actions_need_a_waiting_element() {
    let optional = || json!({"required": "optional"});
    check(with_action(optional()), &["t never_runs?"]);
    check(
        with_actions(&[optional(), json!({"name": "b", "order": 1})]),
        &[],
    );
    check(
        with_actions(&[optional(), json!({"name": "b", "parent": "a"})]),
        &["t never_runs?"],
    );
    let beside = |patch: Value| {
        with_actions(&[
            optional(),
            automatic(json!({"name": "b", "order": 1})),
            patch,
        ])
    };
    check(
        beside(automatic(json!({"name": "c", "order": 2, "timer": "PT1S"}))),
        &[],
    );
    check(
        beside(automatic(
            json!({"name": "c", "order": 2, "timer": "PT1S", "holdsToken": false}),
        )),
        &["t never_runs?"],
    );
    let call = |asynchronous: bool| {
        json!({"name": "c", "order": 2, "type": "startSubprocess", "trigger": "automatic",
            "params": {"process": "q", "async": asynchronous}})
    };
    check(beside(call(false)), &[]);
    check(beside(call(true)), &["t never_runs?"]);
}

#[test]
fn any_task_or_event_may_wait_for_its_actions() {
    let actions = json!([{"name": "a", "type": "saveData", "trigger": "manual", "keys": [{"path": "x"}], "timer": "PT1S"},
        {"name": "b", "order": 1, "type": "websocketSend", "timer": "PT1S", "params": {"message": "{}"}}]);
    for kind in ["userTask", "task", "serviceTask", "sendTask"] {
        check(with_task(json!({"type": kind, "actions": actions})), &[]);
    }
    for node in [0, 2] {
        let mut definition = with_task(json!({}));
        definition["nodes"][node]["actions"] = actions.clone();
        check(definition, &[]);
    }
    check(
        with_task(json!({"type": "parallelGateway", "actions": actions})),
        &["t misplaced_actions"],
    );
    check(
        with_task(
            json!({"type": "callActivity", "call": {"calledElement": "q"}, "actions": actions}),
        ),
        &["t misplaced_actions"],
    );
}

#[test]
fn timers_are_strict_durations() {
    for timer in [
        "PT30S",
        "P1DT2H",
        "P1M",
        "PT0S",
        "PT0.5S",
        "P1Y2M3W4DT5H6M7S",
        "P2W",
    ] {
        check(with_action(json!({"timer": timer})), &[]);
    }
    for timer in [
        "",
        "30s",
        "PT",
        "P",
        "-PT1S",
        "-P1D",
        "P-1D",
        "1 hour",
        "PT30S ",
        "P9999999Y",
        "R/PT1S",
        "2026-01-01T00:00:00Z",
        "P1.5D",
        "PT1M1H",
        "0 0 * * *",
    ] {
        check(with_action(json!({"timer": timer})), &["t invalid_timer"]);
    }
}
