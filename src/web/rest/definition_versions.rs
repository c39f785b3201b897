//! The versions of definitions: lists of them, without their sources.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{definitions::unknown, json, query};
use crate::{
    journal::{DefinitionFormat, DefinitionRow, DefinitionState},
    limits,
    web::{
        http::{app::App, problem::HttpProblem},
        openapi::shared::{ProcessPath, VersionState},
        rest::listing::{bad_cursor, cut, length_up_to},
    },
};

/// A version of a definition, without its source.
#[derive(Serialize, ToSchema)]
#[schema(as = DefinitionVersion)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version<'a> {
    id: &'a str,
    version: u32,
    #[schema(value_type = VersionState)]
    state: &'static str,
    name: &'a str,
    #[schema(required)]
    alias: Option<i64>,
    /// `bpmn` or `json`: the format in which it was deployed.
    format: &'static str,
    /// A hash of its source.
    revision: &'a str,
    #[schema(format = DateTime)]
    created_at: String,
    created_by: &'a str,
}

impl<'a> From<&'a DefinitionRow> for Version<'a> {
    fn from(row: &'a DefinitionRow) -> Self {
        Self {
            id: &row.id,
            version: row.version,
            state: row.state.name(),
            name: &row.name,
            alias: row.alias,
            format: if row.format == DefinitionFormat::Bpmn {
                "bpmn"
            } else {
                "json"
            },
            revision: &row.revision,
            created_at: row.created_at.to_string(),
            created_by: &row.created_by,
        }
    }
}

/// The part to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct VersionListQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// The `next` of the previous part.
    cursor: Option<String>,
}

/// A part of the versions of all definitions, by id and version.
#[derive(Serialize, ToSchema)]
#[schema(as = DefinitionList)]
struct Versions<'a> {
    definitions: Vec<Version<'a>>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// `GET /v1/definitions?limit=&cursor=` → `{"definitions","next"}`: every version, by id and
/// version.
///
/// # Errors
/// 400, 401, 403.
#[utoipa::path(get, path = "/v1/definitions", tag = "definitions", operation_id = "listDefinitions", summary = "List \
    the versions of all definitions",
    params(VersionListQuery), responses((status = 200, body = Versions), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    let parameters: VersionListQuery = query(request.query_string())?;
    let length = length_up_to(limits::DEFINITIONS_LISTED, parameters.limit)?;
    let last = parameters.cursor.as_deref().map(read_cursor).transpose()?;
    let mut all = app
        .sessions
        .runtime
        .definitions
        .all(&principal.caller.tenant);
    all.retain(|process| {
        last.is_none_or(|(version, id)| {
            (process.row.id.as_str(), process.row.version) > (id, version)
        })
    });
    // The number comes first, because the separator may occur in an id.
    let next =
        cut(&mut all, length).map(|process| format!("{}_{}", process.row.version, process.row.id));
    let definitions = all
        .iter()
        .map(|process| Version::from(&process.row))
        .collect();
    Ok(json(StatusCode::OK, &Versions { definitions, next }))
}

fn read_cursor(text: &str) -> Result<(u32, &str), HttpProblem> {
    let parts = text
        .split_once('_')
        .and_then(|(version, id)| Some((version.parse().ok()?, id)));
    parts.ok_or_else(bad_cursor)
}

/// A definition with its versions.
#[derive(Serialize, ToSchema)]
struct Definition<'a> {
    id: &'a str,
    name: &'a str,
    /// The version that new instances run.
    #[schema(required)]
    published: Option<u32>,
    versions: Vec<Version<'a>>,
}

/// `GET /v1/definitions/{id}` → `{"id","name","published","versions"}`.
///
/// # Errors
/// 401, 403, 404.
#[utoipa::path(get, path = "/v1/definitions/{id}", tag = "definitions", operation_id = "getDefinition", summary = "Read \
    the versions of a definition", params(ProcessPath),
    responses((status = 200, body = Definition), (status = 403), (status = 404)))]
pub async fn get(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    let mut versions = app
        .sessions
        .runtime
        .definitions
        .all(&principal.caller.tenant);
    versions.retain(|process| process.row.id == *path);
    let Some(newest) = versions.last() else {
        return Err(unknown());
    };
    let published = versions
        .iter()
        .find(|process| process.row.state == DefinitionState::Published);
    let definition = Definition {
        id: &newest.row.id,
        name: &newest.row.name,
        published: published.map(|process| process.row.version),
        versions: versions
            .iter()
            .map(|process| Version::from(&process.row))
            .collect(),
    };
    Ok(json(StatusCode::OK, &definition))
}
