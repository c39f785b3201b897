//! Starting jobs. The response is exactly 200 and a bare JSON string, because clients take nothing
//! else for success.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    ascii,
    refused::Refused,
    workflow::{Named, OfWorkflow},
};
use crate::{
    limits,
    session::{
        auth::principal::Principal,
        protocol::{body as fields, code::ErrorCode, to_command},
    },
    text::json,
    web::{
        http::{app::App, body, problem::HttpProblem},
        openapi::shared::{CommandRefused, IdempotencyKey},
        rest::commands::command_id,
    },
};

/// `POST /api/v1/start?w=41` → `"<job id>"`. Any body is read and ignored: clients send none, an
/// empty one of any type, or an empty one in chunks.
///
/// # Errors
/// 400 without a number as `w`, 401, 404 for an unknown one, 409 for a disabled one; also as for
/// the frame `start`.
#[utoipa::path(post, path = "/api/v1/start", tag = "jobs", operation_id = "startJob", summary = "Start \
    a job",
    params(OfWorkflow, IdempotencyKey),
    responses((status = 200, body = Uuid, content_type = "application/json", description = "The \
        job's id"), CommandRefused, (status = 413)))]
pub async fn start(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    body::bytes(&request, payload, limits::REST_BODY_BYTES.get()).await?;
    let workflow = Named::read(&request)?.workflow()?;
    Ok(started(&app, &request, &principal, workflow, (json!({}), 0)).await?)
}

/// `POST /api/v1/start-with-variables` `{"WorkflowId":41,"Variables":[{"Name","Value"}]}` → `"<job
/// id>"`. Variables become members of the start data, with their values unchanged.
///
/// # Errors
/// As [`start`], 400 for another body.
#[utoipa::path(post, path = "/api/v1/start-with-variables", tag = "jobs", operation_id = "startJobWithVariables", summary = "Start \
    a job with data", params(IdempotencyKey),
    request_body = WithVariables, responses((status = 200, body = Uuid, content_type = "application/json", description = "The \
        job's id"), CommandRefused))]
pub async fn start_with_variables(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    let principal = app.bearer(&request)?;
    let bytes = body::bytes(&request, payload, limits::REST_BODY_BYTES.get()).await?;
    let length = bytes.len();
    let (workflow, data) =
        body::by_length(&request, length, move || with_variables(&bytes)).await??;
    Ok(started(&app, &request, &principal, workflow, (data, length)).await?)
}

/// The workflow and the start data that a body names.
fn with_variables(bytes: &[u8]) -> Result<(i64, Value), HttpProblem> {
    let body: WithVariables = json::from_text(&ascii::text(bytes)).map_err(|error| {
        let form = r#"{"WorkflowId":41,"Variables":[{"Name":"x","Value":"1"}]}"#;
        HttpProblem::new(
            ErrorCode::BadRequest,
            format!("expected a body like {form}, but: {error}"),
        )
    })?;
    let data = body
        .variables
        .into_iter()
        .map(|variable| (variable.name, variable.value))
        .collect();
    Ok((body.workflow_id, Value::Object(data)))
}

/// The body of a start with variables.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct WithVariables {
    workflow_id: i64,
    #[serde(default)]
    #[schema(required = false)]
    variables: Vec<Variable>,
}

/// A member of the start data.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Variable {
    name: String,
    value: Value,
}

/// Starts a workflow with data that came in so many bytes.
async fn started(
    app: &App,
    request: &HttpRequest,
    principal: &Principal,
    workflow: i64,
    (data, length): (Value, usize),
) -> Result<HttpResponse, HttpProblem> {
    let process = app.workflow(&principal.caller, workflow)?;
    let (id, by) = (command_id(request)?, principal.clone());
    let to_start = move || -> Result<_, HttpProblem> {
        let text = json!({"process": process.row.id, "data": data}).to_string();
        Ok(to_command::start(&fields::start(&text, id)?, &by)?)
    };
    let mut start = body::by_length(request, length, to_start).await??;
    app.admit_start(request, principal, &mut start)?;
    let job = start.key();
    app.start(start).await?;
    Ok(ascii::answer(&job))
}
