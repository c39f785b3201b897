//! Previews of parts of a model with sample data, for designers.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{definitions::designer, json};
use crate::{
    model::schedule::Schedule,
    runtime::previews::{Preview, Previewed, TooMany},
    session::protocol::code::ErrorCode,
    text,
    web::http::{app::App, body, problem::HttpProblem},
};

/// One part of a model, and sample data.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreviewRequest {
    /// A JSON template.
    message: Option<String>,
    /// A condition.
    condition: Option<String>,
    /// The schedule of a start event, in the JSON form.
    #[schema(value_type = Option<Object>)]
    schedule: Option<Box<Schedule>>,
    /// Data of an instance, for a message or a condition.
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    data: Value,
}

/// The result: one of these.
#[derive(Serialize, ToSchema, Default)]
struct PreviewAnswer {
    /// The message as clients would receive it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    message: Option<Value>,
    /// Whether the condition is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    condition: Option<bool>,
    /// The next times of the schedule, at most 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    times: Option<Vec<String>>,
    /// Why there is no result, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

/// `POST /v1/definition-previews` with one of `message`, `condition` and `schedule`, and `data` →
/// 200 with the rendered message, the condition's result, or the next times; or with `error`.
///
/// # Errors
/// 400, 401, 403 without role designer, 413, 503.
#[utoipa::path(post, path = "/v1/definition-previews", tag = "definitions", operation_id = "previewDefinition", summary = "Preview \
    a message, a condition or a schedule on sample data",
    request_body = PreviewRequest,
    responses((status = 200, body = PreviewAnswer), (status = 400), (status = 403)))]
pub async fn preview(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let designer = designer(&app, &request)?;
    let read = |text: &str| -> Result<PreviewRequest, _> {
        text::json::from_text(text).map_err(|error| {
            HttpProblem::new(
                ErrorCode::BadRequest,
                format!("expected a message, a condition or a schedule to preview, but {error}"),
            )
        })
    };
    let body = body::json(&request, payload, read).await??;
    let preview = match (body.message, body.condition, body.schedule) {
        (Some(message), None, None) => Preview::Message(message, body.data),
        (None, Some(condition), None) => Preview::Condition(condition, body.data),
        (None, None, Some(schedule)) => Preview::Schedule(schedule),
        _ => {
            return Err(HttpProblem::new(
                ErrorCode::BadRequest,
                "expected one of message, condition and schedule, but there is none or several; \
                send one",
            ));
        }
    };
    let runtime = &app.sessions.runtime;
    let previewed = runtime
        .preview(&designer.tenant, &designer.subject, preview)
        .await
        .map_err(|TooMany| {
            HttpProblem::new(
                ErrorCode::Busy,
                "expected capacity for another preview, but too many wait: try again",
            )
        })?;
    Ok(json(StatusCode::OK, &PreviewAnswer::from(previewed)))
}

impl From<Previewed> for PreviewAnswer {
    fn from(previewed: Previewed) -> Self {
        let none = Self::default();
        match previewed {
            Previewed::Message(message) => Self {
                message: Some(message),
                ..none
            },
            Previewed::Condition(condition) => Self {
                condition: Some(condition),
                ..none
            },
            Previewed::Times(times) => Self {
                times: Some(times.iter().map(ToString::to_string).collect()),
                ..none
            },
            Previewed::Failed(sentence) => Self {
                error: Some(sentence),
                ..none
            },
        }
    }
}
