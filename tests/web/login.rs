//! `/v1/login` and `/v1/logout`, the form of the sign-in page, revocation, and where cookie
//! requests may come from.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use stepwire::{
    runtime::{clock::real_now, users::NewUser},
    web::http::server::Running,
};

use super::http::{Answer, BROWSER, User, send};
use crate::{support, wire::Client};

/// A server that knows Ada, a clerk with the password `right`.
async fn server() -> Running {
    let server = support::server().await;
    let ada = NewUser {
        tenant: "default",
        name: "ada",
        password: "right",
        roles: &["clerk".to_owned()],
    };
    server.runtime().users.add(ada, real_now()).await.unwrap();
    server
}

async fn login(server: &Running, body: Value) -> Answer {
    User::with_token(server, None).post("/v1/login", body).await
}

async fn ada(server: &Running) -> Answer {
    login(server, json!({"username": "ada", "password": "right"})).await
}

fn cookie(answer: &Answer) -> String {
    answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[actix_web::test]
async fn a_password_gives_a_token_and_the_cookie_of_the_pages() {
    let server = server().await;
    let answer = ada(&server).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("cache-control")),
        (200, "no-store"),
        "{answer:?}"
    );
    assert!(
        answer.header("set-cookie").contains("HttpOnly"),
        "{answer:?}"
    );
    let body = answer.json();
    let user = User::with_token(&server, body["access_token"].as_str().map(str::to_owned));
    user.start_onboarding().await;
    let mut client = Client::open_at(port(&server)).await;
    client
        .send(json!({"type": "hello", "token": body["access_token"]}))
        .await;
    let welcome = client.expect("welcome").await;
    assert_eq!(
        (&welcome["user"], &welcome["expiresAt"]),
        (&json!("ada"), &body["expiresAt"])
    );

    let stranger = User::with_token(&server, None);
    let page = send(
        stranger
            .request(Method::GET, "/admin/instances")
            .header("cookie", cookie(&answer)),
    )
    .await;
    assert_eq!(page.status, 200);
    let out = send(
        stranger
            .request(Method::POST, "/v1/logout")
            .header("cookie", cookie(&answer)),
    )
    .await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
    server.stop().await;
}

/// The same by the surface for clients of jobs: exactly 200, a token under the one name they know,
/// and a cookie.
#[actix_web::test]
async fn job_clients_sign_in_and_receive_the_end() {
    let server = server().await;
    let stranger = User::with_token(&server, None);
    let body = json!({"username": "ada", "password": "right", "stayConnected": false});
    let answer = stranger.post("/api/v1/login", body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer.header("set-cookie").contains("HttpOnly")
            && answer.header("set-cookie").contains("SameSite=Lax"),
        "{answer:?}"
    );
    let body = answer.json();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token"]);
    let user = User::with_token(&server, body["access_token"].as_str().map(str::to_owned));
    let job = user.post("/api/v1/start?w=41", json!({})).await;
    let key = job.json().as_str().expect("a bare string").to_owned();
    assert_eq!(job.status, 200);
    user.post(&format!("/v1/instances/{key}/terminate"), json!({}))
        .await;
    let reported = user.get(&format!("/api/v1/sse/41/{key}")).await;
    assert!(
        reported.text.starts_with("data: {\"workflowId\":41,")
            && reported.text.contains("\"status\":\"Stopped\""),
        "{reported:?}"
    );

    let other = user
        .post("/api/v1/start?w=41", json!({}))
        .await
        .json()
        .as_str()
        .expect("a bare string")
        .to_owned();
    let path = format!("/api/v1/sse/41/{other}");
    let (reported, revoked) = tokio::join!(
        user.get(&path),
        server.runtime().users.revoke("default", "ada", real_now())
    );
    revoked.expect("a user is revoked");
    assert!(
        !reported.text.contains("data:"),
        "a revoked user is told nothing more: {reported:?}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_refusal_does_not_reveal_whether_the_user_exists() {
    let server = server().await;
    let wrong = login(&server, json!({"username": "ada", "password": "wrong"})).await;
    let unknown = login(&server, json!({"username": "eve", "password": "wrong"})).await;
    wrong.is_problem(401, "unauthenticated", "one of them is wrong");
    assert_eq!(wrong.text, unknown.text);
    assert_eq!(wrong.header("set-cookie"), "");
    let elsewhere = json!({"username": "ada", "password": "right", "tenant": "elsewhere"});
    assert_eq!(login(&server, elsewhere).await.text, wrong.text);
    let long = json!({"username": "x".repeat(100_000), "password": "\u{0}".repeat(5_000)});
    assert_eq!(login(&server, long).await.text, wrong.text);
    for bad in [
        json!({}),
        json!([]),
        json!({"username": "ada"}),
        json!({"username": "ada", "password": 5}),
    ] {
        login(&server, bad)
            .await
            .is_problem(400, "bad_request", "username");
    }
    let secret = send(
        User::with_token(&server, None)
            .request(Method::POST, "/v1/login")
            .body("\"hush"),
    )
    .await;
    assert!(
        secret.status == 400 && !secret.text.contains("hush"),
        "{secret:?}"
    );
    let foreign = User::with_token(&server, None)
        .request(Method::POST, "/v1/login")
        .header("origin", "https://evil.example");
    send(foreign.json(&json!({"username": "ada", "password": "right"})))
        .await
        .is_problem(403, "forbidden", "origin");
    server.stop().await;
}

#[actix_web::test]
async fn guessing_is_throttled() {
    let server = server().await;
    // The wait after the fifth is short, and the machine may be slow: but each further one is twice
    // as long.
    let mut answer = login(&server, json!({"username": "ada", "password": "wrong"})).await;
    for _ in 0..15 {
        if answer.status != 429 {
            answer.is_problem(401, "unauthenticated", "wrong");
            answer = login(&server, json!({"username": "ada", "password": "wrong"})).await;
        }
    }
    answer.is_problem(429, "rate_limited", "try again in");
    let after = answer.json()["afterMs"].as_u64().unwrap();
    assert_eq!(
        answer.header("retry-after"),
        after.div_ceil(1000).to_string()
    );
    assert_eq!(
        form(&server, "username=bob&password=wrong").await.status,
        401,
        "others are not concerned"
    );
    server.stop().await;
}

async fn form(server: &Running, body: &'static str) -> Answer {
    let request = User::with_token(server, None).request(Method::POST, "/sign-in");
    send(
        request
            .header("accept", BROWSER)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body),
    )
    .await
}

