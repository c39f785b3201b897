//! Which data of one instance another one gets: `paramsToCopy` and `withoutParams`.

use serde_json::{Map, Value};

use super::{path::DataPath, variables::Variables};

/// A compiled copy list.
///
/// An array item copied by `[i]` keeps its index, so that the same path finds it in the copy: items
/// before it that are not copied become `null`. For the same reason an item removed by `[i]`
/// becomes `null`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CopyList {
    /// Paths to copy: `None` = everything, empty = nothing.
    pub copy: Option<Vec<DataPath>>,
    /// Paths removed from the copied data.
    pub without: Vec<DataPath>,
}

impl CopyList {
    /// Compiles the lists as the modeller wrote them.
    ///
    /// # Errors
    /// The first invalid path, as a sentence.
    pub fn parse(copy: Option<&[String]>, without: &[String]) -> Result<Self, String> {
        let parse_all = |paths: &[String]| {
            paths
                .iter()
                .map(|path| DataPath::parse(path))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            copy: copy.map(parse_all).transpose()?,
            without: parse_all(without)?,
        })
    }

    /// Reads `paramsToCopy` and `withoutParams` from the `params` of an Action message. A `null`
    /// list counts as absent.
    ///
    /// # Errors
    /// A sentence if `params` is no object, a list is no array of strings, or a path is invalid.
    pub fn from_params(params: Option<&Value>) -> Result<Self, String> {
        match params {
            None | Some(Value::Null) => Ok(Self::default()),
            Some(Value::Object(params)) => {
                let copy = path_list(params, "paramsToCopy")?;
                let without = path_list(params, "withoutParams")?;
                Self::parse(copy.as_deref(), &without.unwrap_or_default())
            }
            Some(other) => Err(format!(
                "expected `params` to be a JSON object, but got {other}"
            )),
        }
    }

    /// The copy of these variables. A path without a value copies nothing.
    pub fn apply<'a>(&self, variables: impl Into<Variables<'a>>) -> Value {
        let variables = variables.into();
        let mut copied = match &self.copy {
            None => variables.merged().into_owned(),
            Some(paths) => {
                let mut copied = Value::Object(Map::new());
                for path in paths {
                    if let Some(value) = variables.at(path) {
                        path.set(&mut copied, value.clone());
                    }
                }
                copied
            }
        };
        for path in &self.without {
            path.remove(&mut copied);
        }
        copied
    }
}

fn path_list(params: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, String> {
    match params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(list) => serde_json::from_value(list.clone()).map(Some).map_err(|_| {
            format!(
                "expected `{name}` to be a JSON list of paths such as [\"client\"], but got {list}"
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(params: Value, expected: Value) {
        let data = json!({"client": {"name": "Ada", "email": "a@b", "phones": [1, 2, 3]}, "theme": "dark"});
        let list = CopyList::from_params(Some(&params)).expect("the test's lists are valid");
        assert_eq!(list.apply(&data), expected, "{params}");
    }

    #[test]
    fn an_absent_list_copies_everything_and_an_empty_one_nothing() {
        let all = json!({"client": {"name": "Ada", "email": "a@b", "phones": [1, 2, 3]}, "theme": "dark"});
        check(json!({}), all.clone());
        check(json!({"paramsToCopy": null}), all);
        check(json!({"paramsToCopy": []}), json!({}));
        check(
            json!({"paramsToCopy": ["client.name", "absent"]}),
            json!({"client": {"name": "Ada"}}),
        );
        check(
            json!({"withoutParams": ["client"]}),
            json!({"theme": "dark"}),
        );
        check(
            json!({"paramsToCopy": ["client"], "withoutParams": ["client.email", "client.phones"]}),
            json!({"client": {"name": "Ada"}}),
        );
    }

    #[test]
    fn copied_items_keep_their_positions() {
        check(
            json!({"paramsToCopy": ["client.phones[1]"]}),
            json!({"client": {"phones": [null, 2]}}),
        );
        check(
            json!({"paramsToCopy": ["client.phones"], "withoutParams": ["client.phones[0]"]}),
            json!({"client": {"phones": [null, 2, 3]}}),
        );
    }

    #[test]
    fn values_other_than_lists_are_refused() {
        for params in [
            json!({"paramsToCopy": "client"}),
            json!({"withoutParams": [1]}),
            json!({"paramsToCopy": ["a b"]}),
            json!([]),
        ] {
            assert!(CopyList::from_params(Some(&params)).is_err(), "{params}");
        }
    }
}
