//! `/v1/instances/{key}/run` and the other commands.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{User, details, send};
use crate::support;

#[actix_web::test]
async fn an_action_runs_and_answers_with_the_next_step() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let saved = alice.save(&key).await;
    let body = saved.json();
    assert_eq!(
        (saved.status.as_u16(), &body["instance"], &body["duplicate"]),
        (200, &json!(key), &json!(false))
    );
    assert!(body["seq"].is_u64() && body["ignored"].is_array(), "{body}");
    server.stop().await;
}

#[actix_web::test]
async fn refusals_give_the_reason() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let run = format!("/v1/instances/{key}/run");
    let invalid = alice
        .post(&run, json!({"action": "save", "data": {"client": {}}}))
        .await;
    invalid.is_problem(422, "invalid_data", "keys");
    assert!(invalid.json()["fields"].is_object(), "{invalid:?}");
    let unknown = alice.post(&run, json!({"action": "dance"})).await;
    unknown.is_problem(409, "action_not_available", "dance");
    assert_eq!(unknown.json()["reason"], "unknown_action");
    let stale = alice
        .post(
            &run,
            json!({"action": "save", "data": details(), "ifSeq": 1}),
        )
        .await;
    stale.is_problem(409, "conflict", "ifSeq");
    assert!(stale.json()["seq"].as_u64().is_some_and(|seq| seq > 1));
    alice
        .post(&run, json!({"data": {}}))
        .await
        .is_problem(400, "bad_request", "'action'");
    alice
        .post(&run, json!({"action": "save", "element": "x"}))
        .await
        .is_problem(400, "bad_request", "'element'");
    alice
        .post(&run, json!({"action": "save", "data": [1]}))
        .await
        .is_problem(400, "bad_request", "'data'");
    server.stop().await;
}

#[actix_web::test]
async fn a_repeated_command_has_its_effect_once() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let id = uuid::Uuid::now_v7().to_string();
    let run = || {
        let request = alice
            .request(Method::POST, &format!("/v1/instances/{key}/run"))
            .header("Idempotency-Key", &id);
        send(request.json(&json!({"action": "save", "data": details()})))
    };
    let first = run().await.json();
    let second = run().await.json();
    assert_eq!(
        (&second["seq"], &second["duplicate"]),
        (&first["seq"], &json!(true))
    );
    server.stop().await;
}

#[actix_web::test]
async fn an_instance_is_terminated() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    // A command without fields needs no body.
    let done = send(alice.request(Method::POST, &format!("/v1/instances/{key}/terminate"))).await;
    assert_eq!(
        (done.status.as_u16(), &done.json()["status"]),
        (200, &json!("terminated"))
    );
    alice
        .save(&key)
        .await
        .is_problem(409, "action_not_available", "");
    server.stop().await;
}

#[actix_web::test]
async fn retry_and_done_need_something_to_work_on() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    let post = async |command: &str, body| {
        alice
            .post(&format!("/v1/instances/{key}/{command}"), body)
            .await
    };
    post("retry", json!({}))
        .await
        .is_problem(400, "bad_request", "'element'");
    let retried = post("retry", json!({"element": format!("{key}-999")})).await;
    assert!(retried.status.is_client_error(), "{retried:?}");
    post("done", json!({}))
        .await
        .is_problem(400, "bad_request", "'seq'");
    let done = post("done", json!({"seq": 1})).await;
    assert!(
        done.status.is_success() || done.status.is_client_error(),
        "{done:?}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn an_operator_corrects_data_and_the_history_names_the_operator() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let olga = User::new(&server, "olga", &["operator"]);
    let key = alice.start_onboarding().await;
    let path = format!("/v1/instances/{key}/data");
    let id = uuid::Uuid::now_v7().to_string();
    let patch = |user: &User<'_>, body: Value| {
        send(
            user.request(Method::PATCH, &path)
                .header("Idempotency-Key", &id)
                .json(&body),
        )
    };
    let body = json!({"data": {"client": {"email": "ada@example.org"}, "note": null}});
    patch(&alice, body.clone())
        .await
        .is_problem(403, "forbidden", "operator");
    patch(&User::new(&server, "eve", &[]), body.clone())
        .await
        .is_problem(404, "not_found", "");
    let first = patch(&olga, body.clone()).await.json();
    assert_eq!(
        (&first["instance"], &first["status"], &first["duplicate"]),
        (&json!(key), &json!("started"), &json!(false))
    );
    let again = patch(&olga, body).await.json();
    assert_eq!(
        (&again["seq"], &again["duplicate"]),
        (&first["seq"], &json!(true))
    );
    patch(&olga, json!({"data": {"x": 1}}))
        .await
        .is_problem(422, "id_reused", "id");

    let send_new = |body: Value| send(olga.request(Method::PATCH, &path).json(&body));
    send_new(json!({"data": {"x": 1}, "ifSeq": 1}))
        .await
        .is_problem(409, "conflict", "ifSeq");
    send_new(json!({"x": 1}))
        .await
        .is_problem(400, "bad_request", "'data'");
    send_new(json!({"data": [1]}))
        .await
        .is_problem(400, "bad_request", "'data'");
    let deep = "[".repeat(70) + &"]".repeat(70);
    let deep: Value = serde_json::from_str(&deep).unwrap();
    send_new(json!({"data": {"deep": deep}}))
        .await
        .is_problem(413, "too_large", "64 levels");
    olga.post(&path, json!({}))
        .await
        .is_problem(405, "bad_request", "PATCH");
    let whole = olga.get(&format!("/v1/instances/{key}")).await.json();
    assert_eq!(
        (&whole["data"]["client"]["email"], &whole["data"]["note"]),
        (&json!("ada@example.org"), &json!(null))
    );
    assert!(
        whole["data"].as_object().unwrap().contains_key("note") && whole["data"].get("x").is_none()
    );

    let history = format!("/v1/instances/{key}/history");
    let reported = olga.get(&history).await.json()["patches"].clone();
    assert_eq!(
        (reported.as_array().map(Vec::len), &reported[0]["by"]),
        (Some(1), &json!("olga")),
        "{reported}"
    );
    assert!(reported[0]["at"].is_string() && reported[0]["seq"].is_u64());
    assert_eq!(
        reported[0]["data"],
        json!({"client": {"email": "ada@example.org"}, "note": null})
    );
    let reported = alice.get(&history).await.json()["patches"].clone();
    assert!(
        reported[0].get("data").is_none() && reported[0]["by"] == "olga",
        "{reported}"
    );

    olga.post(&format!("/v1/instances/{key}/terminate"), json!({}))
        .await;
    let ended = send_new(json!({"data": {"x": 1}})).await;
    assert_eq!(
        ended
            .is_problem(409, "action_not_available", "terminated")
            .json()["reason"],
        "ended"
    );
    server.stop().await;
}
