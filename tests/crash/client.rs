//! A client as the protocol requires it: a command keeps its id and is sent again, in order, until
//! it is answered.

use std::{collections::VecDeque, sync::Arc};

use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::socket::{Socket, SocketEvent};

/// The number of commands that a client has in progress at once.
const UNANSWERED: usize = 3;

/// The results of one client.
#[derive(Default)]
pub struct Done {
    /// All its commands, each answered: its entry, its instance and the number of its reply.
    pub acknowledged: Vec<Acknowledged>,
    /// How each of its connections ended.
    pub endings: Vec<Ending>,
}

/// An answered command.
pub struct Acknowledged {
    /// The text it added; each command adds a different one.
    pub entry: String,
    /// The instance.
    pub instance: String,
    /// The number of its reply.
    pub seq: u64,
}

/// How a connection ended.
#[derive(Debug)]
pub struct Ending {
    /// Whether a `bye` was received before.
    pub bye: bool,
    /// The close code.
    pub code: Option<u16>,
}

/// Adds entries to the ledgers in turn until `stop`, and then waits for the last replies.
pub async fn run(
    port: u16,
    name: String,
    ledgers: Arc<[String]>,
    stop: watch::Receiver<bool>,
) -> Done {
    let mut done = Done::default();
    let mut unanswered: VecDeque<(Acknowledged, Value)> = VecDeque::new();
    let mut made = 0;
    loop {
        let mut socket = Socket::connect(port, &name, json!([])).await;
        for (_, frame) in &unanswered {
            // A failure is noticed when receiving.
            let _ = socket.send(frame).await;
        }
        let mut bye = false;
        let code = loop {
            while unanswered.len() < UNANSWERED && !*stop.borrow() {
                made += 1;
                let instance = &ledgers[made % ledgers.len()];
                unanswered.push_back(command(&name, made, instance));
                let _ = socket.send(&unanswered[unanswered.len() - 1].1).await;
            }
            if unanswered.is_empty() {
                return done;
            }
            match socket.receive().await {
                SocketEvent::End(code) => break code,
                SocketEvent::Frame(frame) if frame["type"] == "bye" => bye = true,
                SocketEvent::Frame(frame) => {
                    if let Some(again) = answered(&mut unanswered, &mut done, &frame) {
                        let _ = socket.send(&again).await;
                    }
                }
            }
        };
        done.endings.push(Ending { bye, code });
    }
}

fn command(name: &str, number: usize, instance: &str) -> (Acknowledged, Value) {
    let entry = format!("{name}-{number}");
    let slot = format!("{name}-{}", number % 4);
    let data = json!({"entry": entry, "slots": {slot: number}});
    let frame = json!({"type": "run", "id": Uuid::now_v7(), "instance": instance, "action": "add", "data": data});
    (
        Acknowledged {
            entry,
            instance: instance.to_owned(),
            seq: 0,
        },
        frame,
    )
}

/// Records a reply; returns the command to send again if it was refused temporarily.
fn answered(
    unanswered: &mut VecDeque<(Acknowledged, Value)>,
    done: &mut Done,
    answer: &Value,
) -> Option<Value> {
    let position = unanswered
        .iter()
        .position(|(_, frame)| frame["id"] == answer["id"]);
    let position =
        position.unwrap_or_else(|| panic!("expected an answer to a command, but got {answer}"));
    if answer["type"] == "error" {
        assert_eq!(answer["retryable"], true, "{answer}");
        return Some(unanswered[position].1.clone());
    }
    assert_eq!(answer["type"], "reply", "{answer}");
    let (command, _) = unanswered.remove(position)?;
    let seq = answer["seq"]
        .as_u64()
        .expect("a reply to a run has a number");
    done.acknowledged.push(Acknowledged { seq, ..command });
    None
}
