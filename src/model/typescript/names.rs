//! Names of declarations: an id of the modeller may not be a valid name in TypeScript, and two may
//! result in the same name.

use std::collections::HashSet;

/// Names that every file has.
const TAKEN: [&str; 8] = [
    "Json",
    "NodeId",
    "ActionName",
    "StartData",
    "Payloads",
    "DataBodies",
    "View",
    "Processes",
];

/// Gives each name once.
pub(super) struct Names(HashSet<String>);

impl Default for Names {
    fn default() -> Self {
        Self(TAKEN.map(str::to_owned).into())
    }
}

impl Names {
    /// A name made from these parts, with a number if it exists already.
    pub fn give(&mut self, parts: &[&str]) -> String {
        let mut base: String = parts.iter().flat_map(|part| words(part)).collect();
        if base.starts_with(|first: char| first.is_ascii_digit()) {
            base.insert(0, 'N');
        }
        let mut name = base.clone();
        for number in 2.. {
            if self.0.insert(name.clone()) {
                break;
            }
            name = format!("{base}{number}");
        }
        name
    }
}

/// The words of an id with capitals in front: `save-data` is `Save`, `Data`.
fn words(id: &str) -> impl Iterator<Item = String> {
    id.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        })
}

/// An id of the modeller in a comment, which it must not end.
pub(super) fn comment(word: &str) -> String {
    format!(
        "'{}'",
        word.replace("*/", "* /").replace(char::is_control, " ")
    )
}
