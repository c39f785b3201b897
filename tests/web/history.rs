//! `/v1/instances/{key}/history` and `/messages`.

use serde_json::{Value, json};

use super::http::User;
use crate::support;

fn list(body: &Value, name: &str) -> Vec<Value> {
    body[name].as_array().cloned().unwrap_or_default()
}

#[actix_web::test]
async fn visits_and_flows_are_listed_in_order() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    alice.save(&key).await;
    let history = alice
        .get(&format!("/v1/instances/{key}/history"))
        .await
        .json();
    let elements = list(&history, "elements");
    assert_eq!(
        (&elements[0]["type"], &elements[0]["lifecycle"]),
        (&json!("startEvent"), &json!("Completed"))
    );
    let details = elements
        .iter()
        .find(|visit| visit["node"] == "details")
        .unwrap();
    assert_eq!(
        (&details["lifecycle"], &details["type"]),
        (&json!("Completed"), &json!("userTask"))
    );
    assert!(
        details["activatedAt"].as_str() <= details["endedAt"].as_str(),
        "{details}"
    );
    assert!(details["element"].as_str().unwrap().starts_with(&key));
    assert!(
        !list(&history, "flows").is_empty() && history["truncated"] == false,
        "{history}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn messages_are_those_that_were_pushed() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let path = format!("/v1/instances/{key}/messages");
    let first = list(&alice.get(&path).await.json(), "messages");
    assert_eq!(
        (&first[0]["kind"], &first[0]["node"]),
        (&json!("data"), &json!("details"))
    );
    assert!(
        first[0]["body"].is_object()
            && first[0]["at"].is_string()
            && first[0]["action"].is_string()
    );
    alice.save(&key).await;
    let last = first.last().unwrap()["seq"].as_u64().unwrap();
    let later = list(
        &alice.get(&format!("{path}?after={last}")).await.json(),
        "messages",
    );
    assert!(
        later
            .iter()
            .all(|message| message["seq"].as_u64() > Some(last))
            && !later.is_empty(),
        "{later:?}"
    );
    alice
        .get(&format!("{path}?after=x"))
        .await
        .is_problem(400, "bad_request", "'?'");
    server.stop().await;
}

/// A process that pushes twice, calls a child for each item, and waits for them.
fn parent() -> Value {
    let push = |name: &str, order: u8| {
        json!({"name": name, "order": order, "type": "websocketSend", "params": {"message": format!("{{\"{name}\": \
            1}}")}})
    };
    json!({
        "id": "parent",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "fork", "type": "parallelGateway"}, {"id": "end", "type": "endEvent"},
            {"id": "show", "type": "task", "actions": [push("one", 1), push("two", 2)]}, {"id": "side", "type": "userTask"},
            {"id": "each", "type": "callActivity", "call": {"calledElement": "child"},
                "loop": {"type": "multiInstance", "collection": "items"}}],
        "flows": [{"id": "f1", "source": "start", "target": "show"}, {"id": "f2", "source": "show", "target": "fork"},
            {"id": "f3", "source": "fork", "target": "each"}, {"id": "f4", "source": "fork", "target": "side"},
            {"id": "f5", "source": "each", "target": "end"}, {"id": "f6", "source": "side", "target": "end"}],
    })
}

fn child() -> Value {
    json!({
        "id": "child",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "wait", "type": "userTask"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "wait"}, {"id": "f2", "source": "wait", "target": "end"}],
    })
}

