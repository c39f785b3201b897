mod actions;
mod ad_hoc;
mod boundary;
mod compensation;
mod complex_gateways;
mod contradictions;
mod event_subprocesses;
mod instantiation;
mod links;
mod loops;
mod outside;
mod params;
mod placeholders;
mod same_event;
mod schedules;
mod scopes;
mod several;

use serde_json::{Value, json};

use super::*;
use crate::model::{deep_merge::deep_merge, problem::Severity};

/// Start `s`, user task `t`, end `e`, flows `f1` and `f2`; `patch` is merged into the task.
fn with_task(patch: Value) -> Value {
    let mut definition = json!({"id": "p", "nodes": [
        {"id": "s", "type": "startEvent"}, {"id": "t", "type": "userTask"}, {"id": "e", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "s", "target": "t"}, {"id": "f2", "source": "t", "target": "e"}]});
    deep_merge(&mut definition["nodes"][1], &patch);
    definition
}

/// A manual saveData action `a` in the task, merged with `patch`.
fn with_action(patch: Value) -> Value {
    with_actions(&[patch])
}

fn with_actions(patches: &[Value]) -> Value {
    let action = |patch: &Value| {
        let mut action = json!({"name": "a", "type": "saveData", "trigger": "manual"});
        deep_merge(&mut action, patch);
        action
    };
    with_task(json!({"actions": patches.iter().map(action).collect::<Vec<_>>()}))
}

/// An automatic push in the task.
fn with_push(params: Value) -> Value {
    with_action(json!({"type": "websocketSend", "trigger": "automatic", "params": params}))
}

/// Start `s`, exclusive gateway `g`, ends `e1` and `e2`, flows `f0`, `f1`, `f2`, merged with the
/// patches.
fn with_gateway(gateway: Value, flow1: Value, flow2: Value) -> Value {
    let mut definition = json!({"id": "p", "nodes": [{"id": "s", "type": "startEvent"}, {"id": "g", "type": "exclusiveGateway"},
        {"id": "e1", "type": "endEvent"}, {"id": "e2", "type": "endEvent"}],
        "flows": [{"id": "f0", "source": "s", "target": "g"}, {"id": "f1", "source": "g", "target": "e1"},
            {"id": "f2", "source": "g", "target": "e2"}]});
    deep_merge(&mut definition["nodes"][1], &gateway);
    deep_merge(&mut definition["flows"][1], &flow1);
    deep_merge(&mut definition["flows"][2], &flow2);
    definition
}

/// Expects exactly these problems, each written `element code` with a `?` after warnings.
fn check(definition: Value, expected: &[&str]) {
    let parsed: ProcessDefinition = serde_json::from_value(definition.clone())
        .unwrap_or_else(|error| panic!("{definition}: {error}"));
    let problems = validate(&parsed);
    let mark = |severity| {
        if severity == Severity::Warning {
            "?"
        } else {
            ""
        }
    };
    let found: Vec<_> = problems
        .iter()
        .map(|found| format!("{} {}{}", found.element, found.code, mark(found.severity)))
        .collect();
    assert_eq!(found, expected, "{definition:#}\n{problems:#?}");
    for problem in &problems {
        assert!(
            problem.message.contains("expected ") && problem.message.contains(", but "),
            "{}",
            problem.message
        );
    }
}

#[test]
fn a_sound_process_has_no_problem() {
    check(with_task(json!({})), &[]);
}

#[test]
fn problems_of_the_process_itself_are_reported() {
    let patched = |patch: Value| {
        let mut definition = with_task(json!({}));
        deep_merge(&mut definition, &patch);
        definition
    };
    for id in [
        "a b",
        "",
        ".",
        "..",
        "a/b",
        "a\u{0}",
        "a?b",
        "a%2f",
        "#",
        "x:y",
        &"x".repeat(129),
    ] {
        check(
            patched(json!({ "id": id })),
            &[&format!("{id} invalid_name")],
        );
    }
    for id in ["...", "a.b", "ä-1_", &"x".repeat(128)] {
        check(patched(json!({ "id": id })), &[]);
    }
    for expiry in ["P7D", "PT30S", "0 18 * * FRI", "*/5 * * * * *"] {
        check(
            patched(json!({ "expiry": expiry, "actionMessageExpiry": "PT12H" })),
            &[],
        );
    }
    for expiry in [
        "",
        "7 days",
        "P",
        "-P1D",
        "PT0S",
        "61 * * * *",
        "0 0 30 2 *",
    ] {
        let problems = ["p invalid_expiry", "p invalid_action_message_expiry"];
        check(
            patched(json!({ "expiry": expiry, "actionMessageExpiry": expiry })),
            &problems,
        );
    }
    check(
        patched(json!({"anonymousStart": true})),
        &["s missing_keys"],
    );
    check(json!({"id": "p", "nodes": []}), &["p no_start_event"]);
    check(
        patched(json!({"lanes": [{"id": "l", "nodes": ["t", "x"]}]})),
        &["l unknown_node"],
    );
    check(
        patched(json!({"lanes": [{"id": "t", "nodes": []}]})),
        &["t duplicate_id"],
    );
    check(
        patched(json!({"lanes": [{"id": "l", "nodes": [], "execute": ["clerk", "a b"]}]})),
        &["l invalid_name"],
    );
    check(
        patched(json!({"flows": [{"id": "p", "source": "s", "target": "t"}]})),
        &["p duplicate_id", "t no_outgoing_flow?", "e unreachable?"],
    );
}

