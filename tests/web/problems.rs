//! Errors outside of any resource: each is a problem in JSON.

use reqwest::Method;
use serde_json::json;

use super::http::{User, send};
use crate::support;

#[actix_web::test]
async fn unknown_addresses_and_methods_are_problems() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    for path in ["/nowhere", "/v1/nowhere", "/v1/instances/x/y/z"] {
        alice
            .get(path)
            .await
            .is_problem(404, "not_found", "address");
    }
    let answer = send(alice.request(Method::DELETE, "/v1/instances")).await;
    assert_eq!(
        answer
            .is_problem(405, "bad_request", "GET, HEAD, POST")
            .header("allow"),
        "GET, HEAD, POST"
    );
    send(alice.request(Method::PUT, "/healthz"))
        .await
        .is_problem(405, "bad_request", "GET, HEAD");
    alice
        .get("/v1/tickets")
        .await
        .is_problem(405, "bad_request", "POST");
    alice
        .get("/sign-in?ticket=a&ticket=b")
        .await
        .is_problem(400, "bad_request", "'?'");
    alice
        .get("/v1/instances/%FF/history")
        .await
        .is_problem(404, "not_found", "");
    assert_eq!(send(alice.request(Method::HEAD, "/")).await.status, 200);
    server.stop().await;
}

/// Ids of any length and in any signs name nothing, and every list answers HEAD.
#[actix_web::test]
async fn malformed_ids_and_methods_are_refused() {
    let server = support::server().await;
    let root = User::new(&server, "root", &["admin"]);
    let key = root.start_onboarding().await;
    let long = "x".repeat(8_000);
    for id in [
        &*long,
        "%00",
        "%FF%FE",
        "..%2F..%2Fetc",
        "%25",
        "a%20b",
        "'%3B--",
        &key.to_uppercase().replace('-', "%2D%2D"),
    ] {
        for path in [
            format!("/v1/instances/{id}"),
            format!("/v1/instances/{id}/children"),
            format!("/v1/definitions/{id}"),
            format!("/v1/definitions/{id}/1"),
            format!("/v1/definitions/onboarding/{id}"),
            format!("/v1/definitions/{id}/1/types.d.ts"),
            format!("/v1/instances/{key}/files/{id}"),
        ] {
            root.get(&path).await.is_problem(404, "not_found", "");
        }
        send(root.request(Method::DELETE, &format!("/v1/definitions/{id}/1")))
            .await
            .is_problem(404, "not_found", "");
        send(root.request(Method::POST, &format!("/v1/users/{id}/revoke")))
            .await
            .is_problem(404, "not_found", "");
    }
    for path in [
        "/v1/definitions",
        "/v1/instances",
        "/v1/tasks",
        "/v1/incidents",
        "/v1/timers",
        "/v1/users",
        "/v1/definitions/onboarding/1/types.d.ts",
        &format!("/v1/instances/{key}/history"),
    ] {
        let head = send(root.request(Method::HEAD, path)).await;
        assert_eq!(
            (head.status.as_u16(), head.text.as_str()),
            (200, ""),
            "{path}"
        );
        let other = send(root.request(Method::PATCH, path)).await;
        other.is_problem(405, "bad_request", "GET, HEAD");
        assert!(other.header("allow").starts_with("GET, HEAD"), "{path}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn unreadable_bodies_are_refused() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let post = |body: String| {
        alice
            .request(Method::POST, "/v1/instances")
            .header("content-type", "application/json")
            .body(body)
    };
    send(post("{\n \"process\": }".into())).await.is_problem(
        400,
        "bad_request",
        "line 2 column 13",
    );
    send(post("[]".into()))
        .await
        .is_problem(400, "bad_request", "JSON object");
    send(post("{}".into()))
        .await
        .is_problem(400, "bad_request", "'process'");
    send(post(format!(
        "{{\"data\":{}1{}}}",
        "[".repeat(70),
        "]".repeat(70)
    )))
    .await
    .is_problem(413, "too_large", "64 levels");
    send(post(format!(
        "{{\"process\":\"{}\"}}",
        "x".repeat(1024 * 1024)
    )))
    .await
    .is_problem(413, "too_large", "1048576");
    let form = alice
        .request(Method::POST, "/v1/instances")
        .header("content-type", "text/plain")
        .body("{}");
    send(form)
        .await
        .is_problem(415, "bad_request", "application/json");
    alice
        .post("/v1/instances", json!({"process": "nowhere"}))
        .await
        .is_problem(404, "not_found", "nowhere");
    server.stop().await;
}

#[actix_web::test]
async fn health_checks_answer() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    for path in ["/healthz", "/readyz"] {
        let answer = stranger.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (200, "ok\n")
        );
    }
    server.stop().await;
}
