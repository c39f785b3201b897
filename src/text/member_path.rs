//! Paths into JSON, as errors name them: `order.items[0].id`.
//!
//! A member whose name would be ambiguous, because it is empty or contains a dot, a bracket, a
//! quote or a control character, is written in brackets and quotes: `order["a.b"]`, `[""]`. So no
//! two places have the same path.

/// Appends a member to a path.
pub fn push_member(path: &mut String, name: &str) {
    let is_plain = !name.is_empty()
        && !name.contains(['.', '[', ']', '"', '\\'])
        && !name.contains(char::is_control);
    if is_plain {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    } else {
        // Every text can be written as JSON.
        let quoted = serde_json::to_string(name).unwrap_or_default();
        path.push_str(&format!("[{quoted}]"));
    }
}

/// Appends an item of a list to a path.
pub fn push_item(path: &mut String, index: usize) {
    path.push_str(&format!("[{index}]"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_places_have_different_paths() {
        let path = |names: &[&str]| {
            let mut path = String::new();
            names.iter().for_each(|name| push_member(&mut path, name));
            path
        };
        for (names, expected) in [
            (&["a", "b"][..], "a.b"),
            (&["a.b"], "[\"a.b\"]"),
            (&["a", ""], "a[\"\"]"),
            (&["", "a"], "[\"\"].a"),
            (&["a", "0"], "a.0"),
            (&["a", "[0]"], "a[\"[0]\"]"),
            (&["a", "\"\n\\"], "a[\"\\\"\\n\\\\\"]"),
            (&["größe", "a b"], "größe.a b"),
        ] {
            assert_eq!(path(names), expected);
        }
    }
}
