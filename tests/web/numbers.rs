//! Numbers keep every digit on every path; a number that cannot is rejected by name.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{Answer, User, send};
use crate::support;

/// A rule, a gateway, a template, keys with a schema, and a search key: all see the number of an
/// order.
fn process() -> Value {
    let show = r#"{"id": ${order.id}, "text": "No. ${order.id}", "fixed": 18446744073709551615, "price": "${order.price}"}"#;
    json!({
        "id": "order", "searchKeys": ["order.id"],
        "nodes": [
            {"id": "start", "type": "startEvent"},
            {"id": "rate", "type": "task", "actions": [
                {"name": "rule", "order": 1, "type": "businessRule", "params": {"script": "output.copy \
                    = {...input.order, state: 'rated'}"}},
                {"name": "show", "order": 2, "type": "websocketSend", "params": {"message": show}}]},
            {"id": "choice", "type": "exclusiveGateway", "defaultFlow": "other"},
            {"id": "edit", "type": "userTask", "actions": [{"name": "save", "type": "saveData", "trigger": "manual",
                "keys": [{"path": "next", "schema": {"type": "integer", "maximum": 9_007_199_254_740_992_i64}}]}]},
            {"id": "end", "type": "endEvent"}],
        "flows": [
            {"id": "a", "source": "start", "target": "rate"}, {"id": "b", "source": "rate", "target": "choice"},
            {"id": "this", "source": "choice", "target": "edit", "condition": "copy.id == \
                7615917337495251231n"},
            {"id": "other", "source": "choice", "target": "end"}, {"id": "c", "source": "edit", "target": "end"}]
    })
}

async fn post(user: &User<'_>, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    send(
        user.request(Method::POST, path)
            .header("Content-Type", "application/json")
            .body(body.into()),
    )
    .await
}

