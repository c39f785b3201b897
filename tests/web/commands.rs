//! `/v1/instances/{key}/run` and the other commands.

use reqwest::Method;
use serde_json::json;

use super::http::{User, details, send};
use crate::support;

#[actix_web::test]
async fn an_action_runs_and_answers_with_the_next_step() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let saved = alice.save(&key).await;
    let body = saved.json();
    assert_eq!((saved.status.as_u16(), &body["instance"], &body["duplicate"]), (200, &json!(key), &json!(false)));
    assert!(body["seq"].is_u64() && body["ignored"].is_array(), "{body}");
    server.stop().await;
}

#[actix_web::test]
async fn refusals_say_why() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let run = format!("/v1/instances/{key}/run");
    let invalid = alice.post(&run, json!({"action": "save", "data": {"client": {}}})).await;
    invalid.is_problem(422, "invalid_data", "keys");
    assert!(invalid.json()["fields"].is_object(), "{invalid:?}");
    let unknown = alice.post(&run, json!({"action": "dance"})).await;
    unknown.is_problem(409, "action_not_available", "dance");
    assert_eq!(unknown.json()["reason"], "unknown_action");
    let stale = alice.post(&run, json!({"action": "save", "data": details(), "ifSeq": 1})).await;
    stale.is_problem(409, "conflict", "ifSeq");
    assert!(stale.json()["seq"].as_u64().is_some_and(|seq| seq > 1));
    alice.post(&run, json!({"data": {}})).await.is_problem(400, "bad_request", "'action'");
    alice.post(&run, json!({"action": "save", "element": "x"})).await.is_problem(400, "bad_request", "'element'");
    alice.post(&run, json!({"action": "save", "data": [1]})).await.is_problem(400, "bad_request", "'data'");
    server.stop().await;
}

#[actix_web::test]
async fn a_repeated_command_has_its_effect_once() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let id = uuid::Uuid::now_v7().to_string();
    let run = || {
        let request = alice.request(Method::POST, &format!("/v1/instances/{key}/run")).header("Idempotency-Key", &id);
        send(request.json(&json!({"action": "save", "data": details()})))
    };
    let first = run().await.json();
    let second = run().await.json();
    assert_eq!((&second["seq"], &second["duplicate"]), (&first["seq"], &json!(true)));
    server.stop().await;
}

#[actix_web::test]
async fn an_instance_is_terminated() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    // A command without fields needs no body.
    let done = send(alice.request(Method::POST, &format!("/v1/instances/{key}/terminate"))).await;
    assert_eq!((done.status.as_u16(), &done.json()["status"]), (200, &json!("terminated")));
    alice.save(&key).await.is_problem(409, "action_not_available", "");
    server.stop().await;
}

#[actix_web::test]
async fn retry_and_done_need_something_to_work_on() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let post = async |command: &str, body| alice.post(&format!("/v1/instances/{key}/{command}"), body).await;
    post("retry", json!({})).await.is_problem(400, "bad_request", "'element'");
    let retried = post("retry", json!({"element": format!("{key}-999")})).await;
    assert!(retried.status.is_client_error(), "{retried:?}");
    post("done", json!({})).await.is_problem(400, "bad_request", "'seq'");
    let done = post("done", json!({"seq": 1})).await;
    assert!(done.status.is_success() || done.status.is_client_error(), "{done:?}");
    server.stop().await;
}
