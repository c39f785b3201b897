//! More ordinary requests than one client needs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, time::timeout_at};
use uuid::Uuid;

use super::{
    Outcome,
    field::{ATTACKER, Field, Tally, sent, swarm},
    socket::{Socket, SocketEvent},
};

/// The number of connections of a flood.
const CONNECTIONS: usize = 16;
/// The starts that strangers of one address may send at once, and per second: `docs/limits.md`.
const STARTS: (f64, f64) = (20.0, 5.0);
/// The time without a frame after which none is expected.
const SILENCE: Duration = Duration::from_secs(2);

/// Starts without a token, as a shipped process allows them.
pub async fn starts_over_rest(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let since = Instant::now();
    let (counts, end) = (tally.clone(), field.end());
    swarm(&field, CONNECTIONS, move |field, _| {
        let counts = counts.clone();
        async move {
            let client = field.client(ATTACKER);
            // On a slow machine it runs until the rate is exceeded.
            while Instant::now() < end || counts.of("429") == 0 {
                let request = client.post(field.url("/v1/instances"));
                counts.add(
                    sent(request.json(&json!({"process": "onboarding"})))
                        .await
                        .0,
                );
            }
        }
    })
    .await;
    tally.only(&["201", "429", "503", "0"]);
    assert!(tally.of("429") > 0, "{tally}");
    few_starts(&tally, "201", since);
    Outcome::of(tally)
}

/// Asserts that not more were started than strangers may start.
#[track_caller]
fn few_starts(tally: &Tally, started: &str, since: Instant) {
    let most = STARTS.0 + STARTS.1 * since.elapsed().as_secs_f64() + 1.0;
    assert!(tally.of(started) as f64 <= most, "{most}: {tally}");
}

/// The same over websockets; a client that is disconnected reconnects.
pub async fn starts_over_websockets(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let since = Instant::now();
    let (counts, end) = (tally.clone(), field.end());
    let start = || json!({"type": "start", "id": Uuid::now_v7(), "process": "onboarding", "nonce": Uuid::now_v7().to_string()});
    swarm(&field, CONNECTIONS, move |field, _| {
        let counts = counts.clone();
        async move {
            while Instant::now() < end {
                flood(&field, &json!({"type": "hello"}), start, &counts, end).await;
            }
        }
    })
    .await;
    assert!(tally.of("rate_limited") > 0, "{tally}");
    few_starts(&tally, "reply", since);
    Outcome::of(tally)
}

/// Sends frames until the end, or until the connection is closed, and counts the answers.
async fn flood(
    field: &Field,
    hello: &Value,
    frame: impl Fn() -> Value,
    counts: &Tally,
    end: Instant,
) {
    let mut socket = match Socket::open(field, ATTACKER, hello).await {
        Ok(socket) => socket,
        Err(status) => return counts.add(status),
    };
    while Instant::now() < end && socket.send(&frame()).await.is_ok() {
        while let SocketEvent::Frame(received) = socket.next(Duration::ZERO).await {
            count(&received, counts);
        }
    }
    // Answers after the end are not waited for.
    loop {
        match socket.next(Duration::from_millis(100)).await {
            SocketEvent::Frame(received) => count(&received, counts),
            SocketEvent::Closed(code) => return counts.add(code),
            SocketEvent::Silence => return,
        }
    }
}

fn count(received: &Value, counts: &Tally) {
    match received["type"].as_str() {
        Some("reply") => counts.add("reply"),
        Some("error") => counts.add(received["code"].as_str().unwrap_or("error")),
        _ => {}
    }
}

/// As many frames as the sockets of one user accept.
pub async fn frames(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (counts, end) = (tally.clone(), field.end());
    let hello = Arc::new(json!({"type": "hello", "token": field.token("mallory", &[])}));
    let frame =
        || json!({"type": "run", "id": Uuid::now_v7(), "instance": Uuid::nil(), "action": "a"});
    swarm(&field, CONNECTIONS, move |field, _| {
        let (counts, hello) = (counts.clone(), hello.clone());
        async move {
            while Instant::now() < end {
                flood(&field, &hello, frame, &counts, end).await;
            }
        }
    })
    .await;
    assert!(tally.of("rate_limited") > 0, "{tally}");
    Outcome::of(tally)
}

/// No attack: it uses as much of the machine as attackers do, so that the table shows their share.
pub async fn nothing(field: Arc<Field>) -> Outcome {
    let end = field.end();
    while Instant::now() < end {
        std::hint::black_box(json!({"type": "hello"}).to_string());
    }
    Outcome::of("")
}

