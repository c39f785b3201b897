//! Process definitions: deploy, check, publish, disable, deprecate, delete. Lists of them:
//! `definition_versions`; the content of one: `definition_source`, and as types for frontends
//! `definition_types`.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{definition_versions::Version, json, query};
use crate::{
    limits,
    model::{problem::Problem, source::SourceFormat},
    runtime::{
        catalog::DEPLOYED,
        definitions::{Deploy, DeployError, Deployed, DeployedProcess},
        instance_request::Refusal,
    },
    session::{auth::token::Identity, protocol::code::ErrorCode},
    web::{
        http::{app::App, audit::Act, body, problem::HttpProblem},
        openapi::shared::{ProcessPath, VersionPath, VersionState},
    },
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DeployQuery {
    /// Whether new instances run this version at once.
    #[serde(default)]
    #[param(required = false, default = false)]
    publish: bool,
    /// The newest version of the first process that the author knows, 0 for none; the deploy is
    /// refused if there is a newer version with other content.
    base: Option<u32>,
}

/// The response to a deploy: the first process, and all of them if there are several.
#[derive(Serialize, ToSchema)]
struct DeployAnswer<'a> {
    #[serde(flatten)]
    first: DeployedEntry<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    definitions: Vec<DeployedEntry<'a>>,
}

/// A deployed process.
#[derive(Clone, Serialize, ToSchema)]
struct DeployedEntry<'a> {
    /// The process's id.
    id: &'a str,
    version: u32,
    #[schema(value_type = VersionState)]
    state: &'static str,
    /// Warnings.
    problems: &'a [Problem],
}

impl<'a> From<&'a Deployed> for DeployedEntry<'a> {
    fn from(one: &'a Deployed) -> Self {
        Self {
            id: &one.row.id,
            version: one.row.version,
            state: one.row.state.name(),
            problems: &one.problems,
        }
    }
}

/// `POST /v1/definitions?publish=true&base=3` with BPMN XML or the JSON form → 201
/// `{"id","version","state","problems"}`; 200 with the version that has the same content already.
///
/// # Errors
/// 401, 403 without role designer, 409 if there is a newer version than `base`, 413, 415, 422 with
/// `problems`.
#[utoipa::path(post, path = "/v1/definitions", tag = "definitions", operation_id = "deployDefinition", summary = "Deploy \
    a definition", params(DeployQuery),
    request_body(content((String = "application/xml"), (Object = "application/json"))),
    responses(
        (status = 201, body = DeployAnswer), (status = 200, body = DeployAnswer, description = "The \
            same content was there"),
        (status = 403), (status = 409), (status = 422),
    ))]
pub async fn deploy(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let designer = designer(&app, &request)?;
    let DeployQuery { publish, base } = query(request.query_string())?;
    let format = format(&request)?;
    let source = body::bytes(&request, payload, limits::DEFINITION_BYTES).await?;
    let runtime = &app.sessions.runtime;
    let (tenant, by, now) = (
        designer.tenant.as_str(),
        designer.subject.as_str(),
        runtime.clock.now(),
    );
    let deploy = Deploy {
        tenant,
        source: &source,
        format,
        publish,
        by,
        now,
    };
    let act = Act::by(&app, &request, &designer, DEPLOYED)
        .on("bytes", source.len() as u64)
        .on("publish", publish);
    let (deployed, is_noted) = act
        .log_later(runtime.definitions.deploy_on(deploy, base))
        .await;
    let deployed = deployed.map_err(refused)?;
    for Deployed { row, existing, .. } in &deployed {
        let act = Act::by(&app, &request, &designer, DEPLOYED)
            .on("process", &row.id)
            .on("version", row.version);
        act.on("state", row.state.name())
            .on("new", !existing)
            .is_done_and(is_noted);
    }
    let status = if deployed.iter().all(|one| one.existing) {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let entries: Vec<DeployedEntry<'_>> = deployed.iter().map(DeployedEntry::from).collect();
    let Some(first) = entries.first().cloned() else {
        return Err(HttpProblem::new(
            ErrorCode::Internal,
            "expected a source with a process, but none was deployed",
        ));
    };
    let definitions = if entries.len() > 1 {
        entries
    } else {
        Vec::new()
    };
    Ok(json(status, &DeployAnswer { first, definitions }))
}

pub(super) fn format(request: &HttpRequest) -> Result<SourceFormat, HttpProblem> {
    match body::media_type(request).as_deref() {
        Some("application/xml" | "text/xml") => Ok(SourceFormat::BpmnXml),
        Some("application/json") => Ok(SourceFormat::Json),
        _ => Err(HttpProblem::unsupported_media_type(
            "application/xml or application/json",
        )),
    }
}

/// The problems that a deploy would report.
#[derive(Serialize, ToSchema)]
#[schema(as = DefinitionCheck)]
struct Checked {
    /// Errors, which would refuse the deploy, and warnings.
    problems: Vec<Problem>,
}

/// `POST /v1/definition-checks` with BPMN XML or the JSON form → 200 `{"problems"}`: what a deploy
/// would report. Nothing is deployed.
///
/// # Errors
/// 401, 403 without role designer, 413, 415.
#[utoipa::path(post, path = "/v1/definition-checks", tag = "definitions", operation_id = "checkDefinition", summary = "Check \
    a definition without deploying it",
    request_body(content((String = "application/xml"), (Object = "application/json"))),
    responses((status = 200, body = Checked), (status = 403), (status = 415)))]
