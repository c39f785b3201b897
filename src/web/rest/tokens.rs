//! Tokens for programs: an admin issues a token for a user of the tenant that lasts longer than a
//! sign-in.
//!
//! Only for users of this server, because their tokens can be ended: by `revoke`, another password,
//! or removal.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    json,
    login::IssuedToken,
    users::{admin, over_user, read},
};
use crate::{
    limits,
    runtime::users::UserError,
    session::{auth::token::Identity, protocol::code::ErrorCode},
    web::http::{app::App, audit::Act, problem::HttpProblem},
};

/// A token to issue.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewToken)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenRequest {
    /// The user.
    user: String,
    /// How long it is valid: up to 90 days.
    #[schema(minimum = 1, maximum = 7_776_000)]
    expires_in_seconds: u64,
}

/// `POST /v1/tokens` `{"user","expiresInSeconds"}` → 201
/// `{"access_token","token_type","expiresAt"}`, with the user's roles.
///
/// # Errors
/// 400, 401, 403 without role admin, 404 for an unknown user.
#[utoipa::path(post, path = "/v1/tokens", tag = "users", operation_id = "issueToken", summary = "Issue \
    a token for a user's programs", request_body = TokenRequest,
    responses((status = 201, body = IssuedToken), (status = 403), (status = 404)))]
pub async fn issue(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let admin = admin(&app, &request)?;
    let TokenRequest {
        user,
        expires_in_seconds,
    } = read(
        &request,
        payload,
        r#"{"user":"…","expiresInSeconds":86400}"#,
    )
    .await?;
    let maximum = limits::ISSUED_TOKEN.as_secs();
    if !(1..=maximum).contains(&expires_in_seconds) {
        let sentence = format!(
            "expected 'expiresInSeconds' to be 1 to {maximum}, but it is {expires_in_seconds}"
        );
        return Err(HttpProblem::new(ErrorCode::BadRequest, sentence));
    }
    over_user(&app, &admin, &user)?;
    let user = app
        .sessions
        .runtime
        .users
        .get(&admin.tenant, &user)
        .ok_or(UserError::Unknown(user))?;
    let nobody = Identity::anonymous(Uuid::nil());
    let (subject, tenant, roles) = (user.name.clone(), user.tenant.clone(), user.roles.clone());
    let identity = Identity {
        subject,
        tenant,
        roles,
        ..nobody
    };
    let token = app.token_for(&identity, Duration::from_secs(expires_in_seconds))?;
    Act::by(&app, &request, &admin, "token issued")
        .on("user", &identity.subject)
        .on("expires", &token.1.to_string())
        .is_done();
    Ok(json(StatusCode::CREATED, &IssuedToken::new(token)))
}
