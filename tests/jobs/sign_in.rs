//! Signing in and out.

use super::http::{Connection, ask, request};
use crate::wire::Server;

#[tokio::test]
async fn a_wrong_password_is_answered_without_a_body() {
    let server = Server::start();
    let body = r#"{"username":"nobody","password":"wrong","stayConnected":false}"#;
    let length = format!("Content-Length: {}", body.len());
    let login = |lines: &[&str]| {
        request(
            "POST /api/v1/login",
            &[&["Content-Type: application/json", &length], lines].concat(),
            body,
        )
    };
    // A client that prefers HTTP/2 requests it with its first request.
    let offer = [
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    ];
    for lines in [&[][..], &offer] {
        let answer = ask(&server, &login(lines)).await;
        assert_eq!(
            (answer.head.status.as_str(), answer.body.as_str()),
            ("HTTP/1.1 401 Unauthorized", ""),
            "{answer:?}"
        );
    }
    ask(&server, &login(&["Origin: https://evil.example"]))
        .await
        .is_problem(403);
    ask(
        &server,
        &request("POST /api/v1/login", &["Content-Length: 9"], "username="),
    )
    .await
    .is_problem(400);
}

#[tokio::test]
async fn hello_and_logout_need_no_token() {
    let server = Server::start();
    let mut connection = Connection::open(&server).await;
    connection
        .send(&request("GET /api/v1/hello", &[], ""))
        .await;
    let hello = connection.answer().await;
    assert_eq!(
        (hello.head.status.as_str(), hello.head.get("content-type")),
        ("HTTP/1.1 200 OK", Some("application/json"))
    );
    assert!(hello.body.contains("is running"), "{hello:?}");
    connection
        .send(&request("POST /api/v1/logout", &[], ""))
        .await;
    let out = connection.answer().await;
    assert_eq!(
        (out.head.status.as_str(), out.body.as_str()),
        ("HTTP/1.1 200 OK", r#"{"logged_out":true}"#)
    );
    let cookie = out.head.get("set-cookie").unwrap();
    assert!(
        cookie.contains("Max-Age=0")
            && cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
}
