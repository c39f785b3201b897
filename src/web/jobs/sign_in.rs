//! Signing in and out: a name and a password give a bearer token and a cookie.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::StatusCode,
    web::{Data, Payload},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{ascii, refused::Refused};
use crate::{
    limits,
    session::auth::token::{DEFAULT_TENANT, Identity},
    web::http::{app::App, body, problem::HttpProblem},
};

/// A name and its password.
// No `Debug`: it holds a password.
#[derive(Deserialize, ToSchema)]
#[schema(as = JobsLogin)]
struct Login {
    username: String,
    password: String,
}

/// The response to a sign-in.
#[derive(Serialize, ToSchema)]
#[schema(as = JobsAccessToken)]
struct AccessToken {
    access_token: String,
}

/// `GET /api/v1/hello`: says that the server runs. For anybody.
#[utoipa::path(get, path = "/api/v1/hello", tag = "jobs", operation_id = "helloJobs", summary = "Ask \
    whether the server is there", security(()),
    responses((status = 200, description = "The server is there", body = Object, example = json!({"message": "Stepwire \
        is running"}))))]
pub async fn hello() -> HttpResponse {
    HttpResponse::Ok().json(json!({"message": "Stepwire is running"}))
}

/// `POST /api/v1/login` `{"username","password","stayConnected"}` → 200 `{"access_token"}` and a
/// cookie. `stayConnected` does not change their lifetime.
///
/// # Errors
/// 401 without a body for a wrong name or password, 400 for another body, 403 from a foreign
/// origin, 429 after too many wrong passwords.
#[utoipa::path(post, path = "/api/v1/login", tag = "jobs", operation_id = "loginToJobs", summary = "Sign \
    in to the jobs", security(()),
    request_body = Login,
    responses(
        (status = 200, body = AccessToken), (status = 401, description = "The name or the \
            password is wrong; without a body"),
        (status = 403), (status = 500), (status = 503),
    ))]
pub async fn login(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    app.require_origin(&request)?;
    let bytes = body::bytes(&request, payload, limits::REST_BODY_BYTES.get()).await?;
    let Login { username, password } =
        body::read(&ascii::text(&bytes), r#"{"username":…,"password":…}"#)?;
    match app
        .sign_in(&request, DEFAULT_TENANT, &username, &password)
        .await
    {
        Ok(identity) => signed_in(&app, &request, &identity).map_err(Refused::from),
        Err(problem) if problem.status_code() == StatusCode::UNAUTHORIZED => {
            Ok(HttpResponse::Unauthorized().finish())
        }
        Err(problem) => Err(problem.into()),
    }
}

fn signed_in(
    app: &App,
    request: &HttpRequest,
    identity: &Identity,
) -> Result<HttpResponse, HttpProblem> {
    let (token, _) = app.token_of_sign_in(identity)?;
    let cookie = app.sign_in_cookie(request, token.clone())?;
    Ok(HttpResponse::Ok().cookie(cookie).json(AccessToken {
        access_token: token,
    }))
}

/// `POST /api/v1/logout`: deletes the cookie.
///
/// # Errors
/// 403 from a foreign origin.
#[utoipa::path(post, path = "/api/v1/logout", tag = "jobs", operation_id = "logoutOfJobs", summary = "Sign \
    out of the jobs", security(()),
    responses((status = 200, description = "The cookie is taken back", body = Object, example = json!({"logged_out": true})), (status = 403)))]
pub async fn logout(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    app.require_origin(&request)?;
    Ok(HttpResponse::Ok()
        .cookie(app.sign_out_cookie(&request))
        .json(json!({"logged_out": true})))
}
