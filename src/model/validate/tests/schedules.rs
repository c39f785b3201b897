//! Schedules of start events.

use super::*;

/// The start event has a schedule with this patch.
fn with_schedule(patch: Value) -> Value {
    let mut definition = with_task(json!({}));
    definition["nodes"][0]["schedule"] = json!({"when": {"cycle": "0 2 * * *"}});
    deep_merge(&mut definition["nodes"][0]["schedule"], &patch);
    definition
}

#[test]
fn schedules_belong_to_start_events_and_have_future_times() {
    check(with_schedule(json!({})), &[]);
    check(
        with_schedule(
            json!({"timeZone": "Europe/Berlin", "missed": "all", "overlap": "skip", "startData": {"a": 1}}),
        ),
        &[],
    );
    check(
        with_schedule(json!({"when": {"cycle": "0 2 30 2 *"}})),
        &["s invalid_schedule"],
    );
    check(
        with_schedule(json!({"timeZone": "Berlin"})),
        &["s invalid_schedule"],
    );
    let mut definition = with_schedule(json!({}));
    definition["nodes"][0]["schedule"] = json!({"when": "startup", "timeZone": "Europe/Berlin"});
    check(definition, &["s no_effect?"]);
    check(
        with_task(json!({"schedule": {"when": "startup"}})),
        &["t misplaced_schedule"],
    );
    let mut definition = with_schedule(json!({}));
    definition["nodes"][0]["startCondition"] = json!("new");
    check(definition, &["s misplaced_start_condition"]);
    let mut deep = json!(1);
    (0..70).for_each(|_| deep = json!([deep]));
    check(
        with_schedule(json!({"startData": {"deep": deep}})),
        &["s start_data_too_large"],
    );
    check(
        with_schedule(json!({"startData": {"long": "x".repeat(70_000)}})),
        &["s start_data_too_large"],
    );
    for wrong in [
        json!({"when": {"cycle": 5}}),
        json!({"when": "daily"}),
        json!({"missed": "some"}),
        json!({"startData": []}),
    ] {
        assert!(
            serde_json::from_value::<ProcessDefinition>(with_schedule(wrong.clone())).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn clients_cannot_choose_scheduled_start_events() {
    let mut definition = with_schedule(json!({}));
    let nodes = definition["nodes"].as_array_mut().expect("a list");
    nodes.extend([
        json!({"id": "s2", "type": "startEvent"}),
        json!({"id": "s3", "type": "startEvent", "schedule": {"when": "startup"}}),
    ]);
    let flows = definition["flows"].as_array_mut().expect("a list");
    flows.extend([
        json!({"id": "f3", "source": "s2", "target": "t"}),
        json!({"id": "f4", "source": "s3", "target": "t"}),
    ]);
    check(definition.clone(), &[]);
    definition["nodes"][0]
        .as_object_mut()
        .expect("a node")
        .remove("schedule");
    check(definition.clone(), &["s2 ambiguous_start"]);
    definition["anonymousStart"] = json!(true);
    check(
        definition,
        &["s2 ambiguous_start", "s missing_keys", "s2 missing_keys"],
    );
}
