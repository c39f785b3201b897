//! Starting jobs. The answer is exactly 200 and a bare JSON string, as clients take nothing else for success.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use serde_json::{Value, json};

use super::{refused::Refused, workflow::Named};
use crate::{
    limits,
    session::{frames::body as fields, requests, who::Who},
    web::{app::App, body, problem::Problem, rest::commands::command_id},
};

/// `POST /api/v1/start?w=41` → `"<job id>"`. Whatever body comes is read and dropped: clients send none, an empty one of any
/// type, or an empty one in chunks.
///
/// # Errors
/// 400 without a number as `w`, 401, 404 for an unknown one, as for the frame `start` besides.
pub async fn start(request: HttpRequest, payload: Payload, app: Data<App>) -> Result<HttpResponse, Refused> {
    let who = app.bearer(&request)?;
    body::bytes(&request, payload, limits::REST_BODY_BYTES).await?;
    let workflow = Named::read(&request)?.workflow()?;
    Ok(started(&app, &request, &who, workflow, &json!({})).await?)
}

async fn started(app: &App, request: &HttpRequest, who: &Who, workflow: i64, data: &Value) -> Result<HttpResponse, Problem> {
    let process = app.workflow(&who.caller, workflow)?;
    let text = json!({"process": process.row.id, "data": data}).to_string();
    let start = requests::start(&fields::start(&text, command_id(request)?)?, who)?;
    let job = start.key();
    app.start(start).await?;
    Ok(HttpResponse::Ok().json(job))
}
