//! `/v1/tickets`, and signing in with one.

use serde_json::json;

use super::http::User;
use crate::support;

#[actix_web::test]
async fn a_ticket_is_for_one_use() {
    let server = support::server().await;
    let alice = User::new(&server, "alice", &[]);
    let answer = alice.post("/v1/tickets", json!({"for": "ws"})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["expiresInSeconds"]), (201, &json!(30)));
    assert_eq!(answer.json()["ticket"].as_str().map(str::len), Some(22));
    alice.post("/v1/tickets", json!({"for": "tea"})).await.is_problem(400, "bad_request", "'for'");
    alice.post("/v1/tickets", json!({})).await.is_problem(400, "bad_request", "missing field");
    let stranger = User::with_token(&server, None);
    stranger.post("/v1/tickets", json!({"for": "ws"})).await.is_problem(401, "unauthenticated", "token");

    let link = alice.post("/v1/tickets", json!({"for": "signin"})).await.json();
    let path = format!("/sign-in?ticket={}", link["ticket"].as_str().unwrap());
    assert_eq!(stranger.get(&path).await.status, 303);
    assert_eq!(stranger.get(&path).await.status, 401);
    server.stop().await;
}
