//! Parts of a sketch that have their own lines or attributes.

use super::*;

/// The repetition of an activity.
pub(super) fn loop_attribute(node: &mut Map<String, Value>, name: &str, value: &str) {
    let kind = match name {
        "while" | "before" | "most" => "standard",
        _ => "multiInstance",
    };
    let into = node
        .entry("loop")
        .or_insert_with(|| json!({ "type": kind }));
    match name {
        "behavior" => {
            let mut parts = value.splitn(3, ':');
            let mut part = || parts.next().expect("behavior, type and name");
            let behavior = part();
            into["behavior"] = json!(behavior);
            let (kind, name) = (part(), part());
            let member = if kind == "signal" { "name" } else { "code" };
            let event = json!({"type": kind, member: name});
            if behavior == "complex" {
                into["complexBehavior"] = json!([{"condition": "true", "event": event}]);
            } else {
                into["event"] = event;
            }
        }
        "whenever" => into["complexBehavior"][0]["condition"] = json!(value.trim_matches('"')),
        "each" => into["collection"] = json!(value),
        "times" => into["cardinality"] = json!(value),
        "until" => into["completionCondition"] = json!(value),
        "list" => into["outputKey"] = json!(value),
        "gives" => into["output"] = json!(value),
        "while" => into["condition"] = json!(value),
        "before" => into["testBefore"] = json!(true),
        "most" => into["maximum"] = json!(value.parse::<u32>().expect("a number")),
        "sequential" => into[name] = json!(true),
        _ => into[name] = json!(value),
    }
}

pub(super) fn schedule_attribute(into: &mut Value, name: &str, value: &str) {
    match name {
        "cycle" | "date" => into["when"] = json!({name: value}),
        "after" => into["when"] = json!({"duration": value}),
        "startup" => into["when"] = json!("startup"),
        "zone" => into["timeZone"] = json!(value),
        "data" => into["startData"] = serde_json::from_str(value).expect("start data are JSON"),
        _ => into[name] = json!(value),
    }
}

/// `webhook URL on=a,b data`.
pub(super) fn webhook(url: &str, attributes: &[String]) -> Value {
    let mut webhook = json!({"url": url});
    for attribute in attributes {
        match attribute.strip_prefix("on=") {
            Some(statuses) => webhook["on"] = list(statuses),
            None => webhook["include"] = json!(attribute),
        }
    }
    webhook
}

/// `lane ID nodes=a,b execute=clerk,chief parent=outer …`.
pub(super) fn lane(id: &str, attributes: &[String]) -> Value {
    let listed = attributes
        .iter()
        .filter_map(|attribute| attribute.split_once('='));
    let members = listed.map(|(name, value)| {
        (
            name.to_owned(),
            if name == "parent" {
                json!(value)
            } else {
                list(value)
            },
        )
    });
    Value::Object(
        [
            ("id".to_owned(), json!(id)),
            ("nodes".to_owned(), json!([])),
        ]
        .into_iter()
        .chain(members)
        .collect(),
    )
}
