//! The settings with which the server was started, for operators of the server.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::json;
use crate::{
    config::Setting,
    session::{
        auth::{principal::Principal, token::SERVER_OPERATOR},
        protocol::code::ErrorCode,
    },
    web::http::{app::App, problem::HttpProblem},
};

/// Every option of the server.
#[derive(Serialize, ToSchema)]
#[schema(as = SettingList)]
struct Settings<'a> {
    /// The program's version.
    version: &'static str,
    /// By name.
    settings: &'a [Setting],
}

/// `GET /v1/settings` → `{"version","settings"}`.
///
/// # Errors
/// 401, 403 without role server-operator.
#[utoipa::path(get, path = "/v1/settings", tag = "server", operation_id = "getSettings", summary = "Read \
    every option of the server, and where its value comes from",
    responses((status = 200, body = Settings), (status = 403)))]
pub async fn settings(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    require_server_operator(&principal)?;
    let settings = Settings {
        version: env!("CARGO_PKG_VERSION"),
        settings: &app.config.settings,
    };
    Ok(json(StatusCode::OK, &settings))
}

/// Refuses users who are not operators of the server.
///
/// # Errors
/// 403 without role server-operator.
pub fn require_server_operator(principal: &Principal) -> Result<(), HttpProblem> {
    if principal.is_server_operator() {
        return Ok(());
    }
    let sentence = format!(
        "expected role {SERVER_OPERATOR} for the options of the server, which are those of all \
        tenants, but the token does not grant it"
    );
    Err(HttpProblem::new(ErrorCode::Forbidden, sentence))
}
