//! The exit status says how a command ended.

use std::io::{BufRead, BufReader};

use serde_json::json;

use super::server::{ended, json, served, spawn, start};

#[test]
fn a_start_prints_the_next_step_and_waits_on_request() {
    let installation = served();
    let (text, _) = installation
        .run(
            &["start", "decision", "--data-json", r#"{"subject":"tea"}"#],
            "",
        )
        .ends(0);
    assert!(
        text.contains("started")
            && text.contains("at   Decide (decide)")
            && text.contains("may  approve"),
        "{text}"
    );
    let result = json(&installation, &["start", "decision"], 0);
    assert_eq!(
        (&result["status"], &result["exit"], &result["duplicate"]),
        (&json!("started"), &json!("done"), &json!(false))
    );
    assert_eq!(
        json(&installation, &["start", "atOnce", "--wait"], 0)["exit"],
        "finished"
    );
    assert_eq!(
        json(&installation, &["start", "failing", "--wait"], 3)["exit"],
        "failed"
    );
    let waiting = json(
        &installation,
        &["start", "decision", "--wait", "--until", "waiting"],
        6,
    );
    assert_eq!(
        (&waiting["exit"], &waiting["nodes"][0]["node"]),
        (&json!("waiting"), &json!("decide"))
    );
    let late = json(
        &installation,
        &["start", "decision", "--wait", "--timeout", "200ms"],
        124,
    );
    assert_eq!(
        (&late["exit"], &late["status"]),
        (&json!("timeout"), &json!("started"))
    );
}

#[test]
fn the_same_id_never_starts_twice() {
    let installation = served();
    let id = [
        "start",
        "decision",
        "--id",
        "0197a1b2-0000-7000-8000-000000000007",
    ];
    let first = json(&installation, &id, 0);
    let again = json(&installation, &id, 0);
    assert_eq!(
        (&first["instance"], &again["duplicate"]),
        (&again["instance"], &json!(true))
    );
    let waited = json(
        &installation,
        &[&id[..], &["--wait", "--until", "waiting"]].concat(),
        6,
    );
    assert_eq!(
        (&waited["instance"], &waited["status"]),
        (&first["instance"], &json!("started"))
    );
}

#[test]
fn approvals_are_given_and_refused() {
    let installation = served();
    let key = start(&installation, "decision");
    assert_eq!(
        json(
            &installation,
            &["approve", &key, "--comment", "fine", "--wait"],
            0
        )["exit"],
        "finished"
    );
    let data = json(&installation, &["show", &key], 0);
    assert_eq!(
        (&data["data"]["comment"], &data["status"]),
        (&json!("fine"), &json!("finished"))
    );
    let key = start(&installation, "decision");
    assert_eq!(
        json(&installation, &["approve", &key, "--reject", "--wait"], 5)["exit"],
        "rejected"
    );
    assert_eq!(
        json(&installation, &["show", &key], 0)["outcome"],
        "rejected"
    );
    let key = start(&installation, "decision");
    installation.run(&["approve", &key, "--reject"], "").ends(0);
    installation
        .run(&["approve", &key, "-q"], "")
        .refused("expected an instance that waits for your approval");
    let key = start(&installation, "decision");
    assert_eq!(
        json(
            &installation,
            &[
                "run",
                &key,
                "approve",
                "--data-json",
                r#"{"comment":"ok"}"#,
                "--wait"
            ],
            0
        )["exit"],
        "finished"
    );
}

#[test]
fn a_waiting_command_gets_the_end_by_push() {
    let installation = served();
    let mut child = spawn(&installation, &["start", "decision", "--wait"]);
    // Without a terminal each change is a line: the instance is there when the second one is.
    let mut lines = BufReader::new(child.stderr.take().expect("its errors are piped")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("Decide (decide)"))));
    let key = json(&installation, &["list", "--process", "decision"], 0)["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    let watcher = spawn(&installation, &["watch", &key, "--json"]);
    let other = start(&installation, "decision");
    let (text, _) = installation.run(&["stop", &key, &other], "").ends(0);
    assert_eq!(text, format!("{key}  terminated\n{other}  terminated\n"));
    let (text, _) = ended(child, 4);
    assert_eq!(text, format!("{key}  terminated\n"));
    let (frames, _) = ended(watcher, 4);
    assert!(
        frames
            .lines()
            .last()
            .unwrap()
            .contains(r#""status":"terminated""#),
        "{frames}"
    );
}
