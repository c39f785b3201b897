//! The attributes of throwing and catching events, and of compensation.

use serde_json::{Map, Value, json};

/// Writes an attribute of this name into a node of this kind.
pub(super) fn attribute(node: &mut Map<String, Value>, kind: &str, name: &str, value: &str) {
    let event = match (name, value) {
        ("handler", _) => return drop(node.insert("forCompensation".to_owned(), json!(true))),
        ("compensate" | "nowait", _) => return compensation(node, kind, name, value),
        ("error" | "escalation", "") => json!({"type": name}),
        ("error" | "escalation", code) => json!({"type": name, "code": code}),
        ("link", link) => json!({"type": "link", "name": link}),
        _ => json!({"type": name}),
    };
    node.insert("event".to_owned(), event);
}

fn compensation(node: &mut Map<String, Value>, kind: &str, name: &str, value: &str) {
    let event = node
        .entry("event")
        .or_insert_with(|| json!({"type": "compensation"}));
    match (name, kind) {
        ("nowait", _) => event["waitForCompletion"] = json!(false),
        (_, "boundaryEvent") => {
            node.insert("compensationHandler".to_owned(), json!(value));
        }
        _ if value.is_empty() => {}
        _ => event["activity"] = json!(value),
    }
}
