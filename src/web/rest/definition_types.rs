//! The types and schemas of a version, for a frontend. How they are made: `model::typescript`,
//! `model::input_schema`.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    definitions::{refused, unknown, versioned, written},
    json_text,
};
use crate::{
    model::typescript::{self, Constants},
    runtime::{definitions::DeployedProcess, instance_request::Refusal},
    session::auth::principal::Principal,
    web::{
        http::{app::App, problem::HttpProblem},
        openapi::shared::VersionPath,
    },
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
) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    let (_, version) = versioned(&path)?;
    let process = version_of(&principal, &path, &app).await?;
    // Its constants come from templates, so they are only for users who may read those.
    let constants = if principal.caller.reads_source() {
        Constants::Literal
    } else {
        Constants::Widened
    };
    let text = written(&request, process, move |process| {
        typescript::declarations(&process.executable, version, constants)
    });
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(text.await?))
}

/// The schemas of a version's actions.
#[derive(Serialize, ToSchema)]
pub struct InputSchemas<'a> {
    /// The `schema` of an action → the JSON Schema.
    #[schema(value_type = Object)]
    schemas: BTreeMap<&'a str, &'a Value>,
}

/// `GET /v1/definitions/{id}/{version}/schemas`: the JSON Schemas that actions name.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(get, path = "/v1/definitions/{id}/{version}/schemas", tag = "definitions",
    operation_id = "getDefinitionSchemas", summary = "Read the JSON Schemas of what actions take", params(VersionPath),
    responses((status = 200, description = "The schemas by their names", body = InputSchemas), (status = 403), (status = 404)))]
pub async fn schemas(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    let process = version_of(&principal, &path, &app).await?;
    let text = written(&request, process, |process| {
        let nodes = process.executable.nodes().iter();
        let inputs = nodes
            .flat_map(|node| node.all_actions())
            .filter_map(|action| action.keys.input_schema());
        let schemas = inputs.map(|input| (&*input.name, &input.schema)).collect();
        serde_json::to_string(&InputSchemas { schemas })
    });
    let text = text.await?.map_err(|_| Refusal::Internal)?;
    Ok(json_text(StatusCode::OK, text))
}

/// The version that a path names.
async fn version_of(
    principal: &Principal,
    path: &(String, String),
    app: &App,
) -> Result<Arc<DeployedProcess>, HttpProblem> {
    let (id, version) = versioned(path)?;
    let definitions = &app.sessions.runtime.definitions;
    let known = definitions
        .undeleted(&principal.caller.tenant, id, version)
        .ok_or_else(unknown)?;
    definitions.process(&known).await.map_err(refused)
}
