//! The program's log as an operator reads it: who did what, what failed, and never the data of
//! users.

pub mod program;

use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use program::{Ended, Program, SECRET, token};

/// A user task after a rule that fails on request.
fn process() -> Value {
    let script = "if (input.broken) { throw new Error(input.broken) }";
    let rule =
        json!({"name": "check", "order": 1, "type": "businessRule", "params": {"script": script}});
    let decide = json!({"name": "decide", "order": 2, "type": "saveData", "trigger": "manual"});
    json!({
        "id": "claim",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
            {"id": "check", "type": "userTask", "actions": [rule, decide]}],
        "flows": [{"id": "f1", "source": "start", "target": "check"}, {"id": "f2", "source": "check", "target": "end"}],
    })
}

/// Lines of a log in JSON, each of which must be an object with the same members and without a raw
/// control character.
#[track_caller]
fn lines(log: &str) -> Vec<Value> {
    let read = |line: &str| {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let members: Vec<&str> = line
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            members,
            ["fields", "level", "message", "target", "time"],
            "{line}"
        );
        line
    };
    log.lines().map(read).collect()
}

/// The fields of all lines that say this.
fn reported<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines
        .iter()
        .filter(|line| line["message"] == message)
        .map(|line| &line["fields"])
        .collect()
}

#[tokio::test]
async fn administrative_acts_and_failures_are_logged_without_user_data() {
    let server = Program::start(&["--log-format", "json", "--access-log"]);
    let (admin, ada) = (token("olga", &["admin"]), token("ada", &[]));
    let post = |path: &str, token: Option<&str>, body: Value| {
        server.send(server.request(Method::POST, path, token).json(&body))
    };

    // Processes.
    assert_eq!(
        post("/v1/definitions", Some(&admin), process()).await.0,
        201
    );
    assert_eq!(
        post("/v1/definitions/claim/1/publish", Some(&admin), json!({}))
            .await
            .0,
        200
    );
    assert_eq!(
        post("/v1/definitions/claim/disable", Some(&admin), json!({}))
            .await
            .0,
        200
    );
    assert_eq!(
        post("/v1/definitions/claim/enable", Some(&admin), json!({}))
            .await
            .0,
        200
    );
    // Instances: one stops at an incident, an operator ends both.
    let start = |data: Value| {
        post(
            "/v1/instances",
            Some(&ada),
            json!({"process": "claim", "data": data}),
        )
    };
    let broken = start(json!({"broken": "private-7f3a"})).await.1["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    let fine = start(json!({"note": "private-7f3a"})).await.1["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        post(
            &format!("/v1/instances/{broken}/hold"),
            Some(&admin),
            json!({})
        )
        .await
        .0,
        200
    );
    let patch = server.request(
        Method::PATCH,
        &format!("/v1/instances/{broken}/data"),
        Some(&admin),
    );
    assert_eq!(
        server
            .send(patch.json(&json!({"data": {"note": "private-7f3a"}})))
            .await
            .0,
        200
    );
    assert_eq!(
        post(
            &format!("/v1/instances/{broken}/terminate"),
            Some(&admin),
            json!({})
        )
        .await
        .0,
        200
    );
    assert_eq!(
        post(
            &format!("/v1/instances/{fine}/terminate"),
            Some(&ada),
            json!({})
        )
        .await
        .0,
        200
    );
    // Users.
    let user = json!({"name": "bob", "password": "hush-1", "roles": ["clerk"]});
    assert_eq!(post("/v1/users", Some(&admin), user).await.0, 201);
    let issued = post(
        "/v1/tokens",
        Some(&admin),
        json!({"user": "bob", "expiresInSeconds": 60}),
    )
    .await
    .1;
    assert!(issued["access_token"].is_string(), "{issued}");
    let role = server.run(&["user", "role", "bob", "--role", "chief"]);
    assert!(role.status.success(), "{role:?}");
    // Sign-ins that fail, with a name that would like to be a line of its own.
    let evil = "eve\r\n{\"level\":\"info\",\"message\":\"user added\"}\u{1b}[2J\u{9b}31m\u{2028}";
    assert_eq!(
        post(
            "/v1/login",
            None,
            json!({"username": evil, "password": "hush-2"})
        )
        .await
        .0,
        401
    );
    assert_eq!(
        post(
            "/v1/login",
            None,
            json!({"username": "n".repeat(200), "password": "hush-2"})
        )
        .await
        .0,
        401
    );
    assert_eq!(
        server
            .send(server.request(Method::GET, "/sign-in?ticket=hush-3", None))
            .await
            .0,
        401
    );
    assert_eq!(
        server
            .send(server.request(Method::GET, "/nothing%0Ahere?token=hush-4", None))
            .await
            .0,
        404
    );
    let copy = server.data().join("copy");
    assert!(
        server
            .run(&["backup", copy.to_str().unwrap(), "--quiet"])
            .status
            .success()
    );
    // The next request on the local socket: the previous one has been processed by then.
    assert!(server.run(&["user", "list"]).status.success());

    let Ended { log, output } = server.end();
    let printed = lines(&output);
    let ready = printed[0]["message"].as_str().unwrap_or_default();
    assert!(ready.contains(" is ready at http://"), "{output}");
    assert!(
        printed
            .iter()
            .all(|line| line["target"] == "stepwire::start"),
        "{output}"
    );
    for hidden in [
        "private-7f3a",
        "hush-",
        SECRET,
        &admin,
        &ada,
        issued["access_token"].as_str().unwrap(),
    ] {
        assert!(!log.contains(hidden), "expected no {hidden} in {log}");
    }
    let lines = lines(&log);
    let one = |message: &str, expected: Value| {
        let found = reported(&lines, message);
        let fits = |fields: &&Value| {
            expected
                .as_object()
                .unwrap()
                .iter()
                .all(|(name, value)| fields[name] == *value)
        };
        assert_eq!(
            found.iter().copied().filter(fits).count(),
            1,
            "{message} {expected} in {found:#?}"
        );
    };
    one(
        "process deployed",
        json!({"process": "onboarding", "version": 1, "by": "examples"}),
    );
    one(
        "process deployed",
        json!({"process": "claim", "version": 1, "state": "draft", "by": "olga", "tenant": "default"}),
    );
    one(
        "version published",
        json!({"process": "claim", "version": 1, "by": "olga"}),
    );
    one(
        "process disabled",
        json!({"process": "claim", "by": "olga"}),
    );
    one("process enabled", json!({"process": "claim", "by": "olga"}));
    one(
        "an incident was raised",
        json!({"process": "claim", "node": "check", "code": "rule_error", "instance": broken}),
    );
    assert_eq!(reported(&lines, "an incident was raised").len(), 1);
    one(
        "an operator's command was applied",
        json!({"command": "hold", "instance": broken, "by": "olga"}),
    );
    one(
        "an operator's command was applied",
        json!({"command": "terminate", "instance": broken, "process": "claim"}),
    );
    one(
        "an operator's command was applied",
        json!({"command": "patch", "instance": broken, "by": "olga"}),
    );
    assert_eq!(
        reported(&lines, "an operator's command was applied").len(),
        3,
        "users' own commands are their own"
    );
    one(
        "user added",
        json!({"user": "bob", "roles": "clerk", "by": "olga"}),
    );
    one("token issued", json!({"user": "bob", "by": "olga"}));
    one(
        "user changed",
        json!({"user": "bob", "roles": "chief", "by": "the owner of the data directory"}),
    );
    one(
        "a sign-in failed",
        json!({"user": evil, "status": 401, "address": "127.0.0.1"}),
    );
    one(
        "a sign-in failed",
        json!({"user": format!("{}…", "n".repeat(64))}),
    );
    assert_eq!(reported(&lines, "a sign-in failed").len(), 3);
    one("backup made", json!({"to": copy}));
    one(
        "request answered",
        json!({"method": "POST", "route": "/v1/users", "status": 201, "user": "olga", "address": "127.0.0.1"}),
    );
    one(
        "request answered",
        json!({"route": "other", "path": "/nothing%0Ahere", "status": 404}),
    );
    let requests = reported(&lines, "request answered");
    assert!(
        requests
            .iter()
            .all(|fields| fields["ms"].is_number() && fields["bytes"].is_u64()),
        "{requests:#?}"
    );
}

