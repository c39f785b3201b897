//! Enables and disables workflows: the same as `POST /v1/definitions/{id}/enable`, by the
//! workflow's number.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path, Payload},
};

use super::{ascii, refused::Refused};
use crate::{
    journal::DefinitionState,
    limits,
    session::protocol::code::ErrorCode,
    web::{
        http::{app::App, audit::Act, body, problem::HttpProblem},
        rest::definitions,
    },
};

/// `POST /api/v1/enable/{workflow}`: lets a disabled workflow start jobs again → whether it is
/// enabled now.
///
/// # Errors
/// 401, 403 without role designer, 404.
#[utoipa::path(post, path = "/api/v1/enable/{workflow}", tag = "jobs", operation_id = "enableWorkflow", summary = "Enable \
    a workflow",
    params(("workflow" = i64, Path, description = "The workflow's number")),
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        it is enabled now"),
        (status = 403), (status = 404), (status = 413)))]
pub async fn enable(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    let state = switch(&request, &path, payload, &app, true).await?;
    Ok(ascii::answer(&(state == DefinitionState::Published)))
}

/// `POST /api/v1/disable/{workflow}`: lets a workflow start nothing new; its jobs continue →
/// whether it is disabled now.
///
/// # Errors
/// As [`enable`].
#[utoipa::path(post, path = "/api/v1/disable/{workflow}", tag = "jobs", operation_id = "disableWorkflow",
    summary = "Disable a workflow", params(("workflow" = i64, Path, description = "The \
        workflow's number")),
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        it is disabled now"),
        (status = 403), (status = 404), (status = 413)))]
pub async fn disable(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    let state = switch(&request, &path, payload, &app, false).await?;
    Ok(ascii::answer(&(state == DefinitionState::Disabled)))
}

async fn switch(
    request: &HttpRequest,
    number: &str,
    payload: Payload,
    app: &App,
    enabled: bool,
) -> Result<DefinitionState, HttpProblem> {
    let principal = app.bearer(request)?;
    let designer = definitions::designer(app, request)?;
    body::bytes(request, payload, limits::REST_BODY_BYTES.get()).await?;
    let unknown = |_| {
        HttpProblem::new(
            ErrorCode::NotFound,
            "expected the number of a workflow, but this is not one",
        )
    };
    let process = app.workflow(&principal.caller, number.parse().map_err(unknown)?)?;
    let definitions = &app.sessions.runtime.definitions;
    let act = Act::by(
        app,
        request,
        &designer,
        if enabled {
            "process enabled"
        } else {
            "process disabled"
        },
    )
    .on("process", &process.row.id);
    let switching = definitions.switch(&designer.tenant, &process.row.id, enabled);
    let row = act.done(switching).await.map_err(definitions::refused)?;
    Ok(row.state)
}
