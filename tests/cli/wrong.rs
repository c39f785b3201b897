//! Invalid input, missing permissions, and no server.

use std::fs;

use super::server::{file, json, served, start};
use crate::users::program::Site;

#[test]
fn refusals_are_told_as_the_server_says_them() {
    let site = served();
    let key = start(&site, "decision");
    site.run(&["start", "nope", "-q"], "")
        .refused("there is no 'nope'");
    site.run(&["run", &key, "dance", "-q"], "").refused("dance");
    site.run(&["show", "0197a1b2-0000-7000-8000-000000000007", "-q"], "")
        .refused("expected");
    let error = json(&site, &["run", &key, "dance"], 1);
    assert_eq!(error["error"]["code"], "action_not_available");
    site.run(&["stop", &key], "").ends(0);
    let (text, errors) = site
        .run(&["stop", &key, &start(&site, "decision"), "-q"], "")
        .ends(1);
    assert!(
        text.ends_with("  terminated\n") && errors.contains(&key),
        "the others are stopped all the same: {errors}"
    );
}

#[test]
fn wrong_usage_is_2() {
    let site = served();
    for data in ["[1]", "{", "@/nowhere/at/all"] {
        let (_, errors) = site
            .run(&["start", "decision", "--data-json", data, "-q"], "")
            .ends(2);
        assert!(errors.starts_with("stepwire: expected "), "{errors}");
    }
    let (text, _) = site
        .run(
            &["start", "decision", "--data-json", "-", "--json", "-q"],
            r#"{"subject":"tea"}"#,
        )
        .ends(0);
    assert!(text.contains("started"), "{text}");
    site.run(&["start"], "").is_wrong_usage("PROCESS");
    site.run(&["show", "no-key"], "").is_wrong_usage("INSTANCE");
    site.run(&["deploy", "/nowhere/at/all.bpmn", "-q"], "")
        .ends(2);
    site.run(&["list", "--server", "ftp://x"], "").ends(2);
    let big = format!(r#"{{"subject":"{}"}}"#, "x".repeat(70_000));
    site.run(&["start", "decision", "--data-json", "-", "-q"], &big)
        .refused("at most 65536 bytes");
}

#[test]
fn no_server_and_no_access_are_7() {
    let site = Site::new();
    let nobody = format!("http://127.0.0.1:{}", site.port);
    for command in [
        &["start", "decision"][..],
        &["list"],
        &["deploy", &file("decision.bpmn")],
    ] {
        let (_, errors) = site
            .run(&[command, &["--server", &nobody, "-q"]].concat(), "")
            .ends(7);
        assert!(
            errors.starts_with("stepwire: expected a server at "),
            "{errors}"
        );
    }
    let site = served();
    let (_, errors) = site
        .run(&["start", "decision", "--token", "nonsense", "-q"], "")
        .ends(7);
    assert!(errors.contains("4401"), "{errors}");
    site.run(&["list", "--token", "nonsense", "-q"], "").ends(7);
    site.run(&["list", "--token-file", "/nowhere/at/all", "-q"], "")
        .ends(2);
}

#[test]
fn a_token_of_ones_own_is_used_and_the_local_one_goes_nowhere_else() {
    let site = served();
    let (token, _) = site.run(&["token", "--sub", "ada"], "").ends(0);
    let path = site.data().join("token");
    fs::write(&path, &token).unwrap();
    let key = json(
        &site,
        &["start", "decision", "--token-file", path.to_str().unwrap()],
        0,
    )["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, errors) = site.run(&["show", &key, "--json"], "").ends(0);
    assert!(errors.contains("as 'admin', by the server on "), "{errors}");
    assert_eq!(json(&site, &["show", &key], 0)["startedBy"], "ada");
    let (_, errors) = site
        .run(
            &["stop", &start(&site, "decision"), "--token", token.trim()],
            "",
        )
        .ends(1);
    assert!(errors.contains("expected"), "not hers: {errors}");

    // Another server, by its address only: the directory's owner is nobody there.
    let other = served();
    let address = format!("http://127.0.0.1:{}", other.port);
    let (_, errors) = site.run(&["list", "--server", &address], "").ends(7);
    assert!(errors.contains("anonymously"), "{errors}");
}

/// A command line in another folder than the server's would sign with a secret that no server has.
#[test]
fn a_token_that_no_server_knows_yet_says_so_once() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let data = folder.path().join("stepwire-data");
    let made = |sub: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_stepwire"))
            .args(["token", "--sub", sub])
            .current_dir(folder.path())
            .env_remove("STEPWIRE_DATA")
            .env_remove("STEPWIRE_JWT_SECRET")
            .output()
            .expect("the program runs");
        assert!(output.status.success() && !output.stdout.is_empty());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let first = made("ada");
    assert!(
        first.contains("expected the secret of a server in") && first.contains("--data"),
        "{first}"
    );
    assert!(data.join("jwt-secret").is_file());
    assert_eq!(made("bob"), "");
}

#[test]
fn a_server_that_cannot_deploy_its_files_says_why_in_lines_like_those_of_check() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let written = place.path().join("process.json");
    fs::write(&written, r#"{"id": "p", "nodes": [], "flowz": []}"#).expect("it is written");
    for (path, part) in [
        (file("broken.bpmn"), ": error at 'toNowhere': "),
        (written.display().to_string(), "`flowz`"),
    ] {
        let site = Site::new();
        let start = ["--listen", "127.0.0.1:0", "--deploy", &path];
        let (_, errors) = site.run(&start, "").ends(1);
        let begins = format!("stepwire: expected to deploy {path}, but it has problems:\n{path}: ");
        let (_, check) = site.run(&["check", &path], "").ends(1);
        assert!(
            errors.starts_with(&begins) && errors.contains(part),
            "{errors}"
        );
        let line = check.lines().find(|line| line.contains(part));
        let line = line.unwrap_or_else(|| panic!("{check}"));
        assert!(errors.contains(line), "{errors} instead of {line}");
    }
}