pub async fn check(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let designer = designer(&app, &request)?;
    let format = format(&request)?;
    let source = body::bytes(&request, payload, limits::DEFINITION_BYTES).await?;
    let runtime = &app.sessions.runtime;
    let (tenant, by, now) = (
        designer.tenant.as_str(),
        designer.subject.as_str(),
        runtime.clock.now(),
    );
    let deploy = Deploy {
        tenant,
        source: &source,
        format,
        publish: false,
        by,
        now,
    };
    let problems = runtime.definitions.check(&deploy).await.map_err(refused)?;
    Ok(json(StatusCode::OK, &Checked { problems }))
}

/// `POST /v1/definitions/{id}/{version}/publish`: new instances run this version from now on.
///
/// # Errors
/// 401, 403 without role designer, 404, 409 if its alias belongs to another process by now.
#[utoipa::path(post, path = "/v1/definitions/{id}/{version}/publish", tag = "definitions", operation_id = "publishDefinition", summary = "Publish \
    a version: new instances run it",
    params(VersionPath), responses((status = 200, body = Version), (status = 403), (status = 404), (status = 409)))]
pub async fn publish(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let designer = designer(&app, &request)?;
    let (id, version) = versioned(&path)?;
    let act = Act::by(&app, &request, &designer, "version published")
        .on("process", id)
        .on("version", version);
    let row = act
        .done(
            app.sessions
                .runtime
                .definitions
                .publish(&designer.tenant, id, version),
        )
        .await
        .map_err(refused)?;
    Ok(json(StatusCode::OK, &Version::from(&row)))
}

/// `POST /v1/definitions/{id}/{version}/deprecate`: nothing new starts; running instances continue.
///
/// # Errors
/// 401, 403 without role designer, 404, 409 for a draft.
#[utoipa::path(post, path = "/v1/definitions/{id}/{version}/deprecate", tag = "definitions", operation_id = "deprecateDefinition", summary = "Deprecate \
    a version: no new instance runs it",
    params(VersionPath), responses((status = 200, body = Version), (status = 403), (status = 404), (status = 409)))]
pub async fn deprecate(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let designer = designer(&app, &request)?;
    let (id, version) = versioned(&path)?;
    let act = Act::by(&app, &request, &designer, "version deprecated")
        .on("process", id)
        .on("version", version);
    let row = act
        .done(
            app.sessions
                .runtime
                .definitions
                .deprecate(&designer.tenant, id, version),
        )
        .await
        .map_err(refused)?;
    Ok(json(StatusCode::OK, &Version::from(&row)))
}

