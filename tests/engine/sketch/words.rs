//! The words after the name of a node or an action: types, params, schedules, lists.

use serde_json::{Map, Value, json};

/// Writes an action's type and params; returns the attributes that follow.
pub(super) fn work<'a>(action: &mut Value, kind: &str, rest: &'a [String]) -> &'a [String] {
    let target = if kind.ends_with('^') {
        "parent"
    } else {
        "active"
    };
    let (name, params, taken) = match kind.trim_end_matches('^') {
        "save" => ("saveData", Value::Null, 0),
        "push" => (
            "websocketSend",
            json!({"message": rest[0], "target": target}),
            1,
        ),
        "ask" => (
            "websocketSend",
            json!({"message": rest[0], "target": target, "messageType": "action"}),
            1,
        ),
        "append" => (
            "appendToParent",
            json!({"destination": rest[0], "message": rest[1]}),
            2,
        ),
        "rule" => ("businessRule", json!({"script": rest[0]}), 1),
        "upload" => ("uploadFile", json!({"destination": rest[0]}), 1),
        "http" => ("httpRequest", json!({"method": rest[0], "url": rest[1]}), 2),
        "starts" => ("startActivity", json!({"activity": rest[0]}), 1),
        "sub" => ("startSubprocess", json!({"process": rest[0]}), 1),
        other => panic!("unknown action type {other}"),
    };
    action["type"] = json!(name);
    if !params.is_null() {
        action["params"] = params;
    }
    &rest[taken..]
}

pub(super) fn subprocess_attribute(
    into: &mut Value,
    process_key: &str,
    process: Option<&str>,
    name: &str,
    value: &str,
) {
    match (name, process) {
        ("await", _) => into["async"] = json!(false),
        ("copy", _) => into["paramsToCopy"] = list(value.trim_matches('-')),
        ("without", _) => into["withoutParams"] = list(value),
        ("business", _) => into["businessKey"] = json!(value),
        ("out", _) => into["outputKey"] = json!(value),
        ("output", _) => into["output"] = json!(value),
        (_, Some(process)) => into[process_key] = json!(process),
        _ => panic!("unknown attribute of a subprocess: {name}"),
    }
}

/// How an ad-hoc subprocess runs.
pub(super) fn ad_hoc_attribute(node: &mut Map<String, Value>, name: &str, value: &str) {
    let ad_hoc = node.entry("adHoc").or_insert_with(|| json!({}));
    match name {
        "done" => ad_hoc["completionCondition"] = json!(value.trim_matches('"')),
        "keep" => ad_hoc["cancelRemainingInstances"] = json!(false),
        "onebyone" => ad_hoc["sequential"] = json!(true),
        _ => {
            let path = value.strip_prefix('$').map(|path| json!(path));
            ad_hoc["activeElements"] = path.unwrap_or_else(|| list(value));
        }
    }
}

pub(super) fn list(value: &str) -> Value {
    value.split(',').filter(|path| !path.is_empty()).collect()
}
