//! Tokens, cookies and origins.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::http::{BROWSER, User, send};
use crate::support;

#[actix_web::test]
async fn unacceptable_tokens_are_refused() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let answer = stranger.get("/v1/instances").await;
    assert_eq!(
        answer
            .is_problem(401, "unauthenticated", "Bearer")
            .header("www-authenticate"),
        "Bearer"
    );
    let expired = User::with_token(
        &server,
        Some(support::token_for("alice", &[], Duration::ZERO)),
    );
    let answer = expired.get("/v1/instances").await;
    answer.is_problem(401, "token_expired", "sign in again");
    assert!(answer.header("www-authenticate").contains("invalid_token"));
    let forged = User::with_token(&server, Some("a.b.c".to_owned()));
    forged
        .get("/v1/instances")
        .await
        .is_problem(401, "unauthenticated", "JWT");
    let basic = stranger
        .request(Method::GET, "/v1/instances")
        .header("authorization", "Basic YTpi");
    send(basic)
        .await
        .is_problem(401, "unauthenticated", "its scheme is 'Basic'");
    server.stop().await;
}

#[actix_web::test]
async fn an_unreadable_header_differs_from_a_missing_one() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let with = |value: &str| {
        stranger
            .request(Method::GET, "/v1/instances")
            .header("authorization", value)
    };
    let token = support::token("alice", &[]);
    send(with("Bearer"))
        .await
        .is_problem(400, "bad_request", "no token after 'Bearer'");
    let answer = send(with(&token)).await;
    answer.is_problem(400, "bad_request", "put 'Bearer ' before the token");
    assert!(!answer.text.contains(&token), "a secret is not repeated");
    send(with("Bearer x").header("authorization", "Bearer y"))
        .await
        .is_problem(400, "bad_request", "twice");
    send(with("Token x"))
        .await
        .is_problem(401, "unauthenticated", "another one");
    assert_eq!(send(with(&format!("bearer  {token} "))).await.status, 200);
    server.stop().await;
}

#[actix_web::test]
async fn an_expired_cookie_differs_from_a_missing_one() {
    let server = support::server().await;
    let browser = User::with_token(&server, None);
    let with = |token: &str| {
        browser
            .request(Method::GET, "/v1/instances")
            .header("cookie", format!("stepwire-session={token}"))
    };
    send(with(&support::token_for("alice", &[], Duration::ZERO)))
        .await
        .is_problem(401, "token_expired", "expired");
    send(with("nonsense"))
        .await
        .is_problem(401, "unauthenticated", "JWT");
    assert_eq!(send(with(&support::token("alice", &[]))).await.status, 200);
    server.stop().await;
}

#[actix_web::test]
async fn a_link_signs_in_once_and_the_cookie_is_guarded() {
    let server = support::server().await;
    let browser = User::with_token(&server, None);
    let link = server.sign_in_link().unwrap();
    let path = link.strip_prefix(&server.base_url()).unwrap();
    let answer = browser.get(path).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/")
    );
    let set = answer.header("set-cookie");
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax") && !set.contains("Secure"),
        "{set}"
    );
    let cookie = set.split(';').next().unwrap().to_owned();
    let again = browser.browse(path).await;
    assert!(
        again.status == 401 && again.text.contains("Sign in"),
        "{again:?}"
    );

    let as_admin = |method, path: &str| browser.request(method, path).header("cookie", &cookie);
    assert_eq!(
        send(as_admin(Method::GET, "/v1/instances")).await.status,
        200
    );
    let ticket = || as_admin(Method::POST, "/v1/tickets").json(&json!({"for": "ws"}));
    assert_eq!(
        send(ticket().header("origin", server.base_url()))
            .await
            .status,
        201
    );
    let foreign = send(ticket().header("origin", "https://evil.example")).await;
    foreign.is_problem(403, "forbidden", "origin");

    let out = send(as_admin(Method::POST, "/sign-out").header("origin", server.base_url())).await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/"));
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
    let foreign =
        send(as_admin(Method::POST, "/sign-out").header("origin", "https://evil.example")).await;
    assert_eq!(foreign.status, 403);
    server.stop().await;
}

#[actix_web::test]
async fn the_cookie_is_secure_over_https_as_a_trusted_proxy_says() {
    let server = support::start(support::config(&["--trusted-proxies", "127.0.0.1"])).await;
    let link = server.sign_in_link().unwrap();
    let path = link.strip_prefix(&server.base_url()).unwrap();
    let request = User::with_token(&server, None)
        .request(Method::GET, path)
        .header("x-forwarded-proto", "https");
    assert!(send(request).await.header("set-cookie").contains("Secure"));
    server.stop().await;
}

#[actix_web::test]
async fn a_token_signs_in_too() {
    let server = support::server().await;
    let browser = User::with_token(&server, None);
    let post = |token: String| {
        let request = browser
            .request(Method::POST, "/sign-in")
            .header("accept", BROWSER)
            .header("content-type", "application/x-www-form-urlencoded");
        send(request.body(format!("token={token}")))
    };
    assert_eq!(post(support::token("alice", &["admin"])).await.status, 303);
    let refused = post("x.y.z".to_owned()).await;
    assert!(
        refused.status == 401 && refused.text.contains("role=\"alert\""),
        "{refused:?}"
    );
    server.stop().await;
}
