//! Stopping, suspending, resuming, approving, rejecting; disabled workflows; starts with variables.

use serde_json::{Value, json};

use super::{
    clients,
    http::{Connection, ask, bearer, deploy, get, post, request, start, start_of},
};
use crate::wire::{
    Server,
    server::{admin, token},
};

const APPROVAL: &str = "
process leave
start -> ok -> end
user ok
  approve manual save
  reject manual save
";

/// The content of the stream of an ended job.
async fn status(server: &Server, token: &str, number: i64, job: &str) -> Value {
    let mut connection = Connection::open(server).await;
    connection
        .send(&request(
            &format!("GET /api/v1/sse/{number}/{job}"),
            &[&bearer(token)],
            "",
        ))
        .await;
    connection.head().await;
    clients::read(&connection.chunks().await)["status"].clone()
}

async fn check(server: &Server, user: &str, path: &str, expected: &str) {
    let answer = post(server, &token(user), &format!("/api/v1/{path}")).await;
    assert_eq!(
        (answer.head.status.as_str(), answer.body.as_str()),
        ("HTTP/1.1 200 OK", expected),
        "{path}"
    );
}

#[tokio::test]
async fn jobs_are_suspended_resumed_and_stopped() {
    let server = Server::with_clock();
    let job = start(&server, &token("alice")).await;
    let of = format!("w=41&i={job}");
    check(&server, "alice", &format!("suspend?{of}"), "true").await;
    check(&server, "alice", &format!("suspend?{of}"), "false").await;
    assert_eq!(
        get(&server, &token("alice"), &format!("/api/v1/job?{of}")).await["IsPaused"],
        true
    );
    check(&server, "alice", &format!("resume?{of}"), "").await;
    check(&server, "alice", &format!("resume?{of}"), "").await;
    check(&server, "alice", &format!("stop?{of}"), "true").await;
    check(&server, "alice", &format!("stop?{of}"), "false").await;
    check(&server, "alice", &format!("suspend?{of}"), "false").await;
    check(&server, "alice", &format!("approve?{of}"), "false").await;
    assert_eq!(status(&server, &token("alice"), 41, &job).await, "Stopped");
}

#[tokio::test]
async fn commands_on_what_is_not_there_are_refused_in_json() {
    let server = Server::with_clock();
    let job = start(&server, &token("alice")).await;
    for command in ["stop", "suspend", "resume", "approve", "reject"] {
        let send = async |user: &str, query: &str| {
            post(&server, &token(user), &format!("/api/v1/{command}{query}")).await
        };
        send("alice", "").await.is_problem(400);
        send("alice", "?w=41").await.is_problem(400);
        send("alice", &format!("?w=wait&i={job}"))
            .await
            .is_problem(400);
        send("alice", "?w=41&i=no-id").await.is_problem(404);
        send("alice", "?w=41&i=66aae8f4-e3ab-4fdc-8db2-a0a7692d8906")
            .await
            .is_problem(404);
        send("alice", &format!("?w=4711&i={job}"))
            .await
            .is_problem(404);
        send("bob", &format!("?w=41&i={job}")).await.is_problem(404);
        ask(
            &server,
            &request(&format!("POST /api/v1/{command}?w=41&i={job}"), &[], ""),
        )
        .await
        .is_unauthorized();
    }
}

#[tokio::test]
async fn an_approval_is_given_or_refused() {
    let server = Server::start();
    deploy(&server, 50, APPROVAL).await;
    for (decision, ends) in [("approve", "Done"), ("reject", "Rejected")] {
        let job = start_of(&server, &token("alice"), 50).await;
        let entry = get(
            &server,
            &token("alice"),
            &format!("/api/v1/job?w=50&i={job}"),
        )
        .await;
        assert_eq!(
            (&entry["IsApproval"], &entry["IsWaitingForApproval"]),
            (&json!(true), &json!(true))
        );
        check(
            &server,
            "alice",
            &format!("{decision}?w=50&i={job}"),
            "true",
        )
        .await;
        check(
            &server,
            "alice",
            &format!("{decision}?w=50&i={job}"),
            "false",
        )
        .await;
        assert_eq!(status(&server, &token("alice"), 50, &job).await, ends);
        let entry = get(
            &server,
            &token("alice"),
            &format!("/api/v1/job?w=50&i={job}"),
        )
        .await;
        assert_eq!(
            (&entry["IsApproval"], &entry["IsWaitingForApproval"]),
            (&json!(true), &json!(false))
        );
    }
}