#[actix_web::test]
async fn history_messages_and_children_are_read_in_pages() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &["designer"]);
    alice.publish(child()).await;
    alice.publish(parent()).await;
    let key = alice.start("parent", json!({"items": [1, 2, 3]})).await;
    for (path, list_name, member) in [
        ("history", "elements", "element"),
        ("messages", "messages", "seq"),
        ("children", "children", "instance"),
    ] {
        let path = format!("/v1/instances/{key}/{path}");
        let whole = alice.get(&path).await.json();
        assert_eq!(whole["next"], Value::Null, "{whole}");
        let (mut parts, mut flows, mut after) = (Vec::new(), Vec::new(), 0);
        loop {
            let part = alice
                .get(&format!("{path}?limit=1&after={after}"))
                .await
                .json();
            assert_eq!(list(&part, list_name).len(), 1, "{part}");
            parts.extend(list(&part, list_name));
            flows.extend(list(&part, "flows"));
            let Some(next) = part["next"].as_u64() else {
                break;
            };
            after = next;
        }
        assert_eq!(parts, list(&whole, list_name), "{path}");
        assert!(parts.len() > 1 && parts.iter().all(|one| !one[member].is_null()));
        flows.sort_by_key(ToString::to_string);
        flows.dedup();
        assert_eq!(flows, list(&whole, "flows"));
        assert_eq!(
            list(
                &alice
                    .get(&format!("{path}?after={}", u64::MAX))
                    .await
                    .json(),
                list_name
            ),
            [Value::Null; 0]
        );
        for (query, part) in [
            ("limit=0", "1 to 1000"),
            ("limit=1001", "1 to 1000"),
            ("after=-1", "'?'"),
            ("colour=red", "colour"),
        ] {
            alice
                .get(&format!("{path}?{query}"))
                .await
                .is_problem(400, "bad_request", part);
        }
    }
    server.stop().await;
}

/// A subprocess with a boundary event and an event subprocess, a loop of user tasks, and a call.
fn nested() -> Value {
    json!({
        "id": "nested",
        "nodes": [{"id": "start", "type": "startEvent"},
            {"id": "sub", "type": "subProcess"}, {"id": "in", "type": "startEvent", "scope": "sub"},
            {"id": "inside", "type": "userTask", "scope": "sub", "actions": [
                {"name": "inside", "trigger": "manual", "type": "saveData"}]},
            {"id": "out", "type": "endEvent", "scope": "sub"},
            {"id": "late", "type": "boundaryEvent", "attachedTo": "sub", "interrupting": false,
                "event": {"type": "message", "name": "hurry"}},
            {"id": "hurried", "type": "endEvent"},
            {"id": "many", "type": "userTask", "loop": {"type": "multiInstance", "collection": "items"},
                "actions": [{"name": "one", "trigger": "manual", "type": "saveData"}]},
            {"id": "call", "type": "callActivity", "call": {"calledElement": "child"}},
            {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "sub"}, {"id": "f2", "source": "sub", "target": "many"},
            {"id": "f3", "source": "many", "target": "call"}, {"id": "f4", "source": "call", "target": "end"},
            {"id": "f5", "source": "late", "target": "hurried"}, {"id": "g1", "source": "in", "target": "inside"},
            {"id": "g2", "source": "inside", "target": "out"}],
    })
}

#[actix_web::test]
async fn visits_have_scope_loop_boundary_and_call() {
    let server = support::server().await;
    let olga = User::new(&server, "olga", &["designer", "operator"]);
    olga.publish(child()).await;
    olga.publish(nested()).await;
    let key = olga.start("nested", json!({"items": [1, 2]})).await;
    let path = format!("/v1/instances/{key}");
    let waiting = olga.get(&path).await.json();
    let waiting = &waiting["subscriptions"][0];
    assert_eq!(
        (&waiting["kind"], &waiting["node"], &waiting["name"]),
        (&json!("message"), &json!("late"), &json!("hurry"))
    );
    olga.post("/v1/messages", json!({"name": "hurry", "instance": key}))
        .await;
    olga.post(&format!("{path}/run"), json!({"action": "inside"}))
        .await;
    let visits = list(
        &olga.get(&format!("{path}/history")).await.json(),
        "elements",
    );
    let all = |node: &str| {
        visits
            .iter()
            .filter(|visit| visit["node"] == node)
            .cloned()
            .collect::<Vec<_>>()
    };
    let (sub, inside, late) = (&all("sub")[0], &all("inside")[0], &all("late")[0]);
    assert_eq!(
        (&sub["kind"], &sub["scope"]),
        (&json!("subProcess"), &Value::Null)
    );
    assert_eq!(
        (&inside["kind"], &inside["scope"]),
        (&json!("task"), &sub["element"])
    );
    assert_eq!(
        (&late["kind"], &late["attachedTo"]),
        (&json!("boundaryEvent"), &json!("sub"))
    );
    assert_eq!(sub["events"][0]["node"], "late");
    let many = all("many");
    assert_eq!(
        (&many[0]["kind"], &many[0]["loop"]),
        (
            &json!("loop"),
            &json!({"instances": 2, "sequential": false})
        )
    );
    for (place, iteration) in many[1..].iter().enumerate() {
        assert_eq!(
            (
                &iteration["loopCounter"],
                &iteration["scope"],
                &iteration["kind"]
            ),
            (&json!(place + 1), &many[0]["element"], &json!("task"))
        );
        let run = json!({"action": "one", "element": iteration["element"]});
        olga.post(&format!("{path}/run"), run).await;
    }
    let visits = list(
        &olga.get(&format!("{path}/history")).await.json(),
        "elements",
    );
    let call = visits.iter().find(|visit| visit["node"] == "call").unwrap();
    let children = list(
        &olga.get(&format!("{path}/children")).await.json(),
        "children",
    );
    assert_eq!(
        (&call["kind"], &call["children"]),
        (
            &json!("callActivity"),
            &json!([{"instance": children[0]["instance"], "process": "child", "status": null}])
        )
    );
    server.stop().await;
}

