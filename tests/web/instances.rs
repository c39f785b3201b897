//! `/v1/instances`: starting, listing, reading, children.

use reqwest::Method;
use serde_json::json;

use super::http::{User, send};
use crate::support;

#[actix_web::test]
async fn a_start_answers_with_the_first_step() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let started = alice
        .post(
            "/v1/instances",
            json!({"process": "onboarding", "businessKey": "A-1"}),
        )
        .await;
    let body = started.json();
    let key = body["instance"].as_str().unwrap();
    assert_eq!(
        (started.status.as_u16(), started.header("location")),
        (201, format!("/v1/instances/{key}").as_str())
    );
    assert_eq!(
        (
            &body["status"],
            &body["duplicate"],
            &body["nodes"][0]["node"]
        ),
        (&json!("started"), &json!(false), &json!("details"))
    );
    assert!(
        body["seq"].is_u64() && body.get("token").is_none(),
        "{body}"
    );

    let observed = alice.get(&format!("/v1/instances/{key}")).await.json();
    assert_eq!(
        (&observed["seq"], &observed["actions"], &observed["nodes"]),
        (&body["seq"], &body["actions"], &body["nodes"])
    );
    assert_eq!(
        (
            &observed["process"],
            &observed["businessKey"],
            &observed["startedBy"]
        ),
        (&json!("onboarding"), &json!("A-1"), &json!("alice"))
    );
    assert_eq!(
        (&observed["parent"], &observed["root"], &observed["endedAt"]),
        (&json!(null), &json!(key), &json!(null))
    );
    assert_eq!(observed["view"]["form"], "details");
    assert!(
        observed.get("data").is_none()
            && observed["open"].is_array()
            && observed["children"].is_array(),
        "{observed}"
    );
    let operator = User::new(&server, "olga", &["operator"]);
    assert!(operator.get(&format!("/v1/instances/{key}")).await.json()["data"].is_object());
    server.stop().await;
}

#[actix_web::test]
async fn an_open_message_of_the_last_step_outlives_its_instance() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let ask = json!({"name": "next", "type": "websocketSend", "params": {"messageType": "action", "message": r#"{"processName": "cardOrder"}"#}});
    let (start, end) = (
        json!({"id": "s", "type": "startEvent"}),
        json!({"id": "e", "type": "endEvent", "actions": [ask]}),
    );
    let process = json!({"id": "brief", "nodes": [start, end], "flows": [{"id": "f", "source": "s", "target": "e"}]});
    let deployed = User::new(&server, "dora", &["designer"])
        .post("/v1/definitions?publish=true", process)
        .await;
    assert_eq!(deployed.status, 201, "{deployed:?}");
    let started = alice
        .post("/v1/instances", json!({"process": "brief"}))
        .await
        .json();
    let key = started["instance"].as_str().unwrap();

    let observed = alice.get(&format!("/v1/instances/{key}")).await.json();
    assert_eq!(observed["status"], "finished");
    let offer = &observed["open"][0];
    assert_eq!(offer["body"]["processName"], "cardOrder", "{observed}");
    assert!(
        offer["until"].as_str().unwrap() > observed["endedAt"].as_str().unwrap(),
        "{observed}"
    );
    let inherit = json!({"inheritFrom": {"instance": key, "seq": offer["seq"]}});
    let card = alice.post("/v1/instances", inherit).await;
    assert_eq!(
        (card.status.as_u16(), &card.json()["nodes"][0]["node"]),
        (201, &json!("design"))
    );
    server.stop().await;
}

#[actix_web::test]
async fn an_idempotency_key_starts_once() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let start = |id: &str, process: &str| {
        let request = alice
            .request(Method::POST, "/v1/instances")
            .header("Idempotency-Key", id);
        send(request.json(&json!({"process": process})))
    };
    let id = uuid::Uuid::now_v7().to_string();
    let first = start(&id, "onboarding").await.json();
    let second = start(&format!("\"{id}\""), "onboarding").await;
    assert_eq!(
        (second.status.as_u16(), &second.json()["instance"]),
        (201, &first["instance"])
    );
    assert_eq!(
        (&second.json()["duplicate"], &second.json()["seq"]),
        (&json!(true), &first["seq"])
    );
    start("not-a-uuid", "onboarding")
        .await
        .is_problem(400, "bad_request", "UUID");
    start(&id, "cardOrder")
        .await
        .is_problem(422, "id_reused", "");
    server.stop().await;
}

#[actix_web::test]
async fn a_stranger_gets_a_token_for_what_it_starts() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let body = stranger
        .post(
            "/v1/instances",
            json!({"process": "onboarding", "nonce": "secret"}),
        )
        .await
        .json();
    let (key, token) = (
        body["instance"].as_str().unwrap(),
        body["token"].as_str().unwrap(),
    );
    let bearer = User::with_token(&server, Some(token.to_owned()));
    assert_eq!(bearer.save(key).await.status, 200);
    bearer
        .get("/v1/instances")
        .await
        .is_problem(403, "forbidden", "one instance");
    bearer
        .get("/v1/definitions")
        .await
        .is_problem(403, "forbidden", "one instance");
    stranger
        .get(&format!("/v1/instances/{key}"))
        .await
        .is_problem(401, "unauthenticated", "token");
    let other = User::new(&server, "bob", &[]).start_onboarding().await;
    bearer
        .get(&format!("/v1/instances/{other}"))
        .await
        .is_problem(404, "not_found", "instance");
    let closed = stranger
        .post("/v1/instances", json!({"process": "orderApproval"}))
        .await;
    assert!(closed.status == 401 || closed.status == 404, "{closed:?}");
    server.stop().await;
}

