//! Why the server closes connections: floods, slow consumers, its own shutdown.

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::{check_error, id},
    onboarding::at_review,
    server::token,
};

#[tokio::test]
async fn the_end_of_the_server_is_announced() {
    let mut server = Server::with(&["--rate-per-second", "0"]);
    let mut clients = Vec::new();
    for number in 0..20 {
        clients.push(Client::hello(&server, &token(&format!("user{number}"))).await);
    }
    let start = json!({"type": "start", "id": id(), "process": "onboarding"});
    let first = clients[0].done(start.clone()).await;
    let silent = Client::open(&server).await;
    server.terminate();
    for client in &mut clients {
        assert_eq!(client.closed().await, 1012);
        let bye = client.frames.last().unwrap();
        assert_eq!(
            (&bye["type"], &bye["reason"]),
            (&json!("bye"), &json!("restart"))
        );
        assert!(bye["reconnectAfterMs"].is_u64());
    }
    drop(silent);
    assert!(server.wait(), "it ends well");
    server.crash_and_restart();
    let mut client = Client::hello(&server, &token("user0")).await;
    assert_eq!(client.done(start).await["result"], first["result"]);
}

#[tokio::test]
async fn commands_over_the_rate_are_refused_with_a_retry_time() {
    let server = Server::with(&[
        "--store",
        "memory",
        "--rate-per-second",
        "5",
        "--rate-burst",
        "5",
    ]);
    let mut client = Client::hello(&server, &token("alice")).await;
    for number in 0..6 {
        client
            .send(json!({"type": "unsubscribe", "id": format!("u{number}"), "channel": "tasks"}))
            .await;
    }
    let answers: Vec<Value> = [client.answer("u0").await, client.answer("u5").await].into();
    assert_eq!(answers[0]["type"], "reply");
    check_error(&answers[1], "rate_limited");
    let after = answers[1]["afterMs"].as_u64().unwrap();
    assert!((1..=1_000).contains(&after));
}

#[tokio::test]
async fn a_flood_is_closed() {
    if !slow_tests() {
        return;
    }
    let server = Server::with(&["--store", "memory"]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let started = std::time::Instant::now();
    let code = client.flood_until_closed(json!({"type": "pong"})).await;
    assert_eq!(code, Some(4429));
    assert!(
        started.elapsed().as_secs() >= 9,
        "a short burst is no flood"
    );
    Client::assert_healthy(&server).await;
}

#[tokio::test]
async fn a_flood_with_unread_replies_uses_little_memory() {
    let server = Server::with(&["--store", "memory"]);
    Client::assert_healthy(&server).await;
    let before = server.memory();
    let mut raw = super::raw::Raw::connect(&server).await;
    let hello = json!({"type": "hello", "token": token("alice")}).to_string();
    raw.send(&super::raw::frame(0x81, hello.as_bytes())).await;
    let flood = super::raw::frame(0x81, b"{\"type\":\"x\",\"id\":\"1\"}").repeat(10_000);
    let mut maximum = 0;
    for _ in 0..60 {
        raw.try_send(&flood).await;
        maximum = maximum.max(server.memory().saturating_sub(before));
    }
    assert!(maximum < 32 * 1024, "grown by {maximum} KiB");
    Client::assert_healthy(&server).await;
}

#[tokio::test]
async fn a_connection_that_does_not_read_is_closed() {
    if !slow_tests() {
        return;
    }
    let server = Server::with_clock();
    let mut slow = Client::hello(&server, &token("alice")).await;
    let mut quick = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut quick).await;
    slow.subscribe(&instance).await;
    let text = "x".repeat(20_000);
    for _ in 0..600 {
        quick
            .run(&instance, "simulate", json!({"loan": {"amount": text}}))
            .await;
    }
    quick
        .expect_nothing_for(std::time::Duration::from_secs(20))
        .await;
    assert_eq!(slow.closed_or_dropped().await.unwrap_or(4001), 4001);
    quick
        .run(&instance, "simulate", json!({"loan": {"amount": 1}}))
        .await;
}

/// Suites that take many seconds run only with `STEPWIRE_TEST=all`.
pub fn slow_tests() -> bool {
    let all = std::env::var("STEPWIRE_TEST").is_ok_and(|value| value == "all");
    if !all {
        eprintln!("skipped: set STEPWIRE_TEST=all to run this slow test");
    }
    all
}
