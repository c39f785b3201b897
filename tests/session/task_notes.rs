//! Drafts and presence: on every device of a user, for nobody else, and removed with what they
//! belong to.

use std::sync::Arc;

use serde_json::{Value, json};
use stepwire::{limits, session::sessions::Sessions};

use super::client::{Client, with_process};

/// A task of two actions, one of them repeatable, and one that only clerks work at.
const WORK: &str = r#"{
    "id": "work",
    "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "one", "type": "userTask", "actions": [
            {"name": "note", "trigger": "manual", "type": "saveData", "required": "optional", "repeatable": true, "keys": [{"path": "note"}]},
            {"name": "save", "trigger": "manual", "type": "saveData", "keys": [{"path": "name", "required": true}]}]},
        {"id": "office", "type": "userTask", "actions": [
            {"name": "decide", "trigger": "manual", "type": "saveData", "keys": [{"path": "decision"}]}]},
        {"id": "end", "type": "endEvent"}],
    "flows": [
        {"id": "f1", "source": "start", "target": "one"}, {"id": "f2", "source": "one", "target": "office"},
        {"id": "f3", "source": "office", "target": "end"}],
    "lanes": [
        {"id": "home", "nodes": ["one"]},
        {"id": "clerks", "nodes": ["office"], "execute": ["clerk"]}]
}"#;

async fn started(client: &mut Client) -> (Value, Value) {
    let frames = client
        .ask(json!({"type": "start", "process": "work"}))
        .await;
    let result = &frames.last().expect("a reply")["result"];
    (
        result["instance"].clone(),
        result["nodes"][0]["element"].clone(),
    )
}

async fn follow(client: &mut Client, instance: &Value) {
    let channel = format!("instance/{}", instance.as_str().expect("a key"));
    let frames = client
        .ask(json!({"type": "subscribe", "channel": channel}))
        .await;
    assert_eq!(frames.last().expect("an answer")["type"], "reply");
}

async fn answer(client: &mut Client, command: Value) -> Value {
    client.ask(command).await.pop().expect("an answer")
}

fn draft(instance: &Value, action: &str, data: &Value) -> Value {
    json!({"type": "draft", "instance": instance, "action": action, "data": data})
}

fn presence(instance: &Value, element: &Value, state: &str) -> Value {
    json!({"type": "presence", "instance": instance, "element": element, "state": state})
}

async fn clerk(sessions: &Arc<Sessions>, user: &str) -> Client {
    Client::with_roles(sessions, user, &["clerk"]).await
}

#[test]
fn a_draft_is_on_every_device_of_its_user_until_its_action_runs() {
    with_process(WORK, |sessions| async move {
        let mut desk = Client::connect(&sessions, "ada", json!([])).await;
        let mut phone = Client::connect(&sessions, "ada", json!([])).await;
        let mut other = clerk(&sessions, "bob").await;
        let (instance, element) = started(&mut desk).await;
        follow(&mut phone, &instance).await;
        follow(&mut other, &instance).await;

        let typed = json!({"name": 7, "nonsense": [true]});
        let reply = answer(&mut desk, draft(&instance, "save", &typed)).await;
        assert_eq!(
            (&reply["type"], &reply["result"]),
            (&json!("reply"), &json!({}))
        );
        let told = phone.found("drafted").await;
        assert_eq!(
            (&told["element"], &told["action"], &told["data"]),
            (&element, &json!("save"), &typed)
        );
        // Also on a device that connects later, and for no other user.
        let mut tablet = Client::connect(&sessions, "ada", json!([])).await;
        follow(&mut tablet, &instance).await;
        assert_eq!(tablet.found("drafted").await["data"], typed);

        answer(&mut desk, draft(&instance, "note", &json!({"note": "a"}))).await;
        assert_eq!(phone.found("drafted").await["action"], "note");
        let run =
            json!({"type": "run", "instance": instance, "action": "note", "data": {"note": "b"}});
        answer(&mut phone, run).await;
        let mut gone = desk.found("drafted").await;
        while !gone["data"].is_null() {
            gone = desk.found("drafted").await;
        }
        assert_eq!(gone["action"], "note");

        let run =
            json!({"type": "run", "instance": instance, "action": "save", "data": {"name": "Ada"}});
        answer(&mut desk, run).await;
        let mut gone = tablet.found("drafted").await;
        while !(gone["data"].is_null() && gone["action"] == "save") {
            gone = tablet.found("drafted").await;
        }
        let frames = other
            .ask(json!({"type": "unsubscribe", "channel": "tasks"}))
            .await;
        assert!(
            frames.iter().all(|frame| frame["type"] != "drafted"),
            "{frames:?}"
        );
        // Nothing of it came into the process.
        let mut late = Client::connect(&sessions, "ada", json!([])).await;
        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        let frames = late
            .ask(json!({"type": "subscribe", "channel": channel}))
            .await;
        assert!(
            frames.iter().all(|frame| frame["type"] != "drafted"),
            "{frames:?}"
        );
    });
}

