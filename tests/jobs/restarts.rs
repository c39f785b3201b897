//! Clients that wait while the server stops or crashes: the same address answers afterwards.

use serde_json::json;

use super::{
    clients,
    http::{follow, start},
};
use crate::wire::{
    Client, Server,
    client::id,
    server::{admin, token},
};

const DURABLE: [&str; 3] = ["--test-clock", "--rate-per-second", "0"];

async fn an_hour_passes(server: &Server) {
    let mut root = Client::hello(server, &admin()).await;
    root.done(json!({"type": "clock", "id": id(), "advance": "PT1H"}))
        .await;
    root.done(json!({"type": "idle", "id": id()})).await;
}

#[tokio::test]
async fn a_job_that_ends_after_a_crash_is_reported_to_reconnecting_clients() {
    let mut server = Server::with(&DURABLE);
    let job = start(&server, &token("alice")).await;
    let mut connection = follow(&server, &token("alice"), &job).await;
    server.crash_and_restart();
    assert_eq!(connection.rest().await, "");
    let mut early = follow(&server, &token("alice"), &job).await;
    an_hour_passes(&server).await;
    assert_eq!(clients::read(&early.chunks().await)["status"], "Done");
    let mut late = follow(&server, &token("alice"), &job).await;
    assert_eq!(clients::read(&late.chunks().await)["status"], "Done");
}

#[tokio::test]
async fn a_job_that_ended_before_a_crash_is_reported_after_it() {
    let mut server = Server::with(&DURABLE);
    let job = start(&server, &token("alice")).await;
    an_hour_passes(&server).await;
    server.crash_and_restart();
    let chunks = follow(&server, &token("alice"), &job).await.chunks().await;
    assert_eq!(clients::read(&chunks)["status"], "Done");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams_in_order_and_does_not_wait_for_them() {
    let mut server = Server::with(&DURABLE);
    let job = start(&server, &token("alice")).await;
    let mut connections = Vec::new();
    for _ in 0..20 {
        connections.push(follow(&server, &token("alice"), &job).await);
    }
    server.terminate();
    for connection in &mut connections {
        // The answer has its proper end, so that no client takes it for broken.
        assert_eq!(connection.chunks().await, Vec::<String>::new());
    }
    assert!(server.wait());
}
