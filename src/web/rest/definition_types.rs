//! A version's types for a frontend. What they are made of: `model::typescript`.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};

use super::definitions::{unknown, versioned};
use crate::{
    model::typescript::{self, Constants},
    web::{app::App, openapi::shared::VersionPath, problem::Problem},
};

/// `GET /v1/definitions/{id}/{version}/types.d.ts`: TypeScript, as text.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(get, path = "/v1/definitions/{id}/{version}/types.d.ts", tag = "definitions",
    operation_id = "getDefinitionTypes", summary = "Read TypeScript types for a frontend", params(VersionPath),
    responses((status = 200, description = "A TypeScript declaration file", body = String, content_type = "text/plain"), (status = 403), (status = 404)))]
pub async fn types(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, Problem> {
    let (who, _) = app.user(&request)?;
    let (id, version) = versioned(&path)?;
    let process = app
        .sessions
        .runtime
        .definitions
        .undeleted(&who.caller.tenant, id, version)
        .ok_or_else(unknown)?;
    // Its constants are templates, read by those who may read these.
    let constants = if who.caller.reads_source() {
        Constants::Told
    } else {
        Constants::Widened
    };
    let text = typescript::declarations(&process.executable, version, constants);
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(text))
}