#[actix_web::test]
async fn lists_show_visible_instances_only() {
    let server = support::server().await;
    let (alice, bob) = (
        User::new(&server, "alice", &[]),
        User::new(&server, "bob", &[]),
    );
    let operator = User::new(&server, "olga", &["operator"]);
    let first = alice.start_onboarding().await;
    let second = alice.start_onboarding().await;
    let other = bob.start_onboarding().await;
    let keys = async |user: &User<'_>, query: &str| {
        let body = user.get(&format!("/v1/instances{query}")).await.json();
        let found = body["instances"].as_array().cloned().unwrap_or_default();
        let keys: Vec<String> = found
            .iter()
            .map(|one| one["instance"].as_str().unwrap().to_owned())
            .collect();
        (keys, body["next"].as_str().map(str::to_owned))
    };
    assert_eq!(keys(&alice, "").await.0, [second.clone(), first.clone()]);
    assert_eq!(keys(&bob, "").await.0, [other]);
    assert_eq!(keys(&operator, "?process=onboarding").await.0.len(), 3);
    assert_eq!(keys(&operator, "?process=nowhere").await.0.len(), 0);
    let (part, next) = keys(&alice, "?limit=1").await;
    assert_eq!(part, [second]);
    let (part, next) = keys(&alice, &format!("?limit=1&cursor={}", next.unwrap())).await;
    assert_eq!((part, next), (vec![first.clone()], None));

    alice.save(&first).await;
    assert_eq!(keys(&alice, "?node=details").await.0.len(), 1);
    alice
        .post(&format!("/v1/instances/{first}/terminate"), json!({}))
        .await;
    assert_eq!(keys(&alice, "?status=terminated").await.0, [first]);
    alice
        .get("/v1/instances?cursor=x")
        .await
        .is_problem(400, "bad_request", "cursor");
    alice
        .get("/v1/instances?colour=red")
        .await
        .is_problem(400, "bad_request", "colour");
    server.stop().await;
}

#[actix_web::test]
async fn only_owners_participants_and_operators_see_an_instance() {
    let server = support::server().await;
    let key = User::new(&server, "alice", &[]).start_onboarding().await;
    let bob = User::new(&server, "bob", &[]);
    for path in ["", "/history", "/messages", "/children"] {
        bob.get(&format!("/v1/instances/{key}{path}"))
            .await
            .is_problem(404, "not_found", "you may see");
        bob.get(&format!("/v1/instances/no-key{path}"))
            .await
            .is_problem(404, "not_found", "you may see");
    }
    server.stop().await;
}

#[actix_web::test]
async fn children_are_listed_with_their_parent() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let key = alice.start_onboarding().await;
    alice.save(&key).await;
    let children = alice
        .get(&format!("/v1/instances/{key}/children"))
        .await
        .json();
    assert_eq!(
        children["children"][0]["process"], "creditCheck",
        "{children}"
    );
    let child = children["children"][0]["instance"].as_str().unwrap();
    assert_eq!(
        alice.get(&format!("/v1/instances/{child}")).await.json()["parent"],
        json!(key)
    );
    server.stop().await;
}
