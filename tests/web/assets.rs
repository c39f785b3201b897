//! `/assets/`: the output of the build, whether or not it built the pages with scripts.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::Method;

use super::http::{User, send};
use crate::support;

#[actix_web::test]
async fn a_file_is_served_with_its_tag() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let manifest = stranger.get("/assets/manifest.json").await;
    let missing = stranger.get("/assets/missing.html").await;
    let (path, found) = if manifest.status == 200 {
        ("manifest.json", manifest)
    } else {
        ("missing.html", missing)
    };
    assert_eq!(
        (found.status.as_u16(), found.header("cache-control")),
        (200, "no-cache")
    );
    let tag = found.header("etag");
    let again = stranger
        .request(Method::GET, &format!("/assets/{path}"))
        .header("if-none-match", tag);
    let again = send(again).await;
    assert_eq!(
        (
            again.status.as_u16(),
            again.text.as_str(),
            again.header("etag")
        ),
        (304, "", tag)
    );

    if let Some(script) = found.json()["demo"]["js"].as_str() {
        let script = stranger.get(&format!("/assets/{script}")).await;
        assert_eq!(
            script.header("content-type"),
            "text/javascript; charset=utf-8"
        );
        assert!(script.header("cache-control").contains("immutable"));
    }
    stranger
        .get("/assets/../Cargo.toml")
        .await
        .is_problem(404, "not_found", "");
    stranger
        .get("/assets/nothing.js")
        .await
        .is_problem(404, "not_found", "built file");
    server.stop().await;
}

/// The file of the page that shows the API, as it is there without Node, too.
#[actix_web::test]
async fn texts_are_sent_compressed_to_clients_that_accept_it() {
    const PATH: &str = "/docs/api/swagger-ui.css";
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let asked = |accepted: &'static str| {
        let request = stranger.request(Method::GET, PATH);
        request.header("accept-encoding", accepted).send()
    };
    let plain = stranger.get(PATH).await;
    assert_eq!(plain.status, 200);
    assert!(plain.header("vary").contains("Accept-Encoding"));
    assert!(plain.text.contains("swagger-ui") && !plain.headers.contains_key("content-encoding"));
    for accepted in [
        "gzip",
        "gzip, deflate, br, zstd",
        "br;q=1.0, gzip;q=0.8, *;q=0.1",
    ] {
        let packed = asked(accepted).await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{accepted}");
        assert_eq!(
            packed.headers()["content-type"],
            plain.header("content-type")
        );
        assert_ne!(packed.headers()["etag"], plain.header("etag"));
        let packed = packed.bytes().await.unwrap();
        assert!(packed.len() * 3 < plain.text.len(), "{}", packed.len());
        let mut text = String::new();
        GzDecoder::new(&*packed).read_to_string(&mut text).unwrap();
        assert!(text == plain.text);
    }
    for accepted in ["", "br", "identity", "gzip;q=0", "nonsense,,;q"] {
        let answer = asked(accepted).await.unwrap();
        assert!(
            !answer.headers().contains_key("content-encoding"),
            "{accepted}"
        );
        assert!(answer.text().await.unwrap() == plain.text, "{accepted}");
    }
    server.stop().await;
}