#[test]
fn search_keys_are_member_paths() {
    let with_keys = |keys: Value| {
        let mut definition = with_task(json!({}));
        definition["searchKeys"] = keys;
        definition
    };
    check(with_keys(json!(["client.email", "order.number"])), &[]);
    check(
        with_keys(json!(["phones[0]", "", "a b"])),
        &["p invalid_path"; 3],
    );
    check(
        with_keys(json!(["client.email", "client.email"])),
        &["p duplicate_key"],
    );
    let many: Vec<String> = (0..=limits::SEARCH_KEYS)
        .map(|number| format!("k{number}"))
        .collect();
    check(with_keys(json!(many)), &["p too_many_search_keys"]);
    check(with_keys(json!(many[1..])), &[]);
}

#[test]
fn flows_connect_nodes() {
    let with_flow = |flow: Value| {
        let mut definition = with_task(json!({}));
        definition["flows"]
            .as_array_mut()
            .expect("flows are a list")
            .push(flow);
        definition
    };
    check(
        with_flow(json!({"id": "f1", "source": "s", "target": "e"})),
        &["f1 duplicate_id"],
    );
    check(
        with_flow(json!({"id": "f3", "source": "x", "target": ""})),
        &["f3 unknown_node", "f3 unknown_node"],
    );
    check(
        with_flow(json!({"id": "f3", "source": "e", "target": "s"})),
        &["f3 flow_leaves_end", "f3 flow_enters_start"],
    );
    check(
        with_flow(json!({"id": "f3", "source": "t", "target": "e", "condition": "a"})),
        &[],
    );
    check(
        with_flow(json!({"id": "f3", "source": "s", "target": "e", "condition": "a"})),
        &["f3 misplaced_condition?"],
    );
    let mut unconnected = with_task(json!({}));
    unconnected["flows"] = json!([{"id": "f1", "source": "s", "target": "t"}]);
    check(unconnected, &["t no_outgoing_flow?", "e unreachable?"]);
    let mut two_starts = with_task(json!({}));
    two_starts["nodes"][1]["type"] = json!("startEvent");
    two_starts["flows"] = json!([{"id": "f1", "source": "s", "target": "e"}, {"id": "f2", "source": "t", "target": "e"}]);
    check(two_starts, &["t ambiguous_start"]);
}

#[test]
fn gateways_have_conditions_and_defaults() {
    let condition = |text: &str| json!({"condition": text});
    check(
        with_gateway(
            json!({"defaultFlow": "f2"}),
            condition("${a > 1}"),
            json!({}),
        ),
        &[],
    );
    check(
        with_gateway(json!({}), condition("a > 1"), condition("a < 1")),
        &["g no_default_flow?"],
    );
    check(
        with_gateway(json!({"defaultFlow": "f2"}), json!({}), json!({})),
        &["g missing_condition?"],
    );
    check(
        with_gateway(json!({}), json!({}), condition("a")),
        &["g missing_condition?"],
    );
    for ignored in ["b", "= b", " ", "b ="] {
        let default = with_gateway(
            json!({"defaultFlow": "f2"}),
            condition("a"),
            condition(ignored),
        );
        check(default, &["f2 default_with_condition?"]);
    }
    check(
        with_gateway(json!({"defaultFlow": "f0"}), condition("a"), condition("b")),
        &["g unknown_flow"],
    );
    check(
        with_gateway(json!({"defaultFlow": "f2"}), condition(" "), json!({})),
        &["f1 invalid_condition"],
    );
    check(
        with_gateway(
            json!({"type": "parallelGateway", "defaultFlow": "f2"}),
            condition("a"),
            json!({}),
        ),
        &["f1 misplaced_condition?", "g misplaced_default?"],
    );
    check(
        with_gateway(
            json!({"actions": [{"name": "a", "type": "saveData", "trigger": "manual"}]}),
            condition("a"),
            condition("b"),
        ),
        &["g no_default_flow?", "g misplaced_actions"],
    );
}

