//! Invalid input, missing permissions, and no server.

use std::fs;

use super::server::{file, json, served, start};
use crate::users::program::Installation;

#[test]
fn refusals_are_printed_as_the_server_sends_them() {
    let installation = served();
    let key = start(&installation, "decision");
    installation
        .run(&["start", "nope", "-q"], "")
        .refused("there is no 'nope'");
    installation
        .run(&["run", &key, "dance", "-q"], "")
        .refused("dance");
    installation
        .run(&["show", "0197a1b2-0000-7000-8000-000000000007", "-q"], "")
        .refused("expected");
    let error = json(&installation, &["run", &key, "dance"], 1);
    assert_eq!(error["error"]["code"], "action_not_available");
    installation.run(&["stop", &key], "").ends(0);
    let (text, errors) = installation
        .run(&["stop", &key, &start(&installation, "decision"), "-q"], "")
        .ends(1);
    assert!(
        text.ends_with("  terminated\n") && errors.contains(&key),
        "the others are stopped all the same: {errors}"
    );
}

#[test]
fn wrong_usage_exits_with_2() {
    let installation = served();
    for data in ["[1]", "{", "@/nowhere/at/all"] {
        let (_, errors) = installation
            .run(&["start", "decision", "--data-json", data, "-q"], "")
            .ends(2);
        assert!(errors.starts_with("stepwire: expected "), "{errors}");
    }
    let (text, _) = installation
        .run(
            &["start", "decision", "--data-json", "-", "--json", "-q"],
            r#"{"subject":"tea"}"#,
        )
        .ends(0);
    assert!(text.contains("started"), "{text}");
    installation.run(&["start"], "").is_wrong_usage("PROCESS");
    installation
        .run(&["show", "no-key"], "")
        .is_wrong_usage("INSTANCE");
    installation
        .run(&["deploy", "/nowhere/at/all.bpmn", "-q"], "")
        .ends(2);
    installation
        .run(&["list", "--server", "ftp://x"], "")
        .ends(2);
    let big = format!(r#"{{"subject":"{}"}}"#, "x".repeat(70_000));
    installation
        .run(&["start", "decision", "--data-json", "-", "-q"], &big)
        .refused("at most 65536 bytes");
}

#[test]
fn an_unreachable_server_and_refused_access_exit_with_7() {
    let installation = Installation::new();
    let nobody = format!("http://127.0.0.1:{}", installation.port);
    for command in [
        &["start", "decision"][..],
        &["list"],
        &["deploy", &file("decision.bpmn")],
    ] {
        let (_, errors) = installation
            .run(&[command, &["--server", &nobody, "-q"]].concat(), "")
            .ends(7);
        assert!(
            errors.starts_with("stepwire: expected a server at "),
            "{errors}"
        );
    }
    let installation = served();
    let (_, errors) = installation
        .run(&["start", "decision", "--token", "nonsense", "-q"], "")
        .ends(7);
    assert!(errors.contains("4401"), "{errors}");
    installation
        .run(&["list", "--token", "nonsense", "-q"], "")
        .ends(7);
    installation
        .run(&["list", "--token-file", "/nowhere/at/all", "-q"], "")
        .ends(2);
}

#[test]
fn a_given_token_is_used_and_the_local_token_stays_local() {
    let installation = served();
    let (token, _) = installation.run(&["token", "--sub", "ada"], "").ends(0);
    let path = installation.data().join("token");
    fs::write(&path, &token).unwrap();
    let key = json(
        &installation,
        &["start", "decision", "--token-file", path.to_str().unwrap()],
        0,
    )["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, errors) = installation.run(&["show", &key, "--json"], "").ends(0);
    assert!(errors.contains("as 'admin', by the server on "), "{errors}");
    assert_eq!(json(&installation, &["show", &key], 0)["startedBy"], "ada");
    let (_, errors) = installation
        .run(
            &[
                "stop",
                &start(&installation, "decision"),
                "--token",
                token.trim(),
            ],
            "",
        )
        .ends(1);
    assert!(errors.contains("expected"), "not hers: {errors}");

    // Another server, by its address only: the owner of the directory is unknown there.
    let other = served();
    let address = format!("http://127.0.0.1:{}", other.port);
    let (_, errors) = installation
        .run(&["list", "--server", &address], "")
        .ends(7);
    assert!(errors.contains("anonymously"), "{errors}");
}

/// A command line in another folder than the server's would sign with a secret that no server has.
#[test]
fn a_token_for_no_running_server_warns_once() {
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
fn a_failed_deploy_at_start_prints_the_problems_as_check_does() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let written = place.path().join("process.json");
    fs::write(&written, r#"{"id": "p", "nodes": [], "flowz": []}"#).expect("it is written");
    for (path, part) in [
        (file("broken.bpmn"), ": error at 'toNowhere': "),
        (written.display().to_string(), "`flowz`"),
    ] {
        let installation = Installation::new();
        let start = ["--listen", "127.0.0.1:0", "--deploy", &path];
        let (_, errors) = installation.run(&start, "").ends(1);
        let begins = format!("stepwire: expected to deploy {path}, but it has problems:\n{path}: ");
        let (_, check) = installation.run(&["check", &path], "").ends(1);
        assert!(
            errors.starts_with(&begins) && errors.contains(part),
            "{errors}"
        );
        let line = check.lines().find(|line| line.contains(part));
        let line = line.unwrap_or_else(|| panic!("{check}"));
        assert!(errors.contains(line), "{errors} instead of {line}");
    }
}
