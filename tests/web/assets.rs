//! `/assets/`: the output of the build, whether or not it built the pages with scripts.

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
