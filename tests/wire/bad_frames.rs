//! Text that is not a frame, or an invalid one: the error names the field, and the connection
//! continues.

use serde_json::json;

use super::{Client, Server, client::check_error, server::token};

/// Sends texts on one connection; each must be answered with this code, this id and a sentence with
/// this part.
async fn check(cases: &[(&str, &str, Option<&str>, &str)]) {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    for (text, code, id, part) in cases {
        client.send_text(text).await;
        let error = client.next().await;
        check_error(&error, code);
        assert_eq!(
            error.get("id").and_then(|id| id.as_str()),
            *id,
            "{text}: {error}"
        );
        assert!(
            error["message"].as_str().unwrap().contains(part),
            "{text}: {error}"
        );
    }
    client.start("onboarding", json!({})).await;
}

#[tokio::test]
async fn text_that_is_not_an_object_is_refused() {
    check(&[
        ("", "bad_request", None, "JSON object"),
        ("{", "bad_request", None, "JSON object"),
        ("nonsense", "bad_request", None, "JSON object"),
        ("[]", "bad_request", None, "JSON object"),
        ("1", "bad_request", None, "JSON object"),
        ("null", "bad_request", None, "JSON object"),
        ("{} {}", "bad_request", None, "JSON object"),
        (
            r#"{"type":"run","type":"start"}"#,
            "bad_request",
            None,
            "twice",
        ),
    ])
    .await;
}

#[tokio::test]
async fn types() {
    check(&[
        ("{}", "bad_request", None, "'type'"),
        (r#"{"id":"1"}"#, "bad_request", Some("1"), "'type'"),
        (r#"{"type":7,"id":"1"}"#, "bad_request", Some("1"), "'type'"),
        (
            r#"{"type":"dance","id":"1"}"#,
            "bad_request",
            Some("1"),
            "'type'",
        ),
        (r#"{"type":"dance"}"#, "bad_request", None, "'type'"),
        (
            r#"{"type":"hello","id":"1"}"#,
            "bad_request",
            None,
            "one hello",
        ),
    ])
    .await;
}

#[tokio::test]
async fn ids() {
    let long = format!(r#"{{"type":"run","id":"{}"}}"#, "x".repeat(129));
    check(&[
        (
            r#"{"type":"start","process":"onboarding"}"#,
            "bad_request",
            None,
            "'id'",
        ),
        (
            r#"{"type":"start","id":7,"process":"onboarding"}"#,
            "bad_request",
            None,
            "'id'",
        ),
        (
            r#"{"type":"start","id":"","process":"onboarding"}"#,
            "bad_request",
            None,
            "'id'",
        ),
        (&long, "too_large", None, "'id'"),
    ])
    .await;
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let key = "0197a1b2-0000-7000-8000-000000000007";
    let with = |rest: &str| format!(r#"{{"type":"run","id":"1","instance":"{key}",{rest}}}"#);
    check(&[
        (
            r#"{"type":"run","id":"1","action":"save"}"#,
            "bad_request",
            Some("1"),
            "'instance'",
        ),
        (
            r#"{"type":"run","id":"1","instance":"7","action":"save"}"#,
            "bad_request",
            Some("1"),
            "'instance'",
        ),
        (&with(r#""action":5"#), "bad_request", Some("1"), "'action'"),
        (&with(r#""data":{}"#), "bad_request", Some("1"), "'action'"),
        (
            &with(r#""action":"save","data":[]"#),
            "bad_request",
            Some("1"),
            "'data'",
        ),
        (
            &with(r#""action":"save","data":"{}""#),
            "bad_request",
            Some("1"),
            "'data'",
        ),
        (
            &with(r#""action":"save","data":{"a":"\ud800"}"#),
            "bad_request",
            Some("1"),
            "'data'",
        ),
        (
            &with(r#""action":"save","data":{"a":1e999}"#),
            "bad_request",
            Some("1"),
            "'data'",
        ),
        (
            &with(r#""action":"save","ifSeq":-1"#),
            "bad_request",
            Some("1"),
            "'ifSeq'",
        ),
        (
            &with(r#""action":"save","ifSeq":1.5"#),
            "bad_request",
            Some("1"),
            "'ifSeq'",
        ),
        (
            &with(r#""action":"save","ifSeq":"1""#),
            "bad_request",
            Some("1"),
            "'ifSeq'",
        ),
        (
            &with(r#""action":"save","element":"x""#),
            "bad_request",
            Some("1"),
            "'element'",
        ),
        (
            r#"{"type":"start","id":"1"}"#,
            "bad_request",
            Some("1"),
            "'process'",
        ),
        (
            r#"{"type":"start","id":"1","process":"onboarding","subscribe":"yes"}"#,
            "bad_request",
            Some("1"),
            "'subscribe'",
        ),
        (
            r#"{"type":"start","id":"1","inheritFrom":"x"}"#,
            "bad_request",
            Some("1"),
            "'inheritFrom'",
        ),
        (
            r#"{"type":"start","id":"1","inheritFrom":{"seq":1}}"#,
            "bad_request",
            Some("1"),
            "'inheritFrom.instance'",
        ),
        (
            r#"{"type":"subscribe","id":"1"}"#,
            "bad_request",
            Some("1"),
            "'channel'",
        ),
        (
            r#"{"type":"subscribe","id":"1","channel":"nonsense"}"#,
            "bad_request",
            Some("1"),
            "'channel'",
        ),
        (
            r#"{"type":"subscribe","id":"1","channel":"instance/7"}"#,
            "bad_request",
            Some("1"),
            "'channel'",
        ),
        (
            r#"{"type":"auth","id":"1"}"#,
            "bad_request",
            Some("1"),
            "'token'",
        ),
    ])
    .await;
}

#[tokio::test]
async fn json_that_is_too_deep_is_refused() {
    let nested = |depth: usize| {
        format!(
            r#"{{"type":"pong","x":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    check(&[
        (&nested(64), "too_large", None, "64"),
        (&nested(30_000), "too_large", None, "64"),
    ])
    .await;
}
