//! `GET /docs/api`: the OpenAPI document as an interactive page, by Swagger UI.
//!
//! Its files are part of the program, so the page loads nothing from elsewhere and needs no
//! exception from the content security policy. Not here: the document (`openapi`).

use actix_web::{HttpRequest, HttpResponse, http::header::CACHE_CONTROL, web::Path};

use super::super::{http::problem::HttpProblem, pages::assets::embedded};
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
<script src="/docs/api/show.js"></script>
</html>
"#;

/// The page.
pub async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}

/// Shows the document. The validator would be an external service that receives it.
const SHOW: &str = "SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  validatorUrl: 'none',
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
});
";
const CACHING: &str = "public, max-age=3600";

/// `GET /docs/api/{file}`: the files of the page.
///
/// # Errors
/// 404 for any other name.
pub async fn file(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, HttpProblem> {
    if *name == "show.js" {
        return Ok(HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, CACHING))
            .content_type("text/javascript; charset=utf-8")
            .body(SHOW));
    }
    embedded(&request, &format!("api/{name}"), CACHING).ok_or_else(|| {
        HttpProblem::new(
            ErrorCode::NotFound,
            "expected a part of the page /docs/api, but there is none of this name",
        )
    })
}
