//! Finds the cases, scenarios and other tests of each sentence.

use std::{collections::BTreeMap, fs, path::PathBuf};

use super::name;
use crate::support::expected;

/// The sentences that the tests name.
#[derive(Default)]
pub struct Evidence {
    /// Sentence → file → titles, in the order of the file.
    pub by_sentence: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Cases of the engine.
    pub cases: usize,
    /// Scenarios over the websocket.
    pub scenarios: usize,
    /// Tests listed in `elsewhere.txt`.
    pub others: usize,
    /// File and title of those that name no sentence.
    pub untagged: Vec<(String, String)>,
}

impl Evidence {
    /// Reads all titles and the list.
    pub fn gather() -> Self {
        let mut evidence = Self::default();
        evidence.cases = evidence.read_titles(&["tests", "engine", "cases"]);
        evidence.scenarios = evidence.read_titles(&["tests", "scenario", "cases"]);
        evidence.read_list();
        evidence
    }

    fn read_titles(&mut self, folder: &[&str]) -> usize {
        let entries =
            fs::read_dir(expected::path(folder)).expect("the folder of the cases is there");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("the folder can be read").path())
            .collect();
        paths.sort();
        let mut count = 0;
        for path in paths {
            let text = expected::read(&path);
            for title in text.lines().filter_map(|line| line.strip_prefix("# ")) {
                count += 1;
                self.add(&name(&path), title);
            }
        }
        count
    }

    fn add(&mut self, file: &str, title: &str) {
        let (title, tags) = tags(title);
        if tags.is_empty() {
            self.untagged.push((file.to_owned(), title.to_owned()));
        }
        for tag in tags {
            self.by_sentence
                .entry(tag)
                .or_default()
                .entry(file.to_owned())
                .or_default()
                .push(title.to_owned());
        }
    }

    /// Lines `A1, A2: path/of/file.rs::name_of_test`; the test must be there.
    fn read_list(&mut self) {
        let list = expected::read(&expected::path(&["tests", "spec", "elsewhere.txt"]));
        for line in list
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (ids, place) = line
                .split_once(": ")
                .unwrap_or_else(|| panic!("expected `ID: file::test`, but got {line}"));
            let (file, test) = place
                .split_once("::")
                .unwrap_or_else(|| panic!("expected `file::test`, but got {place}"));
            let source = expected::read(&expected::path(&[file]));
            assert!(
                source.contains(&format!("fn {test}(")),
                "expected the test {test} in {file}, but it is not there"
            );
            self.others += 1;
            for id in ids.split(", ") {
                let (file, test) = (file.to_owned(), test.replace('_', " "));
                self.by_sentence
                    .entry(id.to_owned())
                    .or_default()
                    .entry(file)
                    .or_default()
                    .push(test);
            }
        }
    }
}

/// A title without its tags, and the tags: `title [A1, K2]`.
fn tags(title: &str) -> (&str, Vec<String>) {
    let listed = title
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once(" ["));
    let Some((bare, list)) = listed else {
        return (title, Vec::new());
    };
    let tags: Vec<String> = list.split(',').map(|tag| tag.trim().to_owned()).collect();
    if tags.iter().all(|tag| is_id(tag)) {
        (bare, tags)
    } else {
        (title, Vec::new())
    }
}

fn is_id(text: &str) -> bool {
    text.strip_prefix(|first: char| first.is_ascii_uppercase())
        .is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
        })
}
