//! Handlers of the pages for people: parameters and permissions. Templates and views: `admin`.

pub mod assets;
pub mod designer;
pub mod docs;
pub mod home;
pub mod instances;
pub mod operations;
pub mod playground;
pub mod problem_pages;
pub mod processes;
pub mod sign_in;
pub mod start;
pub mod tasks;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ACCEPT, HeaderValue, LOCATION, VARY},
    },
};
use serde::Serialize;

use super::{
    http::{app::App, problem::HttpProblem},
    pages::problem_pages::wants_page,
};
use crate::{
    admin::layout::sign_in_url,
    session::{auth::principal::Principal, protocol::code::ErrorCode},
};

/// A rendered template.
fn page(
    app: &App,
    status: StatusCode,
    template: &str,
    view: &impl Serialize,
) -> Result<HttpResponse, HttpProblem> {
    let text = app.pages.render(template, view).map_err(|error| {
        log::error!("page {template} cannot be drawn: {error}");
        HttpProblem::new(
            ErrorCode::Internal,
            "expected to render this page, but it failed; the server's log has details",
        )
    })?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(text))
}

/// The signed-in user.
fn person(app: &App, request: &HttpRequest) -> Option<Principal> {
    let identity = app.signed_in(request);
    app.note_asker(request, identity.as_ref());
    identity.map(|identity| Principal::new(Some(identity)))
}

/// The name of the signed-in user.
fn subject(app: &App, request: &HttpRequest) -> Option<String> {
    person(app, request).map(|principal| principal.caller.subject)
}

/// Redirects a browser to the sign-in, which returns to the requested page.
///
/// # Errors
/// 401 for a program, which would take the sign-in for the requested page.
fn sign_in_first(request: &HttpRequest) -> Result<HttpResponse, HttpProblem> {
    if !wants_page(request) {
        return Err(HttpProblem::new(
            ErrorCode::Unauthenticated,
            "expected the cookie of a signed-in user, but there is none that is accepted; sign in \
            at /sign-in with a browser, or ask the API below /v1 with a token",
        ));
    }
    let to = request
        .uri()
        .path_and_query()
        .map_or("/", |wanted| wanted.as_str());
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, sign_in_url(to)))
        .insert_header((VARY, HeaderValue::from(ACCEPT)))
        .finish())
}

/// Refuses a page to users who do not look after processes.
///
/// # Errors
/// 403 without role designer, operator or admin.
fn require_staff(principal: &Principal) -> Result<(), HttpProblem> {
    if principal.is_staff() {
        return Ok(());
    }
    Err(HttpProblem::new(
        ErrorCode::Forbidden,
        "expected role designer, operator or admin for this page, but you have none of them; ask \
        an administrator for one",
    ))
}
