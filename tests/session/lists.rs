//! Lists and lanes over a connection: which tasks and instances each user is sent, and what each
//! may do with them.

use serde_json::{Value, json};

use super::client::{Client, with_process};

/// Two clerks' work, then the customer's; a chief assigns and holds.
const CLAIM: &str = r#"{
    "id": "claim",
    "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "check", "name": "Check it", "type": "userTask", "actions": [
            {"name": "decide", "trigger": "manual", "type": "saveData", "keys": [{"path": "ok"}]}]},
        {"id": "sign", "type": "userTask"},
        {"id": "end", "type": "endEvent"}],
    "flows": [
        {"id": "f1", "source": "start", "target": "check"},
        {"id": "f2", "source": "check", "target": "sign"},
        {"id": "f3", "source": "sign", "target": "end"}],
    "lanes": [
        {"id": "office", "nodes": ["check"], "execute": ["clerk"], "assign": ["chief"], "hold": ["chief"]},
        {"id": "home", "nodes": ["sign"]}]
}"#;

fn start() -> Value {
    json!({"type": "start", "process": "claim"})
}

fn on(kind: &str, instance: &Value, element: &Value) -> Value {
    json!({"type": kind, "instance": instance, "element": element})
}

fn tasks() -> Value {
    json!({"type": "subscribe", "channel": "tasks"})
}

fn nodes(tasks: &Value) -> Vec<&str> {
    tasks
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|task| task["node"].as_str())
        .collect()
}

#[test]
fn a_task_moves_between_the_lists_of_users() {
    with_process(CLAIM, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let mut bob = Client::with_roles(&sessions, "bob", &["clerk"]).await;
        let mut ben = Client::with_roles(&sessions, "ben", &["clerk"]).await;
        for client in [&mut ada, &mut bob, &mut ben] {
            let frames = client.ask(tasks()).await;
            assert_eq!(frames[0]["tasks"], json!([]));
            assert_eq!(
                frames[1]["result"],
                json!({"channel": "tasks", "seq": 0, "mode": "snapshot"})
            );
        }
        let started = ada.ask(start()).await;
        let instance = started.last().expect("a reply")["result"]["instance"].clone();
        let opened = bob.found("tasks").await;
        let task = &opened["set"][0];
        assert_eq!((&opened["seq"], &opened["prev"]), (&json!(1), &json!(0)));
        assert_eq!(
            (&task["node"], &task["name"], &task["lane"]),
            (&json!("check"), &json!("Check it"), &json!("office"))
        );
        assert_eq!(
            (&task["candidates"], &task["assignee"]),
            (&json!(["clerk"]), &Value::Null)
        );
        assert_eq!(ben.found("tasks").await["set"][0], *task);

        bob.ask(on("claim", &instance, &task["element"])).await;
        assert_eq!(bob.found("tasks").await["set"][0]["assignee"], "bob");
        assert_eq!(
            ben.found("tasks").await["removed"],
            json!([task["element"]])
        );

        bob.ask(
            json!({"type": "run", "instance": instance, "action": "decide", "data": {"ok": true}}),
        )
        .await;
        assert_eq!(
            bob.found("tasks").await["removed"],
            json!([task["element"]])
        );
        let sign = ada.found("tasks").await;
        assert_eq!(
            (nodes(&sign["set"]), &sign["seq"]),
            (vec!["sign"], &json!(1))
        );

        let mut again = Client::connect(&sessions, "ada", json!([])).await;
        assert_eq!(nodes(&again.ask(tasks()).await[0]["tasks"]), ["sign"]);
    });
}

#[test]
fn an_assigned_task_is_listed_for_a_user_without_roles() {
    with_process(CLAIM, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let mut dora = Client::connect(&sessions, "dora", json!([])).await;
        let mut carl = Client::with_roles(&sessions, "carl", &["chief"]).await;
        dora.ask(tasks()).await;
        let started = ada.ask(start()).await;
        let reply = &started.last().expect("a reply")["result"];
        let (instance, element) = (
            reply["instance"].clone(),
            reply["nodes"][0]["element"].clone(),
        );
        assert_eq!(reply["nodes"][0]["readOnly"], true);
        assert_eq!(reply["actions"], json!([]));
        let refused = dora.ask(json!({"type": "subscribe", "channel": format!("instance/{}", instance.as_str().unwrap())})).await;
        assert_eq!(refused.last().expect("an answer")["code"], "not_found");

        let assign =
            json!({"type": "assign", "instance": instance, "element": element, "user": "dora"});
        assert_eq!(
            ada.ask(assign.clone()).await.last().expect("an answer")["code"],
            "forbidden"
        );
        carl.ask(assign).await;
        assert_eq!(dora.found("tasks").await["set"][0]["element"], element);
        assert_eq!(
            ada.found("progress").await["nodes"][0]["assignee"],
            Value::Null
        );
        assert_eq!(ada.found("progress").await["nodes"][0]["assignee"], "dora");
        let done = dora
            .ask(json!({"type": "run", "instance": instance, "action": "decide"}))
            .await;
        let result = &done.last().expect("an answer")["result"];
        assert_eq!(
            (&result["nodes"][0]["node"], &result["nodes"][0]["readOnly"]),
            (&json!("sign"), &json!(true))
        );
        let next = ada.found("progress").await;
        assert_eq!(
            (
                &next["nodes"][0]["readOnly"],
                next["actions"].as_array().map(Vec::len)
            ),
            (&json!(false), Some(1))
        );
    });
}

