//! Limits that an operator set by name, reached over HTTP against the program.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::logs::program::{Program, token};

/// The metric of refusals for a limit.
async fn refused(server: &Program, limit: &str) -> u64 {
    let operator = token("olga", &["server-operator"]);
    let request = server.request(Method::GET, "/metrics", Some(&operator));
    let page = request
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("a body");
    let begin = format!("stepwire_refused_total{{limit=\"{limit}\"}} ");
    let line = page.lines().find_map(|line| line.strip_prefix(&begin));
    line.map_or(0, |count| count.parse().expect("a number"))
}

/// A process whose rule works for so many turns of a loop.
fn process(turns: u32) -> Value {
    let script =
        format!("let n = 0; for (let i = 0; i < {turns}; i++) {{ n += i % 7 }} output.n = n");
    let rule =
        json!({"name": "count", "order": 1, "type": "businessRule", "params": {"script": script}});
    json!({
        "id": "counting",
        "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"},
            {"id": "count", "type": "userTask", "actions": [rule,
                {"name": "done", "order": 2, "type": "saveData", "trigger": "manual"}]}],
        "flows": [{"id": "f1", "source": "start", "target": "count"}, {"id": "f2", "source": "count", "target": "end"}],
    })
}

#[tokio::test]
async fn limits_that_were_set_apply_and_their_refusals_are_counted() {
    let server = Program::start(&[
        "--limits",
        "tickets-per-user=3,rest-body-bytes=128KiB,request-head=1s,script-time=20ms",
        "--limits",
        "script-memory=4MiB",
    ]);
    let (admin, ada) = (token("olga", &["admin"]), token("ada", &[]));
    let post = |path: &str, token: &str, body: Value| {
        server.send(server.request(Method::POST, path, Some(token)).json(&body))
    };

    // A number.
    for number in 0..5 {
        let (status, answer) = post("/v1/tickets", &ada, json!({"for": "ws"})).await;
        let expected = if number < 3 { 201 } else { 503 };
        assert_eq!(status, expected, "{answer}");
    }
    assert_eq!(refused(&server, "tickets").await, 2);

    // Bytes.
    let long = json!({"process": "counting", "data": {"text": "x".repeat(140 * 1024)}});
    let (status, answer) = post("/v1/instances", &ada, long).await;
    assert_eq!(
        (status, &answer["code"]),
        (413, &json!("too_large")),
        "{answer}"
    );
    assert!(
        answer["detail"]
            .as_str()
            .is_some_and(|text| text.contains("131072")),
        "{answer}"
    );

    assert_eq!(refused(&server, "body_bytes").await, 1);

    // A time.
    let address = server.address();
    let began = Instant::now();
    let answered = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).expect("it listens");
        stream
            .write_all(b"GET / HTTP/1.1\r\n")
            .expect("it is written");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .map(|_| answer)
            .unwrap_or_default()
    });
    let answer = answered.await.expect("the thread ends");
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "the default is 10 s"
    );
    assert_eq!(refused(&server, "slow_request_heads").await, 1);

    // In the processes that run scripts, too.
    assert_eq!(
        post("/v1/definitions", &admin, process(100_000_000))
            .await
            .0,
        201
    );
    assert_eq!(
        post("/v1/definitions/counting/1/publish", &admin, json!({}))
            .await
            .0,
        200
    );
    let (status, started) = post("/v1/instances", &ada, json!({"process": "counting"})).await;
    assert_eq!(status, 201, "{started}");
    let said = started.to_string();
    let path = format!(
        "/v1/instances/{}",
        started["instance"].as_str().expect("a key")
    );
    let (_, shown) = server
        .send(server.request(Method::GET, &path, Some(&admin)))
        .await;
    assert!(
        shown
            .to_string()
            .contains("at most 20 ms of processor time"),
        "{said} {shown}"
    );
    assert_eq!(refused(&server, "script_time").await, 1);
}

#[test]
fn a_server_with_contradicting_limits_does_not_start() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_stepwire"))
        .env("STEPWIRE_DATA", data.path())
        .env("STEPWIRE_LIMITS", "tickets-per-user=20000,hello=20s")
        .output()
        .expect("the program runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        log.contains(
            "limits: expected that the limit tickets-per-user=20000 is at most tickets=10000: \
             change one of the two"
        ),
        "{log}"
    );
}