#[actix_web::test]
async fn numbers_keep_every_digit_on_every_path() {
    let server = support::server().await;
    let (alice, olga) = (
        User::new(&server, "alice", &[]),
        User::new(&server, "olga", &["operator", "designer"]),
    );
    olga.publish(process()).await;
    let order = r#"{"id":7615917337495251231,"max":18446744073709551615,"price":0.30000000000000004,"x":[9007199254740993,-9223372036854775808,1e-7]}"#;
    let started = post(
        &alice,
        "/v1/instances",
        format!(r#"{{"process":"order","data":{{"order":{order}}}}}"#),
    )
    .await;
    assert_eq!(started.status, 201, "{started:?}");
    let key = started.json()["instance"].as_str().unwrap().to_owned();
    assert_eq!(
        started.json()["nodes"][0]["node"],
        "edit",
        "the gateway compares all digits"
    );

    let observed = olga.get(&format!("/v1/instances/{key}")).await;
    let expected: Value = serde_json::from_str(order).unwrap();
    let (data, view) = (&observed.json()["data"], &observed.json()["view"]);
    assert_eq!(data["order"], expected);
    assert_eq!(
        (
            &data["copy"]["id"],
            &data["copy"]["x"],
            &data["copy"]["max"]
        ),
        (&expected["id"], &expected["x"], &expected["max"])
    );
    assert!(
        observed
            .text
            .contains(r#""id":7615917337495251231,"max":18446744073709551615"#),
        "{}",
        observed.text
    );
    assert_eq!(
        (&view["id"], &view["text"]),
        (&expected["id"], &json!("No. 7615917337495251231"))
    );
    assert_eq!(
        (&view["fixed"], &view["price"]),
        (&json!(u64::MAX), &expected["price"])
    );
    let found = olga
        .get("/v1/instances?data.order.id=7615917337495251231")
        .await;
    assert!(found.text.contains(&key), "{found:?}");

    let run = |value: &str| format!(r#"{{"action":"save","data":{{"next":{value}}}}}"#);
    let path = format!("/v1/instances/{key}/run");
    post(&alice, &path, run("9007199254740993"))
        .await
        .is_problem(422, "invalid_data", "");
    post(&alice, &path, run("12345678901234567890"))
        .await
        .is_problem(422, "invalid_data", "");
    post(&alice, &path, run("9007199254740992.00000001"))
        .await
        .is_problem(400, "bad_request", "`next`");
    assert_eq!(
        post(&alice, &path, run("9007199254740992")).await.status,
        200
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_number_that_would_lose_digits_is_refused_with_its_path() {
    let server = support::server().await;
    let (alice, dora) = (
        User::new(&server, "alice", &[]),
        User::new(&server, "dora", &["designer"]),
    );
    for number in [
        "12345678901234567890123",
        "0.1000000000000000055",
        "1e400",
        "-9223372036854775809",
        "4.9e-324",
    ] {
        let body = format!(
            r#"{{"process":"onboarding","data":{{"order":{{"lines":[1,{{"id":{number}}}]}}}}}}"#
        );
        post(&alice, "/v1/instances", body).await.is_problem(
            400,
            "bad_request",
            &format!("{number} at `order.lines[1].id`"),
        );
    }
    let mut definition = process();
    definition["nodes"][3]["actions"][0]["keys"][0]["schema"]["maximum"] = json!("MAXIMUM");
    let text = definition
        .to_string()
        .replace("\"MAXIMUM\"", "12345678901234567890123");
    let refused = post(&dora, "/v1/definitions", text).await;
    assert!(
        refused.status == 422
            && refused
                .text
                .contains("nodes[3].actions[0].keys[0].schema.maximum"),
        "{refused:?}"
    );
    let text = process()
        .to_string()
        .replace("18446744073709551615", "184467440737095516150");
    let refused = post(&dora, "/v1/definitions", text).await;
    assert!(
        refused.status == 422 && refused.text.contains("184467440737095516150 would not"),
        "{refused:?}"
    );
    server.stop().await;
}

/// Readers keep the last of two members with one name in silence, so neither counts.
#[actix_web::test]
async fn a_duplicate_member_is_refused_with_both_positions() {
    let server = support::server().await;
    let (alice, dora) = (
        User::new(&server, "alice", &[]),
        User::new(&server, "dora", &["designer"]),
    );
    let twice = "{\"order\": [{\"id\": 1,\n \"id\": 2}]}";
    let body = format!("{{\"process\": \"onboarding\", \"data\": {twice}}}");
    let places = "`id` of `order[0]` is there twice, at line 1 column 13 and at line 2 column 2";
    post(&alice, "/v1/instances", body)
        .await
        .is_problem(400, "bad_request", places);
    let started = post(
        &alice,
        "/v1/instances",
        r#"{"process":"onboarding"}"#.to_owned(),
    )
    .await
    .json();
    let key = started["instance"].as_str().expect("a key");
    for (path, body) in [
        (
            "run",
            format!("{{\"action\": \"save\", \"data\": {twice}}}"),
        ),
        (
            "run",
            format!("{{\"action\": \"a\", \"data\": {{}}, \"data\": {twice}}}"),
        ),
    ] {
        let answer = post(&alice, &format!("/v1/instances/{key}/{path}"), body).await;
        answer.is_problem(400, "bad_request", "there twice");
    }
    let root = User::new(&server, "root", &["operator"]);
    let patch = root
        .request(Method::PATCH, &format!("/v1/instances/{key}/data"))
        .header("content-type", "application/json")
        .body(format!("{{\"data\": {twice}}}"));
    send(patch).await.is_problem(400, "bad_request", places);
    let definition = process().to_string().replacen('{', "{\"id\": \"x\", ", 1);
    let refused = post(&dora, "/v1/definitions", definition).await;
    assert!(
        refused.status == 422 && refused.text.contains("`id` is there twice"),
        "{refused:?}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_byte_order_mark_is_ignored() {
    let server = support::server().await;
    let (alice, dora) = (
        User::new(&server, "alice", &[]),
        User::new(&server, "dora", &["designer"]),
    );
    let marked = |text: &str| format!("\u{feff}{text}");
    let started = post(
        &alice,
        "/v1/instances",
        marked(r#"{"process":"onboarding"}"#),
    )
    .await;
    assert_eq!(started.status, 201, "{started:?}");
    let deployed = post(&dora, "/v1/definitions", marked(&process().to_string())).await;
    assert_eq!(deployed.status, 201, "{deployed:?}");

    let utf16: Vec<u8> = marked(r#"{"process":"onboarding"}"#)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    post(&alice, "/v1/instances", utf16.clone())
        .await
        .is_problem(400, "bad_request", "UTF-16");
    let refused = post(&dora, "/v1/definitions", utf16).await;
    assert!(
        refused.status == 422
            && refused
                .text
                .contains("written in UTF-16; write it in UTF-8"),
        "{refused:?}"
    );
    server.stop().await;
}
