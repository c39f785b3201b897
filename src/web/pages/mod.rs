//! Pages for people: what they are asked for, and by whom. What they look like: `admin`.

pub mod home;
pub mod instances;
pub mod sign_in;

use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;

use super::{app::App, problem::Problem};
use crate::session::frames::code::ErrorCode;

/// A filled template.
fn page(app: &App, status: StatusCode, template: &str, view: &impl Serialize) -> Result<HttpResponse, Problem> {
    let text = app.pages.render(template, view).map_err(|error| {
        log::error!("page {template} cannot be drawn: {error}");
        Problem::new(ErrorCode::Internal, "expected to draw this page, but it failed; the server's log says more")
    })?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text))
}
