//! JSON Schemas of action data: sent to clients that ask for them, each once, and only for actions
//! that the receiver may run.

use serde_json::{Value, json};

use super::client::{Client, with_process};

/// Two steps with the same schema, and one that only a clerk may run.
const ASKING: &str = r#"{
    "id": "asking",
    "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "one", "type": "userTask", "actions": [
            {"name": "save", "trigger": "manual", "type": "saveData", "order": 1, "keys": [
                {"path": "client.name", "required": true, "schema": {"type": "string", "minLength": 2, "title": "Name"}},
                {"path": "client.age", "schema": {"type": "integer", "minimum": 18}}]}]},
        {"id": "two", "type": "userTask", "actions": [
            {"name": "again", "trigger": "manual", "type": "saveData", "order": 1, "keys": [
                {"path": "client.name", "required": true, "schema": {"type": "string", "minLength": 2, "title": "Name"}},
                {"path": "client.age", "schema": {"type": "integer", "minimum": 18}}]},
            {"name": "leave", "trigger": "manual", "type": "saveData", "required": "optional", "order": 2}]},
        {"id": "office", "type": "userTask", "actions": [
            {"name": "decide", "trigger": "manual", "type": "saveData", "order": 1, "keys": [{"path": "decision", "required": true}]}]},
        {"id": "end", "type": "endEvent"}],
    "flows": [
        {"id": "f1", "source": "start", "target": "one"}, {"id": "f2", "source": "one", "target": "two"},
        {"id": "f3", "source": "two", "target": "office"}, {"id": "f4", "source": "office", "target": "end"}],
    "lanes": [
        {"id": "home", "nodes": ["one", "two"]},
        {"id": "clerks", "nodes": ["office"], "execute": ["clerk"]}]
}"#;

fn run(instance: &Value, action: &str) -> Value {
    json!({"type": "run", "instance": instance, "action": action, "data": {"client": {"name": "Ada"}}})
}

fn types(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .filter_map(|frame| frame["type"].as_str())
        .collect()
}

#[test]
fn each_schema_is_sent_once_before_the_action_that_names_it() {
    with_process(ASKING, |sessions| async move {
        let mut ada = Client::with_schemas(&sessions, "ada", &[]).await;
        let frames = ada.ask(json!({"type": "start", "process": "asking"})).await;
        assert_eq!(types(&frames), ["schemas", "progress", "reply"]);
        assert_eq!(frames[1]["actions"][0]["initial"], Value::Null);
        let name = &frames[1]["actions"][0]["schema"];
        assert_eq!(
            frames[0]["schemas"],
            json!({name.as_str().expect("a name"): {
                "type": "object", "required": ["client"], "properties": {"client": {
                    "type": "object", "required": ["name"], "properties": {
                        "name": {"type": "string", "minLength": 2, "title": "Name"},
                        "age": {"type": "integer", "minimum": 18},
                    },
                }},
            }})
        );
        assert_eq!(&frames[2]["result"]["actions"][0]["schema"], name);

        let instance = frames[2]["result"]["instance"].clone();
        let frames = ada.ask(run(&instance, "save")).await;
        assert_eq!(types(&frames), ["progress", "reply"], "it is the same one");
        let actions = &frames[0]["actions"];
        assert_eq!(
            (&actions[0]["schema"], &actions[1]["schema"]),
            (name, &Value::Null)
        );
        // The initial data of a form are the data at the keys.
        assert_eq!(
            (&actions[0]["initial"], &actions[1]["initial"]),
            (&json!({"client": {"name": "Ada"}}), &Value::Null)
        );

        let frames = ada.ask(run(&instance, "again")).await;
        assert_eq!(types(&frames), ["progress", "reply"], "that is a clerk's");
        let mut clerk = Client::with_schemas(&sessions, "bob", &["clerk"]).await;
        let channel = format!("instance/{}", instance.as_str().expect("a key"));
        let frames = clerk
            .ask(json!({"type": "subscribe", "channel": channel}))
            .await;
        assert_eq!(types(&frames), ["schemas", "snapshot", "reply"]);
        let name = frames[1]["actions"][0]["schema"].as_str().expect("a name");
        assert_eq!(
            frames[0]["schemas"][name]["properties"]["decision"],
            json!({"not": {"type": "null"}})
        );
    });
}

#[test]
fn a_client_without_schemas_gets_names_only() {
    with_process(ASKING, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let frames = ada.ask(json!({"type": "start", "process": "asking"})).await;
        assert_eq!(types(&frames), ["progress", "reply"]);
        assert!(frames[0]["actions"][0]["schema"].is_string());
    });
}

#[test]
fn a_reconnecting_client_gets_schemas_before_the_progress() {
    with_process(ASKING, |sessions| async move {
        let mut ada = Client::connect(&sessions, "ada", json!([])).await;
        let frames = ada.ask(json!({"type": "start", "process": "asking"})).await;
        let instance = &frames[1]["result"]["instance"];
        let mut hello = Client::schemas_hello(&sessions, "ada", &[]);
        hello["resume"] = json!([{"instance": instance, "after": 0}]);
        let mut back = Client::hello_with(&sessions, hello).await;
        assert_eq!(
            types(&back.until("live").await),
            ["schemas", "progress", "live"]
        );
    });
}
