//! The published PowerShell client, step by step: `Invoke-WebRequest` of Windows PowerShell 5.1,
//! byte by byte as it sends requests and reads answers.
//!
//! It expects `100 Continue` before it sends a body, writes bodies without a `charset` in
//! ISO-8859-1 and reads answers without one in it, sends a POST without a body with length 0 and a
//! `Content-Type`, and throws for anything but success.

use serde_json::{Value, json};

use super::{
    clients,
    http::{Answer, Connection, ask, bearer, deploy_named, request},
};
use crate::wire::{Server, server::admin};

const AGENT: &str =
    "User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.5247";
const JSON: &str = "Content-Type: application/json";

/// `Invoke-WebRequest -Method Post -Body …`: the head first, the body when the server has said to
/// continue.
async fn post(connection: &mut Connection, path: &str, lines: &[&str], body: &str) -> Answer {
    let latin: Vec<u8> = body
        .chars()
        .map(|sign| u8::try_from(sign).unwrap_or(b'?'))
        .collect();
    let length = format!("Content-Length: {}", latin.len());
    let lines = [&[AGENT, JSON, "Expect: 100-continue", &length], lines].concat();
    connection
        .send(&request(&format!("POST {path}"), &lines, ""))
        .await;
    assert_eq!(connection.head().await.status, "HTTP/1.1 100 Continue");
    connection.send_bytes(&latin).await;
    connection.answer().await
}

/// `($res.Content | ConvertFrom-Json)`: a text only for a type that is one, in ISO-8859-1.
#[track_caller]
fn content(answer: &Answer) -> Value {
    assert!(
        answer.head.status.starts_with("HTTP/1.1 200 "),
        "it throws: {answer:?}"
    );
    assert_eq!(
        answer.head.get("content-type"),
        Some("application/json"),
        "{answer:?}"
    );
    let latin: String = answer.body.bytes().map(char::from).collect();
    serde_json::from_str(&latin).expect("JSON")
}

/// The output of `ConvertTo-Json` of 5.1 for a name and a password.
fn login(name: &str, password: &str) -> String {
    format!(
        "{{\r\n    \"password\":  \"{password}\",\r\n    \"stayConnected\":  false,\r\n    \
        \"username\":  \"{name}\"\r\n}}"
    )
}

#[tokio::test]
async fn the_power_shell_client_signs_in_starts_and_receives_the_end() {
    let server = Server::with_clock();
    let name = "Gr\u{fc}ne Reise \u{2014} \u{1f600}";
    deploy_named(
        &server,
        60,
        Some(name.to_owned()),
        "process trip\nstart -> end",
    )
    .await;
    let user = json!({"name": "j\u{fc}rgen", "password": "gr\u{fc}n wie Gras", "roles": ["admin"]})
        .to_string();
    let lines = [
        bearer(&admin()),
        JSON.to_owned(),
        format!("Content-Length: {}", user.len()),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let added = ask(&server, &request("POST /v1/users", &lines, &user)).await;
    assert_eq!(added.head.status, "HTTP/1.1 201 Created", "{added:?}");

    let mut connection = Connection::open(&server).await;
    let signed_in = post(
        &mut connection,
        "/api/v1/login",
        &[],
        &login("j\u{fc}rgen", "gr\u{fc}n wie Gras"),
    )
    .await;
    let token = bearer(
        content(&signed_in)["access_token"]
            .as_str()
            .expect("a token"),
    );

    // A body that is `$null` is sent as an empty body with a type.
    connection
        .send(&request(
            "POST /api/v1/start?w=60",
            &[AGENT, &token, JSON, "Content-Length: 0"],
            "",
        ))
        .await;
    let job = content(&connection.answer().await);
    let job = job.as_str().expect("a bare text");

    let xml = "<Products>\r\n  <Product Name=\"Stra\u{df}e\" />\r\n</Products>"
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    let xml = xml.replace('"', "\\\"").replace("\r\n", "\\r\\n");
    let variables = format!(
        "{{\r\n    \"Variables\":  [\r\n        {{\"Value\":  \"{xml}\", \"Name\":  \
        \"xml\"}}\r\n    ],\r\n    \"WorkflowId\":  60\r\n}}"
    );
    let started = post(
        &mut connection,
        "/api/v1/start-with-variables",
        &[&token],
        &variables,
    )
    .await;
    assert!(content(&started).is_string());

    connection
        .send(&request(
            &format!("GET /api/v1/job?w=60&i={job}"),
            &[AGENT, &token],
            "",
        ))
        .await;
    let entry = content(&connection.answer().await);
    assert_eq!(
        (&entry["Name"], &entry["Status"]),
        (&json!(name), &json!("Done"))
    );
    connection
        .send(&request(
            "GET /api/v1/search?s=gr%C3%BCne",
            &[AGENT, &token],
            "",
        ))
        .await;
    assert_eq!(content(&connection.answer().await)[0]["Name"], name);

    connection
        .send(&request(
            &format!("GET /api/v1/sse/60/{job}"),
            &[AGENT, &token],
            "",
        ))
        .await;
    assert_eq!(connection.head().await.status, "HTTP/1.1 200 OK");
    assert_eq!(clients::read(&connection.chunks().await)["name"], name);
}

#[tokio::test]
async fn refusals_are_ascii_only() {
    let server = Server::start();
    let mut connection = Connection::open(&server).await;
    let refused = post(&mut connection, "/api/v1/login", &[], "gr\u{fc}n").await;
    assert!(
        refused.head.status.starts_with("HTTP/1.1 400 ") && refused.body.is_ascii(),
        "{refused:?}"
    );
    let refused = post(
        &mut connection,
        "/api/v1/login",
        &[],
        &login("nobody", "gr\u{fc}n"),
    )
    .await;
    assert_eq!(
        (refused.head.status.as_str(), refused.body.as_str()),
        ("HTTP/1.1 401 Unauthorized", "")
    );
}
