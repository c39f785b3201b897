//! Spans sent to a collector: related spans form one trace, and an unavailable collector delays
//! nobody.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::timeout,
};

use super::http::{User, send};
use crate::{engine::sketch, support};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TIMEOUT: Duration = Duration::from_secs(30);

/// A collector, or another called system: it stores the requests it receives.
struct Receiver {
    address: String,
    /// Heads in small letters, and bodies.
    came: Arc<Mutex<Vec<(String, Value)>>>,
    more: Arc<Notify>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let receiver = Self {
            address: listener.local_addr().expect("it listens").to_string(),
            came: Arc::default(),
            more: Arc::default(),
        };
        let (came, more) = (receiver.came.clone(), receiver.more.clone());
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (came, more) = (came.clone(), more.clone());
                tokio::task::spawn_local(async move {
                    if let Some(request) = answer(stream).await {
                        came.lock().expect("nobody panics").push(request);
                        more.notify_one();
                    }
                });
            }
        });
        receiver
    }

    /// Waits until the wanted spans have arrived.
    async fn until<T>(&self, what: &str, find: impl Fn(&[(String, Value)]) -> Option<T>) -> T {
        let found = async {
            loop {
                let found = find(&self.came.lock().expect("nobody panics"));
                match found {
                    Some(found) => return found,
                    None => self.more.notified().await,
                }
            }
        };
        let found = timeout(TIMEOUT, found).await;
        found.unwrap_or_else(|_| panic!("expected {what}, but got {:#?}", self.came))
    }

    /// Waits for a span of this name that is wanted.
    async fn span(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let find = |came: &[(String, Value)]| {
            let spans = came.iter().flat_map(|(_, body)| {
                body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array()
            });
            let mut spans = spans.flatten();
            spans
                .find(|span| span["name"] == name && wanted(span))
                .cloned()
        };
        self.until(&format!("a span {name}"), find).await
    }
}

/// Reads one request, and answers it well.
async fn answer(mut stream: TcpStream) -> Option<(String, Value)> {
    let mut read = Vec::new();
    loop {
        let head = read.windows(4).position(|end| end == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.trim().parse().expect("a length"));
            if read.len() >= head + 4 + length {
                let body = serde_json::from_slice(&read[head + 4..]).unwrap_or_default();
                let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
                    Content-Length: 2\r\nConnection: close\r\n\r\n{}";
                stream.write_all(answer.as_bytes()).await.ok()?;
                return Some((text, body));
            }
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

async fn publish(user: &User<'_>, process: &str) {
    let definition = serde_json::to_value(sketch::definition(process)).expect("it is JSON");
    user.publish(definition).await;
}

fn of(instance: &Value) -> impl Fn(&Value) -> bool + use<> {
    let instance = instance.clone();
    move |span| attribute(span, "stepwire.instance") == instance["stringValue"]
}

fn attribute(span: &Value, key: &str) -> Value {
    let attributes = span["attributes"].as_array().into_iter().flatten();
    let found = attributes.into_iter().find(|it| it["key"] == key);
    found.map_or(Value::Null, |it| it["value"]["stringValue"].clone())
}

#[actix_web::test]
async fn timers_subprocesses_and_calls_are_child_spans_of_their_cause() {
    let (collector, other) = (Receiver::start().await, Receiver::start().await);
    let endpoint = format!("http://{}", collector.address);
    let server = support::start(support::config(&[
        "--outbound-targets",
        "127.0.0.1",
        "--otlp-endpoint",
        &endpoint,
        "--otlp-headers",
        "x-key=opensesame",
    ]))
    .await;
    let dora = User::new(&server, "dora", &["designer"]);
    let url = format!("http://{}/called", other.address);
    let params = json!({"url": url});
    let calling = json!({"id": "calling", "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "call", "type": "serviceTask",
            "actions": [{"name": "get", "type": "httpRequest", "params": params}]},
        {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "call"},
            {"id": "f2", "source": "call", "target": "end"}]});
    dora.publish(calling).await;
    publish(
        &dora,
        "process late\nstart -> c -> sub -> end\ncatch c after=PT1S\ncall sub calling",
    )
    .await;
    let start = dora
        .request(Method::POST, "/v1/instances")
        .header("traceparent", PARENT)
        .json(&json!({"process": "late"}));
    let started = send(start).await;
    assert_eq!(started.status, 201, "{started:?}");
    let instance = json!({"stringValue": started.json()["instance"]});

    let start = collector.span("start", of(&instance)).await;
    assert_eq!(
        (&start["traceId"], &start["kind"]),
        (&json!(TRACE), &json!(2))
    );
    assert_eq!(start["parentSpanId"], "b7ad6b7169203331");
    assert_eq!(attribute(&start, "stepwire.process"), "late");
    assert_eq!(attribute(&start, "enduser.id"), "dora");
    // The timer is set by the start and due a second later; its spans are below those of the start.
    let timer = collector.span("timer", of(&instance)).await;
    assert_eq!(
        (&timer["traceId"], &timer["parentSpanId"], &timer["kind"]),
        (&start["traceId"], &start["spanId"], &json!(1))
    );
    let is_child = |span: &Value| attribute(span, "stepwire.process") == "calling";
    let child = collector.span("start", is_child).await;
    assert_eq!(
        (&child["traceId"], &child["parentSpanId"]),
        (&start["traceId"], &timer["spanId"])
    );
    let call = collector.span("call", |_| true).await;
    assert_eq!(
        (&call["traceId"], &call["parentSpanId"], &call["kind"]),
        (&start["traceId"], &child["spanId"], &json!(3))
    );
    let answer = collector.span("answer", |_| true).await;
    assert_eq!(answer["parentSpanId"], child["spanId"]);
    let ended = collector.span("message", of(&instance)).await;
    assert_eq!(
        (&ended["traceId"], &ended["parentSpanId"]),
        (&start["traceId"], &answer["spanId"])
    );
    let sent = format!(
        "traceparent: 00-{TRACE}-{}-01",
        call["spanId"].as_str().unwrap_or("")
    );
    let heads = other.came.lock().expect("nobody panics").clone();
    assert!(
        heads.iter().any(|(head, _)| head.contains(&sent)),
        "{heads:?}"
    );
    let is_asked = |came: &[(String, Value)]| {
        came.iter().all(|(head, _)| {
            head.starts_with("post /v1/traces ") && head.contains("x-key: opensesame")
        })
    };
    assert!(is_asked(&collector.came.lock().expect("nobody panics")));
    server.stop().await;
}

