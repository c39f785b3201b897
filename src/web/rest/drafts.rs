//! Drafts of the caller: what the user has typed into an action of a user task and not sent. The
//! REST counterpart of the frames `draft` and `drafted`, with the same rules and limits.
//!
//! Not here: storing drafts (`runtime::drafts`). Only connections have presence, because it lasts
//! as long as they do.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::json;
use crate::{
    engine::access::Caller,
    journal::DraftRow,
    model::ids::{ElementKey, InstanceKey},
    runtime::{drafts::DraftRequest, instance_request::Observed},
    session::protocol::{
        body as fields, code::ErrorCode, shapes::DraftToSave, task_notes, to_command,
    },
    web::{
        http::{app::App, body, problem::HttpProblem},
        instance_client::instance_key,
        openapi::shared::InstancePath,
    },
};

/// The task and action of a draft.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code, reason = "it is there for the document only")]
struct DraftPath {
    /// The instance's key, as the answer to its start gave it.
    key: Uuid,
    /// The user task: an `element` of `nodes`.
    element: String,
    /// The action.
    action: String,
}

/// A draft.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Draft<'a> {
    /// The user task.
    element: String,
    /// The action.
    action: &'a str,
    /// The input.
    #[schema(value_type = Object)]
    data: &'a RawValue,
    /// When it was saved.
    #[schema(format = DateTime)]
    saved_at: String,
}

/// The caller's drafts in an instance.
#[derive(Serialize, ToSchema)]
#[schema(as = DraftList)]
struct Drafts<'a> {
    drafts: Vec<Draft<'a>>,
}

/// `GET /v1/instances/{key}/drafts` → `{"drafts":[{"element","action","data","savedAt"}]}`.
///
/// # Errors
/// 401, 404.
#[utoipa::path(get, path = "/v1/instances/{key}/drafts", tag = "tasks", operation_id = "listDrafts", summary = "List \
    your drafts in an instance",
    params(InstancePath), responses((status = 200, body = Drafts), (status = 404)))]
pub async fn list(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let key = instance_key(&path)?;
    app.observe(key, &principal.caller, false).await?;
    let subject = to_command::subject(&principal.caller);
    let rows = app.sessions.runtime.drafts.of(key, &subject);
    let drafts = rows.iter().filter_map(|row| entry(row)).collect();
    Ok(json(StatusCode::OK, &Drafts { drafts }))
}

/// `GET /v1/instances/{key}/drafts/{element}/{action}`.
///
/// # Errors
/// 401, 404 if there is none, or the task has ended.
#[utoipa::path(get, path = "/v1/instances/{key}/drafts/{element}/{action}", tag = "tasks", operation_id = "getDraft", summary = "Read \
    your draft",
    params(DraftPath), responses((status = 200, body = Draft), (status = 404)))]
pub async fn get(
    request: HttpRequest,
    path: Path<(String, String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let place = active(&app, &principal.caller, path.into_inner()).await?;
    let subject = to_command::subject(&principal.caller);
    let rows = app.sessions.runtime.drafts.of(place.instance, &subject);
    let found = rows
        .iter()
        .find(|row| row.key.element == place.element && row.key.action == place.action)
        .and_then(|row| entry(row));
    found.map_or_else(
        || {
            Err(not_there(format!(
                "expected a draft of '{}', but you have none there",
                place.action
            )))
        },
        |draft| Ok(json(StatusCode::OK, &draft)),
    )
}

/// `PUT /v1/instances/{key}/drafts/{element}/{action}` `{"data"}` → 204 once it is durable.
///
/// # Errors
/// As for the frame `draft`; 404 if the task has ended or has no such action, 413.
#[utoipa::path(put, path = "/v1/instances/{key}/drafts/{element}/{action}", tag = "tasks", operation_id = "saveDraft", summary = "Save \
    your draft",
    params(DraftPath), request_body = DraftToSave, responses((status = 204, description = "It is kept"), (status = 403), (status = 404),
        (status = 409), (status = 413)))]
pub async fn put(
    request: HttpRequest,
    path: Path<(String, String, String)>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let place = DraftAddress::read(path.into_inner())?;
    let read = |text: &str| task_notes::text_of_draft(&fields::draft(text)?);
    let data = body::json(&request, payload, read).await??;
    place.send(&app, &principal.caller, Some(data)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /v1/instances/{key}/drafts/{element}/{action}` → 204, even if there was none.
///
/// # Errors
/// 401, 404 if the task has ended.
#[utoipa::path(delete, path = "/v1/instances/{key}/drafts/{element}/{action}", tag = "tasks", operation_id = "dropDraft", summary = "Drop \
    your draft",
    params(DraftPath), responses((status = 204, description = "There is none any more"), (status = 404)))]
pub async fn delete(
    request: HttpRequest,
    path: Path<(String, String, String)>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let place = active(&app, &principal.caller, path.into_inner()).await?;
    place.send(&app, &principal.caller, None).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// An action of a task.
struct DraftAddress {
    instance: InstanceKey,
    element: ElementKey,
    action: String,
}

impl DraftAddress {
    /// The action that a path names. Its element may have ended.
    ///
    /// # Errors
    /// 404.
    fn read((key, element, action): (String, String, String)) -> Result<Self, HttpProblem> {
        let instance = instance_key(&key)?;
        let Some(element) = ElementKey::from_wire(&element, instance) else {
            return Err(not_there(format!(
                "expected the key of an element of this instance, but '{element}' is not one"
            )));
        };
        Ok(Self {
            instance,
            element,
            action,
        })
    }

    async fn send(
        self,
        app: &App,
        caller: &Caller,
        data: Option<String>,
    ) -> Result<(), HttpProblem> {
        let request = DraftRequest {
            instance: self.instance,
            element: Some(self.element),
            action: self.action,
            subject: to_command::subject(caller),
            data,
        };
        app.draft(caller, request).await
    }
}

/// The action that a path names, of an instance the caller may see, while the task waits.
///
/// # Errors
/// 404.
async fn active(
    app: &App,
    caller: &Caller,
    named: (String, String, String),
) -> Result<DraftAddress, HttpProblem> {
    let place = DraftAddress::read(named)?;
    let observed = app.observe(place.instance, caller, false).await?;
    if is_active(&observed, place.element) {
        return Ok(place);
    }
    Err(not_there(
        "expected an active user task, but this one has ended; its draft is deleted".to_owned(),
    ))
}

fn is_active(observed: &Observed, element: ElementKey) -> bool {
    let mut tokens = observed.next.tokens.iter();
    tokens.any(|token| token.element == element)
}

fn not_there(sentence: String) -> HttpProblem {
    HttpProblem::new(ErrorCode::NotFound, sentence)
}

fn entry(row: &DraftRow) -> Option<Draft<'_>> {
    // It was parsed when it was saved.
    let data = serde_json::from_str(&row.data).ok()?;
    Some(Draft {
        element: row.key.element.wire(row.key.instance),
        action: &row.key.action,
        data,
        saved_at: row.saved_at.to_string(),
    })
}
