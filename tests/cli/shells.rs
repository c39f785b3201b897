//! Completions and manual pages, generated from the grammar that parses the command line.

use std::{fs, process::Command};

fn run(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stepwire"))
        .args(arguments)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it speaks UTF-8")
}

#[test]
fn every_shell_gets_completions_that_name_commands_and_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = run(&["completions", shell]);
        for word in ["deploy", "doctor", "production", "stepwire"] {
            assert!(text.contains(word), "{word} for {shell}");
        }
    }
    // Where there is a shell that can say so, it is one it can read.
    let place = tempfile::tempdir().expect("a temporary directory");
    let script = place.path().join("stepwire.bash");
    fs::write(&script, run(&["completions", "bash"])).expect("it can be written");
    if let Ok(checked) = Command::new("bash").arg("-n").arg(&script).status() {
        assert!(checked.success());
    }
}

#[test]
fn manual_pages_are_printed_and_written_for_every_command() {
    let page = run(&["man"]);
    assert!(page.contains(".TH stepwire 1"), "{page}");
    assert!(page.contains("drop\\-after"), "{page}");
    let place = tempfile::tempdir().expect("a temporary directory");
    let directory = place.path().join("man1");
    run(&["man", directory.to_str().expect("UTF-8")]);
    for name in ["stepwire", "stepwire-deploy", "stepwire-user-add"] {
        let page = fs::read_to_string(directory.join(format!("{name}.1")));
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
}
