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
    let history = alice.get(&format!("/v1/instances/{key}/history")).await.json();
    let elements = list(&history, "elements");
    assert_eq!((&elements[0]["type"], &elements[0]["lifecycle"]), (&json!("startEvent"), &json!("Completed")));
    let details = elements.iter().find(|visit| visit["node"] == "details").unwrap();
    assert_eq!((&details["lifecycle"], &details["type"]), (&json!("Completed"), &json!("userTask")));
    assert!(details["activatedAt"].as_str() <= details["endedAt"].as_str(), "{details}");
    assert!(details["element"].as_str().unwrap().starts_with(&key));
    assert!(!list(&history, "flows").is_empty() && history["truncated"] == false, "{history}");
    server.stop().await;
}

#[actix_web::test]
async fn messages_are_those_that_were_pushed() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let path = format!("/v1/instances/{key}/messages");
    let first = list(&alice.get(&path).await.json(), "messages");
    assert_eq!((&first[0]["kind"], &first[0]["node"]), (&json!("data"), &json!("details")));
    assert!(first[0]["body"].is_object() && first[0]["at"].is_string() && first[0]["action"].is_string());
    alice.save(&key).await;
    let last = first.last().unwrap()["seq"].as_u64().unwrap();
    let later = list(&alice.get(&format!("{path}?after={last}")).await.json(), "messages");
    assert!(later.iter().all(|message| message["seq"].as_u64() > Some(last)) && !later.is_empty(), "{later:?}");
    alice.get(&format!("{path}?after=x")).await.is_problem(400, "bad_request", "'?'");
    server.stop().await;
}