#[test]
fn nodes_carry_what_their_kind_allows() {
    check(
        with_task(json!({"keys": [{"path": "a"}]})),
        &["t misplaced_keys"],
    );
    check(
        with_task(json!({"startCondition": "x"})),
        &["t misplaced_start_condition"],
    );
    check(
        with_task(json!({"call": {"calledElement": "q"}})),
        &["t misplaced_call"],
    );
    check(
        with_task(json!({"type": "callActivity"})),
        &["t missing_called_element"],
    );
    check(
        with_task(json!({"type": "callActivity", "call": {"calledElement": ""}})),
        &["t missing_called_element"],
    );
    check(
        with_task(
            json!({"type": "callActivity", "call": {"calledElement": "a b", "paramsToCopy": ["["], "outputKey": "a[0]", "output": "{"}}),
        ),
        &[
            "t invalid_name",
            "t invalid_path",
            "t invalid_path",
            "t invalid_template",
        ],
    );
}

#[test]
fn keys_are_member_paths() {
    check(
        with_action(
            json!({"keys": [{"path": "a.b"}, {"path": "a.c", "schema": {}}, {"path": "a"}]}),
        ),
        &[],
    );
    check(
        with_action(json!({"keys": [{"path": "a"}, {"path": "a"}]})),
        &["t duplicate_key"],
    );
    check(
        with_action(json!({"keys": [{"path": "a[0]"}]})),
        &["t invalid_path"],
    );
    check(
        with_action(json!({"keys": [{"path": "a", "schema": "string"}]})),
        &["t invalid_schema"],
    );
}

#[test]
fn error_events_are_allowed_where_they_have_a_meaning() {
    check(
        with_task(json!({"event": {"type": "error", "code": "POOR"}})),
        &["t unsupported_event"],
    );
    check(
        with_task(json!({"attachedTo": "s"})),
        &["t misplaced_attachment"],
    );
    let mut broken = with_task(json!({}));
    broken["nodes"][2]["event"] = json!({"type": "error", "code": "POOR"});
    check(broken, &[]);
}

#[test]
fn user_tasks_have_assignees_and_due_dates() {
    let with_terms = |terms: Value| with_task(json!({ "task": terms }));
    for terms in [
        json!({}),
        json!({"assignee": "bob", "dueDate": "P1D", "reminder": "PT0S", "reminderRepeat": "PT1M"}),
        json!({"assignee": "${a.b[0]}", "dueDate": "${due}", "reminder": "P1M"}),
        json!({"dueDate": "2026-12-01T12:00:00+01:00"}),
        json!({"assignee": "user-${nr}", "dueDate": "P${days}D"}),
    ] {
        check(with_terms(terms), &[]);
    }
    for (terms, expected) in [
        (json!({"assignee": "${a..b}"}), "t invalid_template"),
        (json!({"assignee": "bo\nb"}), "t invalid_value"),
        (json!({"dueDate": "tomorrow"}), "t invalid_value"),
        (json!({"dueDate": "-P1D"}), "t invalid_value"),
        (json!({"dueDate": "${"}), "t invalid_template"),
        (
            json!({"dueDate": "P1D", "reminder": "1 hour"}),
            "t invalid_timer",
        ),
        (
            json!({"dueDate": "P1D", "reminder": "-PT1H"}),
            "t invalid_timer",
        ),
        (
            json!({"dueDate": "P1D", "reminder": "PT1H", "reminderRepeat": "PT59S"}),
            "t invalid_timer",
        ),
        (json!({"reminder": "PT1H"}), "t misplaced_reminder"),
        (
            json!({"dueDate": "P1D", "reminderRepeat": "PT1H"}),
            "t misplaced_reminder",
        ),
        (json!({"decisionKey": "ok"}), "t misplaced_decision_key"),
    ] {
        check(with_terms(terms), &[expected]);
    }
    let approval = |terms: Value, keys: Value| {
        let mut definition = with_actions(&[
            json!({"name": "approve", "keys": keys}),
            json!({"name": "reject", "order": 1}),
        ]);
        definition["nodes"][1]["task"] = terms;
        definition
    };
    check(
        approval(json!({"decisionKey": "a.ok"}), json!([{"path": "comment"}])),
        &[],
    );
    check(
        approval(json!({"decisionKey": "a[0]"}), json!([])),
        &["t invalid_path"],
    );
    check(
        approval(json!({}), json!([{"path": "comment.text"}])),
        &["t misplaced_keys"],
    );
    check(
        with_task(json!({"type": "task", "task": {}})),
        &["t misplaced_task"],
    );
}
