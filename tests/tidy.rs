//! Rules for every file of the project, as tests: import direction, module docs, file size, no open
//! TODO, matches that name every variant (`tidy/matches`), no cycle in the engine (`tidy/cycles`),
//! and a container file that matches the program (`tidy/container`).

mod container;
mod cycles;
mod limits;
mod matches;
mod pattern;
mod tokens;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Which layers each layer may import. `limits` and `text` belong to all; a layer may always import
/// itself.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("expression", &["model", "thread_priority"]),
    ("engine", &["model"]),
    ("explorer", &["engine", "model"]),
    (
        "journal",
        &["engine", "model", "meters", "thread_priority", "turns"],
    ),
    (
        "runtime",
        &[
            "meters",
            "logging",
            "thread_priority",
            "turns",
            "journal",
            "engine",
            "expression",
            "model",
        ],
    ),
    ("session", &["runtime", "journal", "engine", "model"]),
    (
        "web",
        &[
            "meters",
            "logging",
            "thread_priority",
            "turns",
            "session",
            "runtime",
            "journal",
            "engine",
            "model",
            "config",
            "admin",
        ],
    ),
    (
        "admin",
        &["session", "runtime", "journal", "engine", "model", "config"],
    ),
    (
        "backup",
        &["runtime", "journal", "engine", "model", "config"],
    ),
    // The client knows only the wire.
    ("cli", &["config"]),
    ("config", &[]),
    ("meters", &[]),
    ("logging", &[]),
    ("thread_priority", &[]),
    ("turns", &[]),
    ("text", &[]),
];

/// The crates that the pure layers may use besides the standard library.
const PURE_CRATES: &[&str] = &["serde", "serde_json", "uuid", "jiff"];

/// Lines a source file may have; most have far fewer.
const LONGEST: usize = 500;

#[test]
fn imports_go_in_one_direction() {
    let mut wrong = Vec::new();
    for (layer, allowed) in MAY_IMPORT {
        for (path, text) in layer_files(layer) {
            for other in imported_layers(&text) {
                if other != *layer
                    && !["limits", "text"].contains(&other.as_str())
                    && !allowed.contains(&other.as_str())
                {
                    wrong.push(format!("{}: {layer} imports {other}", path.display()));
                }
            }
        }
    }
    assert_none(
        "expected imports in the direction ARCHITECTURE.md draws",
        wrong,
    );
}

#[test]
fn the_engine_is_pure() {
    let mut wrong = Vec::new();
    for (path, text) in layer_files("engine") {
        let code = without_tests(&text);
        for word in [
            "async ",
            "std::fs",
            "std::net",
            "std::thread",
            "std::time",
            "now_v7",
            "new_v4",
            "Timestamp::now",
            "Zoned::now",
        ] {
            if code.contains(word) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
        for krate in used_crates(&code) {
            if !PURE_CRATES.contains(&krate.as_str()) {
                wrong.push(format!("{}: crate {krate}", path.display()));
            }
        }
    }
    assert_none(
        "expected the engine without IO, clock, threads and other crates",
        wrong,
    );
}

#[test]
fn sessions_import_no_transport() {
    let wrong = layer_files("session")
        .into_iter()
        .filter(|(_, text)| text.contains("actix_") || text.contains("actix::"))
        .map(|(path, _)| path.display().to_string());
    assert_none("expected src/session without actix", wrong.collect());
}

#[test]
fn only_one_module_reads_the_clock() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src", "rs") {
        let code = without_tests(&text);
        if !path.ends_with("runtime/clock.rs")
            && (code.contains("SystemTime::now") || code.contains("Timestamp::now"))
        {
            wrong.push(path.display().to_string());
        }
    }
    assert_none("expected only runtime/clock.rs to read the clock", wrong);
}

#[test]
fn every_module_has_a_doc_comment() {
    let undocumented = |text: &String| !text.trim_start().starts_with("//!");
    let is_test = |path: &Path| {
        path.file_stem()
            .is_some_and(|name| name == "tests" || name.to_string_lossy().ends_with("_tests"))
    };
    let all = sources("src", "rs")
        .into_iter()
        .chain(sources("tests", "rs"))
        .chain(sources("benches", "rs"));
    let wrong = all
        .filter(|(path, text)| !is_test(path) && undocumented(text))
        .map(|(path, _)| path.display().to_string());
    assert_none(
        "expected //! docs at the top of every module",
        wrong.collect(),
    );
}

#[test]
fn every_file_is_a_module_of_its_folder() {
    let is_named = |path: &Path| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if ["main", "lib"].contains(&&*name) {
            return true;
        }
        let folder = path.parent().unwrap_or(path);
        // The manifest of a package names its programs.
        let package = folder.parent().unwrap_or(folder);
        let manifest = fs::read_to_string(root().join(package).join("Cargo.toml"));
        let program = path.strip_prefix(package).unwrap_or(path);
        let program = format!("path = \"{}\"", program.display());
        if manifest.is_ok_and(|manifest| manifest.contains(&program)) {
            return true;
        }
        let parents = [
            folder.with_extension("rs"),
            folder.join("lib.rs"),
            folder.join("main.rs"),
        ];
        let declaration = format!("mod {name};");
        parents
            .iter()
            .filter_map(|parent| fs::read_to_string(root().join(parent)).ok())
            .any(|text| text.lines().any(|line| line.ends_with(&declaration)))
    };
    let all = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| sources(folder, "rs"));
    let wrong = all
        .filter(|(path, _)| !is_named(path))
        .map(|(path, _)| path.display().to_string());
    assert_none(
        "expected every file to be compiled: to be named by the module it belongs to",
        wrong.collect(),
    );
}

