//! Signing in and out with a name and a password.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::json;
use crate::{
    model::ids::Time,
    session::{
        auth::token::{DEFAULT_TENANT, Identity},
        protocol::code::ErrorCode,
    },
    web::http::{app::App, body, problem::HttpProblem},
};

/// A name and its password.
// No `Debug`: it holds a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    username: String,
    password: String,
    tenant: Option<String>,
}

/// A token, and when it expires.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub(super) struct IssuedToken {
    access_token: String,
    token_type: &'static str,
    #[serde(rename = "expiresAt")]
    #[schema(format = DateTime)]
    expires_at: String,
}

impl IssuedToken {
    pub(super) fn new((access_token, expires_at): (String, Time)) -> Self {
        Self {
            access_token,
            token_type: "Bearer",
            expires_at: expires_at.to_string(),
        }
    }
}

/// `POST /v1/login` `{"username","password"}` → 200 `{"access_token","token_type","expiresAt"}`,
/// and the cookie of the pages.
///
/// # Errors
/// 400, 401 whatever is wrong, 403 from a foreign origin, 429 after too many wrong passwords.
#[utoipa::path(post, path = "/v1/login", tag = "signing in", operation_id = "login", summary = "Sign \
    in with a name and a password", security(()),
    request_body = Login,
    responses(
        (status = 200, body = IssuedToken, headers(("Set-Cookie" = String, description = "The cookie \
            of the pages"))),
        (status = 401, description = "The name or the password is wrong: it does not say which"), (status = 403),
        (status = 500), (status = 503),
    ))]
pub async fn login(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    app.require_origin(&request)?;
    let read = |text: &str| body::read(text, r#"{"username":"…","password":"…"}"#);
    let Login {
        username,
        password,
        tenant,
    } = body::json(&request, payload, read).await??;
    let identity = app
        .sign_in(
            &request,
            tenant.as_deref().unwrap_or(DEFAULT_TENANT),
            &username,
            &password,
        )
        .await?;
    signed_in(&app, &request, &identity)
}

/// The response to a sign-in: a token, and the cookie of the pages.
pub(super) fn signed_in(
    app: &App,
    request: &HttpRequest,
    identity: &Identity,
) -> Result<HttpResponse, HttpProblem> {
    let (token, expires_at) = app.token_of_sign_in(identity)?;
    let cookie = app.sign_in_cookie(request, token.clone())?;
    let mut response = json(StatusCode::OK, &IssuedToken::new((token, expires_at)));
    response.add_cookie(&cookie).map_err(|error| {
        log::error!("nobody can sign in: {error}");
        HttpProblem::new(
            ErrorCode::Internal,
            "expected to sign you in, but the cookie could not be made",
        )
    })?;
    Ok(response)
}

/// `POST /v1/logout` → 204: deletes the cookie. Tokens stay valid until they expire or are revoked.
///
/// # Errors
/// 403 from a foreign origin.
#[utoipa::path(post, path = "/v1/logout", tag = "signing in", operation_id = "logout", summary = "Sign \
    out: take the cookie back", security(()),
    responses((status = 204, description = "It is taken back"), (status = 403)))]
pub async fn logout(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    app.require_origin(&request)?;
    Ok(HttpResponse::NoContent()
        .cookie(app.sign_out_cookie(&request))
        .finish())
}
