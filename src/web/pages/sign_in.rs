//! Signing in and out: a one-time link or a token becomes a cookie that scripts cannot read.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    http::{StatusCode, header::LOCATION},
    web::{Data, Payload, Query},
};
use serde::Deserialize;

use super::page;
use crate::{
    admin::{layout::INSTANCES_URL, message::SignIn},
    limits,
    session::{ticket::TicketUse, token::Identity},
    web::{app::App, body, problem::Problem},
};

/// What may stand in the address.
#[derive(Deserialize)]
pub struct Link {
    ticket: Option<String>,
}

#[derive(Deserialize)]
struct TokenForm {
    token: String,
}

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
            refused(&app, sentence.to_owned())
        }
    }
}

/// `POST /sign-in` with the form field `token`.
///
/// # Errors
/// 403 from a foreign origin, 413.
pub async fn by_token(request: HttpRequest, payload: Payload, app: Data<App>) -> Result<HttpResponse, Problem> {
    app.require_origin(&request)?;
    let bytes = body::bytes(&request, payload, 2 * limits::TOKEN_BYTES).await?;
    let token = Query::<TokenForm>::from_query(&String::from_utf8_lossy(&bytes)).map(|form| form.into_inner().token);
    match app.verify(token.unwrap_or_default().trim()) {
        Ok(identity) => signed_in(&app, &request, &identity),
        Err(problem) => refused(&app, problem.to_string()),
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
    Ok(see_other(INSTANCES_URL, app.sign_in_cookie(request, identity)?))
}

fn see_other(address: &str, cookie: Cookie<'static>) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, address)).cookie(cookie).finish()
}

fn refused(app: &App, sentence: String) -> Result<HttpResponse, Problem> {
    page(app, StatusCode::UNAUTHORIZED, "sign_in", &SignIn::new(&app.pages.assets, Some(sentence)))
}