#[test]
fn files_are_at_most_500_lines() {
    let folders = [
        ("src", "rs"),
        ("sdk/src", "ts"),
        ("static/src", "ts"),
        ("tests", "rs"),
        ("benches", "rs"),
    ];
    let all = folders
        .iter()
        .flat_map(|(folder, ending)| sources(folder, ending));
    let wrong = all
        .filter(|(_, text)| text.lines().count() > LONGEST)
        .map(|(path, text)| format!("{}: {}", path.display(), text.lines().count()));
    assert_none(
        &format!("expected at most {LONGEST} lines per file"),
        wrong.collect(),
    );
}

#[test]
fn no_todo_is_left() {
    // Written in two parts, so that this file does not find itself.
    let marks = [
        ["to", "do!("],
        ["unimpl", "emented!("],
        ["db", "g!("],
        ["FIX", "ME"],
        ["#[ig", "nore"],
    ]
    .map(|parts| parts.concat());
    let all = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| sources(folder, "rs"));
    let mut wrong = Vec::new();
    for (path, text) in all {
        wrong.extend(
            marks
                .iter()
                .filter(|mark| text.contains(*mark))
                .map(|mark| format!("{}: {mark}", path.display())),
        );
    }
    assert_none("expected nothing left undone", wrong);
}

#[test]
fn lock_files_contain_no_registry_addresses() {
    let locks = [
        "sdk/package-lock.json",
        "sdk/docs/package-lock.json",
        "sdk/examples/vite/package-lock.json",
        "static/package-lock.json",
        "tests/browser/package-lock.json",
    ];
    let wrong = locks.iter().filter(|path| {
        fs::read_to_string(root().join(path))
            .is_ok_and(|text| text.contains("\"resolved\": \"http"))
    });
    assert_none(
        "expected lock files without download addresses",
        wrong.map(|path| (*path).to_owned()).collect(),
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn assert_none(expected: &str, wrong: Vec<String>) {
    assert!(
        wrong.is_empty(),
        "{expected}, but found:\n  {}",
        wrong.join("\n  ")
    );
}

/// The files of a layer: its folder, or its one file with the folder beside it.
fn layer_files(layer: &str) -> Vec<(PathBuf, String)> {
    let mut files = sources(&format!("src/{layer}"), "rs");
    if let Ok(text) = fs::read_to_string(root().join(format!("src/{layer}.rs"))) {
        files.push((PathBuf::from(format!("src/{layer}.rs")), text));
    }
    files
}

fn sources(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = BTreeMap::new();
    collect(&root().join(folder), ending, &mut found);
    found.into_iter().collect()
}

fn collect(folder: &Path, ending: &str, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("node_modules") {
            collect(&path, ending, found);
        } else if path.extension().is_some_and(|found| found == ending) {
            let text = fs::read_to_string(&path).expect("a source file is readable UTF-8");
            found.insert(
                path.strip_prefix(root())
                    .map(Path::to_path_buf)
                    .unwrap_or(path),
                text,
            );
        }
    }
}

/// Layers named behind `crate::`, singly or in a braced import.
fn imported_layers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, mark) in text.match_indices("crate::") {
        let rest = &text[at + mark.len()..];
        match rest.strip_prefix('{') {
            Some(list) => found.extend(top_level_names(list)),
            None => found.push(name_at(rest)),
        }
    }
    found.retain(|name| MAY_IMPORT.iter().any(|(layer, _)| layer == name) || name == "limits");
    found
}

/// The first names of a braced import list, up to its closing brace.
fn top_level_names(list: &str) -> Vec<String> {
    let (mut depth, mut expecting, mut names) = (0, true, Vec::new());
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expecting = true,
            _ if expecting && letter.is_alphabetic() => {
                names.push(name_at(&list[at..]));
                expecting = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

fn used_crates(code: &str) -> Vec<String> {
    let names = code
        .lines()
        .filter_map(|line| line.strip_prefix("use "))
        .map(name_at);
    names
        .filter(|name| !["crate", "super", "self", "std"].contains(&name.as_str()))
        .filter(|name| name.chars().next().is_some_and(char::is_lowercase))
        .filter(|name| PURE_CRATES.contains(&name.as_str()) || !is_local(name))
        .collect()
}

/// Modules of the engine re-exported at its root.
fn is_local(name: &str) -> bool {
    root().join(format!("src/engine/{name}.rs")).exists()
        || root().join(format!("src/engine/{name}")).exists()
}

fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn the_codemap_names_existing_files() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the map is there");
    let codemap = map
        .split("## Codemap")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("the map has a codemap");
    let quoted = |cell: &str| -> Vec<String> {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let mut wrong = Vec::new();
    for line in codemap.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let (places, files) = (quoted(cells[0]), quoted(cells[cells.len() - 1]));
        let is_there = |file: &String| {
            places.iter().any(|place| {
                let place = root().join(place);
                let beside = place.parent().map(|folder| folder.join(file));
                beside.is_some_and(|path| path.exists())
                    || root().join(file).exists()
                    || holds(&place, file)
            })
        };
        wrong.extend(
            places
                .iter()
                .filter(|place| !root().join(place).exists())
                .cloned(),
        );
        wrong.extend(files.into_iter().filter(|file| !is_there(file)));
    }
    assert_none(
        "expected the codemap of ARCHITECTURE.md to name files that are there",
        wrong,
    );
}

/// Whether a folder holds a file, at any depth.
fn holds(folder: &Path, file: &str) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    folder.join(file).exists()
        || entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir() && !path.ends_with("node_modules"))
            .any(|path| holds(&path, file))
}
