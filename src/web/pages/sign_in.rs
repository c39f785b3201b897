//! Signing in and out: a one-time link, a name with a password, or a token gives a cookie that
//! scripts cannot read.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    cookie::Cookie,
    http::{StatusCode, header::LOCATION},
    web::{Data, Payload, Query},
};
use serde::Deserialize;

use super::{
    page,
    start::{own_page, start_page},
};
use crate::{
    admin::message::SignIn,
    limits,
    session::{
        auth::{
            ticket::TicketUse,
            token::{DEFAULT_TENANT, Identity},
        },
        protocol::code::ErrorCode,
    },
    web::{
        http::{app::App, audit::Act, body, problem::HttpProblem},
        pages::problem_pages::wants_page,
    },
};

/// The query of the sign-in page.
#[derive(Deserialize)]
pub struct SignInLink {
    ticket: Option<String>,
    /// The page to return to.
    to: Option<String>,
}

/// Name and password, or a token. No `Debug`: it contains either.
#[derive(Deserialize, Default)]
#[serde(default)]
struct SignInForm {
    username: String,
    password: String,
    token: String,
    to: String,
}

/// The longest form, in bytes, with every character escaped, and space for the page to return to.
const FORM_BYTES: usize = 3 * (limits::TOKEN_BYTES + limits::NAME_BYTES + limits::PASSWORD_BYTES);

/// `GET /sign-in?ticket=…&to=…`: signs in by a link, once, and goes to that page; without `to`, to
/// the first page, which explains the next steps. Without a ticket it shows the sign-in form.
///
/// # Errors
/// 401 for a program whose link is not accepted, 500 if the page cannot be rendered.
pub async fn by_link(
    request: HttpRequest,
    link: Query<SignInLink>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let to = link.to.as_deref().and_then(own_page);
    let Some(ticket) = &link.ticket else {
        return page(
            &app,
            StatusCode::OK,
            "sign_in",
            &SignIn::new(&app.pages.assets, to, app.config.sign_in_link, None),
        );
    };
    match app.take_ticket(ticket, TicketUse::SignIn) {
        Some(identity) => {
            Act::by(&app, &request, &identity, "signed in by a link").is_done();
            signed_in(&app, &request, &identity, to.or(Some("/")))
        }
        None => {
            let sentence = "expected a link that was not used before and is at most 15 minutes \
                old, but this one is not";
            let problem = HttpProblem::new(ErrorCode::Unauthenticated, sentence);
            app.sign_in_failed(&request, None, &problem);
            refused(&app, &request, (to, ""), problem)
        }
    }
}

/// `POST /sign-in` with the form fields `username` and `password`, or `token`; optionally `to`, the
/// page to return to.
///
/// # Errors
/// 401 for a program that is refused, 403 from a foreign origin, 413.
pub async fn by_form(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    app.require_origin(&request)?;
    let bytes = body::bytes(&request, payload, FORM_BYTES).await?;
    let form = Query::<SignInForm>::from_query(&String::from_utf8_lossy(&bytes))
        .map(Query::into_inner)
        .unwrap_or_default();
    let identity = if form.token.is_empty() {
        app.sign_in(&request, DEFAULT_TENANT, &form.username, &form.password)
            .await
    } else {
        app.verify(form.token.trim())
            .inspect_err(|problem| app.sign_in_failed(&request, None, problem))
    };
    let to = own_page(&form.to);
    match identity {
        Ok(identity) => signed_in(&app, &request, &identity, to),
        Err(problem) => refused(&app, &request, (to, &form.username), problem),
    }
}

/// `POST /sign-out`.
///
/// # Errors
/// 403 from a foreign origin.
pub async fn out(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    app.require_origin(&request)?;
    Ok(see_other("/", app.sign_out_cookie(&request)))
}

fn signed_in(
    app: &App,
    request: &HttpRequest,
    identity: &Identity,
    to: Option<&str>,
) -> Result<HttpResponse, HttpProblem> {
    let (token, _) = app.token_of_sign_in(identity)?;
    match app.sign_in_cookie(request, token) {
        Ok(cookie) => Ok(see_other(
            to.unwrap_or_else(|| start_page(identity)),
            cookie,
        )),
        Err(problem) => refused(app, request, (to, ""), problem),
    }
}

fn see_other(address: &str, cookie: Cookie<'static>) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .cookie(cookie)
        .finish()
}

/// The sign-in form again, with the page to return to, the name that was given and the reason; for a
/// program, the problem itself.
fn refused(
    app: &App,
    request: &HttpRequest,
    (to, username): (Option<&str>, &str),
    problem: HttpProblem,
) -> Result<HttpResponse, HttpProblem> {
    if !wants_page(request) {
        return Err(problem);
    }
    let view = SignIn::new(
        &app.pages.assets,
        to,
        app.config.sign_in_link,
        Some(problem.to_string()),
    );
    page(app, problem.status_code(), "sign_in", &view.named(username))
}
