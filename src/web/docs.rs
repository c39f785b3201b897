//! The documentation's pages, as they stand in `docs/`: what a problem's `type` leads to.

use actix_web::{HttpResponse, web};
use rust_embed::Embed;

use super::problem::Problem;
use crate::session::frames::code::ErrorCode;

#[derive(Embed)]
#[folder = "docs/"]
#[include = "*.md"]
struct Docs;

/// `GET /docs/{page}`, with or without `.md`.
///
/// # Errors
/// 404 for a page that is not there.
pub async fn page(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let name = name.trim_end_matches(".md");
    let file = Docs::get(&format!("{name}.md"));
    let file = file.ok_or_else(|| {
        Problem::new(ErrorCode::NotFound, format!("expected a page of the documentation, but there is no '{name}'"))
    })?;
    Ok(HttpResponse::Ok().content_type("text/markdown; charset=utf-8").body(file.data.into_owned()))
}
