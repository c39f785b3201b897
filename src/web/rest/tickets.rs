//! One-time tickets, for where only an address can be given.

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
    web::http::{app::App, body, problem::Problem},
};

/// What a ticket is for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TicketRequest {
    /// What it opens: `socket`, `stream/KEY` or `signin`.
    #[schema(example = "ws", pattern = "^(ws|signin|stream/.+)$")]
    r#for: String,
}

/// A ticket that opens one thing once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Ticket {
    /// For `?ticket=`.
    ticket: String,
    /// How long it waits for its use.
    expires_in_seconds: u64,
}

/// `POST /v1/tickets` `{"for":"ws"|"stream/KEY"|"signin"}` → 201 `{"ticket","expiresInSeconds"}`:
/// opens that once, for the user who asked.
///
/// # Errors
/// 400, 401, 403 for a sign-in by the token of one instance, 503 when too many wait for their use.
#[utoipa::path(post, path = "/v1/tickets", tag = "signing in", operation_id = "issueTicket", summary = "Issue \
    a ticket for where only an address can be given",
    request_body = TicketRequest, responses((status = 201, body = Ticket), (status = 403)))]
pub async fn issue(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Problem> {
    let principal = app.bearer(&request)?;
    let text = body::json(&request, payload).await?;
    let wanted: TicketRequest = body::read(&text, r#"{"for":"ws"} or the like"#)?;
    let purpose: TicketUse = wanted
        .r#for
        .parse()
        .map_err(|sentence: String| Problem::new(ErrorCode::BadRequest, sentence))?;
    // A sign-in is a user's.
    let principal = if purpose == TicketUse::SignIn {
        app.user(&request)?.0
    } else {
        principal
    };
    let Some(identity) = principal.identity else {
        return Err(Problem::new(ErrorCode::Unauthenticated, "expected a token"));
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
        Problem::new(code, error.to_string())
    })?;
    Ok(json(
        StatusCode::CREATED,
        &Ticket {
            ticket,
            expires_in_seconds: purpose.lifetime().as_secs(),
        },
    ))
}
