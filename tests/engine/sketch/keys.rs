//! The keys of start events and manual actions.

use serde_json::{Value, json};

/// `keys=a,b required=a.c schema={"a":{…}}`.
#[derive(Default)]
pub(super) struct Keys {
    keys: Vec<(String, bool)>,
    schemas: Value,
}

impl Keys {
    pub(super) fn attribute(&mut self, name: &str, value: &str) -> bool {
        match name {
            "keys" | "required" => self.keys.extend(
                value
                    .split(',')
                    .map(|path| (path.to_owned(), name == "required")),
            ),
            "schema" => self.schemas = serde_json::from_str(value).expect("schemas are JSON"),
            _ => return false,
        }
        true
    }

    pub(super) fn finish(self) -> Option<Value> {
        let keys = self.keys.iter().map(|(path, required)| {
            let schema = self.schemas.get(path).cloned();
            let mut key = json!({"path": path, "required": required});
            if let Some(schema) = schema {
                key["schema"] = schema;
            }
            key
        });
        (!self.keys.is_empty()).then(|| keys.collect())
    }
}