/// A user saves something; a second task follows.
fn asking() -> Value {
    json!({
        "id": "asking",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "second", "type": "userTask"}, {"id": "end", "type": "endEvent"},
            {"id": "first", "type": "userTask", "actions": [
                {"name": "save", "trigger": "manual", "type": "saveData", "keys": [{"path": "a"}]}]}],
        "flows": [{"id": "f1", "source": "start", "target": "first"}, {"id": "f2", "source": "first", "target": "second"},
            {"id": "f3", "source": "second", "target": "end"}],
    })
}

#[actix_web::test]
async fn operators_see_the_author_of_each_record_and_earlier_states() {
    let server = support::server().await;
    let olga = User::new(&server, "olga", &["designer", "operator"]);
    let alice = User::new(&server, "alice", &[]);
    olga.publish(asking()).await;
    let key = alice.start("asking", json!({})).await;
    let path = format!("/v1/instances/{key}");
    let before = olga.get(&path).await.json();
    alice
        .post(
            &format!("{path}/run"),
            json!({"action": "save", "data": {"a": 1}}),
        )
        .await;
    let after = olga.get(&path).await.json();
    let records = olga
        .whole(&format!("{path}/records"), "records", "kind")
        .await;
    assert_eq!(records[0], "created");
    assert!(
        records.iter().any(|kind| kind == "actionStarted"),
        "{records:?}"
    );
    let all = list(
        &olga.get(&format!("{path}/records")).await.json(),
        "records",
    );
    let saved = all
        .iter()
        .find(|record| record["action"] == "save")
        .unwrap();
    assert_eq!(
        (&saved["by"], &saved["moment"]),
        (&json!("alice"), &after["seq"])
    );

    // Each moment shows the state of that time, independent of later commands.
    let at = |seq: &Value| format!("{path}?at={seq}");
    assert_eq!(olga.get(&at(&before["seq"])).await.json(), before);
    assert_eq!(olga.get(&at(&after["seq"])).await.json(), after);
    assert_eq!(
        olga.get(&format!("{path}?at={}", u64::MAX)).await.json(),
        after
    );
    let between = after["seq"].as_u64().unwrap() - 1;
    assert_eq!(
        olga.get(&format!("{path}?at={between}")).await.json(),
        before
    );
    olga.get(&format!("{path}?at=1"))
        .await
        .is_problem(400, "bad_request", "had not started");
    olga.get(&format!("{path}?at=x"))
        .await
        .is_problem(400, "bad_request", "'?'");
    for what in ["?at=5", "/records"] {
        alice
            .get(&format!("{path}{what}"))
            .await
            .is_problem(403, "forbidden", "operator");
        User::elsewhere(&server, "other", "olga", &["operator"])
            .get(&format!("{path}{what}"))
            .await
            .is_problem(404, "not_found", "");
    }
    server.stop().await;
}
