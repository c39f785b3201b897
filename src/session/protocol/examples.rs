//! An example of every frame for the documents: a client and a server exchanged them in the
//! onboarding process.
//!
//! Tests compare them with the shapes of the catalog, and those of a client with the reader.

use serde_json::{Value, json};

/// An instance, its child and one of its elements.
const KEY: &str = "0197a1b2-0000-7000-8000-0000000000a7";
const CHILD: &str = "0197a1b2-0000-7000-8000-0000000000a6";
const ELEMENT: &str = "0197a1b2-0000-7000-8000-0000000000a7-9";
/// Until when an Action message can be answered.
const UNTIL: &str = "2026-11-28T09:30:00Z";
/// The name of a schema.
const SCHEMA: &str = "6f0a4c1be2d93758";
const ID: &str = "0197a1b3-1c2d-7e3f-8a4b-5c6d7e8f9a0b";

/// Examples of the frame with this name in the catalog.
pub fn of(name: &str) -> Vec<Value> {
    from_client(name)
        .or_else(|| from_server(name))
        .into_iter()
        .collect()
}

fn from_client(name: &str) -> Option<Value> {
    Some(match name {
        "hello" => json!({
            "type": "hello", "token": "eyJhbGciOiJIUzI1NiJ9…", "client": "web/1.4", "log": "0197a1b0-0000-7000-8000-000000000001",
            "resume": [{"instance": KEY, "after": 118}], "lastClose": 1006, "schemas": true,
        }),
        "start" => json!({
            "type": "start", "id": ID, "process": "onboarding", "data": {"client": {"firstName": "Ada"}}, "businessKey": "C-1815",
        }),
        "run" => json!({
            "type": "run", "id": ID, "instance": KEY, "action": "save", "data": {"client": {"email": "ada@example.org"}}, "ifSeq": 96,
        }),
        "subscribe" => {
            json!({"type": "subscribe", "id": ID, "channel": format!("instance/{KEY}"), "after": 90, "tree": true})
        }
        "unsubscribe" => json!({"type": "unsubscribe", "id": ID, "channel": "tasks"}),
        "auth" => json!({"type": "auth", "id": ID, "token": "eyJhbGciOiJIUzI1NiJ9…"}),
        "done" => json!({"type": "done", "id": ID, "instance": KEY, "seq": 96}),
        "publish" => {
            json!({"type": "publish", "id": ID, "name": "paid", "correlationKey": "order-7", "data": {"amount": 30}, "ttl": "PT1H"})
        }
        "patch" => {
            json!({"type": "patch", "id": ID, "instance": KEY, "data": {"client": {"email": "ada@example.org"}},
                "scope": format!("{KEY}-4"), "ifSeq": 97})
        }
        "draft" => {
            json!({"type": "draft", "id": ID, "instance": KEY, "element": ELEMENT, "action": "save", "data": {"client": {"firstName": "Ad"}}})
        }
        "presence" => {
            json!({"type": "presence", "id": ID, "instance": KEY, "element": ELEMENT, "state": "typing"})
        }
        "assign" => {
            json!({"type": "assign", "id": ID, "instance": KEY, "element": ELEMENT, "user": "ben"})
        }
        "move" => {
            json!({"type": "move", "id": ID, "instance": KEY, "element": ELEMENT, "to": "review"})
        }
        "retry" | "skip" | "claim" | "release" => {
            json!({"type": name, "id": ID, "instance": KEY, "element": ELEMENT})
        }
        "hold" | "unhold" | "terminate" | "dismiss" => {
            json!({"type": name, "id": ID, "instance": KEY})
        }
        "pong" => json!({"type": "pong"}),
        "clock" => json!({"type": "clock", "id": ID, "advance": "PT30S"}),
        "idle" => json!({"type": "idle", "id": ID}),
        _ => return None,
    })
}

