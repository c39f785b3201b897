//! The engine has no import cycle: of two of its modules at most one imports the other.
//!
//! A module is a file. It imports the modules in its `use` lines and in the paths of its code, by
//! `crate`, `super`, `self` or a module it declares. Not found: a method of `Step` in another file
//! that is called without a path, and names in macros.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    assert_none, layer_files,
    pattern::split,
    tokens::{Token, tokens},
};

/// Folders that count as one module, and why.
const ONE_MODULE: &[(&str, &str)] = &[(
    "engine::state",
    "its fields are private to the folder, and what applies records to them is in its files",
)];

/// Modules, and the modules that each imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_engine_has_no_import_cycle() {
    let files: BTreeMap<String, String> = layer_files("engine")
        .into_iter()
        .map(|(path, text)| {
            let path = path.with_extension("").display().to_string();
            (path.trim_start_matches("src/").replace('/', "::"), text)
        })
        .collect();
    let wrong = cycles(&graph(&files))
        .into_iter()
        .map(|cycle| cycle.join(" -> "));
    assert_none("expected no import cycle in src/engine", wrong.collect());
}

#[test]
fn a_cycle_is_found() {
    let files = |second: &str| {
        BTreeMap::from([
            ("engine".to_owned(), "mod a; mod b;".to_owned()),
            (
                "engine::a".to_owned(),
                "use super::{b::{self, C}, c as d};".to_owned(),
            ),
            ("engine::b".to_owned(), second.to_owned()),
        ])
    };
    for knows in [
        "use crate::engine::a::X;",
        "use crate::{engine::{a::X, c}, model::Y};",
        "fn f() { super::a::f() }",
    ] {
        assert_eq!(cycles(&graph(&files(knows))).len(), 1, "{knows}");
    }
    for knows in [
        "use super::c;",
        "pub(in crate::engine) fn a() {}",
        "// super::a::f",
    ] {
        assert!(cycles(&graph(&files(knows))).is_empty(), "{knows}");
    }
}

fn graph(files: &BTreeMap<String, String>) -> Graph {
    let mut graph = Graph::new();
    for (module, text) in files {
        let known = paths(&tokens(text))
            .into_iter()
            .filter_map(|path| absolute(&path, module, files))
            .map(|known| merged(&known))
            .filter(|known| *known != merged(module));
        graph.entry(merged(module)).or_default().extend(known);
    }
    graph
}

/// The module a module counts as.
fn merged(module: &str) -> String {
    let whole = ONE_MODULE.iter().find(|(folder, _)| {
        module == *folder
            || module
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with("::"))
    });
    whole.map_or(module, |(folder, _)| folder).to_owned()
}

/// The module of a file to which a path leads.
fn absolute(path: &[String], module: &str, files: &BTreeMap<String, String>) -> Option<String> {
    let mut place: Vec<&str> = module.split("::").collect();
    let mut rest = path;
    match rest.first().map(String::as_str) {
        Some("crate") => place.clear(),
        Some("self" | "super") => {}
        Some(child) if files.contains_key(&format!("{module}::{child}")) => {}
        _ => return None,
    }
    while let Some(first) = rest.first() {
        match &**first {
            "super" => drop(place.pop()),
            "crate" | "self" => {}
            _ => break,
        }
        rest = &rest[1..];
    }
    place.extend(rest.iter().map(String::as_str));
    while !place.is_empty() && !files.contains_key(&place.join("::")) {
        place.pop();
    }
    // A path to a child is no import of the parent.
    (!place.is_empty()).then(|| place.join("::"))
}

/// Every path of a source: those of its `use` lines one by one, and those in its code.
fn paths(tokens: &[Token]) -> Vec<Vec<String>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        match &*tokens[at].text {
            "use" => {
                let end = (at..tokens.len()).find(|&at| tokens[at].text == ";");
                let end = end.unwrap_or(tokens.len());
                expand(&[], &tokens[at + 1..end], &mut found);
                at = end;
            }
            // `pub(in path)`
            "in" if at > 0 && tokens[at - 1].text == "(" => {
                while at < tokens.len() && tokens[at].text != ")" {
                    at += 1;
                }
            }
            word if word.starts_with(|letter: char| letter.is_alphabetic())
                && tokens.get(at + 1).is_some_and(|next| next.text == "::") =>
            {
                let mut path = vec![word.to_owned()];
                while tokens.get(at + 1).is_some_and(|next| next.text == "::")
                    && at + 2 < tokens.len()
                {
                    at += 2;
                    path.push(tokens[at].text.clone());
                }
                found.push(path);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn expand(prefix: &[String], tokens: &[Token], found: &mut Vec<Vec<String>>) {
    for part in split(tokens, ",")
        .into_iter()
        .filter(|part| !part.is_empty())
    {
        let mut path = prefix.to_vec();
        for (at, token) in part.iter().enumerate() {
            match &*token.text {
                "::" => {}
                "as" => break,
                "{" => {
                    expand(&path, &part[at + 1..part.len() - 1], found);
                    path.clear();
                    break;
                }
                name => path.push(name.to_owned()),
            }
        }
        if !path.is_empty() {
            // `self` at the end of a path means the module before it.
            if !prefix.is_empty() && path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            found.push(path);
        }
    }
}

/// One cycle for each module on a cycle, at most once each.
fn cycles(graph: &Graph) -> Vec<Vec<String>> {
    let (mut found, mut seen): (Vec<Vec<String>>, BTreeSet<&String>) =
        (Vec::new(), BTreeSet::new());
    for start in graph.keys() {
        if seen.contains(start) {
            continue;
        }
        if let Some(cycle) = way_back(graph, start) {
            seen.extend(graph.keys().filter(|module| cycle.contains(*module)));
            found.push(cycle);
        }
    }
    found
}

/// The shortest way from a module to itself.
fn way_back(graph: &Graph, start: &String) -> Option<Vec<String>> {
    let mut ways: Vec<Vec<String>> = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for known in way
                .last()
                .and_then(|last| graph.get(last))
                .into_iter()
                .flatten()
            {
                let mut way = way.clone();
                way.push(known.clone());
                if known == start {
                    return Some(way);
                }
                if seen.insert(known.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}