#[test]
fn a_draft_requires_the_right_to_run_the_action_and_has_limits() {
    with_process(WORK, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let (instance, _) = started(&mut ada).await;
        let nothing = json!({});
        let mut stranger = Client::connect(&sessions, "eve", json!([])).await;
        let code = |answer: Value| answer["code"].as_str().unwrap_or("none").to_owned();
        let refused = answer(&mut stranger, draft(&instance, "save", &nothing)).await;
        assert_eq!(code(refused), "not_found");
        let refused = answer(&mut ada, draft(&instance, "decide", &nothing)).await;
        assert_eq!(code(refused), "action_not_available");
        let long = json!({"name": "x".repeat(limits::DRAFT_BYTES)});
        let refused = answer(&mut ada, draft(&instance, "save", &long)).await;
        assert_eq!(code(refused), "too_large");
        let count = limits::Limit::DraftsPerUser.count();
        for number in 0..=limits::DRAFTS_PER_USER.get() {
            let (instance, _) = started(&mut ada).await;
            let answered = answer(&mut ada, draft(&instance, "save", &nothing)).await;
            let expected = if number < limits::DRAFTS_PER_USER.get() {
                "none"
            } else {
                "conflict"
            };
            assert_eq!(code(answered), expected, "draft {number}");
            if number == 0 {
                // Dropped, it counts no longer; again, it does.
                answer(&mut ada, draft(&instance, "save", &Value::Null)).await;
                answer(&mut ada, draft(&instance, "save", &nothing)).await;
            }
        }
        assert!(limits::Limit::DraftsPerUser.count() > count);
    });
}

#[test]
fn presence_is_sent_to_users_who_may_act_at_the_task() {
    with_process(WORK, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let (instance, _) = started(&mut ada).await;
        let run =
            json!({"type": "run", "instance": instance, "action": "save", "data": {"name": "Ada"}});
        let reply = answer(&mut ada, run).await;
        let element = reply["result"]["nodes"][0]["element"].clone();
        let (mut bob, mut ben) = (clerk(&sessions, "bob").await, clerk(&sessions, "ben").await);
        follow(&mut bob, &instance).await;
        follow(&mut ben, &instance).await;
        let refused = answer(&mut ada, presence(&instance, &element, "open")).await;
        assert_eq!(refused["code"], "forbidden", "{refused}");

        answer(&mut bob, presence(&instance, &element, "open")).await;
        let told = ben.found("present").await;
        assert_eq!(told["element"], element);
        assert_eq!(
            (&told["users"][0]["user"], &told["users"][0]["typing"]),
            (&json!("bob"), &json!(false))
        );
        answer(&mut bob, presence(&instance, &element, "typing")).await;
        assert_eq!(ben.found("present").await["users"][0]["typing"], true);
        // A user who reports no typing for a while counts as no longer typing.
        bob.later(limits::TYPING.as_secs());
        assert_eq!(ben.found("present").await["users"][0]["typing"], false);
        drop(bob);
        assert_eq!(ben.found("present").await["users"], json!([]));
        let frames = ada
            .ask(json!({"type": "unsubscribe", "channel": "tasks"}))
            .await;
        assert!(
            frames.iter().all(|frame| frame["type"] != "present"),
            "{frames:?}"
        );

        // With the task its presence ends.
        let mut bob = clerk(&sessions, "bob").await;
        follow(&mut bob, &instance).await;
        answer(&mut ben, presence(&instance, &element, "open")).await;
        assert_eq!(bob.found("present").await["users"][0]["user"], "ben");
        answer(
            &mut ben,
            json!({"type": "run", "instance": instance, "action": "decide"}),
        )
        .await;
        assert_eq!(bob.found("present").await["users"], json!([]));
    });
}
