//! Compares what a user has received with what the scenario expects; the result is lines for
//! people.

use serde_json::{Value, json};

use super::{
    form::{Expectation, ExpectedMessage, ExpectedRefusal},
    player::Instance,
};

/// A text that matches any value.
const ANY: &str = "*";

/// The differences between an instance and the expectation; empty if there are none. `data` are
/// those the user may read, when the scenario asks for them.
pub fn differences(expected: &Expectation, found: &Instance, data: Option<&Value>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(status) = &expected.status
        && *status != found.status
    {
        lines.extend(pair("status", status, &found.status));
    }
    let names = |list: &[Value], name: &str| -> Vec<String> {
        let texts = list.iter().filter_map(|item| item[name].as_str());
        texts.map(str::to_owned).collect()
    };
    let incidents: Vec<Value> = found
        .nodes
        .iter()
        .filter(|node| !node["incident"].is_null())
        .map(|node| node["incident"].clone())
        .collect();
    for (what, expected, found) in [
        ("nodes", &expected.nodes, names(&found.nodes, "node")),
        ("actions", &expected.actions, names(&found.actions, "name")),
        ("incidents", &expected.incidents, names(&incidents, "code")),
    ] {
        if let Some(expected) = expected {
            lines.extend(unordered(what, expected, found));
        }
    }
    if let Some(children) = &expected.children {
        let processes: Vec<&str> = found.children.iter().map(|(_, of)| of.as_str()).collect();
        if *children != processes {
            lines.extend(pair(
                "children",
                &children.join(", "),
                &processes.join(", "),
            ));
        }
    }
    if let Some(open) = expected.open
        && open != found.open.len()
    {
        lines.extend(pair(
            "open",
            &open.to_string(),
            &found.open.len().to_string(),
        ));
    }
    if let Some(view) = &expected.view {
        compare("view", view, Some(&found.view), &mut lines);
    }
    if let Some(expected) = &expected.data {
        compare("data", expected, data, &mut lines);
    }
    if let Some(messages) = &expected.messages {
        lines.extend(messages_differ(messages, &found.messages[found.checked..]));
    }
    lines
}

/// The differences between a refusal and the expected one.
pub fn refusal_differs(expected: &ExpectedRefusal, refusal: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let text = |name: &str| refusal[name].as_str().unwrap_or_default();
    if expected.code != text("code") {
        lines.extend(pair("code", &expected.code, text("code")));
        lines.push(format!("  {}", text("message")));
    }
    if let Some(reason) = &expected.reason
        && reason != text("reason")
    {
        lines.extend(pair("reason", reason, text("reason")));
    }
    for (path, code) in &expected.fields {
        let found = refusal["fields"][path]["code"]
            .as_str()
            .unwrap_or("no refusal");
        if code != found {
            lines.extend(pair(path, code, found));
        }
    }
    lines
}

fn messages_differ(expected: &[ExpectedMessage], found: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, message) in expected.iter().enumerate() {
        let what = format!("messages[{index}]");
        let Some(frame) = found.get(index) else {
            lines.extend(pair(&what, &written(message), "no message"));
            continue;
        };
        for (name, value) in [
            ("type", &message.kind),
            ("node", &message.node),
            ("action", &message.action),
        ] {
            if let Some(value) = value
                && frame[name] != **value
            {
                let got = frame[name].as_str().unwrap_or("none");
                lines.extend(pair(&format!("{what}.{name}"), value, got));
            }
        }
        if let Some(body) = &message.body {
            compare(
                &format!("{what}.body"),
                body,
                Some(&frame["body"]),
                &mut lines,
            );
        }
    }
    for (index, frame) in found.iter().enumerate().skip(expected.len()) {
        let what = format!("messages[{index}]");
        let got = json!({"type": frame["type"], "node": frame["node"], "body": frame["body"]});
        lines.extend(pair(&what, "no further message", &got.to_string()));
    }
    lines
}

fn written(message: &ExpectedMessage) -> String {
    let parts = json!({"type": message.kind, "node": message.node, "action": message.action, "body": message.body});
    let members = parts.as_object().into_iter().flatten();
    let expected = members.filter(|(_, value)| !value.is_null());
    Value::Object(
        expected
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
    .to_string()
}

/// Whether the expected value is contained in the found one: members not mentioned may be anything.
fn compare(path: &str, expected: &Value, found: Option<&Value>, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::String(any), Some(found)) if any == ANY && !found.is_null() => {}
        (Value::Null, None) => {}
        (Value::Object(expected), Some(Value::Object(found))) => {
            for (name, value) in expected {
                compare(&format!("{path}.{name}"), value, found.get(name), lines);
            }
        }
        (Value::Array(expected), Some(Value::Array(found))) if expected.len() == found.len() => {
            for (index, (value, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{path}[{index}]"), value, Some(found), lines);
            }
        }
        (Value::Number(one), Some(Value::Number(other)))
            if one == other
                || one.as_f64() == other.as_f64() && (one.is_f64() || other.is_f64()) => {}
        (expected, Some(found)) if expected == found => {}
        (expected, found) => {
            let found = found.map_or("nothing".to_owned(), Value::to_string);
            lines.extend(pair(path, &expected.to_string(), &found));
        }
    }
}

fn unordered(what: &str, expected: &[String], mut found: Vec<String>) -> Vec<String> {
    let mut expected = expected.to_vec();
    expected.sort();
    found.sort();
    if expected == found {
        return Vec::new();
    }
    let shown = |names: &[String]| {
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    pair(what, &shown(&expected), &shown(&found))
}

fn pair(what: &str, expected: &str, found: &str) -> Vec<String> {
    vec![
        format!("{what}"),
        format!("  - {expected}"),
        format!("  + {found}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_expected_members_are_compared() {
        let check = |expected: Value, found: Value| {
            let mut lines = Vec::new();
            compare("data", &expected, Some(&found), &mut lines);
            lines.join("\n")
        };
        let found = json!({"a": {"b": 1, "c": [1, {"d": "x"}]}, "e": 2.0, "id": "0197"});
        for good in [
            json!({}),
            json!({"a": {"b": 1}}),
            json!({"a": {"c": [1, {}]}}),
            json!({"e": 2}),
            json!({"id": "*", "gone": null}),
        ] {
            assert_eq!(check(good, found.clone()), "");
        }
        assert_eq!(
            check(json!({"a": {"c": [1, {"d": "y"}]}}), found.clone()),
            "data.a.c[1].d\n  - \"y\"\n  + \"x\""
        );
        assert_eq!(
            check(json!({"gone": "*"}), found.clone()),
            "data.gone\n  - \"*\"\n  + nothing"
        );
        assert_eq!(check(json!({"a": {"c": [1]}}), found).lines().count(), 3);
    }

    #[test]
    fn expected_messages_must_all_come_in_order() {
        let frames = [json!({"type": "data", "node": "n", "body": {"x": 1}})];
        let one = ExpectedMessage {
            node: Some("n".to_owned()),
            body: Some(json!({"x": 1})),
            ..ExpectedMessage::default()
        };
        assert!(messages_differ(std::slice::from_ref(&one), &frames).is_empty());
        let missing = messages_differ(&[one.clone(), one], &frames).join("\n");
        assert!(missing.contains("+ no message"), "{missing}");
        let further = messages_differ(&[], &frames).join("\n");
        assert!(further.contains("- no further message"), "{further}");
    }
}
