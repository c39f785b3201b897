//! Instances with very large data that many clients request at once: to read their history, or to
//! follow them without reading the frames.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    Outcome,
    field::{ATTACKER, Field, Tally, obeying, sent, swarm},
    socket::{Socket, SocketEvent},
};

/// The approximate size of a row, in bytes.
const ROW: usize = 900_000;

/// The number of clients that follow as many instances and read nothing.
const FOLLOWERS: usize = 64;
const FOLLOWED: usize = 24;

/// Eight clients read its history, its messages and earlier states, and eight resume it from its
/// beginning.
pub async fn large_rows(field: Arc<Field>) -> Outcome {
    let note = json!({"name": "note", "type": "saveData", "trigger": "manual", "required": "optional", "repeatable": true,
        "keys": [{"path": "text"}]});
    let go = json!({"name": "go", "order": 1, "type": "saveData", "trigger": "manual"});
    field
        .publish(json!({
            "id": "ledger",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "ask", "type": "userTask", "actions": [note, go]}, {"id": "end", "type": "endEvent"}],
            "flows": [{"id": "f1", "source": "start", "target": "ask"}, {"id": "f2", "source": "ask", "target": "end"}],
        }))
        .await;
    let (client, token) = (
        field.client(ATTACKER),
        field.token("mallory", &["operator"]),
    );
    let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
    let (status, text) = sent(request.json(&json!({"process": "ledger"}))).await;
    assert_eq!(status, 201, "{text}");
    let started: Value = serde_json::from_str(&text).expect("an answer");
    let key = started["instance"].as_str().unwrap_or_default().to_owned();
    let run = field.url(&format!("/v1/instances/{key}/run"));
    let rows = if field.long { 120 } else { 24 };
    for row in 0..rows {
        let text = format!("{row} {}", "x".repeat(ROW));
        let body = json!({"action": "note", "data": {"text": text}});
        let (status, text) = obeying(client.post(&run).bearer_auth(&token).json(&body)).await;
        assert_eq!(status, 200, "{text:.300}");
    }

    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, 16, move |field, index| {
        let (told, token, key) = (told.clone(), token.clone(), key.clone());
        async move {
            if index < 8 {
                read(&field, &token, &key, end, &told).await;
            } else {
                resume(&field, &token, &key, end, &told).await;
            }
        }
    })
    .await;
    tally.only(&["200", "413", "429", "503", "0", "resync", "4429"]);
    assert!(
        tally.of("200") > 0 && tally.of("413") > 0 && tally.of("resync") > 0,
        "{tally}"
    );
    Outcome::of(tally)
}

/// Many connections follow many instances with long steps, one after the other, so that frames are
/// not shared; none of them reads.
pub async fn unread_snapshots(field: Arc<Field>) -> Outcome {
    let shown: Vec<Value> = (0..15)
        .map(|number| {
            let message = format!(r#"{{"text{number}": "${{text}}"}}"#);
            json!({"name": format!("tell{number}"), "order": number, "type": "websocketSend", "params": {"message": message}})
        })
        .collect();
    field
        .publish(json!({
            "id": "poster",
            "nodes": [
                {"id": "start", "type": "startEvent", "keys": [{"path": "text"}]},
                {"id": "show", "type": "serviceTask", "actions": shown},
                {"id": "ask", "type": "userTask"},
                {"id": "end", "type": "endEvent"}
            ],
            "flows": [{"id": "f1", "source": "start", "target": "show"}, {"id": "f2", "source": "show", "target": "ask"},
                {"id": "f3", "source": "ask", "target": "end"}],
        }))
        .await;
    let (client, token) = (field.client(ATTACKER), field.token("mallory", &[]));
    let mut followed = Vec::new();
    for number in 0..FOLLOWED {
        let text = format!("{number} {}", "x".repeat(60_000));
        let body = json!({"process": "poster", "data": {"text": text}});
        let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
        let (status, text) = obeying(request.json(&body)).await;
        assert_eq!(status, 201, "{text:.300}");
        let started: Value = serde_json::from_str(&text).expect("an answer");
        followed.push(started["instance"].as_str().unwrap_or_default().to_owned());
    }
    let tally = Arc::<Tally>::default();
    let (told, end, followed) = (tally.clone(), field.end(), Arc::new(followed));
    swarm(&field, FOLLOWERS, move |field, index| {
        let (told, token, followed) = (told.clone(), token.clone(), followed.clone());
        async move {
            sleep(Duration::from_millis(index as u64 * 10)).await;
            let hello = json!({"type": "hello", "token": token});
            let Ok(mut socket) = Socket::open(&field, ATTACKER, &hello).await else {
                return told.add("not open");
            };
            for (number, key) in followed.iter().enumerate() {
                let channel = format!("instance/{key}");
                let frame =
                    json!({"type": "subscribe", "id": number.to_string(), "channel": channel});
                if socket.send(&frame).await.is_err() {
                    break;
                }
            }
            sleep(end.saturating_duration_since(Instant::now())).await;
            match socket.closed(Duration::from_secs(1)).await {
                Some(code) => told.add(code),
                None => told.add("open"),
            }
        }
    })
    .await;
    Outcome::of(tally)
}

async fn read(field: &Field, token: &str, key: &str, end: Instant, told: &Tally) {
    let client = field.client(ATTACKER);
    let moment = if field.long { 200 } else { 1_000_000 };
    let paths = [
        "/history".to_owned(),
        "/messages".to_owned(),
        format!("?at={moment}"),
    ];
    while Instant::now() < end {
        for path in &paths {
            let request = client.get(field.url(&format!("/v1/instances/{key}{path}")));
            told.add(sent(request.bearer_auth(token)).await.0);
        }
    }
}

async fn resume(field: &Field, token: &str, key: &str, end: Instant, told: &Tally) {
    let hello = json!({"type": "hello", "token": token, "resume": [{"instance": key, "after": 4}]});
    while Instant::now() < end {
        let Ok(mut socket) = Socket::open(field, ATTACKER, &hello).await else {
            continue;
        };
        loop {
            match socket.next(Duration::from_secs(5)).await {
                SocketEvent::Frame(frame) if frame["type"] == "resync" => {
                    told.add("resync");
                    break;
                }
                SocketEvent::Frame(_) => {}
                SocketEvent::Closed(code) => {
                    told.add(code);
                    break;
                }
                SocketEvent::Silence => break,
            }
        }
    }
}
