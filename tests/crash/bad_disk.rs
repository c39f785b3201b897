//! A failing disk: `strace` answers the server's system calls instead of the disk. What was
//! acknowledged is there afterwards, and no client got a wrong answer.
//!
//! Not here: the same in one process, with a store that fails (`runtime::tests::faults`).

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::Acknowledged,
    kill::start_ledgers,
    oracle,
    server::Installation,
    socket::{Socket, SocketEvent},
    strace::{self, injecting},
};
use crate::support::node::skip;

/// The outcomes of commands sent one after the other until the connection ended.
struct Sent {
    acknowledged: Vec<Acknowledged>,
    refused: Vec<Value>,
    slowest: Duration,
}

async fn send(port: u16, ledgers: &[String], maximum: usize) -> Sent {
    let mut socket = Socket::connect(port, "writer", json!([])).await;
    let mut sent = Sent {
        acknowledged: Vec::new(),
        refused: Vec::new(),
        slowest: Duration::ZERO,
    };
    for number in 0..maximum {
        let (id, instance) = (Uuid::now_v7().to_string(), &ledgers[number % ledgers.len()]);
        let entry = format!("{id}-{number}");
        let frame = json!({"type": "run", "id": id, "instance": instance, "action": "add", "data": {"entry": entry}});
        let began = Instant::now();
        if socket.send(&frame).await.is_none() {
            return sent;
        }
        let answer = loop {
            match socket.receive().await {
                SocketEvent::Frame(frame) if frame["id"] == *id => break frame,
                SocketEvent::Frame(_) => {}
                SocketEvent::End(_) => return sent,
            }
        };
        sent.slowest = sent.slowest.max(began.elapsed());
        match answer["type"].as_str() {
            Some("reply") => sent.acknowledged.push(Acknowledged {
                entry,
                instance: instance.clone(),
                seq: answer["seq"].as_u64().expect("a number"),
            }),
            _ => sent.refused.push(answer),
        }
    }
    sent
}

/// Runs a server whose system calls fail as specified, until it has ended, and checks its data. A
/// command of unknown outcome may or may not have a row in the log.
async fn fails(calls: &str, injected: &str) {
    let installation = Installation::new();
    // A first start without faults creates everything that a server needs.
    let server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    drop(server);
    let server = installation.start_under(&injecting(calls, injected, None));
    let sent = send(installation.port, &ledgers, 2_000).await;
    let ended = tokio::task::spawn_blocking(move || server.wait()).await;
    let ended = ended.expect("waiting does not fail");
    assert_eq!(ended.code(), Some(70), "{injected}");
    for refused in &sent.refused {
        assert_eq!(refused["code"], "outcome_unknown", "{injected}: {refused}");
    }
    let server = installation.start();
    let again = send(installation.port, &ledgers, 5).await;
    assert_eq!(again.acknowledged.len(), 5, "{injected}: it goes on");
    server.kill();
    let all: Vec<Acknowledged> = sent
        .acknowledged
        .into_iter()
        .chain(again.acknowledged)
        .collect();
    oracle::check_at_least(&installation, &all, &ledgers);
}

#[tokio::test]
async fn a_sync_or_a_write_that_fails_ends_the_server_and_loses_nothing_acknowledged() {
    if !strace::is_there() {
        return skip("a_sync_or_a_write_that_fails", "strace is missing");
    }
    for (calls, injected) in [
        ("fdatasync", "error=EIO:when=40"),
        ("fdatasync", "error=ENOSPC:when=40"),
        ("pwrite64", "error=EIO:when=300"),
    ] {
        fails(calls, injected).await;
    }
}

#[tokio::test]
async fn a_temporarily_full_disk_refuses_commands_and_recovers() {
    if !strace::is_there() {
        return skip("a_disk_that_is_full_for_a_while", "strace is missing");
    }
    let installation = Installation::new();
    let server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    drop(server);
    let full = injecting("pwrite64", "error=ENOSPC:when=300..303", None);
    let server = installation.start_under(&full);
    let sent = send(installation.port, &ledgers, 400).await;
    assert!(!sent.refused.is_empty(), "it was full once");
    for refused in &sent.refused {
        assert_eq!(
            (&refused["code"], &refused["reason"]),
            (&json!("busy"), &json!("disk_full"))
        );
    }
    let last = sent.refused.len() + sent.acknowledged.len();
    assert_eq!(last, 400, "it stayed");
    // The server checks once a second whether there is space again.
    let again = loop {
        let again = send(installation.port, &ledgers, 1).await;
        if again.refused.is_empty() {
            break again;
        }
    };
    server.kill();
    let all: Vec<Acknowledged> = sent
        .acknowledged
        .into_iter()
        .chain(again.acknowledged)
        .collect();
    oracle::check_log(&installation, &all, &ledgers);
}

#[tokio::test]
async fn no_command_is_acknowledged_before_a_slow_sync_completes() {
    if !strace::is_there() {
        return skip(
            "no_command_is_acknowledged_before_a_slow_sync_completes",
            "strace is missing",
        );
    }
    let installation = Installation::new();
    let server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    drop(server);
    let slow = injecting("fdatasync", "delay_enter=200000", None);
    let server = installation.start_under(&slow);
    let sent = send(installation.port, &ledgers, 5).await;
    assert_eq!((sent.acknowledged.len(), sent.refused.len()), (5, 0));
    assert!(
        sent.slowest >= Duration::from_millis(200),
        "{:?}",
        sent.slowest
    );
    server.kill();
    oracle::check_log(&installation, &sent.acknowledged, &ledgers);
}
