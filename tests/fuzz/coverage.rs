//! The package for cargo-fuzz fits the tests: a program for each target, and the same versions of
//! what the program depends on.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::{root, table::ALL};

fn text(file: &str) -> String {
    let text = fs::read_to_string(root().join(file));
    text.unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn each_target_has_a_program_for_cargo_fuzz() {
    let manifest: toml::Table = text("tests/fuzz/coverage/Cargo.toml")
        .parse()
        .expect("TOML");
    let programs = manifest["bin"].as_array().expect("programs");
    let named = programs
        .iter()
        .map(|it| it["name"].as_str().expect("a name"));
    let targets: BTreeSet<&str> = ALL.iter().map(|target| target.name).collect();
    assert_eq!(named.clone().collect::<BTreeSet<_>>(), targets);
    for name in named {
        let program = text(&format!("tests/fuzz/coverage/fuzz_targets/{name}.rs"));
        assert!(program.contains(&format!("target!({name:?})")), "{program}");
    }
}

#[test]
fn cargo_fuzz_builds_what_the_program_is_built_from() {
    let versions = |file: &str| {
        let lock: toml::Table = text(file).parse().expect("TOML");
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for package in lock["package"].as_array().expect("packages") {
            let word = |name: &str| package[name].as_str().expect("a text").to_owned();
            versions
                .entry(word("name"))
                .or_default()
                .insert(word("version"));
        }
        versions
    };
    let of_program = versions("Cargo.lock");
    for (name, built) in versions("tests/fuzz/coverage/Cargo.lock") {
        let Some(known) = of_program.get(&name) else {
            continue;
        };
        assert!(
            built.is_subset(known),
            "expected {name} {known:?} in tests/fuzz/coverage/Cargo.lock, but it has {built:?}; copy Cargo.lock there, and \
             run `cargo metadata --manifest-path tests/fuzz/coverage/Cargo.toml`"
        );
    }
}