/// No attack either: the connections of an attack, which send as much as they can to a listener of
/// their own, which reads it and answers nothing.
pub async fn elsewhere(field: Arc<Field>) -> Outcome {
    let listener = tokio::net::TcpListener::bind((ATTACKER, 0)).await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await });
        }
    });
    let end = field.end();
    swarm(&field, 400, move |_, _| async move {
        let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else {
            return;
        };
        // It runs until the time is over, so the timeout is no failure.
        let _ = timeout_at(end.into(), async {
            while stream.write_all(&[b'x'; 60_000]).await.is_ok() {}
        })
        .await;
    })
    .await;
    Outcome::of("")
}

/// A client that sends all its frames at once, waits for `afterMs`, and sends again. It must not be
/// disconnected.
pub async fn obedient(field: Arc<Field>) -> Outcome {
    let tally = Tally::default();
    let hello = json!({"type": "hello", "token": field.token("mallory", &[])});
    let mut socket = Socket::open(&field, ATTACKER, &hello)
        .await
        .expect("a place");
    // A client would be disconnected after ten seconds.
    let end = if field.long {
        Instant::now() + field.seconds.max(Duration::from_secs(15))
    } else {
        field.end()
    };
    let frame =
        |_| json!({"type": "run", "id": Uuid::now_v7(), "instance": Uuid::nil(), "action": "a"});
    while Instant::now() < end {
        let mut unanswered: Vec<Value> = (0..100).map(frame).collect();
        while !unanswered.is_empty() && Instant::now() < end {
            for frame in &unanswered {
                socket.send(frame).await.expect("it obeys, so it is served");
            }
            let mut again = Vec::new();
            for _ in 0..unanswered.len() {
                let received = loop {
                    match socket.next(SILENCE * 5).await {
                        SocketEvent::Frame(frame) if frame["type"] == "error" => break frame,
                        SocketEvent::Frame(_) => {}
                        SocketEvent::Closed(code) => {
                            panic!("expected to be served, but closed {code}")
                        }
                        SocketEvent::Silence => panic!("expected an answer to each frame"),
                    }
                };
                count(&received, &tally);
                if received["code"] == "rate_limited" {
                    let wait = received["afterMs"].as_u64().unwrap_or_default();
                    let of = |frame: &&Value| frame["id"] == received["id"];
                    again.extend(
                        unanswered
                            .iter()
                            .find(of)
                            .map(|frame| (wait, frame.clone())),
                    );
                }
            }
            // Each at its own `afterMs`, the earliest first.
            again.sort_by_key(|(wait, _)| *wait);
            let since = Instant::now();
            unanswered = Vec::new();
            if let Some((last, _)) = again.last() {
                tokio::time::sleep_until((since + Duration::from_millis(*last)).into()).await;
            }
            unanswered.extend(again.into_iter().map(|(_, frame)| frame));
        }
    }
    assert!(tally.of("rate_limited") > 0, "{tally}");
    Outcome::of(tally)
}

/// Connections that want to follow as many instances as fit into `hello`, none of which exists.
pub async fn subscriptions(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (counts, end) = (tally.clone(), field.end());
    let token = field.token("mallory", &[]);
    swarm(&field, CONNECTIONS, move |field, _| {
        let (counts, token) = (counts.clone(), token.clone());
        async move {
            while Instant::now() < end {
                let resume: Vec<Value> = (0..1_000)
                    .map(|_| json!({"instance": Uuid::now_v7(), "after": 0}))
                    .collect();
                let hello = json!({"type": "hello", "token": token, "resume": resume});
                match Socket::open(&field, ATTACKER, &hello).await {
                    Err(status) => counts.add(status),
                    Ok(mut socket) => {
                        while let SocketEvent::Frame(frame) = socket.next(SILENCE).await {
                            count(&frame, &counts);
                            if frame["type"] == "live" || Instant::now() >= end {
                                break;
                            }
                        }
                    }
                }
            }
        }
    })
    .await;
    Outcome::of(tally)
}

/// One user opens connections and keeps them.
pub async fn connections(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (counts, end) = (tally.clone(), field.end());
    let token = field.token("mallory", &[]);
    let many = if field.long { 1_200 } else { 400 };
    swarm(&field, many, move |field, _| {
        let (counts, token) = (counts.clone(), token.clone());
        async move {
            let hello = json!({"type": "hello", "token": token});
            match Socket::open(&field, ATTACKER, &hello).await {
                Err(status) => counts.add(status),
                Ok(mut socket) => {
                    let rest = end.saturating_duration_since(Instant::now());
                    match socket.closed(rest.max(SILENCE)).await {
                        Some(code) => counts.add(code),
                        None => counts.add("open"),
                    }
                }
            }
        }
    })
    .await;
    assert!(tally.of("open") <= 256, "{tally}");
    assert!(
        tally.of("1013") + tally.of("503") + tally.of("429") + tally.of("0") > 0,
        "{tally}"
    );
    Outcome::of(tally)
}

