//! The number of jobs in each state.

use serde_json::{Value, json};

use super::http::{Connection, ask, bearer, get, post, request, start};
use crate::wire::{
    Client, Server,
    client::id,
    server::{admin, token},
};

fn counts(running: u64, done: u64) -> Value {
    json!({
        "PendingCount": 0, "RunningCount": running, "DoneCount": done, "FailedCount": 0, "WarningCount": 0, "DisabledCount": 0,
        "RejectedCount": 0, "StoppedCount": 0
    })
}

/// The next event of the stream; comments are passed over.
async fn event(connection: &mut Connection) -> Value {
    loop {
        let chunk = connection.chunk().await.expect("an event before the end");
        if chunk != ": keep-alive\n\n" {
            let data = chunk
                .strip_prefix("event: statusCount\ndata: ")
                .and_then(|rest| rest.strip_suffix("\n\n"));
            return serde_json::from_str(data.expect("one event in one chunk")).unwrap();
        }
    }
}

#[tokio::test]
async fn counts_are_sent_at_once_and_on_every_change() {
    let mut server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let mut connection = Connection::open(&server).await;
    connection
        .send(&request(
            "GET /api/v1/sse/status-count",
            &[&bearer(&token("alice"))],
            "",
        ))
        .await;
    let head = connection.head().await;
    assert_eq!(
        (head.status.as_str(), head.get("content-type")),
        ("HTTP/1.1 200 OK", Some("text/event-stream"))
    );
    assert_eq!(event(&mut connection).await, counts(0, 0));
    start(&server, &token("alice")).await;
    assert_eq!(event(&mut connection).await, counts(1, 0));
    // Instances that are no jobs, and jobs of other users, are not counted.
    root.start("onboarding", json!({})).await;
    start(&server, &token("bob")).await;
    root.done(json!({"type": "clock", "id": id(), "advance": "PT10S"}))
        .await;
    assert_eq!(event(&mut connection).await, counts(0, 1));
    assert_eq!(
        get(&server, &token("alice"), "/api/v1/status-count").await,
        counts(0, 1)
    );
    assert_eq!(
        get(&server, &admin(), "/api/v1/status-count").await,
        counts(0, 2)
    );
    server.terminate();
    assert_eq!(connection.chunks().await, Vec::<String>::new());
    assert!(server.wait());
}

#[tokio::test]
async fn a_workflow_that_is_disabled_is_counted_at_once() {
    let server = Server::start();
    let mut connection = Connection::open(&server).await;
    connection
        .send(&request(
            "GET /api/v1/sse/status-count",
            &[&bearer(&token("alice"))],
            "",
        ))
        .await;
    connection.head().await;
    assert_eq!(event(&mut connection).await["DisabledCount"], 0);
    for (command, count) in [("disable", 1), ("enable", 0)] {
        let answer = post(
            &server,
            &admin(),
            &format!("/v1/definitions/Workflow_Wait/{command}"),
        )
        .await;
        assert_eq!(answer.head.status, "HTTP/1.1 200 OK", "{answer:?}");
        assert_eq!(event(&mut connection).await["DisabledCount"], count);
    }
}

#[tokio::test]
async fn counts_are_not_for_strangers() {
    let server = Server::start();
    ask(&server, &request("GET /api/v1/sse/status-count", &[], ""))
        .await
        .is_unauthorized();
}
