//! Very many connections at once: all are closed when the server stops, spread over some seconds,
//! and all reconnect at the same moment without a gap and without being refused.
//!
//! Two hundred connections by default, five thousand with `STEPWIRE_TEST=all`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{sync::Barrier, task::JoinSet};

use super::{
    kill::start_ledgers,
    power_cut::add_entries,
    rounds,
    server::Installation,
    socket::{Socket, SocketEvent},
};

/// The maximum duration of the server's stop.
const DRAIN: Duration = Duration::from_secs(10);
/// The number of entries that every client has missed.
const MISSED: usize = 5;

/// Follows a ledger until the server stops; returns its cursor, and when to reconnect.
async fn follow(port: u16, name: String, ledger: String, ready: Arc<Barrier>) -> (u64, u64) {
    let mut socket = Socket::connect(port, &name, json!([])).await;
    let channel = format!("instance/{ledger}");
    let subscribe = json!({"type": "subscribe", "id": "1", "channel": channel});
    socket.send(&subscribe).await.expect("the server runs");
    let snapshot = socket.wait_for(|frame| frame["type"] == "snapshot").await;
    ready.wait().await;
    let mut back = None;
    loop {
        match socket.receive().await {
            SocketEvent::Frame(frame) if frame["type"] == "bye" => {
                back = frame["reconnectAfterMs"].as_u64();
            }
            SocketEvent::Frame(_) => {}
            SocketEvent::End(code) => {
                assert_eq!(code, Some(1012), "{name}");
                let seq = snapshot["seq"].as_u64().expect("a number");
                return (seq, back.expect("a bye, with a time"));
            }
        }
    }
}

/// Reconnects with its cursor; returns the time until it was live again.
async fn reconnect(
    port: u16,
    name: String,
    ledger: String,
    after: u64,
    ready: Arc<Barrier>,
) -> Duration {
    ready.wait().await;
    let began = Instant::now();
    let resume = json!([{"instance": ledger, "after": after}]);
    let mut socket = Socket::connect(port, &name, resume).await;
    let (mut cursor, mut entries) = (after, 0);
    loop {
        let frame = match socket.receive().await {
            SocketEvent::Frame(frame) => frame,
            SocketEvent::End(code) => panic!("{name} was cut with {code:?}"),
        };
        match frame["type"].as_str() {
            Some("live") => break,
            Some("data" | "progress") => {
                assert_eq!(frame["prev"], cursor, "{name}: a gap or a repeat: {frame}");
                cursor = frame["seq"].as_u64().expect("a number");
                entries += usize::from(frame["type"] == "data");
            }
            Some("ping") => {}
            _ => panic!("{name} expected what it has missed, but got {frame}"),
        }
    }
    assert_eq!(entries, MISSED, "{name}");
    began.elapsed()
}

#[tokio::test]
async fn all_clients_reconnect_at_once_without_a_gap() {
    let count = if rounds(1) == 1 { 200 } else { 5_000 };
    let mut installation = Installation::new();
    let off = "--max-connections-per-address=0 --max-connections-per-user=0 --address-requests=0 \
        --address-bytes=0 --anonymous-requests=0 --anonymous-bytes=0";
    installation.set_arguments(off.split_whitespace());
    let server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    let ledger = ledgers[0].clone();
    let (port, ready) = (installation.port, Arc::new(Barrier::new(count + 1)));
    let mut followers = JoinSet::new();
    for number in 0..count {
        let follow = follow(
            port,
            format!("follower{number}"),
            ledger.clone(),
            ready.clone(),
        );
        followers.spawn(follow);
    }
    ready.wait().await;

    let asked = Instant::now();
    let stopping = tokio::task::spawn_blocking(move || server.terminate());
    let mut away: Vec<(u64, u64)> = Vec::new();
    while let Some(gone) = followers.join_next().await {
        away.push(gone.expect("nobody is told wrongly"));
    }
    let status = stopping.await.expect("waiting does not fail");
    let drained = asked.elapsed();
    assert!(
        status.success() && drained < DRAIN,
        "{status:?} after {drained:?}"
    );
    let times = away.iter().map(|(_, back)| *back);
    let (first, last) = (times.clone().min(), times.max());
    let spread = last.zip(first).map(|(last, first)| last - first);
    assert!(
        spread.is_some_and(|spread| spread > 1_000),
        "spread over {spread:?} ms"
    );

    let _server = installation.start();
    add_entries(port, std::slice::from_ref(&ledger), MISSED).await;
    let ready = Arc::new(Barrier::new(count));
    let mut back = JoinSet::new();
    for (number, (after, _)) in away.into_iter().enumerate() {
        let ready = ready.clone();
        back.spawn(reconnect(
            port,
            format!("back{number}"),
            ledger.clone(),
            after,
            ready,
        ));
    }
    let mut took: Vec<Duration> = Vec::new();
    while let Some(one) = back.join_next().await {
        took.push(one.expect("everybody comes back"));
    }
    took.sort();
    println!(
        "{count} connections: sent away in {drained:?}, live again p50 {:?}, last {:?}",
        took[count / 2],
        took[count - 1]
    );
    assert_eq!(took.len(), count);
}
