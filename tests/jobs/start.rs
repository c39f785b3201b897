//! `start`: the requests of the clients, and the one answer that all of them accept.

use std::time::Duration;

use super::http::{Answer, Connection, ask, bearer, request};
use crate::wire::{
    Server,
    server::{token, token_with},
};

const START: &str = "POST /api/v1/start?w=41";

#[track_caller]
fn check_started(answer: &Answer) {
    assert_eq!(answer.head.status, "HTTP/1.1 200 OK", "{answer:?}");
    assert_eq!(answer.head.get("content-type"), Some("application/json"));
    let id: String = serde_json::from_str(&answer.body).expect("a bare JSON string");
    assert!(
        answer.body == format!("\"{id}\"") && id.len() == 36 && uuid::Uuid::parse_str(&id).is_ok(),
        "{answer:?}"
    );
    assert_eq!(id, id.to_lowercase());
}

#[tokio::test]
async fn every_kind_of_empty_body_starts_and_leaves_the_connection_open() {
    let server = Server::start();
    let bearer = bearer(&token("admin"));
    let bodies: [(&[&str], &str); 8] = [
        (&[], ""),
        (&["Content-Length: 0"], ""),
        (&["Content-Type: application/json"], ""),
        (&["Content-Type: application/json", "Content-Length: 0"], ""),
        (
            &[
                "Content-Type: application/x-www-form-urlencoded",
                "Content-Length: 0",
            ],
            "",
        ),
        (&["Content-Type: application/x-www-form-urlencoded"], ""),
        (&["Transfer-Encoding: chunked"], "0\r\n\r\n"),
        (
            &["Content-Type: text/nonsense", "Content-Length: 7"],
            "{broken",
        ),
    ];
    let mut connection = Connection::open(&server).await;
    for (lines, body) in bodies {
        connection
            .send(&request(START, &[&[bearer.as_str()], lines].concat(), body))
            .await;
        check_started(&connection.answer().await);
    }
}

#[tokio::test]
async fn a_client_that_expects_100_continue_gets_it() {
    let server = Server::start();
    let mut connection = Connection::open(&server).await;
    let lines = [
        &bearer(&token("admin")),
        "Content-Type: application/x-www-form-urlencoded",
        "Transfer-Encoding: chunked",
    ];
    connection
        .send(&request(
            START,
            &[&lines[..], &["Expect: 100-continue"]].concat(),
            "",
        ))
        .await;
    assert_eq!(connection.head().await.status, "HTTP/1.1 100 Continue");
    connection.send("0\r\n\r\n").await;
    check_started(&connection.answer().await);
}

#[tokio::test]
async fn an_upgrade_to_another_protocol_is_ignored_and_the_connection_closed() {
    let server = Server::start();
    let mut connection = Connection::open(&server).await;
    let offer = [
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    ];
    let bearer = bearer(&token("admin"));
    let lines = [&[bearer.as_str(), "Content-Length: 0"], &offer[..]].concat();
    connection.send(&request(START, &lines, "")).await;
    let answer = connection.answer().await;
    check_started(&answer);
    assert_eq!(
        (answer.head.get("connection"), answer.head.get("upgrade")),
        (Some("close"), None)
    );
    assert_eq!(connection.rest().await, "");
}

#[tokio::test]
async fn an_invalid_start_is_refused_in_json() {
    let server = Server::start();
    let check = async |query: &str, status: u16| {
        let answer = ask(
            &server,
            &request(
                &format!("POST /api/v1/start{query}"),
                &[&bearer(&token("admin"))],
                "",
            ),
        )
        .await;
        answer.is_problem(status);
    };
    check("", 400).await;
    check("?w=", 400).await;
    check("?w=wait", 400).await;
    check("?w=41.0", 400).await;
    check("?i=41", 400).await;
    check("?w=4711", 404).await;
    check("?w=-41", 404).await;
    ask(
        &server,
        &request("GET /api/v1/start?w=41", &[&bearer(&token("admin"))], ""),
    )
    .await
    .is_problem(405);
}

#[tokio::test]
async fn a_request_without_sign_in_is_unauthorized() {
    let server = Server::start();
    let expired = bearer(&token_with("admin", &["admin"], "default", Duration::ZERO));
    for lines in [
        &[][..],
        &["Authorization: Bearer a.b.c"],
        &["Authorization: Basic YTpi"],
        &[expired.as_str()],
    ] {
        ask(&server, &request(START, lines, ""))
            .await
            .is_unauthorized();
        ask(
            &server,
            &request(
                "GET /api/v1/sse/41/66aae8f4-e3ab-4fdc-8db2-a0a7692d8906",
                lines,
                "",
            ),
        )
        .await
        .is_unauthorized();
    }
    // Unknown workflows give the same response as known ones.
    ask(&server, &request("POST /api/v1/start?w=4711", &[], ""))
        .await
        .is_unauthorized();
}

#[tokio::test]
async fn an_idempotency_key_starts_once() {
    let server = Server::start();
    let id = format!("Idempotency-Key: {}", uuid::Uuid::now_v7());
    let start = request(START, &[&bearer(&token("admin")), &id], "");
    assert_eq!(
        ask(&server, &start).await.body,
        ask(&server, &start).await.body
    );
}
