//! `/v1/instances/{key}/history` and `/messages`.

use serde_json::{Value, json};

use super::http::User;
use crate::support;

fn list(body: &Value, name: &str) -> Vec<Value> {
    body[name].as_array().cloned().unwrap_or_default()
}

#[actix_web::test]
async fn visits_and_flows_are_told_in_order() {
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
async fn history_messages_and_children_come_in_parts() {
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