#[test]
fn the_instances_of_a_process_are_pushed_to_operators() {
    with_process(CLAIM, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let channel = json!({"type": "subscribe", "channel": "process/claim"});
        let refused = ada.ask(channel.clone()).await;
        assert_eq!(
            (&refused[0]["code"], &refused[0]["channel"]),
            (&json!("forbidden"), &json!("process/claim"))
        );
        let mut olga = Client::with_roles(&sessions, "olga", &["operator"]).await;
        olga.ask(channel).await;
        let every = olga
            .ask(json!({"type": "subscribe", "channel": "process/*"}))
            .await;
        assert_eq!(every[0]["instances"], json!([]));
        let started = ada.ask(start()).await;
        let instance = started.last().expect("a reply")["result"]["instance"].clone();
        let frame = olga.found("instance").await;
        assert_eq!(
            (&frame["instance"], &frame["status"], &frame["seq"]),
            (&instance, &json!("started"), &json!(1))
        );
        assert_eq!(olga.found("instance").await["channel"], "process/*");
        olga.ask(json!({"type": "unsubscribe", "channel": "process/*"}))
            .await;
        olga.ask(json!({"type": "hold", "instance": instance}))
            .await;
        let held = olga.found("instance").await;
        assert_eq!(
            (&held["channel"], &held["status"], &held["prev"]),
            (&json!("process/claim"), &json!("onHold"), &json!(1))
        );
    });
}

#[test]
fn a_token_with_other_rights_resends_every_channel() {
    with_process(CLAIM, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let started = ada.ask(start()).await;
        let instance = started.last().expect("a reply")["result"]["instance"].clone();
        let mut bob = Client::connect(&sessions, "bob", json!([])).await;
        bob.ask(tasks()).await;
        let clerk = Client::token(&sessions, "bob", &["clerk"]);
        bob.ask(json!({"type": "auth", "token": clerk})).await;
        assert_eq!(bob.found("resync").await["reason"], "access");
        assert_eq!(nodes(&bob.found("snapshot").await["tasks"]), ["check"]);
        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        let shown = bob
            .ask(json!({"type": "subscribe", "channel": channel}))
            .await;
        assert_eq!(shown[0]["actions"][0]["name"], "decide");
        let nobody = Client::token(&sessions, "bob", &[]);
        bob.ask(json!({"type": "auth", "token": nobody})).await;
        let lost = bob.found("error").await;
        assert_eq!(
            (&lost["code"], &lost["channel"]),
            (&json!("not_found"), &json!(channel))
        );
    });
}

fn changes() -> Value {
    json!({"type": "subscribe", "channel": "changes"})
}

#[test]
fn changes_are_reported_once_until_the_next_subscribe() {
    with_process(CLAIM, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let mut eve = Client::connect(&sessions, "eve", json!([])).await;
        let mut olga = Client::with_roles(&sessions, "olga", &["operator"]).await;
        for client in [&mut ada, &mut eve, &mut olga] {
            let frames = client.ask(changes()).await;
            assert_eq!(
                frames[0],
                json!({"type": "snapshot", "channel": "changes", "seq": 0})
            );
            assert_eq!(frames[1]["result"]["mode"], "snapshot");
        }
        let started = ada.ask(start()).await;
        let instance = started.last().expect("a reply")["result"]["instance"].clone();
        let topics = json!(["instances", "tasks"]);
        for client in [&mut ada, &mut olga] {
            assert_eq!(client.found("changes").await["topics"], topics);
        }
        // Nothing more, however much happens, before it is asked for again; then what happened
        // meanwhile is told, as other topics than those told before may be what a page is about.
        for command in ["hold", "unhold"] {
            let frames = olga
                .ask(json!({"type": command, "instance": instance}))
                .await;
            assert!(
                frames.iter().all(|frame| frame["type"] != "changes"),
                "{frames:?}"
            );
        }
        olga.ask(changes()).await;
        assert_eq!(olga.found("changes").await["topics"], json!(["instances"]));
        let frames = olga.ask(changes()).await;
        assert!(
            frames.iter().all(|frame| frame["type"] != "changes"),
            "{frames:?}"
        );
        olga.ask(json!({"type": "hold", "instance": instance}))
            .await;
        assert_eq!(olga.found("changes").await["topics"], json!(["instances"]));
        // The instances of others are not announced to her: her own start is the first
        // announcement.
        eve.ask(start()).await;
        assert_eq!(eve.found("changes").await["topics"], topics);
    });
}
