//! The tests named in docs/jobs.md, in the table of the clients' requirements, exist.

use std::{collections::HashSet, fs, path::Path};

#[test]
fn every_requirement_of_the_clients_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/jobs.md")).expect("the page is there");
    let (_, table) = page
        .split_once("| requirement | of | checked by |")
        .expect("the page has the table");
    let rows: Vec<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 10, "{rows:?}");
    let mut clients = HashSet::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, of, tests] = cells[..] else {
            panic!("expected three cells: {row}")
        };
        clients.extend(
            of.split(", ")
                .filter(|name| !["all", "some", "one"].contains(name)),
        );
        assert!(!tests.is_empty(), "{row}");
        for name in tests.split(", ") {
            let (file, test) = name
                .trim_matches('`')
                .split_once("::")
                .unwrap_or_else(|| panic!("expected file::test: {name}"));
            let source = fs::read_to_string(root.join(format!("tests/{file}.rs")))
                .unwrap_or_else(|_| panic!("no {file}: {row}"));
            assert!(
                source.contains(&format!("fn {test}(")),
                "no test {test} in tests/{file}.rs: {row}"
            );
        }
    }
    let known: HashSet<&str> = super::clients::ALL
        .iter()
        .map(|(client, _)| *client)
        .collect();
    assert!(clients.is_subset(&known), "{clients:?}");
    assert!(
        known.iter().all(|client| page.contains(client)),
        "{known:?}"
    );
}
