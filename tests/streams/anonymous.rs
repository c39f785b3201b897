//! Who may open a stream, with which credentials, and how many.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use uuid::Uuid;

use super::reader::Stream;
use crate::{
    jobs::http::{Connection, ask, bearer, request},
    support,
    web::http::{User, send},
    wire::{
        Client, Server,
        onboarding::{at_offer, at_review},
        server::{token, token_of_tree},
    },
};

fn path(instance: &str) -> String {
    format!("/v1/instances/{instance}/stream")
}

#[tokio::test]
async fn strangers_and_other_users_get_not_found() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (instance, other) = (
        at_review(&mut client).await,
        client.start("onboarding", json!({})).await,
    );
    let check = async |path: &str, lines: &[&str], status: u16| {
        ask(&server, &request(&format!("GET {path}"), lines, ""))
            .await
            .is_problem(status);
    };
    let (alice, bob) = (bearer(&token("alice")), bearer(&token("bob")));
    check(&path(&instance), &[], 401).await;
    check(&path(&instance), &["Authorization: Bearer a.b.c"], 401).await;
    check(&path(&instance), &["Authorization: Basic YTpi"], 401).await;
    check(&path(&instance), &["Origin: https://evil.example"], 403).await;
    check(&path(&instance), &[&bob], 404).await;
    check(
        &path("66aae8f4-e3ab-4fdc-8db2-a0a7692d8906"),
        &[&alice],
        404,
    )
    .await;
    check(&path("no-key"), &[&alice], 404).await;
    check(
        &path(&other),
        &[&bearer(&token_of_tree("alice", &instance))],
        404,
    )
    .await;
    for cursor in [
        "x",
        "-1",
        "1.5",
        "18446744073709551616",
        "0a0b0c0d:1.AAAA:1",
        ":",
        "~",
        "%00",
    ] {
        check(
            &format!("{}?after={cursor}", path(&instance)),
            &[&alice],
            400,
        )
        .await;
    }
    check(&path(&instance), &[&alice, "Last-Event-ID: nonsense"], 400).await;
    check(&format!("{}?tree=perhaps", path(&instance)), &[&alice], 400).await;
    check(&format!("{}?afterr=1", path(&instance)), &[&alice], 400).await;
    let mut connection = Connection::open(&server).await;
    connection
        .send(&request(
            &format!("HEAD {}", path(&instance)),
            &[&alice],
            "",
        ))
        .await;
    assert_eq!(
        connection.head().await.status,
        "HTTP/1.1 405 Method Not Allowed"
    );
    let scoped = token_of_tree("alice", &instance);
    Stream::open(&server, &scoped, &path(&instance), &["Last-Event-ID: "])
        .await
        .next()
        .await;
}

/// A child named by a client gives the same response as one that does not exist.
#[tokio::test]
async fn a_cursor_does_not_reveal_foreign_instances() {
    let server = Server::start();
    let mut alice = Client::hello(&server, &token("alice")).await;
    let (instance, _) = at_offer(&mut alice).await;
    let mut bob = Client::hello(&server, &token("bob")).await;
    let foreign = at_review(&mut bob).await;
    let whole = Stream::open(&server, &token("alice"), &path(&instance), &[])
        .await
        .rest()
        .await;
    let all = whole
        .iter()
        .filter_map(|event| event.id.as_deref())
        .next_back()
        .expect("each frame has an id");
    for (named, kind) in [
        (&*foreign, ':'),
        ("66aae8f4-e3ab-4fdc-8db2-a0a7692d8906", ':'),
        (&*foreign, '!'),
    ] {
        let key = BASE64_URL_SAFE_NO_PAD.encode(Uuid::parse_str(named).unwrap().as_bytes());
        let requested = format!("GET {}?after={all}.{key}{kind}0", path(&instance));
        let answer = ask(
            &server,
            &request(&requested, &[&bearer(&token("alice"))], ""),
        )
        .await;
        assert_eq!(
            answer.head.status, "HTTP/1.1 204 No Content",
            "{named} {answer:?}"
        );
    }
}

#[actix_web::test]
async fn a_ticket_opens_its_stream_once() {
    let server = support::server().await;
    let port = server.addresses()[0].port();
    let alice = User::new(&server, "alice", &[]);
    let (instance, other) = (
        alice.start_onboarding().await,
        alice.start_onboarding().await,
    );
    let ticket = async |what: String| {
        alice.post("/v1/tickets", json!({"for": what})).await.json()["ticket"].clone()
    };
    let with = |ticket: &serde_json::Value| {
        format!("{}?ticket={}", path(&instance), ticket.as_str().unwrap())
    };
    let good = with(&ticket(format!("stream/{instance}")).await);
    assert!(
        Stream::ask(port, &good, &["Origin: https://evil.example"])
            .await
            .is_err(),
        "refused before it is used up"
    );
    let mut stream = Stream::ask(port, &good, &[])
        .await
        .expect("a ticket for it");
    assert_eq!(stream.next().await.unwrap().frame["type"], "snapshot");
    for bad in [
        good,
        with(&ticket(format!("stream/{other}")).await),
        with(&ticket("ws".to_owned()).await),
    ] {
        Stream::ask(port, &bad, &[])
            .await
            .err()
            .expect("no ticket for it")
            .is_problem(401);
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_cookie_of_a_sign_in_opens_streams_for_the_servers_own_pages() {
    let server = support::server().await;
    let port = server.addresses()[0].port();
    let instance = User::new(&server, "admin", &[]).start_onboarding().await;
    let link = server.sign_in_link().unwrap();
    let signed_in = send(
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
            .get(link),
    )
    .await;
    let cookie = format!(
        "Cookie: {}",
        signed_in.header("set-cookie").split(';').next().unwrap()
    );
    let mut stream = Stream::ask(
        port,
        &path(&instance),
        &[&cookie, "Origin: http://localhost:8000"],
    )
    .await
    .expect("its own page");
    assert_eq!(stream.next().await.unwrap().frame["type"], "snapshot");
    Stream::ask(port, &path(&instance), &[&cookie])
        .await
        .expect("a request of the same origin names none");
    let foreign = Stream::ask(
        port,
        &path(&instance),
        &[&cookie, "Origin: https://evil.example"],
    )
    .await;
    foreign.err().expect("a foreign page").is_problem(403);
    server.stop().await;
}

#[tokio::test]
async fn streams_and_sockets_are_counted_together() {
    let server = Server::with(&[
        "--store",
        "memory",
        "--rate-per-second",
        "0",
        "--max-connections-per-user",
        "2",
    ]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let first = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
    let third = request(
        &format!("GET {}", path(&instance)),
        &[&bearer(&token("alice"))],
        "",
    );
    ask(&server, &third).await.is_problem(503);
    let mut another = Client::open(&server).await;
    another
        .send(json!({"type": "hello", "token": token("alice")}))
        .await;
    assert_eq!(another.closed().await, 1013);
    drop(first);
    // The place is given back once the server has seen the end of the connection.
    let mut status = String::new();
    for _ in 0..1_000 {
        let mut connection = Connection::open(&server).await;
        connection.send(&third).await;
        status = connection.head().await.status;
        if status == "HTTP/1.1 200 OK" {
            break;
        }
    }
    assert_eq!(status, "HTTP/1.1 200 OK");
}
