//! Drafts of a server that is killed: acknowledged ones exist afterwards, and disappear when their
//! task ends.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{deploys::Designer, rounds, server::Installation, socket::Socket};

const PROCESS: &str = r#"{"id": "form",
    "nodes": [{"id": "start", "type": "startEvent"},
        {"id": "task", "type": "userTask", "actions": [{"name": "save", "trigger": "manual", "type": "saveData", "keys": [{"path": "name"}]}]},
        {"id": "end", "type": "endEvent"}],
    "flows": [{"id": "a", "source": "start", "target": "task"}, {"id": "b", "source": "task", "target": "end"}]}"#;

async fn done(socket: &mut Socket, mut command: Value) -> Value {
    let id = Uuid::now_v7().to_string();
    command["id"] = json!(id);
    socket.send(&command).await.expect("the server runs");
    let answer = socket.wait_for(|frame| frame["id"] == *id).await;
    assert_eq!(answer["type"], "reply", "{answer}");
    answer
}

#[tokio::test]
async fn acknowledged_drafts_survive_a_kill() {
    let installation = Installation::new();
    let mut server = installation.start();
    let process: Value = serde_json::from_str(PROCESS).expect("JSON");
    let (status, answer) = Designer::of(&installation)
        .post("/v1/definitions?publish=true", &process)
        .await;
    assert!(status.is_success(), "{answer}");
    let mut socket = Socket::connect(installation.port, "ada", json!([])).await;
    let started = done(&mut socket, json!({"type": "start", "process": "form"})).await;
    let instance = started["result"]["instance"].clone();
    let channel = format!("instance/{}", instance.as_str().expect("a key"));
    for round in 0..rounds(3) {
        let typed = json!({"name": format!("round {round}")});
        let save = json!({"type": "draft", "instance": instance, "action": "save", "data": typed});
        done(&mut socket, save).await;
        server.kill();
        server = installation.start();
        socket = Socket::connect(installation.port, "ada", json!([])).await;
        let subscribe = json!({"type": "subscribe", "id": "s", "channel": channel});
        socket.send(&subscribe).await.expect("the server runs");
        let told = socket.wait_for(|frame| frame["type"] == "drafted").await;
        assert_eq!(told["data"], typed);
    }
    let run =
        json!({"type": "run", "instance": instance, "action": "save", "data": {"name": "Ada"}});
    done(&mut socket, run).await;
    server.kill();
    let _server = installation.start();
    socket = Socket::connect(installation.port, "ada", json!([])).await;
    let subscribe = json!({"type": "subscribe", "id": "s", "channel": channel});
    socket.send(&subscribe).await.expect("the server runs");
    let next = |frame: &Value| frame["id"] == "s" || frame["type"] == "drafted";
    assert_eq!(socket.wait_for(next).await["type"], "reply");
    socket
        .send(&json!({"type": "unsubscribe", "id": "u", "channel": channel}))
        .await;
    let next = |frame: &Value| frame["id"] == "u" || frame["type"] == "drafted";
    assert_eq!(socket.wait_for(next).await["type"], "reply");
}
