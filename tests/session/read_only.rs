//! Who may follow an instance but not its children; what the token of a tree does not allow.

use serde_json::{Value, json};
use stepwire::session::auth::token::Identity;
use uuid::Uuid;

use super::client::{Client, with_process, with_processes};

/// Auditors may follow it; it calls `secret` after its owner has continued.
const OPEN: &str = r#"{
    "id": "open",
    "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "go", "type": "userTask"},
        {"id": "call", "type": "callActivity", "call": {"calledElement": "secret"}},
        {"id": "end", "type": "endEvent"}],
    "flows": [
        {"id": "f1", "source": "start", "target": "go"},
        {"id": "f2", "source": "go", "target": "call"},
        {"id": "f3", "source": "call", "target": "end"}],
    "lanes": [{"id": "office", "nodes": ["go"], "view": ["auditor"]}]
}"#;

/// Without lane: only its owners may see it.
const SECRET: &str = r#"{
    "id": "secret",
    "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "wait", "type": "userTask", "actions": [
            {"name": "tell", "trigger": "automatic", "type": "websocketSend", "params": {"message": "{\"pin\": 1234}"}},
            {"name": "done", "trigger": "manual", "type": "saveData", "order": 1}]},
        {"id": "end", "type": "endEvent"}],
    "flows": [
        {"id": "f1", "source": "start", "target": "wait"},
        {"id": "f2", "source": "wait", "target": "end"}]
}"#;

fn channel(instance: &Value) -> String {
    format!("instance/{}", instance.as_str().expect("a key"))
}

#[test]
fn a_read_only_user_gets_no_frames_of_a_hidden_child() {
    with_processes(&[OPEN, SECRET], |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let started = ada.ask(json!({"type": "start", "process": "open"})).await;
        let instance = started.last().expect("a reply")["result"]["instance"].clone();
        let mut vera = Client::with_roles(&sessions, "vera", &["auditor"]).await;
        let shown = vera
            .ask(json!({"type": "subscribe", "channel": channel(&instance)}))
            .await;
        assert_eq!(shown[0]["nodes"][0]["node"], "go");

        ada.ask(json!({"type": "run", "instance": instance, "action": "complete"}))
            .await;
        let child = channel(&ada.found("child").await["child"]["instance"]);
        assert_eq!(ada.found("data").await["channel"], child.as_str());

        let announced = vera.found("child").await;
        assert_eq!(channel(&announced["child"]["instance"]), child);
        // The frames before this answer are those that vera received of the child.
        let frames = vera
            .ask(json!({"type": "unsubscribe", "channel": "tasks"}))
            .await;
        let of_child: Vec<_> = frames
            .iter()
            .filter(|frame| frame["channel"] == child.as_str())
            .collect();
        assert_eq!(of_child, Vec::<&Value>::new());
        let refused = vera
            .ask(json!({"type": "subscribe", "channel": child}))
            .await;
        assert_eq!(refused.last().expect("an answer")["code"], "not_found");
    });
}

#[test]
fn the_token_of_a_tree_lists_no_tasks_of_other_trees() {
    with_process(SECRET, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let started = ada.ask(json!({"type": "start", "process": "secret"})).await;
        ada.ask(json!({"type": "start", "process": "secret"})).await;
        let root = started.last().expect("a reply")["result"]["instance"]
            .as_str()
            .and_then(|key| key.parse().ok());
        let identity = Identity {
            subject: "ada".to_owned(),
            instance: root,
            ..Identity::anonymous(Uuid::nil())
        };
        let mut bearer = Client::bearer(&sessions, &identity).await;
        let refused = bearer
            .ask(json!({"type": "subscribe", "channel": "tasks"}))
            .await;
        assert_eq!(
            (&refused[0]["code"], &refused[0]["channel"]),
            (&json!("forbidden"), &json!("tasks"))
        );
    });
}
