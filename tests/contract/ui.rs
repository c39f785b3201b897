//! The page that displays the OpenAPI document.

use crate::{support, web::http::User};

#[actix_web::test]
async fn the_page_consists_of_files_of_this_server() {
    let server = support::server().await;
    let stranger = User::with_token(&server, None);
    let page = stranger.get("/docs/api").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'self'")
    );
    let addresses: Vec<&str> = page
        .text
        .split('"')
        .filter(|part| part.contains('/') && *part != "/docs" && !part.contains([' ', '>']))
        .collect();
    let parts: Vec<&&str> = addresses
        .iter()
        .filter(|address| !address.starts_with("image/"))
        .collect();
    assert!(parts.len() >= 5, "{addresses:?}");
    for part in parts {
        let answer = stranger.get(part).await;
        assert!(
            part.starts_with("/docs/api/") && answer.status.is_success() && !answer.text.is_empty(),
            "{part}"
        );
    }
    let script = stranger.get("/docs/api/show.js").await;
    assert!(
        script.text.contains("/openapi.json")
            && script.header("content-type").contains("javascript"),
        "{script:?}"
    );
    for none in [
        "/docs/api/",
        "/docs/api/index.html",
        "/docs/api/nothing",
        "/docs/api/../protocol",
    ] {
        let status = stranger.get(none).await.status.as_u16();
        assert!(status == 404 || none.contains(".."), "{none}: {status}");
    }
    server.stop().await;
}
