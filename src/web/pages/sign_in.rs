//! Signing in and out: a one-time link, a name with a password, or a token becomes a cookie that scripts cannot read.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    cookie::Cookie,
    http::{StatusCode, header::LOCATION},
    web::{Data, Payload, Query},
};
use serde::Deserialize;

use super::page;
use crate::{
    admin::{layout::INSTANCES_URL, message::SignIn},
    limits,
    session::{
        frames::code::ErrorCode,
        ticket::TicketUse,
        token::{DEFAULT_TENANT, Identity},
    },
    web::{app::App, body, problem::Problem},
};

/// What may stand in the address.
#[derive(Deserialize)]
pub struct Link {
    ticket: Option<String>,
}

/// Name and password, or a token. No `Debug`: it holds either.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Form {
    username: String,
    password: String,
    token: String,
}

/// The longest form, in bytes, with every letter escaped.
const FORM_BYTES: usize = 3 * (limits::TOKEN_BYTES + limits::NAME_BYTES + limits::PASSWORD_BYTES);

/// `GET /sign-in?ticket=…`: signs in by a link, once. Without a ticket it says how to sign in.
///
/// # Errors
/// 500 when the page cannot be drawn.
pub async fn by_link(request: HttpRequest, link: Query<Link>, app: Data<App>) -> Result<HttpResponse, Problem> {
    let Some(ticket) = &link.ticket else {
        return page(&app, StatusCode::OK, "sign_in", &SignIn::new(&app.pages.assets, None));
    };
    match app.take_ticket(ticket, TicketUse::SignIn) {
        Some(identity) => signed_in(&app, &request, &identity),
        None => {
            let sentence = "expected a link that was not used before and is at most 15 minutes old, but this is none";
            refused(&app, &Problem::new(ErrorCode::Unauthenticated, sentence))
        }
    }
}

/// `POST /sign-in` with the form fields `username` and `password`, or `token`.
///
/// # Errors
/// 403 from a foreign origin, 413.
pub async fn by_form(request: HttpRequest, payload: Payload, app: Data<App>) -> Result<HttpResponse, Problem> {
    app.require_origin(&request)?;
    let bytes = body::bytes(&request, payload, FORM_BYTES).await?;
    let form = Query::<Form>::from_query(&String::from_utf8_lossy(&bytes)).map(Query::into_inner).unwrap_or_default();
    let identity = if form.token.is_empty() {
        app.sign_in(&request, DEFAULT_TENANT, &form.username, &form.password).await
    } else {
        app.verify(form.token.trim())
    };
    match identity {
        Ok(identity) => signed_in(&app, &request, &identity),
        Err(problem) => refused(&app, &problem),
    }
}

/// `POST /sign-out`.
///
/// # Errors
/// 403 from a foreign origin.
pub async fn out(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Problem> {
    app.require_origin(&request)?;
    Ok(see_other("/", app.sign_out_cookie(&request)))
}

fn signed_in(app: &App, request: &HttpRequest, identity: &Identity) -> Result<HttpResponse, Problem> {
    let (token, _) = app.token_of_sign_in(identity)?;
    Ok(see_other(INSTANCES_URL, app.sign_in_cookie(request, token)))
}

fn see_other(address: &str, cookie: Cookie<'static>) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, address)).cookie(cookie).finish()
}

fn refused(app: &App, problem: &Problem) -> Result<HttpResponse, Problem> {
    page(app, problem.status_code(), "sign_in", &SignIn::new(&app.pages.assets, Some(problem.to_string())))
}
