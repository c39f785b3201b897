//! The memory that a connection uses for a client that reads slowly, or not at all, and the length
//! of a step of an instance with very many elements.

use std::sync::Arc;

use serde_json::{Value, json};
use stepwire::{
    limits::Taker,
    session::{protocol::close::CloseCode, sessions::Sessions},
};

use super::client::{Client, with_process};

/// A process that shows most of a megabyte.
fn poster() -> String {
    let shown: Vec<Value> = (0..15)
        .map(|number| {
            let message = format!(r#"{{"text{number}": "${{text}}"}}"#);
            json!({"name": format!("tell{number}"), "order": number, "type": "websocketSend", "params": {"message": message}})
        })
        .collect();
    json!({
        "id": "poster",
        "nodes": [
            {"id": "start", "type": "startEvent", "keys": [{"path": "text"}]},
            {"id": "show", "type": "serviceTask", "actions": shown},
            {"id": "ask", "type": "userTask"},
            {"id": "end", "type": "endEvent"}
        ],
        "flows": [{"id": "f1", "source": "start", "target": "show"}, {"id": "f2", "source": "show", "target": "ask"},
            {"id": "f3", "source": "ask", "target": "end"}]
    })
    .to_string()
}

/// Starts so many instances that have much to show; returns their channels.
async fn posters(sessions: &Arc<Sessions>, many: usize) -> Vec<String> {
    let mut channels = Vec::new();
    for _ in 0..many {
        let mut starter = Client::connect(sessions, "ada", json!([])).await;
        let data = json!({"text": "x".repeat(60_000)});
        let start = json!({"type": "start", "process": "poster", "data": data, "subscribe": false});
        let frames = starter.ask(start).await;
        let result = &frames.last().expect("a reply")["result"];
        let instance = result["instance"].as_str().expect("a key");
        channels.push(format!("instance/{instance}"));
    }
    channels
}

fn subscribe(client: &mut Client, channels: &[String]) {
    for channel in channels {
        client.send_run(&json!({"type": "subscribe", "channel": channel}));
    }
}

#[test]
fn subscriptions_start_as_fast_as_the_client_reads() {
    with_process(&poster(), |sessions| async move {
        let channels = posters(&sessions, 24).await;
        let mut slow = Client::connect(&sessions, "ada", json!([])).await;
        subscribe(&mut slow, &channels);
        slow.until_congested().await;
        let held = sessions.memory.taken();
        assert!(held > 1_000_000 && held < 12_000_000, "{held} bytes wait");
        for channel in &channels {
            let frame = slow.until("snapshot").await.pop().expect("the snapshot");
            assert_eq!(frame["channel"], channel.as_str());
        }
        slow.until("reply").await;
        drop(slow);
        assert_eq!(sessions.memory.taken(), 0);
    });
}

#[test]
fn a_slow_reader_is_closed_4001_and_others_are_not() {
    with_process(&poster(), |sessions| async move {
        let channels = posters(&sessions, 24).await;
        let mut all = Vec::new();
        loop {
            let mut slow = Client::connect(&sessions, "ada", json!([])).await;
            subscribe(&mut slow, &channels);
            slow.until_congested().await;
            let is_closed = slow.closing() == Some(CloseCode::SlowConsumer);
            all.push(slow);
            if is_closed {
                break;
            }
            assert!(all.len() < 24, "{} bytes wait", sessions.memory.taken());
        }
        assert!(sessions.memory.taken() <= 16 << 20);
        let mut other = Client::with_roles(&sessions, "olga", &["operator"]).await;
        subscribe(&mut other, &channels[..2]);
        other.until("snapshot").await;
        other.until("snapshot").await;
        drop((all, other));
        assert_eq!(sessions.memory.taken(), 0);
    });
}

#[test]
fn live_frames_without_space_close_their_connection_too() {
    with_process(&poster(), |sessions| async move {
        let ada = Taker::User(r#""default"/ada"#.to_owned());
        let mut all = sessions.memory.permit(ada);
        let maximum = all.capacity();
        assert!(all.resize(maximum));
        let mut client = Client::connect(&sessions, "ada", json!([])).await;
        let data = json!({"text": "x".repeat(60_000)});
        client.send_run(&json!({"type": "start", "process": "poster", "data": data}));
        client.until_reply_or_closed().await;
        assert_eq!(client.closing(), Some(CloseCode::SlowConsumer));
    });
}

#[test]
fn a_step_lists_elements_up_to_a_limit_and_counts_the_rest() {
    let many = |id: &str, actions: Value| json!({"id": id, "type": "userTask", "actions": actions, "loop": {"type": "multiInstance", "collection": "items"}});
    let save = json!([{"name": "save", "type": "saveData", "trigger": "manual", "keys": [{"path": "note"}]}]);
    let process = json!({
        "id": "crowd",
        "nodes": [
            {"id": "start", "type": "startEvent", "keys": [{"path": "items"}]}, {"id": "fork", "type": "parallelGateway"},
            many("look", json!([])), many("work", save), {"id": "join", "type": "parallelGateway"}, {"id": "end", "type": "endEvent"}
        ],
        "flows": [{"id": "f1", "source": "start", "target": "fork"}, {"id": "f2", "source": "fork", "target": "look"},
            {"id": "f3", "source": "fork", "target": "work"}, {"id": "f4", "source": "look", "target": "join"},
            {"id": "f5", "source": "work", "target": "join"}, {"id": "f6", "source": "join", "target": "end"}]
    });
    with_process(&process.to_string(), |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let items: Vec<u32> = (0..600).collect();
        let start = json!({"type": "start", "process": "crowd", "data": {"items": items}});
        let frames = ada.ask(start).await;
        let instance = &frames.last().expect("a reply")["result"]["instance"];
        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        // Iterations begin in steps; the last one has them all.
        let last = loop {
            let frame = ada.found("progress").await;
            if frame["more"]["nodes"] == json!(202) {
                break frame;
            }
        };
        let listed = |frame: &Value, list: &str| frame[list].as_array().expect(list).len();
        let lists = (listed(&last, "nodes"), listed(&last, "actions"));
        assert_eq!(lists, (1_000, 1_000));
        // Both activities, their iterations, and the offers of each task.
        assert_eq!(last["more"], json!({"nodes": 202, "actions": 200}));
        let initial = last["actions"].as_array().into_iter().flatten();
        assert!(
            initial
                .filter(|action| action.get("initial").is_some())
                .count()
                <= 100
        );

        let mut operator = Client::with_roles(&sessions, "olga", &["operator"]).await;
        operator.send_run(&json!({"type": "subscribe", "channel": channel}));
        let snapshot = operator
            .until("snapshot")
            .await
            .pop()
            .expect("the snapshot");
        assert_eq!(snapshot["more"], last["more"]);
        assert_eq!(listed(&snapshot, "nodes"), 1_000);
    });
}
