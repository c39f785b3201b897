//! What clients see of a step back: the one that steps back, one that follows, and one that was
//! disconnected meanwhile.

use std::sync::Arc;

use serde_json::{Value, json};
use stepwire::{
    model::source::SourceFormat, runtime::definitions::Deploy, session::sessions::Sessions,
};

use super::client::{Client, with_system};

/// Details, then a check that pushes data and an Action message; `save` restores,
/// `confirm` waits.
async fn deploy(sessions: &Arc<Sessions>) {
    let push = |name: &str, order: u32, kind: &str, message: &str| json!({"name": name, "order": order, "type": "websocketSend", "params": {"messageType": kind, "message": message}});
    let source = json!({"id": "booking", "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "details", "type": "userTask", "actions": [push("show", 1, "default", r#"{"step":"details"}"#),
            {"name": "save", "order": 2, "type": "saveData", "trigger": "manual", "allowBack": true,
                "restartFromSnapshot": true, "keys": [{"path": "seats"}]}]},
        {"id": "check", "type": "userTask", "actions": [push("show", 1, "default", r#"{"step":"check","seats":"${seats}"}"#),
            push("ask", 2, "action", r#"{"do":"pay"}"#),
            {"name": "confirm", "order": 3, "type": "saveData", "trigger": "manual"}]},
        {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "details"}, {"id": "f2", "source": "details", "target": "check"},
            {"id": "f3", "source": "check", "target": "end"}]})
    .to_string()
    .into_bytes();
    let deploy = Deploy {
        tenant: "default",
        source: &source,
        format: SourceFormat::Json,
        publish: true,
        by: "test",
        now: sessions.runtime.clock.now(),
    };
    sessions
        .runtime
        .definitions
        .deploy(deploy)
        .await
        .expect("the process deploys");
}

fn save(instance: &Value, seats: u32) -> Value {
    json!({"type": "run", "instance": instance, "action": "save", "data": {"seats": seats}})
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .filter_map(|frame| frame["type"].as_str())
        .collect()
}

/// The names of the actions that lead back.
fn back(next_step: &Value) -> Vec<&str> {
    let actions = next_step["actions"].as_array().expect("a list of actions");
    actions
        .iter()
        .filter(|action| action["back"] == true)
        .filter_map(|action| action["name"].as_str())
        .collect()
}

/// The bodies of the frames that make the view, in order.
fn bodies(frames: &[Value]) -> Vec<(&str, &Value)> {
    let of_view = frames
        .iter()
        .filter(|frame| frame["type"] == "data" || frame["type"] == "view");
    of_view
        .map(|frame| (frame["type"].as_str().expect("a type"), &frame["body"]))
        .collect()
}

#[test]
fn a_back_step_sends_a_view_frame_and_a_next_step_to_all() {
    with_system(&[], |sessions| async move {
        deploy(&sessions).await;
        let mut alice = Client::connect(&sessions, "alice", json!([])).await;
        let started = alice
            .ask(json!({"type": "start", "process": "booking"}))
            .await;
        let instance = started.last().expect("an answer")["result"]["instance"].clone();
        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        let saved = alice.ask(save(&instance, 2)).await;
        let before = saved.last().expect("an answer");
        assert_eq!(back(&before["result"]), ["save"]);

        let mut looking = Client::connect(&sessions, "alice", json!([])).await;
        let snapshot = looking
            .ask(json!({"type": "subscribe", "channel": channel}))
            .await;
        assert_eq!(back(&snapshot[0]), ["save"]);
        assert_eq!(snapshot[0]["view"], json!({"step": "check", "seats": 2}));
        assert_eq!(snapshot[0]["open"].as_array().map(Vec::len), Some(1));

        let returned = alice.ask(save(&instance, 3)).await;
        assert_eq!(
            kinds(&returned),
            ["view", "data", "action", "progress", "reply"]
        );
        let (of_details, of_check) = (
            json!({"step": "details"}),
            json!({"step": "check", "seats": 3}),
        );
        assert_eq!(
            bodies(&returned),
            [("view", &of_details), ("data", &of_check)]
        );
        assert_eq!(
            back(&returned.last().expect("an answer")["result"]),
            ["save"]
        );
        assert_eq!(back(&returned[3]), ["save"]);

        let seen = looking.until("progress").await;
        assert_eq!(bodies(&seen), bodies(&returned));

        // Disconnected since before the back step: the missed frames, then the current state.
        let after = before["seq"].clone();
        let mut resumed = Client::connect(
            &sessions,
            "alice",
            json!([{"instance": instance, "after": after}]),
        )
        .await;
        let missed = resumed.until("live").await;
        assert_eq!(bodies(&missed), bodies(&returned));
        let progress = missed
            .iter()
            .find(|frame| frame["type"] == "progress")
            .expect("a progress");
        assert_eq!(
            (back(progress), &progress["nodes"][0]["node"]),
            (vec!["save"], &json!("check"))
        );

        // New since: one snapshot, with the message of the new visit and without the one that was
        // given up.
        let mut fresh = Client::connect(&sessions, "alice", json!([])).await;
        let snapshot = fresh
            .ask(json!({"type": "subscribe", "channel": channel}))
            .await;
        assert_eq!(snapshot[0]["view"], of_check);
        let requested = returned
            .iter()
            .find(|frame| frame["type"] == "action")
            .expect("an action");
        assert_eq!(
            snapshot[0]["open"],
            json!([{"seq": requested["seq"], "body": {"do": "pay"}, "until": requested["until"]}])
        );
    });
}
