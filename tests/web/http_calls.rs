//! `/v1/http-calls`.

use reqwest::Method;
use serde_json::{Value, json};

use super::http::{User, send};
use crate::support;

fn calling(url: &str) -> Value {
    // Nothing listens there, and the next try is an hour away.
    let params = json!({"url": url, "backoff": "PT1H", "retries": 1});
    json!({"id": "calling", "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "call", "type": "serviceTask", "actions": [{"name": "get", "type": "httpRequest", "params": params}]},
        {"id": "end", "type": "endEvent"},
    ], "flows": [{"id": "f1", "source": "start", "target": "call"}, {"id": "f2", "source": "call", "target": "end"}]})
}

#[actix_web::test]
async fn operators_list_pending_calls() {
    let server = support::start(support::config(&[
        "--outbound-targets",
        "127.0.0.1:9,*.example.com",
    ]))
    .await;
    let (designer, operator) = (
        User::new(&server, "dora", &["designer"]),
        User::new(&server, "olga", &["operator"]),
    );
    let deploy = |source: Value| {
        designer
            .request(Method::POST, "/v1/definitions?publish=true")
            .json(&source)
    };
    let deployed = send(deploy(calling("http://127.0.0.1:9/x"))).await;
    assert_eq!(
        (deployed.status.as_u16(), &deployed.json()["problems"]),
        (201, &json!([])),
        "{deployed:?}"
    );
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(
            designer
                .post("/v1/instances", json!({"process": "calling"}))
                .await
                .json()["instance"]
                .clone(),
        );
    }
    let first = operator.get("/v1/http-calls?limit=2").await.json();
    let next = first["next"].as_str().expect("there is more").to_owned();
    let rest = operator
        .get(&format!("/v1/http-calls?cursor={next}"))
        .await
        .json();
    let listed = first["calls"]
        .as_array()
        .into_iter()
        .chain(rest["calls"].as_array())
        .flatten();
    let listed: Vec<Value> = listed.cloned().collect();
    assert_eq!((listed.len(), &rest["next"]), (3, &Value::Null));
    assert!(listed.iter().all(|call| keys.contains(&call["instance"])));
    let call = &listed[0];
    assert_eq!(
        (&call["type"], &call["node"], &call["action"]),
        (&json!("httpRequest"), &json!("call"), &json!("get"))
    );
    assert_eq!(
        (&call["url"], &call["givenUp"]),
        (&json!("http://127.0.0.1:9/x"), &json!(false))
    );

    let refused = send(deploy(calling("http://127.0.0.1:10/x"))).await.json();
    assert_eq!(
        refused["problems"][0]["code"], "target_not_allowed",
        "{refused}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn http_calls_are_for_operators_only() {
    let server = support::server().await;
    let (alice, operator) = (
        User::new(&server, "alice", &["designer"]),
        User::new(&server, "olga", &["operator"]),
    );
    alice
        .get("/v1/http-calls")
        .await
        .is_problem(403, "forbidden", "operator");
    assert_eq!(
        operator.get("/v1/http-calls").await.json(),
        json!({"calls": [], "next": null})
    );
    for bad in [
        "cursor=x",
        "cursor=_1",
        "cursor=00000000-0000-0000-0000-000000000001_-1",
        "limit=x",
        "odd=1",
        "cursor=00000000-0000-0000-0000-000000000001_18446744073709551615",
    ] {
        operator
            .get(&format!("/v1/http-calls?{bad}"))
            .await
            .is_problem(400, "bad_request", "expected");
    }
    server.stop().await;
}

/// Another system that is called: it answers so many requests, and returns their headers.
async fn called(times: usize) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answering = tokio::spawn(async move {
        let mut heads = Vec::new();
        for _ in 0..times {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut chunk = [0; 1024];
                let read = stream.read(&mut chunk).await.unwrap();
                head.extend(&chunk[..read]);
            }
            let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).await.unwrap();
            heads.push(String::from_utf8(head).unwrap().to_ascii_lowercase());
        }
        heads
    });
    (address, answering)
}

#[actix_web::test]
async fn a_trace_continues_in_calls_and_those_after_their_responses() {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (address, heads) = called(6).await;
    let server = support::start(support::config(&["--outbound-targets", "127.0.0.1"])).await;
    let dora = User::new(&server, "dora", &["designer"]);
    let call = |name: &str| {
        let params = json!({"url": format!("http://{address}/{name}")});
        json!({"id": name, "type": "serviceTask", "actions": [{"name": "get", "type": "httpRequest", "params": params}]})
    };
    dora.publish(json!({"id": "twice", "nodes": [
        {"id": "start", "type": "startEvent"}, call("one"), call("two"), {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "a", "source": "start", "target": "one"}, {"id": "b", "source": "one", "target": "two"},
            {"id": "c", "source": "two", "target": "end"}]}))
        .await;
    for (parent, state) in [
        (PARENT, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        (PARENT, "no state"),
        (
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "a=b",
        ),
    ] {
        let start = dora
            .request(Method::POST, "/v1/instances")
            .header("traceparent", parent)
            .header("tracestate", state)
            .json(&json!({"process": "twice"}));
        assert_eq!(send(start).await.status, 201);
    }
    let heads = heads.await.unwrap();
    let with = |line: &str| heads.iter().filter(|head| head.contains(line)).count();
    assert_eq!(with(&format!("traceparent: {PARENT}\r\n")), 4, "{heads:#?}");
    assert_eq!(
        with("traceparent"),
        4,
        "none is made of one that cannot be read"
    );
    assert_eq!(
        with("tracestate: congo=t61rcwkgmze,rojo=00f067aa0ba902b7\r\n"),
        2
    );
    assert_eq!(with("tracestate"), 2);
    server.stop().await;
}

#[actix_web::test]
async fn a_trace_continues_in_the_webhooks_of_an_end() {
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (address, heads) = called(2).await;
    let server = support::start(support::config(&["--outbound-targets", "127.0.0.1"])).await;
    let dora = User::new(&server, "dora", &["designer"]);
    let url = format!("http://{address}/told");
    dora.publish(json!({"id": "told", "webhooks": [{"url": url}], "nodes": [
        {"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f", "source": "start", "target": "end"}]}))
        .await;
    let start = |parent: Option<&str>| {
        let start = dora
            .request(Method::POST, "/v1/instances")
            .json(&json!({"process": "told"}));
        match parent {
            Some(parent) => start.header("traceparent", parent),
            None => start,
        }
    };
    for parent in [Some(PARENT), None] {
        assert_eq!(send(start(parent)).await.status, 201);
    }
    let heads = heads.await.unwrap();
    let reported = |head: &&String| head.contains("webhook-id: ");
    assert_eq!(heads.iter().filter(reported).count(), 2, "{heads:#?}");
    let traced: Vec<_> = heads
        .iter()
        .filter(|head| head.contains("traceparent"))
        .collect();
    assert_eq!(traced.len(), 1, "{heads:#?}");
    assert!(traced[0].contains(&format!("traceparent: {PARENT}\r\n")));
    server.stop().await;
}
