//! Rate limits of anonymous callers and users, over requests and websockets together.

use std::net::IpAddr;

use reqwest::Method;
use serde_json::{Value, json};
use stepwire::web::http::server::Running;

use super::http::{Answer, User, send};
use crate::{
    jobs::http::{ask, request},
    support,
    wire::{
        Client, Server,
        client::id,
        server::{admin, token},
    },
};

/// More requests than any rate of these tests lets through.
const MANY: usize = 300;

async fn server(more: &[&str]) -> Running {
    support::start(support::config(more)).await
}

/// Sends requests until one is refused; returns the number of accepted ones, and the refusal.
async fn until_refused(mut requested: impl AsyncFnMut() -> Answer) -> (usize, Answer) {
    for count in 0..MANY {
        let answer = requested().await;
        if answer.status == 429 {
            return (count, answer);
        }
        assert!(answer.status.is_success(), "{answer:?}");
    }
    panic!("nothing was refused");
}

async fn start(user: &User<'_>) -> Answer {
    user.post("/v1/instances", json!({"process": "onboarding"}))
        .await
}

/// Checks the refusal of a client, and that waiting for the announced time is enough.
#[track_caller]
fn tells_when(answer: &Answer, part: &str) {
    answer.is_problem(429, "rate_limited", part);
    let after = answer.json()["afterMs"].as_u64().unwrap();
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!(
        after > 0 && seconds == after.div_ceil(1000),
        "{after} {seconds}"
    );
}

fn stranger_from<'a>(server: &'a Running, address: &str) -> User<'a> {
    User::from_address(server, None, address.parse::<IpAddr>().unwrap())
}

#[actix_web::test]
async fn starts_by_strangers_of_an_address_are_bounded_on_every_path() {
    let server = server(&["--anonymous-starts", "1:6"]).await;
    let stranger = User::with_token(&server, None);
    let mut socket = Client::open_at(server.addresses()[0].port()).await;
    socket.send(json!({"type": "hello"})).await;
    socket.expect("welcome").await;
    for _ in 0..3 {
        assert_eq!(start(&stranger).await.status, 201);
        socket.start("onboarding", json!({})).await;
    }
    let (more, refused) = until_refused(async || start(&stranger).await).await;
    assert!(more < 100, "{more} more in the time of these requests");
    tells_when(&refused, "starts per second from one address");
    let refused = loop {
        let frame = json!({"type": "start", "id": id(), "process": "onboarding"});
        let answer = socket.ask(frame).await;
        if answer["type"] == "error" {
            break answer;
        }
    };
    assert_eq!(refused["code"], "rate_limited");
    assert!(refused["afterMs"].as_u64() > Some(0), "{refused}");
    // Others are not concerned: strangers elsewhere, and users at the same address.
    assert_eq!(
        start(&stranger_from(&server, "127.0.0.2")).await.status,
        201
    );
    let alice = User::new(&server, "alice", &[]);
    for _ in 0..20 {
        assert_eq!(start(&alice).await.status, 201);
    }
    let olga = User::new(&server, "olga", &["admin"]);
    let metrics = olga.get("/metrics").await.text;
    let line = "stepwire_refused_total{limit=\"anonymous_starts\"} ";
    let count = metrics
        .lines()
        .find_map(|reported| reported.strip_prefix(line));
    assert!(count.unwrap().parse::<u64>().unwrap() >= 2, "{count:?}");
    server.stop().await;
}

