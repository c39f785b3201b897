//! Trust in proxies' headers: which address wrong passwords and connections count for, and which
//! page is the server's own.

use reqwest::Method;
use serde_json::json;
use stepwire::web::http::server::Running;

use super::http::{Answer, User, send};
use crate::{jobs::http::bearer, streams::reader::Stream, support};

/// A server behind a proxy on this machine.
async fn behind_a_proxy(more: &[&str]) -> Running {
    support::start(support::config(
        &[&["--trusted-proxies", "127.0.0.0/8,10.0.0.0/8"], more].concat(),
    ))
    .await
}

async fn wrong_password(server: &Running, name: &str, chain: &str) -> Answer {
    let request = User::with_token(server, None)
        .request(Method::POST, "/v1/login")
        .header("x-forwarded-for", chain);
    send(request.json(&json!({"username": name, "password": "wrong"}))).await
}

#[actix_web::test]
async fn wrong_passwords_are_counted_for_the_client_and_not_for_the_proxy() {
    let server = behind_a_proxy(&[]).await;
    // Names of their own, so that only the address counts; what the client wrote before is no way
    // around.
    let mut answer = wrong_password(&server, "name", "203.0.113.7").await;
    for number in 0..40 {
        if answer.status != 429 {
            answer = wrong_password(
                &server,
                &format!("name{number}"),
                &format!("192.0.2.{number}, 203.0.113.7, 10.0.0.1"),
            )
            .await;
        }
    }
    answer.is_problem(429, "rate_limited", "try again in");
    assert_eq!(
        wrong_password(&server, "other", "203.0.113.8").await.status,
        401,
        "another client of the same proxy"
    );
    server.stop().await;
}

#[actix_web::test]
async fn connections_are_counted_for_the_client_and_not_for_the_proxy() {
    let server = behind_a_proxy(&["--max-connections-per-address", "1"]).await;
    let alice = support::token("alice", &[]);
    let key = User::with_token(&server, Some(alice.clone()))
        .start_onboarding()
        .await;
    let open = async |chain: &str| {
        let (path, chain) = (
            format!("/v1/instances/{key}/stream"),
            format!("X-Forwarded-For: {chain}"),
        );
        Stream::ask(
            server.addresses()[0].port(),
            &path,
            &[&bearer(&alice), &chain],
        )
        .await
    };
    let first = open("203.0.113.7").await;
    assert!(first.is_ok());
    open("1.2.3.4, 203.0.113.7, 10.0.0.1")
        .await
        .err()
        .expect("one more of this client")
        .is_problem(503);
    assert!(open("203.0.113.8").await.is_ok(), "another client");
    server.stop().await;
}

#[actix_web::test]
async fn the_servers_own_origin_is_the_host_sent_to_the_proxy() {
    let server = behind_a_proxy(&[]).await;
    let start = |origin: &str, forwarded: bool| {
        let request = User::with_token(&server, None)
            .request(Method::POST, "/v1/instances")
            .header("origin", origin);
        let reported = [
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "app.example"),
        ];
        let reported = reported.iter().filter(|_| forwarded);
        let request = reported.fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        send(request.json(&json!({"process": "onboarding"})))
    };
    assert_eq!(start("https://app.example", true).await.status, 201);
    start("http://app.example", true)
        .await
        .is_problem(403, "forbidden", "origin");
    start(&server.base_url(), true)
        .await
        .is_problem(403, "forbidden", "origin");
    start("https://app.example", false)
        .await
        .is_problem(403, "forbidden", "origin");
    assert_eq!(start(&server.base_url(), false).await.status, 201);
    server.stop().await;
}
