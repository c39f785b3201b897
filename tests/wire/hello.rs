//! The first message of a connection: an error names its place, and only an error of the token is
//! reported as one.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use stepwire::session::protocol::close::CloseCode;

use super::{
    Client, Server,
    client::check_error,
    server::{token, token_with},
};

const KEY: &str = "0197a1b2-0000-7000-8000-000000000007";

/// Sends this first; the connection gets one error frame and is closed 4400.
async fn refused(server: &Server, text: &str) -> Value {
    let mut client = Client::open(server).await;
    client.send_text(text).await;
    assert_eq!(client.closed().await, 4400, "{text}");
    let [error] = &client.frames[..] else {
        panic!(
            "expected one frame for {text}, but got {:#?}",
            client.frames
        )
    };
    let message = error["message"].as_str().unwrap();
    // Where a Close has no room for the sentence, it names the frame that has it.
    let expected = match message.len() <= 123 {
        true => message,
        false => &CloseCode::NoValidHello.reason(),
    };
    assert_eq!(client.close_reason, expected);
    error.clone()
}

#[tokio::test]
async fn an_error_in_hello_names_the_field() {
    let server = Server::start();
    let check = async |change: Value, part: &str| {
        let mut hello = json!({"type": "hello", "id": "7", "token": token("alice")});
        change
            .as_object()
            .unwrap()
            .iter()
            .for_each(|(name, value)| hello[name] = value.clone());
        let error = refused(&server, &hello.to_string()).await;
        check_error(&error, "bad_request");
        assert_eq!(error["id"], "7", "{error}");
        assert!(
            error["message"].as_str().unwrap().contains(part),
            "{part} in {error}"
        );
    };
    let good = json!({"instance": KEY, "after": 1});
    let point = |after: Value| json!({"resume": [{"instance": KEY, "after": after}]});
    check(
        point(json!(-1)),
        "'resume[0].after' to be a whole number of at least 0, but it is -1",
    )
    .await;
    check(
        point(json!(1.5)),
        "'resume[0].after' to be a whole number of at least 0, but it is 1.5",
    )
    .await;
    check(
        point(json!("5")),
        "'resume[0].after' to be a whole number of at least 0, but it is a string",
    )
    .await;
    check(
        point(Value::Null),
        "the field 'resume[0].after', but it is missing",
    )
    .await;
    check(
        json!({"resume": [good, good, good, {"instance": KEY}]}),
        "'resume[3].after'",
    )
    .await;
    check(
        json!({"resume": [good, {"instance": "x", "after": 1}]}),
        "'resume[1].instance' to be an instance key (UUID), but it is 'x'",
    )
    .await;
    check(json!({"resume": [{"after": 1}]}), "'resume[0].instance'").await;
    check(
        json!({"resume": [good, 5]}),
        "'resume[1]' to be an object, but it is 5",
    )
    .await;
    check(
        json!({"resume": [[]]}),
        "'resume[0]' to be an object, but it is a list",
    )
    .await;
    check(
        json!({"resume": {}}),
        "'resume' to be a list of objects, but it is an object",
    )
    .await;
    check(
        json!({"resume": KEY}),
        "'resume' to be a list of objects, but it is a string",
    )
    .await;
    check(json!({"log": 5}), "'log' to be a string, but it is 5").await;
    check(
        json!({"log": "x".repeat(257)}),
        "'log' to be at most 256 bytes long",
    )
    .await;
    check(
        json!({"client": ["web"]}),
        "'client' to be a string, but it is a list",
    )
    .await;
    check(
        json!({"lastClose": "1006"}),
        "'lastClose' to be a whole number of at least 0, but it is a string",
    )
    .await;
    check(json!({"token": 5}), "'token' to be a string, but it is 5").await;
    check(
        json!({"token": {}}),
        "'token' to be a string, but it is an object",
    )
    .await;
    Client::assert_healthy(&server).await;
}

