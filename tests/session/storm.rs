//! Many connections to one instance at the same time: nobody is refused for reading, whatever else
//! is in progress.

use std::sync::Arc;

use serde_json::{Value, json};
use stepwire::session::sessions::Sessions;

use super::client::{Client, with_processes, with_system};

/// A task that pushes whenever requested, and calls another process when it is completed.
const NEWS: &str = r#"{
    "id": "news",
    "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "desk", "type": "userTask", "actions": [
            {"name": "note", "trigger": "manual", "type": "saveData", "order": 1, "repeatable": true, "required": "optional",
             "autorunChildren": true, "keys": [{"path": "text"}]},
            {"name": "tell", "parent": "note", "order": 1, "repeatable": true, "type": "websocketSend",
             "params": {"message": "{\"text\": \"${text}\"}"}},
            {"name": "complete", "trigger": "manual", "type": "saveData", "order": 2}]},
        {"id": "call", "type": "callActivity", "call": {"calledElement": "paper"}},
        {"id": "end", "type": "endEvent"}],
    "flows": [
        {"id": "f1", "source": "start", "target": "desk"},
        {"id": "f2", "source": "desk", "target": "call"},
        {"id": "f3", "source": "call", "target": "end"}]
}"#;

const PAPER: &str = r#"{
    "id": "paper",
    "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "read", "type": "userTask", "actions": [{"name": "done", "trigger": "manual", "type": "saveData", "order": 1}]},
        {"id": "end", "type": "endEvent"}],
    "flows": [{"id": "f1", "source": "start", "target": "read"}, {"id": "f2", "source": "read", "target": "end"}]
}"#;

/// A started instance, its starter, and its sequence number.
async fn started(sessions: &Arc<Sessions>, process: &str) -> (Client, Value, u64) {
    let mut ada = Client::connect(sessions, "ada", json!([])).await;
    let frames = ada.ask(json!({"type": "start", "process": process})).await;
    let reply = frames.last().expect("a reply");
    assert_eq!(reply["type"], "reply", "{reply}");
    (
        ada,
        reply["result"]["instance"].clone(),
        reply["seq"].as_u64().expect("a number"),
    )
}

fn note(instance: &Value, text: u32) -> Value {
    json!({"type": "run", "instance": instance, "action": "note", "data": {"text": text.to_string()}})
}

/// Checks that the frames of a channel form a chain from `cursor`; where it ends.
fn chain(frames: &[Value], channel: &str, mut cursor: u64) -> u64 {
    for frame in frames
        .iter()
        .filter(|frame| frame["channel"] == channel && frame.get("prev").is_some())
    {
        assert_eq!(frame["prev"], cursor, "{frame}");
        cursor = frame["seq"].as_u64().expect("a number");
    }
    cursor
}

fn no_errors(frames: &[Value]) {
    let refused: Vec<&Value> = frames
        .iter()
        .filter(|frame| frame["type"] == "error")
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn concurrent_resumes_get_their_missed_frames_while_commands_run() {
    with_processes(&[NEWS, PAPER], |sessions| async move {
        let (mut ada, instance, seq) = started(&sessions, "news").await;
        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        for text in 0..10 {
            no_errors(&ada.ask(note(&instance, text)).await);
        }
        let mut back = Vec::new();
        for number in 0..1_000_u32 {
            // Each has another cursor; some have none.
            let after = if number % 10 == 9 { 0 } else { seq };
            back.push((
                after,
                Client::reconnect(
                    &sessions,
                    "ada",
                    json!([{"instance": instance, "after": after}]),
                ),
            ));
            if number % 50 == 0 {
                ada.send_run(&note(&instance, number));
            }
        }
        for (after, client) in &mut back {
            let frames = client.until("live").await;
            no_errors(&frames);
            let end = chain(&frames, &channel, *after);
            assert_eq!(frames.last().expect("live")["seq"], end);
            assert!(
                frames
                    .iter()
                    .filter(|frame| frame["type"] == "data")
                    .count()
                    >= 10,
                "what was missed"
            );
        }
        for _ in 0..20 {
            no_errors(&ada.until("reply").await);
        }
        let head = ada.ask(note(&instance, 0)).await.last().expect("a reply")["seq"].clone();
        for (_, client) in &mut back {
            while client.until("progress").await.last().expect("a frame")["seq"] != head {}
        }
    });
}

#[test]
fn first_subscriptions_at_once_get_their_snapshots_and_the_tree() {
    with_processes(&[NEWS, PAPER], |sessions| async move {
        let (mut ada, instance, _) = started(&sessions, "news").await;
        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        no_errors(
            &ada.ask(json!({"type": "run", "instance": instance, "action": "complete"}))
                .await,
        );
        let mut tabs = Vec::new();
        for _ in 0..512 {
            let mut tab = Client::connect(&sessions, "ada", json!([])).await;
            tab.send(json!({"type": "subscribe", "id": "1", "channel": channel}));
            tabs.push(tab);
        }
        for tab in &mut tabs {
            let mut frames = tab.until("reply").await;
            frames.extend(tab.until("snapshot").await);
            no_errors(&frames);
            let of: Vec<&str> = frames
                .iter()
                .filter(|frame| frame["type"] == "snapshot")
                .filter_map(|frame| frame["process"].as_str())
                .collect();
            assert_eq!(of, ["news", "paper"]);
        }
    });
}

#[test]
fn an_ended_instance_is_read_concurrently() {
    with_system(&["order-approval"], |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let order = json!({"order": {"item": "desk", "amount": 5_000}});
        let frames = ada
            .ask(json!({"type": "start", "process": "orderApproval", "data": order}))
            .await;
        let reply = frames.last().expect("a reply");
        let (instance, seq) = (reply["result"]["instance"].clone(), reply["seq"].clone());
        let decide = json!({"type": "run", "instance": instance, "action": "approve", "data": {"comment": "fine"}});
        let end = ada.ask(decide).await.last().expect("a reply")["seq"].clone();
        let resume = json!([{"instance": instance, "after": seq}]);
        let mut back: Vec<Client> = (0..500)
            .map(|_| Client::reconnect(&sessions, "ada", resume.clone()))
            .collect();
        for client in &mut back {
            let frames = client.until("live").await;
            no_errors(&frames);
            assert_eq!(frames.last().expect("live")["seq"], end);
        }
    });
}
