//! `/v1/tickets`, and signing in by one.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use super::http::User;
use crate::support;

#[actix_web::test]
async fn a_ticket_is_for_one_use() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let answer = alice.post("/v1/tickets", json!({"for": "ws"})).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["expiresInSeconds"]),
        (201, &json!(30))
    );
    assert_eq!(answer.json()["ticket"].as_str().map(str::len), Some(22));
    alice
        .post("/v1/tickets", json!({"for": "tea"}))
        .await
        .is_problem(400, "bad_request", "'for'");
    alice
        .post("/v1/tickets", json!({}))
        .await
        .is_problem(400, "bad_request", "'for' is missing");
    let stranger = User::with_token(&server, None);
    stranger
        .post("/v1/tickets", json!({"for": "ws"}))
        .await
        .is_problem(401, "unauthenticated", "token");

    let link = alice
        .post("/v1/tickets", json!({"for": "signin"}))
        .await
        .json();
    let path = format!("/sign-in?ticket={}", link["ticket"].as_str().unwrap());
    assert_eq!(stranger.get(&path).await.status, 303);
    assert_eq!(stranger.get(&path).await.status, 401);
    server.stop().await;
}

#[actix_web::test]
async fn a_mistyped_ticket_differs_from_a_missing_one() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    for (query, word) in [
        ("tikcet=x", "tikcet"),
        ("token=x", "token"),
        ("ticket=x&ticket=y", "ticket"),
    ] {
        stranger
            .get(&format!("/v1/ws?{query}"))
            .await
            .is_problem(400, "bad_request", word);
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_ticket_has_the_rights_of_its_token() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let started = stranger
        .post("/v1/instances", json!({"process": "onboarding"}))
        .await
        .json();
    let of_tree = User::with_token(&server, Some(started["token"].as_str().unwrap().to_owned()));
    of_tree
        .post("/v1/tickets", json!({"for": "signin"}))
        .await
        .is_problem(403, "forbidden", "one instance");
    assert_eq!(
        of_tree
            .post("/v1/tickets", json!({"for": "ws"}))
            .await
            .status,
        201
    );

    // A sign-in ends with the token that was shown for it, so that no token makes itself last.
    let alice = User::with_token(
        &server,
        Some(support::token_for("alice", &[], Duration::from_secs(600))),
    );
    let link = alice
        .post("/v1/tickets", json!({"for": "signin"}))
        .await
        .json();
    let answer = stranger
        .get(&format!(
            "/sign-in?ticket={}",
            link["ticket"].as_str().unwrap()
        ))
        .await;
    let cookie = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let claims = BASE64_URL_SAFE_NO_PAD
        .decode(cookie.split('.').nth(1).unwrap())
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    let lasts = claims["exp"].as_f64().unwrap() - claims["iat"].as_f64().unwrap();
    assert!(lasts <= 600.0, "{claims}");
    server.stop().await;
}
