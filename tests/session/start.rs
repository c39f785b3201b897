//! A start and its subscription: on by default, off when requested, reported when there is no room
//! for it.

use serde_json::{Value, json};

use super::client::{Client, with_process, with_system};

/// Waits at once; anybody may start it.
const WAITING: &str = r#"{
    "id": "waiting",
    "anonymousStart": true,
    "nodes": [
        {"id": "start", "type": "startEvent", "keys": [{"path": "name"}]},
        {"id": "wait", "type": "userTask", "actions": [
            {"name": "greet", "trigger": "automatic", "type": "websocketSend", "params": {"message": "{\"hello\": true}"}},
            {"name": "complete", "trigger": "manual", "type": "saveData", "order": 1}]},
        {"id": "end", "type": "endEvent"}],
    "flows": [{"id": "f1", "source": "start", "target": "wait"}, {"id": "f2", "source": "wait", "target": "end"}]
}"#;

fn start(process: &str) -> Value {
    json!({"type": "start", "process": process})
}

/// The types of frames, in order.
fn types(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| frame["type"].as_str().expect("a type"))
        .collect()
}

#[test]
fn a_start_follows_its_instance_from_the_first_record() {
    with_process(WAITING, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let frames = ada.ask(start("waiting")).await;
        assert_eq!(types(&frames), ["data", "progress", "reply"]);
        assert_eq!(
            (&frames[0]["prev"], &frames[1]["prev"]),
            (&json!(0), &frames[0]["seq"])
        );
        assert_eq!(frames[2]["seq"], frames[1]["seq"]);
        let run = json!({"type": "run", "instance": frames[2]["result"]["instance"], "action": "complete"});
        assert_eq!(types(&ada.ask(run).await), ["progress", "reply"]);
    });
}

#[test]
fn a_start_is_silent_when_asked() {
    with_process(WAITING, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let mut silent = start("waiting");
        silent["subscribe"] = json!(false);
        let frames = ada.ask(silent).await;
        assert_eq!(types(&frames), ["reply"]);
        let run = json!({"type": "run", "instance": frames[0]["result"]["instance"], "action": "complete"});
        assert_eq!(types(&ada.ask(run).await), ["reply"]);
    });
}

#[test]
fn a_repeated_start_replays_on_the_connection_that_repeats_it() {
    with_process(WAITING, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let repeated = json!({"type": "start", "process": "waiting", "id": "0197a1b2-0000-7000-8000-00000000aaaa"});
        ada.send(repeated.clone());
        let first = ada.until("reply").await;
        ada.send(repeated.clone());
        let here = ada.until("reply").await;
        assert_eq!(
            (types(&here), &here[0]["duplicate"]),
            (vec!["reply"], &json!(true)),
            "it follows it already"
        );

        let mut tab = Client::connect(&sessions, "ada", json!([])).await;
        tab.send(repeated);
        let there = tab.until("reply").await;
        assert_eq!(types(&there), types(&first));
        assert_eq!(
            (&there[0]["prev"], &there[0]["body"]),
            (&json!(0), &json!({"hello": true}))
        );
        let run = json!({"type": "run", "instance": there[2]["result"]["instance"], "action": "complete"});
        assert_eq!(types(&tab.ask(run).await), ["progress", "reply"]);
        assert_eq!(
            ada.until("progress").await.len(),
            1,
            "the first connection follows it, too"
        );
    });
}

#[test]
fn a_stranger_follows_what_it_starts() {
    with_process(WAITING, |sessions| async move {
        let mut stranger = Client::anonymous(&sessions).await;
        let frames = stranger.ask(start("waiting")).await;
        assert_eq!(types(&frames), ["data", "progress", "reply"]);
        assert!(frames[2]["result"]["token"].is_string(), "{frames:?}");
    });
}

#[test]
fn a_start_over_the_subscription_limit_runs_but_is_not_followed() {
    with_process(WAITING, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        for _ in 0..1_000 {
            assert_eq!(ada.ask(start("waiting")).await.len(), 3);
        }
        assert_eq!(
            types(&ada.ask(start("nothing")).await),
            ["error"],
            "a refused start asks for no room"
        );
        let frames = ada.ask(start("waiting")).await;
        assert_eq!(
            (types(&frames), &frames[0]["result"]["status"]),
            (vec!["reply"], &json!("started"))
        );
        let error = ada.until("error").await.pop().expect("an error");
        let channel = format!(
            "instance/{}",
            frames[0]["result"]["instance"].as_str().expect("a key")
        );
        assert_eq!(
            (&error["code"], &error["channel"], &error["id"]),
            (&json!("too_large"), &json!(channel), &Value::Null)
        );

        let last = ada.ask(json!({"type": "unsubscribe", "channel": "instance/0197a1b2-0000-7000-8000-000000000007"})).await;
        assert_eq!(types(&last), ["reply"], "nothing more came");
    });
}

#[test]
fn a_refused_start_leaves_no_subscription() {
    with_system(&["order-approval"], |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        for _ in 0..1_001 {
            let refused = ada
                .ask(json!({"type": "start", "process": "orderApproval", "startCondition": "none"}))
                .await;
            assert_eq!(types(&refused), ["error"]);
        }
        let started =
            ada.ask(json!({"type": "start", "process": "orderApproval", "data": {"order": {"item": "desk", "amount": 5_000}}}));
        assert_eq!(started.await.first().expect("a frame")["prev"], 0);
    });
}
