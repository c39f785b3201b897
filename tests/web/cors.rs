//! Which foreign pages may read responses.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use stepwire::web::http::server::Running;

use super::http::{Answer, User, send};
use crate::support;

const APP: &str = "https://app.example";

async fn server(origins: &str) -> Running {
    support::start(support::config(&["--allowed-origins", origins])).await
}

fn preflight(
    server: &Running,
    path: &str,
    origin: &str,
    method: &str,
    headers: &str,
) -> RequestBuilder {
    let request = User::with_token(server, None)
        .request(Method::OPTIONS, path)
        .header("origin", origin);
    request
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers)
}

/// The headers of a response for the browser: the origins whose pages may read it, and whether
/// cookies are allowed.
fn allowed(answer: &Answer) -> (&str, &str) {
    (
        answer.header("access-control-allow-origin"),
        answer.header("access-control-allow-credentials"),
    )
}

fn no_headers(answer: &Answer) {
    let named = answer
        .headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(named.count(), 0, "{answer:?}");
}

#[actix_web::test]
async fn a_preflight_lists_the_allowed_headers() {
    let server = server(APP).await;
    for path in [
        "/v1/instances",
        "/v1/instances/x/stream",
        "/api/v1/start",
        "/api/v1/sse/41/x",
    ] {
        let requested = "authorization,content-type,idempotency-key,last-event-id";
        let answer = send(preflight(&server, path, APP, "POST", requested)).await;
        assert!(answer.status.is_success(), "{answer:?}");
        assert_eq!(allowed(&answer), (APP, "true"));
        let headers = answer
            .header("access-control-allow-headers")
            .to_ascii_lowercase();
        assert!(
            requested.split(',').all(|name| headers.contains(name)),
            "{headers}"
        );
        assert!(
            answer
                .header("access-control-allow-methods")
                .contains("DELETE"),
            "{answer:?}"
        );
        assert_eq!(answer.header("access-control-max-age"), "600");
    }
    no_headers(
        &send(preflight(
            &server,
            "/v1/instances",
            APP,
            "TRACE",
            "authorization",
        ))
        .await,
    );
    no_headers(&send(preflight(&server, "/v1/instances", APP, "POST", "x-evil")).await);
    server.stop().await;
}

#[actix_web::test]
async fn answers_and_refusals_may_be_read_by_allowed_pages() {
    let server = server(APP).await;
    let alice = User::new(&server, "alice", &[]);
    let started = send(
        alice
            .request(Method::POST, "/v1/instances")
            .header("origin", APP)
            .json(&json!({"process": "onboarding"})),
    );
    let started = started.await;
    assert_eq!(
        (started.status.as_u16(), allowed(&started)),
        (201, (APP, "true"))
    );
    let exposed = started
        .header("access-control-expose-headers")
        .to_ascii_lowercase();
    assert!(
        ["etag", "retry-after", "location"]
            .iter()
            .all(|name| exposed.contains(name)),
        "{exposed}"
    );
    let varies = |answer: &Answer| {
        answer
            .headers
            .get_all("vary")
            .iter()
            .any(|vary| vary.to_str().unwrap().contains("Origin"))
    };
    assert!(varies(&started), "{started:?}");
    for (path, status) in [
        ("/v1/instances/none", 404),
        ("/v1/nothing", 404),
        ("/v1/instances?x=1", 400),
    ] {
        let refused = send(alice.request(Method::GET, path).header("origin", APP)).await;
        assert_eq!(
            (refused.status.as_u16(), allowed(&refused)),
            (status, (APP, "true")),
            "{path}"
        );
    }
    let stranger = send(
        User::with_token(&server, None)
            .request(Method::GET, "/v1/instances")
            .header("origin", APP),
    )
    .await;
    assert_eq!(
        (stranger.status.as_u16(), allowed(&stranger)),
        (401, (APP, "true"))
    );
    server.stop().await;
}

#[actix_web::test]
async fn foreign_and_null_origins_get_no_cors_headers() {
    let server = server(APP).await;
    let alice = User::new(&server, "alice", &[]);
    for origin in [
        "https://evil.example",
        "https://app.example.evil.example",
        "http://app.example",
        "null",
        "https://app.example:444",
    ] {
        no_headers(
            &send(
                alice
                    .request(Method::GET, "/v1/instances")
                    .header("origin", origin),
            )
            .await,
        );
        let refused = send(preflight(
            &server,
            "/v1/instances",
            origin,
            "POST",
            "authorization",
        ))
        .await;
        refused.is_problem(403, "forbidden", "--allowed-origins");
        no_headers(&refused);
    }
    no_headers(&alice.get("/v1/instances").await);
    server.stop().await;
}