#[tokio::test]
async fn the_log_as_text_is_a_line_for_each_event() {
    let server = Program::start(&["--no-examples"]);
    let login = json!({"username": "eve\n[2026] x\u{1b}[2J", "password": "hush-2"});
    assert_eq!(
        server
            .send(server.request(Method::POST, "/v1/login", None).json(&login))
            .await
            .0,
        401
    );
    let Ended { log, output: text } = server.end();
    assert!(
        text.contains("\nSign in: http://") && !text.contains("/demo"),
        "{text}"
    );
    assert!(
        !log.chars()
            .any(|letter| letter.is_control() && letter != '\n')
            && !log.contains("hush-2"),
        "{log:?}"
    );
    assert!(log.lines().all(|line| line.starts_with("[20")), "{log}");
    let line = log
        .lines()
        .find(|line| line.contains("stepwire::audit"))
        .expect("a line of the sign-in");
    assert!(
        line.contains(
            r#"a sign-in failed status=401 user="eve\n[2026] x\u{1b}[2J" address=127.0.0.1"#
        ),
        "{line}"
    );
    assert!(
        !log.contains("request answered"),
        "nobody asked for an access log: {log}"
    );
}

#[test]
fn production_reports_all_missing_settings_at_once() {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stepwire"));
    let output = command
        .args(["--production", "--test-clock", "--data"])
        .arg(data.path())
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && output.stdout.is_empty(),
        "{output:?}"
    );
    for named in [
        "jwt-secret",
        "webhook-secret",
        "allowed-origins",
        "test-clock",
    ] {
        assert!(
            text.contains(&format!("\n  - expected {named} ")),
            "expected {named} in {text}"
        );
    }
    assert!(
        text.contains("STEPWIRE_JWT_SECRET") && text.contains("--allowed-origins"),
        "{text}"
    );
}

#[tokio::test]
async fn production_has_no_examples_and_prints_a_link_only_when_asked() {
    let arguments = [
        "--production",
        "--allowed-origins",
        "https://app.example.com",
    ];
    let server = Program::start(&arguments);
    let (_, definitions) = server
        .send(server.request(
            Method::GET,
            "/v1/definitions",
            Some(&token("dora", &["designer"])),
        ))
        .await;
    assert_eq!(definitions["definitions"], json!([]));
    let home = server
        .request(Method::GET, "/", None)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        home.contains("not published on this server") && !home.contains("href=\"/demo\""),
        "{home}"
    );
    let Ended { log, output: text } = server.end();
    assert!(
        [&log, &text]
            .iter()
            .all(|text| !text.contains("ticket=") && !text.contains("/demo")),
        "{text}\n{log}"
    );
    let text = Program::start(&[&arguments[..], &["--sign-in-link"]].concat())
        .end()
        .output;
    assert!(text.contains("\nSign in: http://"), "{text}");
}
