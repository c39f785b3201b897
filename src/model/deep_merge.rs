//! Deep merge, the only way in which data are merged into an instance.

use serde_json::Value;

/// Whether arrays and objects nest deeper than `limit`.
pub fn exceeds_depth(value: &Value, limit: usize) -> bool {
    match value {
        Value::Array(items) => {
            limit == 0 || items.iter().any(|item| exceeds_depth(item, limit - 1))
        }
        Value::Object(members) => {
            limit == 0
                || members
                    .values()
                    .any(|member| exceeds_depth(member, limit - 1))
        }
        _ => false,
    }
}

/// Whether a value contains more than `limit` values, itself included. Counts no further than that.
pub fn exceeds_values(value: &Value, limit: usize) -> bool {
    fn count(value: &Value, left: &mut usize) -> bool {
        let Some(less) = left.checked_sub(1) else {
            return true;
        };
        *left = less;
        match value {
            Value::Array(items) => items.iter().any(|item| count(item, left)),
            Value::Object(members) => members.values().any(|member| count(member, left)),
            _ => false,
        }
    }
    count(value, &mut { limit })
}

/// Merges `patch` into `into`: objects merge member by member, everything else replaces. `null` is
/// a value like any other.
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

/// Whether merging `first` and then `second` has the same result as merging the two merged into
/// one. It differs if `first` replaces a value by another that `second` replaces by an object:
/// merged into one, that object would be merged into the old value.
pub fn composes(first: &Value, second: &Value) -> bool {
    match (first, second) {
        (Value::Object(members), Value::Object(patches)) => patches.iter().all(|(name, patch)| {
            members
                .get(name)
                .is_none_or(|member| composes(member, patch))
        }),
        (_, second) => !second.is_object(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_merge_all_else_replaces() {
        let mut data = json!({"a": {"b": 1, "c": [1, 2]}, "d": {"e": 1}, "f": 1});
        deep_merge(
            &mut data,
            &json!({"a": {"c": [3], "g": {}}, "d": null, "f": {"h": true}}),
        );
        assert_eq!(
            data,
            json!({"a": {"b": 1, "c": [3], "g": {}}, "d": null, "f": {"h": true}})
        );
    }

    #[test]
    fn values_are_counted_up_to_a_limit() {
        let value = json!({"a": [1, {"b": 2}], "c": "x"});
        assert!(exceeds_values(&value, 5));
        assert!(!exceeds_values(&value, 6));
        assert!(exceeds_values(&json!(1), 0));
    }

    #[test]
    fn patches_compose_unless_an_object_follows_another_value() {
        let check = |first: Value, second: Value, expected: bool| {
            assert_eq!(composes(&first, &second), expected, "{first} {second}");
            let mut both = first.clone();
            deep_merge(&mut both, &second);
            for old in [
                json!({}),
                json!({"a": {"b": 1, "c": {"d": 1}}}),
                json!({"a": 1}),
            ] {
                let (mut after, mut at_once) = (old.clone(), old);
                deep_merge(&mut after, &first);
                deep_merge(&mut after, &second);
                deep_merge(&mut at_once, &both);
                assert!(
                    !expected || after == at_once,
                    "{first} {second}: {after} {at_once}"
                );
            }
        };
        check(json!({"a": 1}), json!({"a": 2, "b": {}}), true);
        check(json!({"a": {"b": 2}}), json!({"a": {"c": {"e": 1}}}), true);
        check(json!({"a": {}}), json!({"a": {"c": {"e": 1}}}), true);
        check(json!({"a": {"b": 2}}), json!({"a": null}), true);
        check(json!({"a": null}), json!({"a": {"x": 1}}), false);
        check(json!({"a": {"c": 1}}), json!({"a": {"c": {"x": 1}}}), false);
    }
}
