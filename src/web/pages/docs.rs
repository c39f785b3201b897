//! `GET /docs/…`: the documentation as pages, and as the Markdown it is written in. The `type` of a
//! problem is one of these pages, too.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ACCEPT, VARY},
    },
    web::{Data, Path},
};

use super::{assets::embedded, page, subject};
use crate::{
    admin::docs::{self, DocsList, DocsPage},
    session::protocol::code::ErrorCode,
    web::{
        http::{app::App, problem::HttpProblem},
        pages::problem_pages::wants_page,
    },
};

/// `GET /docs`: the list of pages.
///
/// # Errors
/// 500 if the page cannot be rendered.
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let user = subject(&app, &request);
    page(
        &app,
        StatusCode::OK,
        "docs",
        &DocsList::new(&app.pages.assets, user.as_deref()),
    )
}

/// `GET /docs/{page}`: a page; with `.md` after its name, or for a program that asks for Markdown,
/// its source.
///
/// # Errors
/// 404 for a page that does not exist.
pub async fn one(
    request: HttpRequest,
    name: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let path = name.trim_end_matches('/');
    if path.is_empty() {
        return list(request, app).await;
    }
    if path.ends_with(".svg")
        && let Some(picture) = embedded(&request, &format!("{}{path}", docs::FOLDER), "no-cache")
    {
        return Ok(picture);
    }
    let name = path.trim_end_matches(".md");
    let no_page = || {
        HttpProblem::new(
            ErrorCode::NotFound,
            format!("expected a page of the documentation, but '{name}' is not one"),
        )
    };
    if name.len() < path.len() || wants_markdown(&request) {
        let text = docs::source(name).ok_or_else(no_page)?;
        return Ok(HttpResponse::Ok()
            .content_type("text/markdown; charset=utf-8")
            .insert_header((VARY, "Accept"))
            .body(text));
    }
    let user = subject(&app, &request);
    match DocsPage::new(&app.pages.assets, user.as_deref(), name) {
        Some(view) => {
            let mut answer = page(&app, StatusCode::OK, "docs_page", &view)?;
            answer.headers_mut().insert(VARY, ACCEPT.into());
            Ok(answer)
        }
        None => Err(no_page()),
    }
}

/// `GET /llms.txt`: the list of pages, for programs.
pub async fn llms() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(docs::LLMS)
}

fn wants_markdown(request: &HttpRequest) -> bool {
    let accepted = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accepted.contains("text/markdown") && !wants_page(request)
}