#[tokio::test]
async fn the_assignee_decides_and_may_comment() {
    let server = Server::with(&["--rate-per-second", "0"]);
    deploy(
        &server,
        50,
        &APPROVAL.replace("user ok", "user ok assignee=bob due=P1D"),
    )
    .await;
    let body = async |command: &str, job: &str, body: &str| {
        let lines = [
            bearer(&token("bob")),
            format!("Content-Length: {}", body.len()),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        ask(
            &server,
            &request(
                &format!("POST /api/v1/{command}?w=50&i={job}"),
                &lines,
                body,
            ),
        )
        .await
    };
    for (command, said, comment) in [
        ("approve", r#"{"comment":"fine"}"#, json!("fine")),
        ("reject", r#"{"comment":"no","w":1}"#, json!("no")),
        ("approve", r#"{"comment":7}"#, Value::Null),
        ("approve", "w=50&comment=odd", Value::Null),
        ("approve", "", Value::Null),
    ] {
        let job = start_of(&server, &token("alice"), 50).await;
        post(
            &server,
            &token("alice"),
            &format!("/api/v1/{command}?w=50&i={job}"),
        )
        .await
        .is_problem(403);
        assert_eq!(body(command, &job, said).await.body, "true");
        let history = get(
            &server,
            &token("alice"),
            &format!("/v1/instances/{job}/history"),
        )
        .await;
        let decision = &history["elements"][1]["decisions"][0];
        assert_eq!(
            (&decision["comment"], &decision["by"]),
            (&comment, &json!("bob")),
            "{said}: {history}"
        );
    }
    let job = start_of(&server, &token("alice"), 50).await;
    let long = "x".repeat(4097);
    post(
        &server,
        &token("bob"),
        &format!("/api/v1/reject?w=50&i={job}&comment={long}"),
    )
    .await
    .is_problem(422);
    check(
        &server,
        "bob",
        &format!("reject?w=50&i={job}&comment=too%20much+money"),
        "true",
    )
    .await;
    assert_eq!(status(&server, &token("alice"), 50, &job).await, "Rejected");
    let history = get(
        &server,
        &token("alice"),
        &format!("/v1/instances/{job}/history"),
    )
    .await;
    let decision = &history["elements"][1]["decisions"];
    assert_eq!(
        (&decision[0]["decision"], &decision[0]["comment"]),
        (&json!("rejected"), &json!("too much money"))
    );
    assert!(
        decision[0]["at"].is_string() && decision[1].is_null(),
        "{history}"
    );
    assert!(history["elements"][0]["decisions"].is_null(), "{history}");
}

#[tokio::test]
async fn read_only_users_cannot_decide() {
    let server = Server::start();
    let roles = "process leave\nlane l nodes=ok execute=boss\n";
    deploy(&server, 50, &APPROVAL.replace("\nprocess leave\n", roles)).await;
    let job = start_of(&server, &token("alice"), 50).await;
    post(
        &server,
        &token("alice"),
        &format!("/api/v1/reject?w=50&i={job}"),
    )
    .await
    .is_problem(403);
    let boss = post(&server, &admin(), &format!("/api/v1/reject?w=50&i={job}")).await;
    assert_eq!(boss.body, "true");
}

#[tokio::test]
async fn unsuccessful_ends_have_their_statuses() {
    let server = Server::start();
    deploy(
        &server,
        51,
        "process broke\nstart -> end\nend end error=BROKEN",
    )
    .await;
    let failed = start_of(&server, &token("alice"), 51).await;
    assert_eq!(
        status(&server, &token("alice"), 51, &failed).await,
        "Failed"
    );

    deploy(
        &server,
        52,
        "process lame\nstart -> a -> end\nuser a\n  bad auto push^ {\"x\":1}",
    )
    .await;
    let skipped = start_of(&server, &token("alice"), 52).await;
    let look = get(
        &server,
        &token("alice"),
        &format!("/v1/instances/{skipped}"),
    )
    .await;
    let body = json!({"element": look["nodes"][0]["element"]}).to_string();
    let lines = [
        bearer(&token("alice")),
        format!("Content-Length: {}", body.len()),
        "Content-Type: application/json".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let skip = ask(
        &server,
        &request(&format!("POST /v1/instances/{skipped}/skip"), &lines, &body),
    )
    .await;
    assert_eq!(skip.head.status, "HTTP/1.1 200 OK", "{skip:?}");
    assert_eq!(
        status(&server, &token("alice"), 52, &skipped).await,
        "Warning"
    );
    let counts = get(&server, &token("alice"), "/api/v1/status-count").await;
    assert_eq!(
        (&counts["FailedCount"], &counts["WarningCount"]),
        (&json!(1), &json!(1)),
        "{counts}"
    );
}

#[tokio::test]
async fn a_disabled_workflow_starts_nothing_and_its_jobs_go_on() {
    let mut server = Server::with(&["--rate-per-second", "0"]);
    deploy(&server, 50, APPROVAL).await;
    let job = start_of(&server, &token("alice"), 50).await;
    post(&server, &token("alice"), "/v1/definitions/leave/disable")
        .await
        .is_problem(403);
    for _ in 0..2 {
        let disabled = post(&server, &admin(), "/v1/definitions/leave/disable").await;
        assert!(
            disabled.body.contains(r#""state":"disabled""#),
            "{disabled:?}"
        );
    }
    // It stays so over a restart.
    server.crash_and_restart();
    post(&server, &token("alice"), "/api/v1/start?w=50")
        .await
        .is_problem(409);
    let entry = get(&server, &token("bob"), "/api/v1/workflow?w=50").await;
    assert_eq!(
        (&entry["IsEnabled"], &entry["Status"]),
        (&json!(false), &json!("Disabled"))
    );
    assert_eq!(
        get(&server, &token("bob"), "/api/v1/status-count").await["DisabledCount"],
        1
    );
    check(&server, "alice", &format!("approve?w=50&i={job}"), "true").await;
    assert_eq!(status(&server, &token("alice"), 50, &job).await, "Done");
    let enabled = post(&server, &admin(), "/v1/definitions/leave/enable").await;
    assert!(
        enabled.body.contains(r#""state":"published""#),
        "{enabled:?}"
    );
    start_of(&server, &token("alice"), 50).await;
    post(&server, &admin(), "/v1/definitions/nothing/disable")
        .await
        .is_problem(404);
}

#[tokio::test]
async fn variables_become_start_data() {
    let server = Server::with_clock();
    let post = async |body: &str| {
        let lines = [bearer(&admin()), format!("Content-Length: {}", body.len())];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        ask(
            &server,
            &request("POST /api/v1/start-with-variables", &lines, body),
        )
        .await
    };
    let started =
        post(r#"{"WorkflowId":41,"Variables":[{"Name":"restVar1","Value":"one"},{"Name":"restVar2","Value":"two"}]}"#).await;
    assert_eq!(started.head.status, "HTTP/1.1 200 OK", "{started:?}");
    let job: String = serde_json::from_str(&started.body).expect("a bare string");
    let look = get(&server, &admin(), &format!("/v1/instances/{job}")).await;
    assert_eq!(look["data"], json!({"restVar1": "one", "restVar2": "two"}));
    post(r#"{"WorkflowId":4711,"Variables":[]}"#)
        .await
        .is_problem(404);
    post(r#"{"Variables":[]}"#).await.is_problem(400);
    post("").await.is_problem(400);
}
