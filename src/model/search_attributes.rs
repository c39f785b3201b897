//! The values by which instances can be found, at paths in their data that the process declares.
//!
//! Values are compared as text: a string as it is, a number or boolean as its JSON text. Other
//! values are not found, nor is a text over [`limits::SEARCHED_BYTES`], because a part of it would
//! match other texts.
//!
//! Not here: where the values are stored (`journal::read_models`), who may search
//! (`web::rest::instances`).

use serde_json::Value;

use super::path::DataPath;
use crate::limits;

/// The compiled paths of a process.
#[derive(Debug, Default)]
pub struct SearchKeys {
    paths: Vec<(String, DataPath)>,
}

/// The search values of an instance, in the order of the paths.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SearchedTexts {
    texts: Vec<Option<String>>,
    /// Paths that are no longer searched.
    dropped: Vec<String>,
}

impl SearchKeys {
    /// Compiles the paths.
    ///
    /// # Errors
    /// The first invalid path, as a sentence.
    pub fn compile(paths: &[String]) -> Result<Self, String> {
        let compile = |path: &String| Ok((path.clone(), DataPath::parse_members(path)?));
        Ok(Self {
            paths: paths.iter().map(compile).collect::<Result<_, String>>()?,
        })
    }

    /// The search values of an instance with these data.
    pub fn texts(&self, data: &Value) -> SearchedTexts {
        SearchedTexts {
            texts: self
                .paths
                .iter()
                .map(|(_, path)| path.get(data).and_then(text))
                .collect(),
            dropped: Vec::new(),
        }
    }

    /// The search values so far of an instance with these data, by the paths of another version.
    pub fn texts_of(&self, source: &Self, data: &Value) -> SearchedTexts {
        let has = |keys: &Self, name: &str| keys.paths.iter().any(|(other, _)| other == name);
        let known = |(name, path): &(String, DataPath)| {
            let path = has(source, name).then_some(path)?;
            path.get(data).and_then(text)
        };
        let dropped = source.paths.iter().map(|(name, _)| name);
        SearchedTexts {
            texts: self.paths.iter().map(known).collect(),
            dropped: dropped.filter(|name| !has(self, name)).cloned().collect(),
        }
    }

    /// The paths whose value differs from before, with the present value. Before its first record
    /// an instance has none.
    pub fn changes<'a>(
        &'a self,
        before: &'a SearchedTexts,
        now: SearchedTexts,
    ) -> impl Iterator<Item = (&'a str, Option<String>)> {
        let texts = before
            .texts
            .iter()
            .map(Option::as_deref)
            .chain(std::iter::repeat(None));
        let both = texts.zip(now.texts);
        let dropped = before.dropped.iter().map(|path| (&**path, None));
        self.paths
            .iter()
            .zip(both)
            .filter(|(_, (old, new))| *old != new.as_deref())
            .map(|((path, _), (_, new))| (&**path, new))
            .chain(dropped)
    }
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (text.len() <= limits::SEARCHED_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: Value, expected: Option<&str>) {
        assert_eq!(text(&value).as_deref(), expected, "{value}");
    }

    #[test]
    fn scalars_are_found_by_their_text() {
        check(json!("a@b.c"), Some("a@b.c"));
        check(json!(" two  blanks "), Some(" two  blanks "));
        check(json!(""), Some(""));
        check(json!(7), Some("7"));
        check(json!(7.0), Some("7.0"));
        check(json!(-0.5), Some("-0.5"));
        check(json!(true), Some("true"));
        check(json!(null), None);
        check(json!(["a"]), None);
        check(json!({"a": 1}), None);
        let longest = "x".repeat(limits::SEARCHED_BYTES);
        check(json!(longest), Some(&longest));
        check(json!(format!("{longest}x")), None);
    }

    #[test]
    fn only_texts_that_differ_are_changes() {
        let keys =
            SearchKeys::compile(&["client.email".into(), "order".into(), "paid".into()]).unwrap();
        let found = |before: &SearchedTexts, data: Value| -> Vec<(String, Option<String>)> {
            keys.changes(before, keys.texts(&data))
                .map(|(path, text)| (path.to_owned(), text))
                .collect()
        };
        let texts = keys.texts(&json!({"client": {"email": "a"}, "order": 7}));
        let change = |path: &str, text: Option<&str>| (path.to_owned(), text.map(str::to_owned));
        assert_eq!(found(&SearchedTexts::default(), json!({})), []);
        assert_eq!(
            found(&SearchedTexts::default(), json!({"order": 7})),
            [change("order", Some("7"))]
        );
        assert_eq!(
            found(
                &texts,
                json!({"client": {"email": "a", "age": 9}, "order": "7"})
            ),
            []
        );
        let other = found(&texts, json!({"client": "a", "order": 8, "paid": false}));
        assert_eq!(
            other,
            [
                change("client.email", None),
                change("order", Some("8")),
                change("paid", Some("false"))
            ]
        );
    }
}
