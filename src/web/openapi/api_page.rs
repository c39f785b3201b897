//! `GET /docs/api`: the OpenAPI document as an interactive page, by Swagger UI.
//!
//! Its files are part of the program, so the page loads nothing from elsewhere and needs no
//! exception from the content security policy. Not here: the document (`openapi`).

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use actix_web::{
    HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Bytes, Path},
};
use utoipa_swagger_ui::Config;

use super::super::http::problem::HttpProblem;
use crate::session::protocol::code::ErrorCode;

/// Its links are absolute, because the page's own path has no slash at the end.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Stepwire API</title>
<link rel="icon" type="image/png" href="/docs/api/favicon-32x32.png">
<link rel="stylesheet" href="/docs/api/swagger-ui.css">
<link rel="stylesheet" href="/docs/api/index.css">
<p style="margin: 0.75rem 1.25rem; font-family: sans-serif"><a href="/docs">Documentation</a></p>
<div id="swagger-ui"></div>
<script src="/docs/api/swagger-ui-bundle.js"></script>
<script src="/docs/api/swagger-ui-standalone-preset.js"></script>
<script src="/docs/api/swagger-initializer.js"></script>
</html>
"#;

/// The page.
pub async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}

/// `GET /docs/api/{file}`: the files of the page.
///
/// # Errors
/// 404 for any other name.
pub async fn file(name: Path<String>) -> Result<HttpResponse, HttpProblem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        // The validator is an external service that would receive the document.
        let config = Config::new(["/openapi.json"])
            .use_base_layout()
            .validator_url("none");
        Arc::new(
            config
                .doc_expansion("none")
                .default_models_expand_depth(0)
                .display_request_duration(true),
        )
    });
    let found = utoipa_swagger_ui::serve(&name, CONFIG.clone())
        .ok()
        .flatten();
    let file = found
        .filter(|_| !name.is_empty() && !name.ends_with(".html"))
        .ok_or_else(|| {
            HttpProblem::new(
                ErrorCode::NotFound,
                "expected a part of the page /docs/api, but there is none of this name",
            )
        })?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let caching = (CACHE_CONTROL, "public, max-age=3600");
    Ok(HttpResponse::Ok()
        .insert_header(caching)
        .content_type(file.content_type)
        .body(bytes))
}