#[actix_web::test]
async fn requests_bytes_and_health_checks_have_separate_rates() {
    let server = server(&[
        "--anonymous-requests",
        "1:8",
        "--anonymous-bytes",
        "1KiB:2KiB",
    ])
    .await;
    let stranger = User::with_token(&server, None);
    let (_, refused) = until_refused(async || stranger.get("/docs/limits").await).await;
    tells_when(&refused, "requests per second from one address");
    for path in ["/healthz", "/readyz"] {
        for _ in 0..10 {
            assert_eq!(stranger.get(path).await.status, 200);
        }
    }
    // A client with an invalid token is a stranger.
    let (_, refused) = until_refused(async || {
        let answer = User::with_token(&server, Some("a.b.c".into()))
            .get("/v1/instances")
            .await;
        assert!([401, 429].contains(&answer.status.as_u16()), "{answer:?}");
        let status = reqwest::StatusCode::OK;
        if answer.status == 401 {
            Answer { status, ..answer }
        } else {
            answer
        }
    })
    .await;
    tells_when(&refused, "requests per second");
    let elsewhere = stranger_from(&server, "127.0.0.2");
    let large = json!({"process": "onboarding", "data": {"more": "x".repeat(2_000)}});
    let (_, refused) =
        until_refused(async || elsewhere.post("/v1/instances", large.clone()).await).await;
    tells_when(&refused, "bytes per second from one address");
    server.stop().await;
}

#[actix_web::test]
async fn users_have_rates_of_their_own_and_one_for_their_address() {
    let server = server(&["--user-requests", "1:10", "--address-starts", "1:10"]).await;
    let alice = User::new(&server, "alice", &[]);
    let (_, refused) = until_refused(async || alice.get("/v1/tasks").await).await;
    tells_when(&refused, "requests per second of one user");
    let mut number = 0;
    let (_, refused) = until_refused(async || {
        number += 1;
        start(&User::new(&server, &format!("user{number}"), &[])).await
    })
    .await;
    tells_when(&refused, "starts per second of users from one address");
    let carol = support::token("carol", &[]);
    let carol = User::from_address(&server, Some(carol), "127.0.0.2".parse().unwrap());
    assert_eq!(start(&carol).await.status, 201);
    server.stop().await;
}

#[actix_web::test]
async fn behind_a_proxy_rates_are_those_of_the_client() {
    let server = server(&[
        "--anonymous-starts",
        "1:3",
        "--trusted-proxies",
        "127.0.0.1",
    ])
    .await;
    let start_from = async |client: &str| {
        let request = User::with_token(&server, None)
            .request(Method::POST, "/v1/instances")
            .header("x-forwarded-for", client);
        send(request.json(&json!({"process": "onboarding"}))).await
    };
    let (_, refused) = until_refused(async || start_from("203.0.113.7").await).await;
    tells_when(&refused, "starts");
    assert_eq!(start_from("203.0.113.8").await.status, 201);
    server.stop().await;
}

/// A start by a stranger: the answer's status and body.
async fn start_raw(server: &Server, command: &str, nonce: &str) -> (String, Value) {
    let lines = [
        "Content-Type: application/json".to_owned(),
        format!("Idempotency-Key: {command}"),
    ];
    let body = json!({"process": "onboarding", "nonce": nonce}).to_string();
    let length = format!("Content-Length: {}", body.len());
    let lines = [lines[0].as_str(), lines[1].as_str(), length.as_str()];
    let answer = ask(server, &request("POST /v1/instances", &lines, &body)).await;
    let body = serde_json::from_str(&answer.body).unwrap_or_default();
    (answer.head.status, body)
}

#[tokio::test]
async fn live_instances_per_address_are_bounded_across_restarts() {
    let mut server = Server::with(&["--anonymous-starts", "0", "--anonymous-instances", "2"]);
    let (first, nonce) = (id(), id());
    let (status, begun) = start_raw(&server, &first, &nonce).await;
    assert!(status.contains("201"), "{status} {begun}");
    assert!(start_raw(&server, &id(), &id()).await.0.contains("201"));
    server.crash_and_restart();
    let (status, refused) = start_raw(&server, &id(), &id()).await;
    assert!(status.contains("429"), "{status} {refused}");
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("expected at most 2 live instances") && refused["afterMs"] == 60_000,
        "{refused}"
    );
    // A repeat is no other instance, and a user's starts are not concerned.
    let (status, again) = start_raw(&server, &first, &nonce).await;
    assert!(status.contains("201"), "{status} {again}");
    assert_eq!(again["instance"], begun["instance"]);
    let mut alice = Client::hello(&server, &token("alice")).await;
    alice.start("onboarding", json!({})).await;
    // One that has ended makes room.
    let mut root = Client::hello(&server, &admin()).await;
    root.done(json!({"type": "terminate", "id": id(), "instance": begun["instance"]}))
        .await;
    assert!(start_raw(&server, &id(), &id()).await.0.contains("201"));
    assert!(start_raw(&server, &id(), &id()).await.0.contains("429"));
}

