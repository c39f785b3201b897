//! The printed parts of docs/guide.md and docs/llms.txt: the process can be deployed, the scenario
//! runs as written, and every page is listed.

use std::{fs, path::Path, process::Command};

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The first block of this language.
fn block(text: &str, language: &str) -> String {
    let start = text.split(&format!("```{language}\n")).nth(1);
    let block = start.and_then(|rest| rest.split("```").next());
    block.expect("the page has such a block").to_owned()
}

#[test]
fn its_process_runs_as_its_scenario_says() {
    let guide = document("guide.md");
    let folder = tempfile::tempdir().expect("a temporary directory");
    for (file, language) in [("booking.json", "json"), ("booking.yaml", "yaml")] {
        fs::write(folder.path().join(file), block(&guide, language)).expect("a file");
    }
    for arguments in [["check", "booking.json"], ["test", "booking.yaml"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_stepwire"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("the program runs");
        let reported = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{reported}");
    }
}

#[test]
fn llms_txt_lists_every_page() {
    let llms = document("llms.txt");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for entry in fs::read_dir(docs).expect("docs is there") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".md") {
            assert!(
                llms.contains(&format!("(/docs/{name})")),
                "expected docs/llms.txt to link to {name}, but it does not"
            );
        }
    }
}
