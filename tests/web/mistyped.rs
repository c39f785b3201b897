//! A mistyped name in a body or a query is reported together with the right one; otherwise its
//! value would be lost silently.

use serde_json::{Value, json};

use super::http::{Answer, User};
use crate::support::server;

#[track_caller]
fn names(answer: &Answer, part: &str) {
    answer.is_problem(400, "bad_request", part);
}

#[actix_web::test]
async fn unknown_members_of_requests_are_named() {
    let server = server().await;
    let dora = User::new(&server, "dora", &["admin"]);
    let key = dora.start_onboarding().await;
    let at = |rest: &str| format!("/v1/instances/{key}/{rest}");
    let check =
        async |path: &str, body: Value, part: &str| names(&dora.post(path, body).await, part);
    check(
        "/v1/instances",
        json!({"process": "onboarding", "dta": {}}),
        "'dta': write 'data'",
    )
    .await;
    check(
        "/v1/instances",
        json!({"proces": "onboarding"}),
        "'proces': write 'process'",
    )
    .await;
    check(
        "/v1/instances",
        json!({"process": "onboarding", "variables": {}}),
        "'variables': leave it out",
    )
    .await;
    check(
        &at("run"),
        json!({"action": "save", "ifseq": 1}),
        "'ifseq': write 'ifSeq'",
    )
    .await;
    check(
        &at("hold"),
        json!({"reason": "lunch"}),
        "expected no fields, but there is 'reason'",
    )
    .await;
    check(
        &at("claim"),
        json!({"element": format!("{key}-3"), "user": "bob"}),
        "'user': leave it out",
    )
    .await;
    check(
        "/v1/tickets",
        json!({"for": "ws", "ttl": 9}),
        "'ttl' is none of its names",
    )
    .await;
    check(
        "/v1/tickets",
        json!({"fro": "ws"}),
        "'fro' is none of its names: write 'for'",
    )
    .await;
    check(
        "/v1/users",
        json!({"name": "eve", "pasword": "secret of eve"}),
        "'pasword' is none of its names: write 'password'",
    )
    .await;
    check(
        "/v1/login",
        json!({"user": "ada", "password": "x"}),
        "'user' is none of its names: leave it out",
    )
    .await;
    check(
        "/v1/login",
        json!({"username": "ada"}),
        "'password' is missing",
    )
    .await;
    let wrong = dora
        .post(
            "/v1/login",
            json!({"username": "ada", "password": ["secret of ada"]}),
        )
        .await;
    names(&wrong, "line 1 column");
    assert!(!wrong.text.contains("secret"), "{wrong:?}");
    names(
        &dora.get("/v1/instances?lmit=5").await,
        "'lmit' is none of its names: write 'limit'",
    );
    names(&dora.get("/v1/tasks?asignee=bob").await, "write 'assignee'");
    let started = dora.get("/v1/instances?process=onboarding").await.json();
    assert_eq!(
        started["instances"].as_array().map(Vec::len),
        Some(1),
        "what was refused started nothing"
    );
    server.stop().await;
}
