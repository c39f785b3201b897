//! How streams end: with the instance they follow, with their token, with the server, with their
//! peer.

use std::time::Duration;

use serde_json::json;
use stepwire::runtime::{clock::real_now, users::NewUser};

use super::reader::Stream;
use crate::{
    jobs::http::{ask, bearer, request},
    support,
    web::http::User,
    wire::{
        Client, Server,
        closing::slow_tests,
        onboarding::{at_offer, at_review},
        server::{token, token_with},
    },
};

fn path(instance: &str) -> String {
    format!("/v1/instances/{instance}/stream")
}

#[tokio::test]
async fn an_ended_tree_is_sent_once_and_then_answered_204() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (instance, _) = at_offer(&mut client).await;
    let mut stream = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
    let received = stream.rest().await;
    let kinds: Vec<&str> = received
        .iter()
        .map(|event| event.frame["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["snapshot", "bye"]);
    // A browser reconnects, unless the response is 204.
    let last = format!("Last-Event-ID: {}", received[0].id.as_deref().unwrap());
    let again = request(
        &format!("GET {}", path(&instance)),
        &[&bearer(&token("alice")), &last],
        "",
    );
    let answer = ask(&server, &again).await;
    assert_eq!(
        (answer.head.status.as_str(), answer.body.as_str()),
        ("HTTP/1.1 204 No Content", "")
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let brief = token_with("alice", &[], "default", Duration::from_secs(4));
    let mut stream = Stream::open(&server, &brief, &path(&instance), &[]).await;
    assert_eq!(
        stream.rest().await.last().unwrap().frame,
        json!({"type": "bye", "reason": "token_expired"})
    );
    let again = request(&format!("GET {}", path(&instance)), &[&bearer(&brief)], "");
    ask(&server, &again).await.is_problem(401);
}

#[actix_web::test]
async fn a_stream_ends_with_its_user() {
    let server = support::server().await;
    let ada = NewUser {
        tenant: "default",
        name: "ada",
        password: "right",
        roles: &[],
    };
    server.runtime().users.add(ada, real_now()).await.unwrap();
    let login = User::with_token(&server, None)
        .post("/v1/login", json!({"username": "ada", "password": "right"}))
        .await;
    let token = login.json()["access_token"].as_str().unwrap().to_owned();
    let instance = User::with_token(&server, Some(token.clone()))
        .start_onboarding()
        .await;
    let mut stream = Stream::ask(
        server.addresses()[0].port(),
        &path(&instance),
        &[&bearer(&token)],
    )
    .await
    .unwrap();
    stream.next().await;
    server
        .runtime()
        .users
        .revoke("default", "ada", real_now())
        .await
        .unwrap();
    assert_eq!(
        stream.rest().await.last().unwrap().frame,
        json!({"type": "bye", "reason": "revoked"})
    );
    server.stop().await;
}

#[tokio::test]
async fn a_stopping_server_says_when_to_reconnect() {
    let mut server = Server::with(&["--rate-per-second", "0"]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
        stream.next().await;
        streams.push(stream);
    }
    server.terminate();
    for stream in &mut streams {
        // The answer has its proper end, so that no client takes it for broken.
        let rest = stream.rest().await;
        let bye = rest.last().unwrap();
        assert_eq!(
            (&bye.frame["type"], &bye.frame["reason"], rest.len()),
            (&json!("bye"), &json!("restart"), 1)
        );
        assert_eq!(bye.retry, bye.frame["reconnectAfterMs"].as_u64());
        assert!(bye.retry.is_some_and(|after| after >= 500));
    }
    assert!(server.wait());
}

#[tokio::test]
async fn a_peer_that_closes_its_half_is_dropped() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let mut stream = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
    stream.next().await;
    stream.connection().close_half().await;
    assert!(
        !stream.connection().rest().await.contains("data:"),
        "dropped, as nobody may be there any more"
    );
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_dropped() {
    // Real time passes here: fifteen seconds without room for a frame.
    if !slow_tests() {
        return;
    }
    let server = Server::with_clock();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let mut stream = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
    let text = "x".repeat(20_000);
    for _ in 0..600 {
        client
            .run(&instance, "simulate", json!({"loan": {"amount": text}}))
            .await;
    }
    client.expect_nothing_for(Duration::from_secs(20)).await;
    let rest = stream.connection().rest().await;
    assert!(
        !rest.contains("\"bye\"") && !rest.ends_with("0\r\n\r\n"),
        "dropped without an end"
    );
    client
        .run(&instance, "simulate", json!({"loan": {"amount": 1}}))
        .await;
}