#[actix_web::test]
async fn pages_and_docs_have_no_cors_headers() {
    let server = server(APP).await;
    let stranger = User::with_token(&server, None);
    for path in [
        "/",
        "/docs/",
        "/admin/instances",
        "/sign-in",
        "/healthz",
        "/v1",
    ] {
        no_headers(&send(stranger.request(Method::GET, path).header("origin", APP)).await);
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_wildcard_origin_excludes_cookies() {
    let server = server("*").await;
    let answer = send(
        User::new(&server, "alice", &[])
            .request(Method::GET, "/v1/instances")
            .header("origin", "https://any.example"),
    );
    assert_eq!(allowed(&answer.await), ("https://any.example", ""));
    // Nor can a page act as its visitor without reading the response: pages of the same site get
    // the cookie sent along.
    let browser = User::with_token(&server, None);
    let link = server.sign_in_link().unwrap();
    let signed_in = browser
        .get(link.strip_prefix(&server.base_url()).unwrap())
        .await;
    let cookie = signed_in
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let start = |origin: &str| {
        let request = browser
            .request(Method::POST, "/v1/instances")
            .header("cookie", &cookie)
            .header("origin", origin);
        send(request.json(&json!({"process": "onboarding"})))
    };
    start("http://localhost:3000")
        .await
        .is_problem(403, "forbidden", "Origin");
    assert_eq!(start(&server.base_url()).await.status, 201);
    server.stop().await;
}

#[actix_web::test]
async fn the_servers_own_pages_are_allowed_with_any_list() {
    let server = server(APP).await;
    let browser = User::with_token(&server, None);
    let sign_in = |origin: String| {
        let request = browser
            .request(Method::POST, "/v1/login")
            .header("origin", origin);
        send(request.json(&json!({"username": "nobody", "password": "wrong"})))
    };
    sign_in(server.base_url())
        .await
        .is_problem(401, "unauthenticated", "name and password");
    sign_in("https://evil.example".to_owned()).await.is_problem(
        403,
        "forbidden",
        "--allowed-origins https://evil.example",
    );
    server.stop().await;
}

/// A development server on another port: its pages may send requests with tokens, but the cookie of
/// the visitor is
/// not theirs.
#[actix_web::test]
async fn in_development_local_pages_are_allowed_without_cookies() {
    let server = support::server().await;
    let browser = User::with_token(&server, None);
    let link = server.sign_in_link().unwrap();
    let signed_in = browser
        .get(link.strip_prefix(&server.base_url()).unwrap())
        .await;
    let cookie = signed_in
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    for origin in [
        "http://localhost:5173",
        "http://127.0.0.1:4200",
        "http://[::1]:3000",
    ] {
        let requested = send(preflight(
            &server,
            "/v1/instances",
            origin,
            "POST",
            "authorization,content-type",
        ))
        .await;
        assert!(requested.status.is_success(), "{requested:?}");
        assert_eq!(allowed(&requested), (origin, ""));
        let alice = User::new(&server, "alice", &[]);
        let start = alice
            .request(Method::POST, "/v1/instances")
            .header("origin", origin);
        let started = send(start.json(&json!({"process": "onboarding"}))).await;
        assert_eq!(
            (started.status.as_u16(), allowed(&started)),
            (201, (origin, ""))
        );
        let by_cookie = browser
            .request(Method::POST, "/v1/instances")
            .header("cookie", &cookie)
            .header("origin", origin);
        send(by_cookie.json(&json!({"process": "onboarding"})))
            .await
            .is_problem(403, "forbidden", origin);
        let read = browser
            .request(Method::GET, "/v1/instances")
            .header("cookie", &cookie)
            .header("origin", origin);
        assert_eq!(
            allowed(&send(read).await),
            (origin, ""),
            "a browser shows it to no page that asked with its cookie"
        );
    }
    let own = browser
        .request(Method::POST, "/v1/instances")
        .header("cookie", &cookie)
        .header("origin", server.base_url());
    assert_eq!(
        send(own.json(&json!({"process": "onboarding"})))
            .await
            .status,
        201
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_listed_local_page_is_allowed_with_cookies() {
    let server = server("http://localhost:5173").await;
    let requested = send(preflight(
        &server,
        "/v1/instances",
        "http://localhost:5173",
        "POST",
        "content-type",
    ))
    .await;
    assert_eq!(allowed(&requested), ("http://localhost:5173", "true"));
    server.stop().await;
}

#[actix_web::test]
async fn in_production_local_pages_are_foreign_and_any_host_is_accepted() {
    let server = support::start(support::config(&["--production", "--allowed-origins", APP])).await;
    no_headers(
        &send(preflight(
            &server,
            "/v1/instances",
            "http://localhost:5173",
            "POST",
            "authorization",
        ))
        .await,
    );
    let request = User::with_token(&server, None)
        .request(Method::GET, "/healthz")
        .header("host", "stepwire.example");
    assert_eq!(send(request).await.status, 200);
    server.stop().await;
}

#[actix_web::test]
async fn in_development_a_foreign_host_is_refused() {
    let server = server(APP).await;
    let at = |host: &str| {
        send(
            User::with_token(&server, None)
                .request(Method::GET, "/v1")
                .header("host", host),
        )
    };
    for host in ["localhost:8000", "127.0.0.1", "[::1]:8000", "app.example"] {
        assert_ne!(at(host).await.status, 403, "{host}");
    }
    at("evil.example:8000").await.is_problem(
        403,
        "forbidden",
        "--allowed-origins http://evil.example:8000",
    );
    server.stop().await;
}
