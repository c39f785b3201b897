//! Data that cost more than their length suggests.

use std::{sync::Arc, time::Instant};

use serde_json::{Value, json};

use super::{
    Outcome,
    field::{ATTACKER, Field, Tally, sent, swarm},
};

/// A process that a stranger may start, with this schema for its one key.
fn guarded(schema: Value) -> Value {
    json!({
        "id": "guarded", "anonymousStart": true,
        "nodes": [{"id": "start", "type": "startEvent", "keys": [{"path": "x", "schema": schema}]},
            {"id": "ask", "type": "userTask"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "ask"}, {"id": "f2", "source": "ask", "target": "end"}],
    })
}

/// A schema that refers to itself twice is refused at deploy. Of one with the maximum number of
/// parts, values for which the product of both is too large are refused before they are checked.
pub async fn intricate_values(field: Arc<Field>) -> Outcome {
    let recursive = json!({"$defs": {"e": {"anyOf": [{"type": "number"},
        {"type": "object", "properties": {"op": {"type": "string"}, "arg": {"$ref": "#/$defs/e"}, "other": {"$ref": "#/$defs/e"}}}]}},
        "$ref": "#/$defs/e"});
    let deploy = (reqwest::Method::POST, "/v1/definitions");
    let (status, text) = field.owner(deploy.0, deploy.1, guarded(recursive)).await;
    assert_eq!(status, 422, "{text}");
    let parts: Vec<Value> = (0..150)
        .map(|part| json!({"properties": {"a": {"const": part}}}))
        .collect();
    field
        .publish(guarded(json!({"type": "array", "items": {"anyOf": parts}})))
        .await;

    let tally = Arc::<Tally>::default();
    let value: Vec<Value> = (0..8_000).map(|part| json!({"a": -1 - part})).collect();
    let body = Arc::new(json!({"process": "guarded", "data": {"x": value}}).to_string());
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, 16, move |field, _| {
        let (body, told) = (body.clone(), told.clone());
        async move {
            let client = field.client(ATTACKER);
            while Instant::now() < end {
                let request = client.post(field.url("/v1/instances"));
                let request = request.header("content-type", "application/json");
                let (status, text) = sent(request.body(body.to_string())).await;
                told.add(status);
                assert!(status != 422 || text.contains("tooIntricate"), "{text}");
            }
        }
    })
    .await;
    tally.only(&["422", "429", "503", "0"]);
    assert!(tally.of("422") > 0, "{tally}");
    Outcome::of(tally)
}

/// Bodies, headers and addresses that no honest client sends. Each is refused.
pub async fn odd_bodies(field: Arc<Field>) -> Outcome {
    let start = |data: &str| format!(r#"{{"process":"visit","data":{data}}}"#);
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let odd: [(String, &[u16]); 11] = [
        (start(&deep(100_000)), &[400, 413, 422]),
        (start(&format!(r#"{{"a":{}}}"#, deep(65))), &[400, 413, 422]),
        (
            start(&format!(r#"{{"a":{}}}"#, "9".repeat(500_000))),
            &[400],
        ),
        (
            start(&format!(r#"{{"a":1e{}}}"#, "9".repeat(1_000))),
            &[400],
        ),
        (
            format!(r#"{{"process":"{}"}}"#, "p".repeat(900_000)),
            &[400, 404],
        ),
        (
            format!(
                r#"{{"process":"visit","businessKey":"{}"}}"#,
                "k".repeat(900_000)
            ),
            &[400],
        ),
        (
            start(&format!(r#"{{"a":"{}"}}"#, "x".repeat(2_000_000))),
            &[413],
        ),
        (
            start(&format!(r#"{{{}"z":1}}"#, r#""a":1,"#.repeat(100_000))),
            &[201, 400],
        ),
        (
            start(&format!(r#"{{"a":[{}1]}}"#, "1,".repeat(300_000))),
            &[201],
        ),
        ("{".repeat(1_000_000), &[400, 413]),
        (
            start(&format!(r#"{{"a":[{}1]}}"#, r#"{"a":1},"#.repeat(100_000))),
            &[413],
        ),
    ];
    let odd: Arc<[(String, &[u16])]> = Arc::from(odd);
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, 4, move |field, index| {
        let (odd, told) = (odd.clone(), told.clone());
        async move {
            let client = field.client(ATTACKER);
            let token = field.token("mallory", &[]);
            let mut turn = index;
            // Each of them at least once.
            while Instant::now() < end || turn < odd.len() + index {
                let (body, expected) = &odd[turn % odd.len()];
                let request = client
                    .post(field.url("/v1/instances"))
                    .bearer_auth(&token)
                    .header("content-type", "application/json");
                let (status, text) = sent(request.body(body.clone())).await;
                let slowed = [0, 429, 503].contains(&status);
                assert!(
                    slowed || expected.contains(&status),
                    "{:.60}…: expected {expected:?}, but {status} {text:.300}",
                    body
                );
                told.add(status);
                turn += 1;
            }
        }
    })
    .await;
    long_heads(&field).await;
    Outcome::of(tally)
}

/// Instances with large data, started and read as fast as possible: not all of them may be in
/// memory.
pub async fn large_instances(field: Arc<Field>) -> Outcome {
    let items = "1,".repeat(250_000);
    let body = Arc::new(format!(
        r#"{{"process":"visit","data":{{"a":[{items}1]}}}}"#
    ));
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, 4, move |field, _| {
        let (body, told) = (body.clone(), told.clone());
        async move {
            let client = field.client(ATTACKER);
            let token = field.token("mallory", &[]);
            while Instant::now() < end {
                let request = client
                    .post(field.url("/v1/instances"))
                    .bearer_auth(&token)
                    .header("content-type", "application/json");
                let (status, text) = sent(request.body(body.to_string())).await;
                told.add(status);
                let started: Value = serde_json::from_str(&text).unwrap_or_default();
                if let Some(key) = started["instance"].as_str() {
                    let url = field.url(&format!("/v1/instances/{key}"));
                    told.add(sent(client.get(url).bearer_auth(&token)).await.0);
                }
            }
        }
    })
    .await;
    tally.only(&["200", "201", "429", "503", "0"]);
    assert!(tally.of("201") > 0, "{tally}");
    Outcome::of(tally)
}

/// Long text outside of bodies.
async fn long_heads(field: &Field) {
    let client = field.client(ATTACKER);
    let token = field.token("mallory", &[]);
    let long = "i".repeat(60_000);
    let id = client
        .post(field.url("/v1/instances"))
        .header("idempotency-key", &long)
        .bearer_auth(&token)
        .json(&json!({"process": "visit"}));
    let (status, text) = sent(id).await;
    assert!(
        [400, 413, 429, 431].contains(&status),
        "{status} {text:.300}"
    );
    let path = format!("/v1/instances/{long}");
    let (status, text) = sent(client.get(field.url(&path)).bearer_auth(&token)).await;
    assert!(
        [404, 414, 429, 431].contains(&status),
        "{status} {text:.300}"
    );
    let bearer = client.get(field.url("/v1/tasks")).bearer_auth(&long);
    let (status, text) = sent(bearer).await;
    assert!([401, 429, 431].contains(&status), "{status} {text:.300}");
}