/// `DELETE /v1/definitions/{id}/{version}` → 204: deletes a draft, or a former version without live
/// instances.
///
/// # Errors
/// 401, 403 without role designer, 404, 409 for a version that is published or has live instances.
#[utoipa::path(delete, path = "/v1/definitions/{id}/{version}", tag = "definitions", operation_id = "deleteDefinition", summary = "Delete \
    a version",
    params(VersionPath),
    responses((status = 204, description = "The version is deleted"), (status = 403), (status = 404), (status = 409)))]
pub async fn delete(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let designer = designer(&app, &request)?;
    let (id, version) = versioned(&path)?;
    let act = Act::by(&app, &request, &designer, "version deleted")
        .on("process", id)
        .on("version", version);
    act.done(
        app.sessions
            .runtime
            .definitions
            .delete(&designer.tenant, id, version),
    )
    .await
    .map_err(refused)?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /v1/definitions/{id}/disable`: nothing new starts until `POST
/// /v1/definitions/{id}/enable`; running instances continue.
///
/// # Errors
/// 401, 403 without role designer, 404, 409 for a process that was never published.
#[utoipa::path(post, path = "/v1/definitions/{id}/{change:disable|enable}", tag = "definitions", operation_id = "{}Definition", summary = "{} \
    the start of new instances", params(ProcessPath),
    responses((status = 200, body = Version), (status = 403), (status = 404), (status = 409)))]
pub async fn switch(
    request: HttpRequest,
    path: Path<(String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let designer = designer(&app, &request)?;
    let (id, change) = path.into_inner();
    let enable = change == "enable";
    let act = Act::by(
        &app,
        &request,
        &designer,
        if enable {
            "process enabled"
        } else {
            "process disabled"
        },
    )
    .on("process", &id);
    let row = act
        .done(
            app.sessions
                .runtime
                .definitions
                .switch(&designer.tenant, &id, enable),
        )
        .await
        .map_err(refused)?;
    Ok(json(StatusCode::OK, &Version::from(&row)))
}

/// The identity of a user who may change definitions.
///
/// # Errors
/// 401, 403 without role designer.
pub(in crate::web) fn designer(app: &App, request: &HttpRequest) -> Result<Identity, HttpProblem> {
    let (_, identity) = app.user(request)?;
    if identity.is_designer() {
        return Ok(identity);
    }
    Err(HttpProblem::new(
        ErrorCode::Forbidden,
        "expected role designer or admin, but the token grants neither",
    ))
}

pub(super) fn versioned(path: &(String, String)) -> Result<(&str, u32), HttpProblem> {
    let (id, version) = path;
    Ok((id, version.parse().map_err(|_| unknown())?))
}

/// Makes an answer from all of a version: for a large one on another thread, little of it at a
/// time, so that requests that share this thread do not wait for it.
pub(super) async fn written<T: Send + 'static>(
    request: &HttpRequest,
    process: Arc<DeployedProcess>,
    write: impl FnOnce(&DeployedProcess) -> T + Send + 'static,
) -> Result<T, HttpProblem> {
    if process.memory.bytes() <= limits::LARGE_DEFINITION {
        return Ok(write(&process));
    }
    body::on_pool(request, move || write(&process)).await
}

pub(super) fn unknown() -> HttpProblem {
    HttpProblem::new(
        ErrorCode::NotFound,
        "expected a deployed definition, but there is none with this id and version: see GET \
        /v1/definitions",
    )
}

/// The problem of a change that was refused.
pub(in crate::web) fn refused(error: DeployError) -> HttpProblem {
    match error {
        DeployError::Invalid(problems) => HttpProblem::invalid_definition(problems),
        DeployError::NotFound => unknown(),
        DeployError::Conflict(sentence) => HttpProblem::new(ErrorCode::Conflict, sentence),
        DeployError::Store(error) => error.into(),
        DeployError::NoRoom(room) => Refusal::NoRoom(room).into(),
        DeployError::Unknown => Refusal::Unknown.into(),
        DeployError::Busy | DeployError::Closed => HttpProblem::new(
            ErrorCode::Busy,
            "expected capacity for another change, but the server is busy: try again",
        ),
    }
}
