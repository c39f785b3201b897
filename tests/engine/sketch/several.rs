//! Events with several definitions: `also` between the attributes of one and those of the next.

use serde_json::{Map, Value, json};

/// The attribute that collects the definitions before the last one.
const BEFORE: &str = "also";

/// Begins another definition of the event.
pub(super) fn another(node: &mut Map<String, Value>) {
    for name in ["event", "schedule"] {
        let held = match name {
            "event" => node.remove(name),
            _ => node
                .get_mut(name)
                .and_then(|schedule| schedule.as_object_mut()?.remove("when")),
        };
        if let Some(held) = held {
            let before = node.entry(BEFORE).or_insert_with(|| json!({}));
            let list = before
                .as_object_mut()
                .expect("lists by name")
                .entry(name)
                .or_insert_with(|| json!([]));
            list.as_array_mut().expect("a list").push(held);
        }
    }
}

/// Writes the definitions as a list, if there are several.
pub(super) fn finish(node: &mut Map<String, Value>) {
    another(node);
    let Some(Value::Object(mut all)) = node.remove(BEFORE) else {
        return;
    };
    let mut one_or_list = |name| match all.remove(name) {
        Some(Value::Array(mut list)) if list.len() == 1 => list.pop(),
        found => found,
    };
    if let Some(events) = one_or_list("event") {
        node.insert("event".to_owned(), events);
    }
    if let Some(when) = one_or_list("schedule") {
        node["schedule"]["when"] = when;
    }
}