#[actix_web::test]
async fn a_message_carries_the_trace_of_its_publisher_even_when_buffered() {
    let collector = Receiver::start().await;
    let endpoint = format!("http://{}/v1/traces", collector.address);
    let server = support::start(support::config(&["--otlp-endpoint", &endpoint])).await;
    let olga = User::new(&server, "olga", &["designer", "operator"]);
    publish(
        &olga,
        "process waiter\nstart -> c -> end\ncatch c message=go",
    )
    .await;
    let message = olga
        .request(Method::POST, "/v1/messages")
        .header("traceparent", PARENT)
        .json(&json!({"name": "go", "ttl": "PT1H"}));
    let published = send(message).await;
    assert!(published.status.is_success(), "{published:?}");
    let started = olga
        .post("/v1/instances", json!({"process": "waiter"}))
        .await;
    let instance = json!({"stringValue": started.json()["instance"]});
    let start = collector.span("start", of(&instance)).await;
    assert_ne!(start["traceId"], TRACE, "it has one of its own");
    let delivery = collector.span("delivery", of(&instance)).await;
    assert_eq!(
        (&delivery["traceId"], &delivery["parentSpanId"]),
        (&json!(TRACE), &json!("b7ad6b7169203331"))
    );
    // A trace that is not recorded is passed on without spans; a refused one is recorded.
    let unsampled = PARENT.replace("-01", "-00");
    let start = olga
        .request(Method::POST, "/v1/instances")
        .header("traceparent", unsampled)
        .json(&json!({"process": "waiter"}));
    assert_eq!(send(start).await.status, 201);
    let path = format!(
        "/v1/instances/{}/run",
        started.json()["instance"].as_str().expect("a key")
    );
    let refused = olga.post(&path, json!({"action": "none"})).await;
    assert!(refused.status.is_client_error(), "{refused:?}");
    let run = collector.span("run", of(&instance)).await;
    assert_eq!(
        (&run["status"]["code"], &run["status"]["message"]),
        (&json!(2), &json!("unavailable"))
    );
    server.stop().await;
    let starts = collector.came.lock().expect("nobody panics").clone();
    let starts = starts
        .iter()
        .flat_map(|(_, body)| body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array())
        .flatten()
        .filter(|span| span["name"] == "start");
    assert_eq!(starts.count(), 1);
}

#[actix_web::test]
async fn an_unreachable_collector_delays_nothing_and_lost_spans_are_counted() {
    let removed = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", removed.local_addr().expect("it listens"));
    drop(removed);
    let server = support::start(support::config(&["--otlp-endpoint", &endpoint])).await;
    let olga = User::new(&server, "olga", &["designer", "server-operator"]);
    publish(&olga, "process over\nstart -> end").await;
    for _ in 0..20 {
        let started = olga.post("/v1/instances", json!({"process": "over"})).await;
        assert_eq!(started.status, 201, "{started:?}");
    }
    let dropped = async {
        loop {
            let metrics = olga.get("/metrics").await.text;
            let count = metrics
                .lines()
                .find_map(|line| line.strip_prefix("stepwire_spans_dropped_total "))
                .expect("it is counted");
            if count.trim().parse::<f64>().expect("a number") >= 20.0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(TIMEOUT, dropped)
        .await
        .expect("dropped spans are counted");
    server.stop().await;
}
