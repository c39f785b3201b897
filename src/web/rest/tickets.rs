//! One-time tickets, for places where only a URL can be given.

use std::sync::PoisonError;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::json;
use crate::{
    runtime::clock::steady_now,
    session::{
        auth::ticket::{TicketError, TicketUse},
        protocol::code::ErrorCode,
    },
    web::http::{app::App, body, problem::HttpProblem},
};

/// The purpose of a ticket.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TicketRequest {
    /// Its use: `socket`, `stream/KEY` or `signin`.
    #[schema(example = "ws", pattern = "^(ws|signin|stream/.+)$")]
    r#for: String,
}

/// A ticket that is valid once, for one purpose.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Ticket {
    /// For `?ticket=`.
    ticket: String,
    /// How long it is valid.
    expires_in_seconds: u64,
}

/// `POST /v1/tickets` `{"for":"ws"|"stream/KEY"|"signin"}` → 201 `{"ticket","expiresInSeconds"}`:
/// valid once, for that purpose and the same user.
///
/// # Errors
/// 400, 401, 403 for a sign-in with the token of one instance, 503 if too many are unused.
#[utoipa::path(post, path = "/v1/tickets", tag = "signing in", operation_id = "issueTicket", summary = "Issue \
    a ticket for where only an address can be given",
    request_body = TicketRequest, responses((status = 201, body = Ticket), (status = 403)))]
pub async fn issue(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let read = |text: &str| body::read::<TicketRequest>(text, r#"{"for":"ws"} or the like"#);
    let wanted = body::json(&request, payload, read).await??;
    let purpose: TicketUse = wanted
        .r#for
        .parse()
        .map_err(|sentence: String| HttpProblem::new(ErrorCode::BadRequest, sentence))?;
    // Only users can sign in.
    let principal = if purpose == TicketUse::SignIn {
        app.user(&request)?.0
    } else {
        principal
    };
    let Some(identity) = principal.identity else {
        return Err(HttpProblem::new(
            ErrorCode::Unauthenticated,
            "expected a token",
        ));
    };
    let issued = app
        .tickets
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .issue(
            purpose,
            identity,
            app.approach(request.head()).address,
            steady_now(),
        );
    let ticket = issued.map_err(|error| {
        let code = if error == TicketError::Full {
            ErrorCode::Busy
        } else {
            ErrorCode::Internal
        };
        HttpProblem::new(code, error.to_string())
    })?;
    Ok(json(
        StatusCode::CREATED,
        &Ticket {
            ticket,
            expires_in_seconds: purpose.lifetime().as_secs(),
        },
    ))
}
