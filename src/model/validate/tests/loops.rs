//! Loops: their rules, and where they are not allowed.

use super::*;

fn multiple(fields: Value) -> Value {
    let mut looping = fields;
    looping["type"] = json!("multiInstance");
    with_task(json!({ "loop": looping }))
}

fn standard(fields: Value) -> Value {
    let mut looping = fields;
    looping["type"] = json!("standard");
    with_task(json!({ "loop": looping }))
}

#[test]
fn valid_loops_are_accepted() {
    for fields in [
        json!({"collection": "app.people[0].names"}),
        json!({"collection": "people", "item": "person", "sequential": true}),
        json!({"cardinality": "3"}),
        json!({"cardinality": 3}),
        json!({"cardinality": "${app.count}"}),
        json!({"cardinality": 2, "completionCondition": "${numberOfCompletedInstances == 1}"}),
        json!({"collection": "people", "outputKey": "app.answers", "output": "${answer}"}),
    ] {
        check(multiple(fields), &[]);
    }
    for fields in [
        json!({"condition": "${loopCounter < 3}"}),
        json!({"maximum": 3}),
        json!({"condition": "again", "testBefore": true, "maximum": 10}),
    ] {
        check(standard(fields), &[]);
    }
}

#[test]
fn invalid_loops_are_reported() {
    for (fields, problem) in [
        (json!({}), "t missing_collection"),
        (
            json!({"collection": "a", "cardinality": 1}),
            "t ambiguous_loop",
        ),
        (json!({"collection": "app people"}), "t invalid_path"),
        (json!({"collection": ""}), "t invalid_path"),
        (json!({"cardinality": "many"}), "t invalid_value"),
        (json!({"cardinality": -1}), "t invalid_value"),
        (json!({"cardinality": 1.5}), "t invalid_value"),
        (json!({"cardinality": 1001}), "t invalid_value"),
        (json!({"cardinality": "${a.size()}"}), "t invalid_template"),
        (json!({"collection": "a", "item": "a.b"}), "t invalid_name"),
        (
            json!({"collection": "a", "item": "loopCounter"}),
            "t invalid_name",
        ),
        (
            json!({"collection": "a", "item": "numberOfInstances"}),
            "t invalid_name",
        ),
        (json!({"cardinality": 1, "item": "a"}), "t misplaced_item"),
        (
            json!({"collection": "a", "completionCondition": " "}),
            "t invalid_condition",
        ),
        (
            json!({"collection": "a", "outputKey": "x"}),
            "t missing_output",
        ),
        (
            json!({"collection": "a", "output": "${x}"}),
            "t missing_output_key",
        ),
        (
            json!({"collection": "a", "outputKey": "x[0]", "output": "${x}"}),
            "t invalid_path",
        ),
        (
            json!({"collection": "a", "outputKey": "x", "output": "{"}),
            "t invalid_template",
        ),
    ] {
        check(multiple(fields), &[problem]);
    }
    check(standard(json!({})), &["t endless_loop"]);
    check(standard(json!({"maximum": 0})), &["t invalid_value"]);
    check(
        standard(json!({"condition": "${}", "maximum": 1})),
        &["t invalid_condition"],
    );
}

#[test]
fn only_activities_run_more_than_once() {
    let mut definition = multiple(json!({"cardinality": 2}));
    definition["nodes"][0]["loop"] = definition["nodes"][1]["loop"].take();
    check(definition, &["s misplaced_loop"]);
    let call = json!({"type": "callActivity", "call": {"calledElement": "q", "outputKey": "r"},
        "loop": {"type": "multiInstance", "collection": "a", "output": "${x}"}});
    check(with_task(call), &[]);
}

#[test]
fn no_back_step_enters_a_loop() {
    let mut definition = with_actions(&[json!({"name": "save", "allowBack": true})]);
    definition["nodes"][1]["loop"] = json!({"type": "standard", "maximum": 2});
    check(definition, &["t back_in_loop"]);
}