#[tokio::test]
async fn an_invalid_hello_is_answered_with_the_reason() {
    let server = Server::start();
    let check = async |text: &str, code: &str, id: Value, part: &str| {
        let error = refused(&server, text).await;
        check_error(&error, code);
        assert_eq!(error.get("id").cloned().unwrap_or_default(), id, "{error}");
        assert!(
            error["message"].as_str().unwrap().contains(part),
            "{part} in {error}"
        );
    };
    for text in [
        "nonsense",
        "",
        "[]",
        "5",
        "null",
        r#""hello""#,
        r#"{"type":"hello""#,
        r#"{"type":"hello"}{}"#,
    ] {
        check(text, "bad_request", Value::Null, "one JSON object").await;
    }
    check(
        r#"{"type":"hello","resume":[],"resume":[]}"#,
        "bad_request",
        Value::Null,
        "'resume' is there twice",
    )
    .await;
    check(
        "{}",
        "bad_request",
        Value::Null,
        "'hello' as the 'type' of a connection's first frame, but it has no 'type'",
    )
    .await;
    check(
        r#"{"type":5}"#,
        "bad_request",
        Value::Null,
        "'type' to be a string, but it is 5",
    )
    .await;
    check(
        r#"{"type":"Hello"}"#,
        "bad_request",
        Value::Null,
        "but it is 'Hello'",
    )
    .await;
    check(
        r#"{"type":"hello","id":5}"#,
        "bad_request",
        Value::Null,
        "'id' to be a string, but it is 5",
    )
    .await;
    let run = r#"{"type":"run","id":"1","instance":"0197a1b2-0000-7000-8000-000000000007","action":"save"}"#;
    check(
        run,
        "bad_request",
        json!("1"),
        "but it is 'run': send hello first",
    )
    .await;
    check(
        r#"{"type":"run","id":"1"}"#,
        "bad_request",
        json!("1"),
        "but it is 'run': send hello first",
    )
    .await;
    check(
        r#"{"type":"pong"}"#,
        "bad_request",
        Value::Null,
        "but it is 'pong': send hello first",
    )
    .await;
    check(
        r#"{"type":"auth","id":"1","token":"x"}"#,
        "bad_request",
        json!("1"),
        "but it is 'auth'",
    )
    .await;
    check(
        &format!(r#"{{"type":"hello","x":{}}}"#, "[".repeat(100)),
        "too_large",
        Value::Null,
        "64 levels",
    )
    .await;
    Client::assert_healthy(&server).await;
}

#[tokio::test]
async fn only_token_errors_close_4401() {
    let server = Server::start();
    let claims = json!({"sub": "alice", "exp": 4_102_444_800_u64, "roles": ["admin"]}).to_string();
    let none = format!(
        "{}.{}.",
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#),
        BASE64_URL_SAFE_NO_PAD.encode(claims)
    );
    let good = token("alice");
    let expired = token_with("alice", &[], "default", Duration::ZERO);
    let long = "x".repeat(8_193);
    for (bad, word) in [
        ("nonsense", "invalid"),
        ("", "invalid"),
        (&none, "invalid"),
        (&good[..good.len() - 3], "invalid"),
        (&format!("{good}x"), "invalid"),
        (&long, "at most 8192 bytes"),
        (&expired, "expired"),
    ] {
        let mut client = Client::open(&server).await;
        client.send(json!({"type": "hello", "token": bad})).await;
        assert_eq!(client.closed().await, 4401, "{bad}");
        assert!(client.frames.is_empty());
        let reason = &client.close_reason;
        assert!(
            reason.contains(word) && reason.contains("token"),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_second_hello_changes_nothing() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    client
        .send(json!({"type": "hello", "token": token("bob")}))
        .await;
    check_error(&client.expect("error").await, "bad_request");
    client.start("onboarding", json!({})).await;
}

#[tokio::test]
async fn an_unknown_resumed_instance_is_an_error_with_its_channel() {
    let server = Server::start();
    let mut client = Client::hello_with(
        &server,
        json!({"token": token("alice"), "resume": [{"instance": KEY, "after": 5}]}),
    )
    .await;
    let error = client.expect("error").await;
    check_error(&error, "not_found");
    assert_eq!(error["channel"], format!("instance/{KEY}"));
    client.start("onboarding", json!({})).await;
}

#[tokio::test]
async fn the_maximum_of_resumed_instances_fits_into_hello() {
    let server = Server::start();
    let points: Vec<Value> = (0..1_000)
        .map(|number| json!({"instance": uuid::Uuid::from_u128(0x0197_a1b2_0000_7000_8000 << 48 | number), "after": u64::MAX}))
        .collect();
    let mut client =
        Client::hello_with(&server, json!({"token": token("alice"), "resume": points})).await;
    for _ in 0..1_000 {
        check_error(&client.expect("error").await, "not_found");
    }
    client.start("onboarding", json!({})).await;
}