#[actix_web::test]
async fn an_instance_of_a_stranger_expires_unless_its_process_sets_expiry() {
    let server = server(&["--test-clock", "--anonymous-instance-expiry", "PT1H"]).await;
    let olga = User::new(&server, "olga", &["admin"]);
    let process = |id: &str, more: Value| {
        let mut process = json!({
            "id": id, "name": id, "anonymousStart": true,
            "nodes": [
                {"id": "start", "type": "startEvent", "keys": [{"path": "note"}]},
                {"id": "wait", "type": "userTask"},
                {"id": "end", "type": "endEvent"},
            ],
            "flows": [
                {"id": "f1", "source": "start", "target": "wait"},
                {"id": "f2", "source": "wait", "target": "end"},
            ],
        });
        let more = more.as_object().unwrap().clone();
        process.as_object_mut().unwrap().extend(more);
        process
    };
    olga.publish(process("plain", json!({}))).await;
    olga.publish(process("own", json!({"expiry": "PT3H"})))
        .await;
    let stranger = User::with_token(&server, None);
    let of_stranger = stranger.start("plain", json!({})).await;
    let of_its_own = stranger.start("own", json!({})).await;
    let of_user = olga.start("plain", json!({})).await;
    let status = async |key: &str| {
        let observed = olga.get(&format!("/v1/instances/{key}")).await.json();
        observed["status"].as_str().unwrap().to_owned()
    };
    let mut clock = Client::open_at(server.addresses()[0].port()).await;
    let token = support::token("olga", &["admin"]);
    clock.send(json!({"type": "hello", "token": token})).await;
    clock.expect("welcome").await;
    for (passes, expected) in [
        ("PT59M", ["started", "started", "started"]),
        ("PT1M", ["expired", "started", "started"]),
        ("PT2H", ["expired", "expired", "started"]),
    ] {
        clock
            .done(json!({"type": "clock", "id": id(), "advance": passes}))
            .await;
        clock.done(json!({"type": "idle", "id": id()})).await;
        let found = [
            status(&of_stranger).await,
            status(&of_its_own).await,
            status(&of_user).await,
        ];
        assert_eq!(found, expected, "after {passes}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn excessive_health_checks_are_refused() {
    let server = server(&["--anonymous-requests", "0"]).await;
    let from = |address: &str| stranger_from(&server, address);
    let (balancer, other) = (from("127.0.0.1"), from("127.0.0.2"));
    let requested = (0..700).map(|turn| balancer.get(["/healthz", "/readyz"][turn % 2]));
    let answers = futures_util::future::join_all(requested).await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert!(good.len() >= 400, "{}", good.len());
    tells_when(
        refused.first().expect("some are refused"),
        "health checks per second from one address",
    );
    assert_eq!(other.get("/readyz").await.status, 200);
    server.stop().await;
}

#[actix_web::test]
async fn requests_answered_before_the_rate_check_count_too() {
    let origin = "http://app.example";
    let server = server(&["--anonymous-requests", "1:8", "--allowed-origins", origin]).await;
    let stranger = User::with_token(&server, None);
    for _ in 0..4 {
        let elsewhere = stranger.request(Method::GET, "/docs/limits");
        let refused = send(elsewhere.header("host", "evil.example")).await;
        refused.is_problem(403, "forbidden", "evil.example");
        let preflight = stranger.request(Method::OPTIONS, "/v1/instances");
        let preflight = preflight
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let answered = send(preflight).await;
        assert!(answered.status.is_success(), "{answered:?}");
    }
    let (before, refused) = until_refused(async || stranger.get("/docs/limits").await).await;
    assert!(before <= 2, "{before}");
    tells_when(&refused, "requests per second from one address");
    server.stop().await;
}