/// One user reads lists and definitions as fast as possible.
pub async fn reads(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (counts, end) = (tally.clone(), field.end());
    let token = field.token("mallory", &[]);
    swarm(&field, CONNECTIONS, move |field, index| {
        let (counts, token) = (counts.clone(), token.clone());
        async move {
            let client = field.client(ATTACKER);
            let paths = [
                "/v1/instances?limit=100",
                "/v1/tasks",
                "/v1/definitions",
                "/v1/definitions/onboarding/1/types.d.ts",
                "/openapi.json",
            ];
            for turn in index.. {
                if Instant::now() >= end {
                    break;
                }
                let request = client.get(field.url(paths[turn % paths.len()]));
                counts.add(sent(request.bearer_auth(&token)).await.0);
            }
        }
    })
    .await;
    tally.only(&["200", "429", "503", "0"]);
    Outcome::of(tally)
}

/// Streams of an instance that are not read, while it pushes as much as it can.
pub async fn unread_streams(field: Arc<Field>) -> Outcome {
    let push = json!({"name": "say", "type": "websocketSend", "trigger": "manual", "required": "optional", "repeatable": true,
        "params": {"message": format!(r#"{{"text":"{}"}}"#, "x".repeat(8_000))}});
    let go = json!({"name": "go", "order": 1, "type": "websocketSend", "trigger": "manual", "params": {"message": "{}"}});
    field
        .publish(json!({
            "id": "loud",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "ask", "type": "userTask", "actions": [push, go]}, {"id": "end", "type": "endEvent"}],
            "flows": [{"id": "f1", "source": "start", "target": "ask"}, {"id": "f2", "source": "ask", "target": "end"}],
        }))
        .await;
    let (client, token) = (field.client(ATTACKER), field.token("mallory", &[]));
    let request = client.post(field.url("/v1/instances")).bearer_auth(&token);
    let (status, text) = sent(request.json(&json!({"process": "loud"}))).await;
    assert_eq!(status, 201, "{text}");
    let started: Value = serde_json::from_str(&text).expect("an answer");
    let key = started["instance"].as_str().unwrap_or_default().to_owned();
    let tally = Arc::<Tally>::default();
    let (counts, end) = (tally.clone(), field.end());
    swarm(&field, 104, move |field, index| {
        let (counts, token, key) = (counts.clone(), token.clone(), key.clone());
        async move {
            if index >= 100 {
                let client = field.client(ATTACKER);
                let url = field.url(&format!("/v1/instances/{key}/run"));
                while Instant::now() < end {
                    let request = client.post(&url).bearer_auth(&token);
                    counts.add(sent(request.json(&json!({"action": "say"}))).await.0);
                }
                return;
            }
            let Ok(mut stream) = field.connect(ATTACKER).await else {
                return counts.add("not connected");
            };
            let head = format!(
                "GET /v1/instances/{key}/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
            );
            let _ = timeout_at(end.into(), stream.write_all(head.as_bytes())).await;
            tokio::time::sleep_until(end.into()).await;
            counts.add(super::sockets::answer(&mut stream, end).await);
        }
    })
    .await;
    assert!(tally.of("409") == 0, "{tally}");
    Outcome::of(tally)
}

/// Uploads that start and then send no more bytes.
pub async fn uploads(field: Arc<Field>) -> Outcome {
    let upload = json!({"name": "bring", "type": "uploadFile", "trigger": "manual", "repeatable": true, "params": {"destination": "file"}});
    field
        .publish(json!({
            "id": "paper",
            "nodes": [{"id": "start", "type": "startEvent"}, {"id": "ask", "type": "userTask", "actions": [upload]}, {"id": "end", "type": "endEvent"}],
            "flows": [{"id": "f1", "source": "start", "target": "ask"}, {"id": "f2", "source": "ask", "target": "end"}],
        }))
        .await;
    let token = field.token("mallory", &[]);
    let request = field.client(ATTACKER).post(field.url("/v1/instances"));
    let (status, text) = sent(
        request
            .bearer_auth(&token)
            .json(&json!({"process": "paper"})),
    )
    .await;
    assert_eq!(status, 201, "{text}");
    let started: Value = serde_json::from_str(&text).expect("an answer");
    let key = started["instance"].as_str().unwrap_or_default().to_owned();
    let tally = Arc::<Tally>::default();
    let (counts, end) = (tally.clone(), field.end());
    swarm(&field, 200, move |field, _| {
        let (counts, token, key) = (counts.clone(), token.clone(), key.clone());
        async move {
            let Ok(mut stream) = field.connect(ATTACKER).await else {
                return counts.add("not connected");
            };
            let head = format!(
                "POST /v1/instances/{key}/upload?action=bring HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"
            );
            let sent = async {
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&[b'x'; 50_000]).await
            };
            let _ = timeout_at(end.into(), sent).await;
            counts.add(super::sockets::answer(&mut stream, end + SILENCE * 2).await);
        }
    })
    .await;
    assert!(tally.of("open") <= 128, "{tally}");
    Outcome::of(tally)
}
