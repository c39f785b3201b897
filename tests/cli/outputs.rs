//! Printed output: definitions, lists, pushes.

use std::fs;

use serde_json::{Value, json};

use super::server::{file, json, served, start};

#[test]
fn a_definition_is_exported_unchanged() {
    let installation = served();
    let (text, _) = installation.run(&["export", "decision"], "").ends(0);
    assert_eq!(text, fs::read_to_string(file("decision.bpmn")).unwrap());
    let (form, _) = installation
        .run(&["export", "decision@1", "--format", "json"], "")
        .ends(0);
    assert_eq!(
        serde_json::from_str::<Value>(&form).unwrap()["id"],
        "decision"
    );
    let target = installation.data().join("out.bpmn");
    installation
        .run(&["export", "decision", "-o", target.to_str().unwrap()], "")
        .ends(0);
    assert_eq!(fs::read_to_string(&target).unwrap(), text);
    installation
        .run(&["export", "decision@9", "-q"], "")
        .refused("expected a deployed definition");
    let again = json(&installation, &["deploy", &file("decision.bpmn")], 0);
    assert_eq!(
        (&again["exit"], &again["version"]),
        (&json!("deployed"), &json!(1)),
        "the same content is the same version"
    );
}

#[test]
fn problems_name_element_code_and_message_with_and_without_a_server() {
    let installation = served();
    for command in [&["check"][..], &["deploy", "--check"], &["deploy"]] {
        let (text, errors) = installation
            .run(&[command, &[&file("broken.bpmn"), "-q"]].concat(), "")
            .ends(1);
        assert!(text.ends_with("broken.bpmn: refused\n"), "{text}");
        assert!(
            errors.contains("error at 'toNowhere': expected ") && errors.contains(']'),
            "{errors}"
        );
        let reported = json(
            &installation,
            &[command, &[&file("broken.bpmn")]].concat(),
            1,
        );
        assert!(
            reported["problems"]
                .as_array()
                .unwrap()
                .iter()
                .any(|problem| problem["element"] == "toNowhere"),
            "{reported}"
        );
    }
    assert_eq!(
        json(&installation, &["check", &file("decision.bpmn")], 0)["exit"],
        "good"
    );
}

#[test]
fn instances_are_listed_and_exported_as_lines() {
    let installation = served();
    let keys: Vec<String> = (0..3).map(|_| start(&installation, "decision")).collect();
    start(&installation, "atOnce");
    let (lines, _) = installation
        .run(
            &[
                "list",
                "--process",
                "decision",
                "--limit",
                "2",
                "--json",
                "-q",
            ],
            "",
        )
        .ends(0);
    let listed: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        listed
            .iter()
            .map(|entry| entry["instance"].as_str().unwrap())
            .collect::<Vec<_>>(),
        [&*keys[2], &*keys[1]]
    );
    let (lines, _) = installation
        .run(&["export", "decision", "--instances"], "")
        .ends(0);
    let all: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (all.len(), &all[0]["process"], &all[0]["data"]),
        (3, &json!("decision"), &json!({}))
    );
    let (text, _) = installation
        .run(&["list", "--status", "finished"], "")
        .ends(0);
    assert!(
        text.contains("atOnce") && text.lines().count() == 1,
        "{text}"
    );
}

#[test]
fn watch_prints_all_frames_of_an_instance() {
    let installation = served();
    let key = start(&installation, "decision");
    installation.run(&["approve", &key], "").ends(0);
    let (lines, _) = installation
        .run(&["watch", &key, "--after", "0", "--json", "-q"], "")
        .ends(0);
    let mut cursor = 0;
    for line in lines.lines() {
        let frame: Value = serde_json::from_str(line).unwrap();
        assert_eq!(frame["prev"], cursor, "{line}");
        cursor = frame["seq"].as_u64().unwrap();
    }
    assert!(
        cursor > 0 && lines.lines().last().unwrap().contains("finished"),
        "{lines}"
    );
    let (text, _) = installation
        .run(&["watch", "decision", "--timeout", "1s"], "")
        .ends(124);
    assert!(text.contains(&key) && text.contains("finished"), "{text}");
    start(&installation, "decision");
    let (text, _) = installation
        .run(&["watch", "tasks", "--timeout", "1s"], "")
        .ends(124);
    assert!(text.contains("Decide (decide)"), "{text}");
}

