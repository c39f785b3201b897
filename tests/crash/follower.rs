//! Follows ledgers across every cut, by the rules of the protocol: applies a frame only when it
//! follows what it holds.

use std::collections::HashMap;

use serde_json::{Value, json};
use stepwire::model::deep_merge::deep_merge;
use tokio::sync::watch;

use super::socket::{Socket, SocketEvent};

/// A follower's state of one ledger.
#[derive(Default)]
pub struct Held {
    /// Its cursor.
    pub cursor: u64,
    /// The fold of all Data bodies.
    pub view: Value,
    /// How often each entry was pushed.
    pub entries: HashMap<String, u32>,
}

/// Follows the ledgers until the numbers in `until` are reached; it is empty until they are known.
pub async fn run(
    port: u16,
    ledgers: &[String],
    until: watch::Receiver<HashMap<String, u64>>,
) -> HashMap<String, Held> {
    let fresh = |ledger: &String| {
        (
            ledger.clone(),
            Held {
                view: json!({}),
                ..Held::default()
            },
        )
    };
    let mut held: HashMap<String, Held> = ledgers.iter().map(fresh).collect();
    loop {
        let resume: Value = held
            .iter()
            .map(|(ledger, held)| json!({"instance": ledger, "after": held.cursor}))
            .collect();
        let mut socket = Socket::connect(port, "follower", resume).await;
        let mut until = until.clone();
        loop {
            if is_reached(&held, &until.borrow()) {
                return held;
            }
            tokio::select! {
                // When the sender is dropped the numbers stay unchanged.
                Ok(()) = until.changed() => {}
                heard = socket.receive() => match heard {
                    SocketEvent::Frame(frame) => apply(&mut held, &frame),
                    SocketEvent::End(_) => break,
                },
            }
        }
    }
}

fn is_reached(held: &HashMap<String, Held>, until: &HashMap<String, u64>) -> bool {
    !until.is_empty()
        && until
            .iter()
            .all(|(ledger, seq)| held[ledger].cursor >= *seq)
}

fn apply(held: &mut HashMap<String, Held>, frame: &Value) {
    let Some(ledger) = frame["channel"]
        .as_str()
        .and_then(|channel| channel.strip_prefix("instance/"))
    else {
        return assert!(frame["type"] == "bye" || frame["type"] == "ping", "{frame}");
    };
    let held = held.get_mut(ledger).expect("only the ledgers are followed");
    match frame["type"].as_str() {
        Some("live") => return,
        Some("data" | "progress") => {}
        _ => panic!("expected data, progress or live, but got {frame}"),
    }
    assert_eq!(frame["prev"], held.cursor, "a gap or a repeat: {frame}");
    held.cursor = frame["seq"].as_u64().expect("a pushed frame has a number");
    if frame["type"] == "data" {
        deep_merge(&mut held.view, &frame["body"]);
        let entry = frame["body"]["entry"]
            .as_str()
            .expect("each push shows its entry");
        *held.entries.entry(entry.to_owned()).or_default() += 1;
    }
}