fn from_server(name: &str) -> Option<Value> {
    let (channel, open) = (
        format!("instance/{KEY}"),
        json!({"processName": "signup", "type": "START_PROCESS_INHERIT"}),
    );
    Some(match name {
        "welcome" => json!({
            "type": "welcome", "connection": "0197a1b2-0000-7000-8000-0000000000c1", "user": "ada",
            "log": "0197a1b0-0000-7000-8000-000000000001", "expiresAt": "2026-11-21T09:30:00Z", "pingSeconds": 25,
            "maxMessageBytes": 65536, "rate": {"perSecond": 20, "burst": 60},
        }),
        "reply" => json!({"type": "reply", "id": ID, "seq": 97, "duplicate": false, "result": {
            "instance": KEY, "status": "started", "nodes": [node()], "actions": [action()], "ignored": ["client.age"], "children": [],
        }}),
        "error" => json!({
            "type": "error", "id": ID, "code": "action_not_available", "reason": "not_active", "retryable": false,
            "message": "expected an active user task with action 'save', but the token is at \
                'review'",
        }),
        "snapshot" => json!({
            "type": "snapshot", "channel": channel, "seq": 94, "process": "onboarding", "parent": null, "status": "started",
            "view": {"client": {"firstName": "Ada"}}, "nodes": [node()], "actions": [action()],
            "open": [{"seq": 90, "body": open, "until": UNTIL}],
            "children": [child()],
        }),
        "data" => json!({
            "type": "data", "channel": channel, "seq": 95, "prev": 94, "instance": KEY, "node": "details", "action": "showForm",
            "body": {"client": {"firstName": "Ada"}}, "origin": null, "cause": ID,
        }),
        "action" => json!({
            "type": "action", "channel": channel, "seq": 96, "prev": 95, "instance": KEY, "node": "details", "body": open,
            "until": UNTIL,
        }),
        "view" => {
            json!({"type": "view", "channel": channel, "seq": 95, "prev": 94, "body": {"client": {}}})
        }
        "child" => {
            json!({"type": "child", "channel": channel, "seq": 96, "prev": 95, "child": child()})
        }
        "progress" => json!({
            "type": "progress", "channel": channel, "seq": 97, "prev": 96, "status": "started", "nodes": [node()],
            "actions": [action()], "cause": ID,
        }),
        "schemas" => json!({"type": "schemas", "schemas": {SCHEMA: {
            "type": "object", "required": ["client"], "properties": {"client": {
                "type": "object", "required": ["email"], "properties": {"email": {"type": "string", "format": "email"}},
            }},
        }}}),
        "drafted" => {
            json!({"type": "drafted", "channel": channel, "element": ELEMENT, "action": "save",
                "data": {"client": {"firstName": "Ad"}}, "savedAt": "2026-11-21T09:30:00Z"})
        }
        "present" => {
            json!({"type": "present", "channel": channel, "element": ELEMENT,
                "users": [{"user": "bob", "typing": true, "since": "2026-11-21T09:30:00Z"}]})
        }
        "live" => json!({"type": "live", "channel": channel, "seq": 97}),
        "resync" => json!({"type": "resync", "channel": channel, "reason": "lag"}),
        "ping" => json!({"type": "ping"}),
        "bye" => json!({"type": "bye", "reason": "restart", "reconnectAfterMs": 1830}),
        _ => return of_lists(name),
    })
}

fn of_lists(name: &str) -> Option<Value> {
    let created = "2026-11-21T09:30:00Z";
    let task = json!({
        "instance": KEY, "element": ELEMENT, "process": "onboarding", "node": "review", "name": "Review", "lane": "clerks",
        "assignee": null, "candidates": ["clerk"], "createdAt": created, "dueAt": null, "remindedAt": null, "loopCounter": null,
        "businessKey": "C-1815",
    });
    let mut instance = json!({
        "instance": KEY, "process": "onboarding", "status": "started", "businessKey": "C-1815", "startedBy": "ada",
        "createdAt": created, "endedAt": null, "incidents": 0,
    });
    Some(match name {
        "tasksSnapshot" => {
            json!({"type": "snapshot", "channel": "tasks", "seq": 0, "tasks": [task], "more": false})
        }
        "tasks" => {
            json!({"type": "tasks", "channel": "tasks", "seq": 1, "prev": 0, "set": [task], "removed": [ELEMENT]})
        }
        "changesSnapshot" => json!({"type": "snapshot", "channel": "changes", "seq": 0}),
        "changes" => {
            json!({"type": "changes", "channel": "changes", "seq": 1, "prev": 0, "topics": ["tasks"]})
        }
        "instancesSnapshot" => {
            json!({"type": "snapshot", "channel": "process/onboarding", "seq": 0, "instances": [instance], "more": false})
        }
        "instance" => {
            instance["type"] = json!("instance");
            instance["channel"] = json!("process/onboarding");
            (instance["seq"], instance["prev"]) = (json!(1), json!(0));
            instance
        }
        _ => return None,
    })
}

fn node() -> Value {
    json!({"element": ELEMENT, "node": "details", "name": "Your details", "type": "userTask", "readOnly": false})
}

fn action() -> Value {
    json!({
        "name": "save", "element": ELEMENT, "node": "details", "order": 2, "type": "saveData", "required": "mandatory",
        "repeatable": false, "back": false, "keys": ["client.email"], "requiredKeys": ["client.email"], "schema": SCHEMA,
    })
}

fn child() -> Value {
    json!({"instance": CHILD, "process": "signup", "element": ELEMENT, "status": "started"})
}