#[test]
fn data_are_corrected() {
    let installation = served();
    let key = start(&installation, "decision");
    let reported = json(
        &installation,
        &[
            "patch",
            &key,
            "--data-json",
            r#"{"subject":"tea","note":null}"#,
        ],
        0,
    );
    assert_eq!(
        (&reported["instance"], &reported["duplicate"]),
        (&json!(key), &json!(false)),
        "{reported}"
    );
    let (lines, _) = installation
        .run(&["export", "decision", "--instances"], "")
        .ends(0);
    let exported: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!(exported["data"], json!({"subject": "tea", "note": null}));
    installation
        .run(
            &[
                "patch",
                &key,
                "--data-json",
                r#"{"subject":1}"#,
                "--if-seq",
                "1",
                "-q",
            ],
            "",
        )
        .refused("ifSeq");
    installation
        .run(&["patch", &key, "--data-json", "[1]", "-q"], "")
        .ends(2);
    installation
        .run(&["patch", &key], "")
        .is_wrong_usage("--data-json");
    let correct = |scope: &str| {
        let arguments = [
            "patch",
            &key,
            "--data-json",
            r#"{"own":1}"#,
            "-q",
            "--scope",
        ];
        installation.run(&[&arguments[..], &[scope]].concat(), "")
    };
    let element = json(&installation, &["show", &key], 0)["nodes"][0]["element"].clone();
    correct(element.as_str().unwrap()).ends(0);
    correct(&format!("{key}-1")).refused("scope");
    correct("nobody").refused("scope");
}

#[test]
fn a_published_message_starts_its_process_once() {
    let installation = served();
    let definition = installation.data().join("paid.json");
    let process = json!({"id": "paid",
        "nodes": [{"id": "start", "type": "startEvent", "event": {"type": "message", "name": "paid"}},
            {"id": "task", "type": "userTask"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "a", "source": "start", "target": "task"}, {"id": "b", "source": "task", "target": "end"}]});
    fs::write(&definition, process.to_string()).unwrap();
    json(
        &installation,
        &["deploy", definition.to_str().unwrap(), "--publish"],
        0,
    );
    let id = "0197aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee";
    let publish = [
        "publish",
        "paid",
        "--data-json",
        r#"{"amount":3}"#,
        "--business-key",
        "order-3",
        "--id",
        id,
    ];
    let first = json(&installation, &publish, 0);
    assert_eq!(
        first["started"].as_array().map(Vec::len),
        Some(1),
        "{first}"
    );
    assert_eq!(
        json(&installation, &publish, 0)["started"],
        first["started"]
    );
    let listed = json(&installation, &["list", "--business-key", "order-3"], 0);
    assert!(
        listed
            .to_string()
            .contains(&first["started"][0].to_string()),
        "{listed}"
    );
    let (text, _) = installation.run(&["publish", "nothing"], "").ends(0);
    assert_eq!(text, "no element waits for it\n");
    installation
        .run(&["publish", "stop", "--signal", "--ttl", "PT1H"], "")
        .ends(2);
    installation
        .run(&["publish", "paid", "--ttl", "soon", "-q"], "")
        .refused("expected 'ttl'");
}

#[test]
fn instances_are_migrated_to_another_version() {
    let installation = served();
    let deploy = |task: &str| {
        let process = json!({
            "id": "desk",
            "nodes": [
                {"id": "start", "type": "startEvent"},
                {"id": task, "type": "userTask"},
                {"id": "end", "type": "endEvent"},
            ],
            "flows": [
                {"id": "f1", "source": "start", "target": task},
                {"id": "f2", "source": task, "target": "end"},
            ],
        });
        let path = installation.data().join("desk.json");
        fs::write(&path, process.to_string()).unwrap();
        installation
            .run(&["deploy", path.to_str().unwrap(), "--publish"], "")
            .ends(0);
    };
    deploy("check");
    let key = start(&installation, "desk");
    deploy("approve");
    let migrate = ["migrate", key.as_str(), "--to", "2"];
    let (text, _) = installation
        .run(&[&migrate[..], &["--preview"]].concat(), "")
        .ends(1);
    assert!(
        text.contains("cannot go to version 2\n  check -> ?\n  'check' is not in the target"),
        "{text}"
    );
    let (_, errors) = installation
        .run(&[&migrate[..], &["-q"]].concat(), "")
        .ends(1);
    let expected = "expected a counterpart in version 2 for every active element";
    assert!(errors.contains(expected), "{errors}");
    installation
        .run(&[&migrate[..], &["--map", "check", "-q"]].concat(), "")
        .ends(2);
    let mapped = [&migrate[..], &["--map", "check=approve"]].concat();
    let (text, _) = installation
        .run(&[&mapped[..], &["--preview"]].concat(), "")
        .ends(0);
    assert!(
        text.contains("can go to version 2\n  check -> approve"),
        "{text}"
    );
    assert_eq!(json(&installation, &mapped, 0)["version"], 2);
    let shown = json(&installation, &["show", &key], 0);
    assert_eq!(shown["nodes"][0]["node"], "approve", "{shown}");
}
