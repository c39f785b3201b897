//! The element that a step of a scenario means: by its node, and by its iteration where several
//! iterations are at the node.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// A node, and which iteration of it.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeAt {
    /// Its id.
    pub node: String,
    /// Its iteration; without one the first, or for `patch` the loop as a whole.
    pub iteration: Option<Iteration>,
}

/// The number of an iteration, or of each loop around an element, the outermost first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Iteration {
    /// Of the only loop.
    One(u64),
    /// Of nested loops.
    Nested(Vec<u64>),
}

impl Iteration {
    fn numbers(&self) -> &[u64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::Nested(numbers) => numbers,
        }
    }
}

impl NodeAt {
    /// The element among the `nodes` of a next step; of a loop and its iterations the loop if
    /// `whole`.
    pub fn find<'n>(&self, nodes: &'n [Value], whole: bool) -> Option<&'n str> {
        let is_meant = |at: &&Value| {
            let wanted = self.iteration.as_ref().map(Iteration::numbers);
            at["node"] == *self.node && wanted.is_none_or(|wanted| numbers_of(at, nodes) == wanted)
        };
        let is_whole = |at: &&Value| {
            let inside =
                |other: &Value| other["scope"] == at["element"] && other["node"] == at["node"];
            nodes.iter().any(inside)
        };
        let mut found = nodes.iter().filter(is_meant);
        let first = found.clone().next()?;
        let one = if whole {
            first
        } else {
            found.find(|at| !is_whole(at)).unwrap_or(first)
        };
        one["element"].as_str()
    }
}

impl fmt::Display for NodeAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.node)?;
        let numbers = self.iteration.iter().flat_map(Iteration::numbers);
        let numbers: Vec<String> = numbers.map(u64::to_string).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        write!(f, " (iteration {})", numbers.join("."))
    }
}

/// The iterations that an element is in, the outermost first.
fn numbers_of(at: &Value, nodes: &[Value]) -> Vec<u64> {
    let around = |at: &&Value| {
        let scope = at["scope"].as_str()?;
        nodes.iter().find(|node| node["element"] == scope)
    };
    let path = std::iter::successors(Some(at), around).take(nodes.len());
    let mut numbers: Vec<u64> = path.filter_map(|at| at["loopCounter"].as_u64()).collect();
    numbers.reverse();
    numbers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn iterations_are_told_apart_by_their_numbers() {
        let at = |element: &str, node: &str, scope: Option<&str>, number: Option<u64>| json!({"element": element, "node": node, "scope": scope, "loopCounter": number});
        let nodes = [
            at("1", "box", None, None),
            at("2", "box", Some("1"), Some(1)),
            at("3", "box", Some("1"), Some(2)),
            at("4", "sign", Some("3"), None),
            at("5", "sign", Some("4"), Some(1)),
            at("6", "sign", Some("4"), Some(2)),
            at("7", "plain", None, None),
        ];
        let find = |node: &str, iteration: Value, whole| {
            let iteration = serde_json::from_value(iteration).unwrap();
            let node = node.to_owned();
            NodeAt { node, iteration }.find(&nodes, whole)
        };
        assert_eq!(find("plain", Value::Null, false), Some("7"));
        assert_eq!(find("box", Value::Null, false), Some("2"));
        assert_eq!(find("box", Value::Null, true), Some("1"));
        assert_eq!(find("box", json!(2), false), Some("3"));
        assert_eq!(find("box", json!(2), true), Some("3"));
        assert_eq!(find("sign", Value::Null, false), Some("5"));
        assert_eq!(find("sign", json!([2, 2]), false), Some("6"));
        assert_eq!(find("sign", json!([1, 2]), false), None);
        assert_eq!(find("box", json!(3), false), None);
    }
}
