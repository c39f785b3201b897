//! The variables that an element reads: those of the surrounding scopes, the innermost first, and
//! then the data of the instance.
//!
//! A view borrowed from the state: nothing is copied as long as no scope owns a variable. The
//! scopes of an element, and where a write goes: `engine::variables`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::path::DataPath;

/// The variables as one element sees them. A name is looked up in the innermost scope that owns it;
/// a variable of an outer scope with the same name is hidden, including members of objects.
#[derive(Clone, Debug)]
pub struct Variables<'a> {
    /// Objects, the innermost first; empty if no scope owns a variable.
    scopes: Vec<&'a Value>,
    root: &'a Value,
}

impl<'a> Variables<'a> {
    /// The variables of scopes that own some, the innermost first, on top of the root's data; each
    /// a JSON object.
    pub fn layered(scopes: Vec<&'a Value>, root: &'a Value) -> Self {
        Self { scopes, root }
    }

    /// The same with one more scope, inside all others: a JSON object.
    pub fn inside<'b>(&self, innermost: &'b Value) -> Variables<'b>
    where
        'a: 'b,
    {
        let scopes = std::iter::once(innermost).chain(self.scopes.iter().copied());
        Variables::layered(scopes.collect(), self.root)
    }

    /// The variable of this name.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        let own = self.scopes.iter().find_map(|scope| scope.get(name));
        own.or_else(|| self.root.get(name))
    }

    /// The value at this path; `None` if anything on the way is missing or of another kind.
    pub fn at(&self, path: &DataPath) -> Option<&'a Value> {
        if self.scopes.is_empty() {
            return path.get(self.root);
        }
        path.get_below(self.get(path.first())?)
    }

    /// Only the data of the instance.
    pub fn root(&self) -> &'a Value {
        self.root
    }

    /// Whether a scope owns a variable, so that the root's data are not everything.
    pub fn is_layered(&self) -> bool {
        !self.scopes.is_empty()
    }

    /// All of them as one object; a copy only if a scope owns a variable.
    pub fn merged(&self) -> Cow<'a, Value> {
        if self.scopes.is_empty() {
            return Cow::Borrowed(self.root);
        }
        let mut all = Map::new();
        let layers = self.scopes.iter().copied().chain([self.root]);
        for (name, value) in layers.filter_map(Value::as_object).flatten() {
            if !all.contains_key(name) {
                all.insert(name.clone(), value.clone());
            }
        }
        Cow::Owned(Value::Object(all))
    }
}

impl<'a> From<&'a Value> for Variables<'a> {
    fn from(root: &'a Value) -> Self {
        Self::layered(Vec::new(), root)
    }
}

impl<'a> From<&Variables<'a>> for Variables<'a> {
    fn from(variables: &Variables<'a>) -> Self {
        variables.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_innermost_scope_that_owns_a_name_is_read() {
        let root = json!({"a": {"b": 1, "c": 2}, "d": 1});
        let (outer, inner) = (json!({"a": {"b": 3}, "e": [4]}), json!({"e": null}));
        let variables = Variables::layered(vec![&inner, &outer], &root);
        for (path, expected) in [
            ("a.b", Some(json!(3))),
            ("a.c", None),
            ("d", Some(json!(1))),
            ("e", Some(Value::Null)),
            ("e[0]", None),
            ("x.y", None),
        ] {
            let path = DataPath::parse(path).expect("a path");
            assert_eq!(variables.at(&path), expected.as_ref(), "{path}");
        }
        assert_eq!(
            *variables.merged(),
            json!({"a": {"b": 3}, "d": 1, "e": null})
        );
    }

    #[test]
    fn without_scopes_the_root_is_borrowed() {
        let root = json!({"a": [1, {"b": 2}]});
        let variables = Variables::from(&root);
        let path = DataPath::parse("a[1].b").expect("a path");
        assert_eq!(variables.at(&path), Some(&json!(2)));
        assert!(!variables.is_layered());
        assert!(matches!(variables.merged(), Cow::Borrowed(data) if std::ptr::eq(data, &root)));
    }
}