#[actix_web::test]
async fn the_page_takes_a_name_and_a_password() {
    let server = server().await;
    let page = User::with_token(&server, None).get("/sign-in").await.text;
    assert!(
        page.contains("name=\"username\"") && page.contains("type=\"password\""),
        "{page}"
    );
    let signed_in = form(&server, "username=ada&password=right").await;
    assert_eq!(
        (signed_in.status.as_u16(), signed_in.header("location")),
        (303, "/admin/tasks"),
        "{signed_in:?}"
    );
    for bad in [
        "username=ada&password=wrong",
        "username=eve&password=right",
        "",
        "%ff=%fe&&&",
        "username=ada",
    ] {
        let refused = form(&server, bad).await;
        assert!(
            refused.status == 401 && refused.text.contains("role=\"alert\""),
            "{bad}: {refused:?}"
        );
        assert_eq!(refused.header("set-cookie"), "");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_revocation_ends_tokens_cookies_tickets_and_sockets_at_once() {
    let server = server().await;
    let answer = ada(&server).await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let (user, bob) = (
        User::with_token(&server, Some(token.clone())),
        support::token("bob", &[]),
    );
    let ticket = user
        .post("/v1/tickets", json!({"for": "signin"}))
        .await
        .json()["ticket"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut sockets = Vec::new();
    for token in [&token, &bob] {
        let mut client = Client::open_at(port(&server)).await;
        client.send(json!({"type": "hello", "token": token})).await;
        client.expect("welcome").await;
        sockets.push(client);
    }
    server
        .runtime()
        .users
        .revoke("default", "ada", real_now())
        .await
        .unwrap();
    assert_eq!(sockets[0].closed().await, 4408);
    sockets[1].start("onboarding", json!({})).await;

    user.get("/v1/instances")
        .await
        .is_problem(401, "unauthenticated", "revoked");
    let stranger = User::with_token(&server, None);
    let by_cookie = send(
        stranger
            .request(Method::GET, "/v1/instances")
            .header("cookie", cookie(&answer)),
    )
    .await;
    assert_eq!(by_cookie.status, 401);
    assert_eq!(
        stranger
            .get(&format!("/sign-in?ticket={ticket}"))
            .await
            .status,
        401
    );
    let mut again = Client::open_at(port(&server)).await;
    again.send(json!({"type": "hello", "token": token})).await;
    assert_eq!(again.closed().await, 4408);
    assert!(again.frames.is_empty());

    let fresh = ada(&server).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        User::with_token(&server, Some(fresh.clone()))
            .get("/v1/instances")
            .await
            .status,
        200,
        "the password is good"
    );
    server
        .runtime()
        .users
        .remove("default", "ada", real_now())
        .await
        .unwrap();
    assert_eq!(
        User::with_token(&server, Some(fresh))
            .get("/v1/instances")
            .await
            .status,
        401
    );
    assert_eq!(ada(&server).await.status, 401);
    server.stop().await;
}

fn port(server: &Running) -> u16 {
    server.addresses()[0].port()
}

#[actix_web::test]
async fn a_cookie_authorises_changes_from_allowed_pages_only() {
    let server = server().await;
    let cookie = cookie(&ada(&server).await);
    let stranger = User::with_token(&server, None);
    let post = || {
        stranger
            .request(Method::POST, "/v1/tickets")
            .header("cookie", &cookie)
            .json(&json!({"for": "ws"}))
    };
    let own = server.base_url();
    let check = async |request: RequestBuilder, allowed: bool| {
        let answer = send(request).await;
        assert_eq!(
            answer.status.as_u16(),
            if allowed { 201 } else { 403 },
            "{answer:?}"
        );
    };
    check(post().header("origin", &own), true).await;
    check(post().header("sec-fetch-site", "same-origin"), true).await;
    check(
        post().header("referer", format!("{own}/admin/instances?x=1")),
        true,
    )
    .await;
    check(post(), false).await;
    check(post().header("origin", "null"), false).await;
    check(
        post()
            .header("origin", "https://evil.example")
            .header("referer", &own),
        false,
    )
    .await;
    check(
        post()
            .header("sec-fetch-site", "cross-site")
            .header("referer", &own),
        false,
    )
    .await;
    check(post().header("sec-fetch-site", "same-site"), false).await;
    check(
        post().header("referer", format!("https://evil.example/{own}")),
        false,
    )
    .await;
    check(post().header("referer", "nonsense"), false).await;

    let bearer = User::new(&server, "bob", &[]);
    check(
        bearer
            .request(Method::POST, "/v1/tickets")
            .json(&json!({"for": "ws"})),
        true,
    )
    .await;
    let from_elsewhere = bearer
        .request(Method::POST, "/v1/tickets")
        .header("origin", "https://app.example");
    check(from_elsewhere.json(&json!({"for": "ws"})), true).await;
    server.stop().await;
}
