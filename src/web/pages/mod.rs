//! Pages for people: what they are asked for, and by whom. What they look like: `admin`.

pub mod home;
pub mod instances;
pub mod sign_in;
pub mod tasks;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::LOCATION},
};
use serde::Serialize;

use super::{app::App, problem::Problem};
use crate::{
    admin::layout::SIGN_IN_URL,
    session::{frames::code::ErrorCode, who::Who},
};

/// A filled template.
fn page(app: &App, status: StatusCode, template: &str, view: &impl Serialize) -> Result<HttpResponse, Problem> {
    let text = app.pages.render(template, view).map_err(|error| {
        log::error!("page {template} cannot be drawn: {error}");
        Problem::new(ErrorCode::Internal, "expected to draw this page, but it failed; the server's log says more")
    })?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text))
}

/// Who has signed in.
fn person(app: &App, request: &HttpRequest) -> Option<Who> {
    app.signed_in(request).map(|identity| Who::new(Some(identity)))
}

fn sign_in_first() -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, SIGN_IN_URL)).finish()
}
