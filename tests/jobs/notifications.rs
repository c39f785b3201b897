//! Notifications: this server stores none, and its answers say so.

use super::http::{Answer, ask, bearer, request};
use crate::wire::{Server, server::token};

async fn send(server: &Server, method: &str, path: &str, body: &str) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    let lines = [bearer(&token("alice")), length];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    ask(
        server,
        &request(&format!("{method} /api/v1/{path}"), &lines, body),
    )
    .await
}

#[tokio::test]
async fn notifications_are_always_empty() {
    let server = Server::start();
    for (method, path, body, expected) in [
        ("GET", "has-notifications?a=bob", "", "false"),
        ("GET", "search-notifications?a=bob&s=", "", "[]"),
        ("GET", "search-notifications?a=bob", "", "[]"),
        (
            "POST",
            "mark-notifications-as-read",
            r#"["1","2"]"#,
            "false",
        ),
        ("POST", "mark-notifications-as-unread", r#"["1"]"#, "false"),
        ("POST", "delete-notifications", "[]", "true"),
        ("POST", "notify?a=bob&m=hello", "", "false"),
        ("POST", "notify-approvers?r=7&m=hello", "", "false"),
    ] {
        let answer = send(&server, method, path, body).await;
        assert_eq!(
            (answer.head.status.as_str(), answer.body.as_str()),
            ("HTTP/1.1 200 OK", expected),
            "{path}"
        );
    }
    for (method, path, body) in [
        ("GET", "has-notifications", ""),
        ("GET", "search-notifications?s=x", ""),
        ("POST", "mark-notifications-as-read", "{}"),
        ("POST", "delete-notifications", ""),
        ("POST", "notify?a=bob", ""),
        ("POST", "notify-approvers?m=hello", ""),
    ] {
        send(&server, method, path, body).await.is_problem(400);
    }
    ask(
        &server,
        &request("GET /api/v1/has-notifications?a=bob", &[], ""),
    )
    .await
    .is_unauthorized();
    ask(
        &server,
        &request("POST /api/v1/notify?a=bob&m=x", &["Content-Length: 0"], ""),
    )
    .await
    .is_unauthorized();
}
