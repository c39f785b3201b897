//! The one way data comes into an instance: deep merge.

use serde_json::Value;

/// Deepest nesting of data that one instance takes over from another. More would not be read back from the log.
pub const MAX_DATA_DEPTH: usize = 256;

/// Whether arrays and objects nest deeper than `limit`.
pub fn exceeds_depth(value: &Value, limit: usize) -> bool {
    match value {
        Value::Array(items) => limit == 0 || items.iter().any(|item| exceeds_depth(item, limit - 1)),
        Value::Object(members) => limit == 0 || members.values().any(|member| exceeds_depth(member, limit - 1)),
        _ => false,
    }
}

/// Merges `patch` into `into`: objects merge member by member, everything else replaces. `null` is a value like any other.
pub fn deep_merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(members), Value::Object(patches)) => {
            for (name, patch) in patches {
                match members.get_mut(name) {
                    Some(member) => deep_merge(member, patch),
                    None => {
                        members.insert(name.clone(), patch.clone());
                    }
                }
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_merge_all_else_replaces() {
        let mut data = json!({"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1});
        deep_merge(&mut data, &json!({"a": {"c": [3], "g": {}}, "d": null, "f": {"h": true}}));
        assert_eq!(data, json!({"a": {"b": 1, "c": [3], "g": {}}, "d": null, "f": {"h": true}}));
    }
}
