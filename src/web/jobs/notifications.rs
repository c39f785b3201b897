//! Notifications between users, which this server does not have: nobody has any, and nobody is
//! notified.
//!
//! Users who wait for an approval see it in `search-approval-workflows`, in the list of tasks, and
//! by the websocket. Requests are parsed and answered truthfully, so that clients that send them
//! continue to work.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{ascii, refused::Refused, workflow::Named};
use crate::{
    limits,
    session::protocol::code::ErrorCode,
    text::json,
    web::http::{app::App, body, problem::HttpProblem},
};

/// A notification of a user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    id: String,
    assigned_by: String,
    assigned_on: String,
    assigned_to: String,
    message: String,
    is_read: bool,
}

/// The user whose notifications are read.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct OfUser {
    /// The user's name.
    a: String,
}

/// The text to search for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct WithText {
    /// A text in the message; an empty one matches everything.
    s: Option<String>,
}

/// The user to notify, and the message.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct ToUser {
    /// The user's name.
    a: String,
    /// The message.
    m: String,
}

/// The record whose approvers to notify, and the message.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct ToApprovers {
    /// The id of a record.
    r: String,
    /// The message.
    m: String,
}

/// `GET /api/v1/has-notifications?a=…`: false.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/api/v1/has-notifications", tag = "jobs", operation_id = "hasNotifications",
    summary = "Ask whether a user has notifications", params(OfUser),
    responses((status = 200, body = bool, content_type = "application/json", description = "Always \
        false")))]
pub async fn has(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    app.bearer(&request)?;
    Named::read(&request)?.required("a")?;
    Ok(ascii::answer(&false))
}

/// `GET /api/v1/search-notifications?a=…&s=…`: an empty list.
///
/// # Errors
/// 400, 401.
#[utoipa::path(get, path = "/api/v1/search-notifications", tag = "jobs", operation_id = "searchNotifications",
    summary = "List the notifications of a user", params(OfUser, WithText),
    responses((status = 200, body = Vec<Notification>, description = "Always empty")))]
pub async fn search(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Refused> {
    app.bearer(&request)?;
    Named::read(&request)?.required("a")?;
    Ok(ascii::answer(&Vec::<Notification>::new()))
}

/// `POST /api/v1/mark-notifications-as-read` with a list of ids: whether all of them exist.
///
/// # Errors
/// 400 for another body, 401.
#[utoipa::path(post, path = "/api/v1/mark-notifications-as-read", tag = "jobs", operation_id = "markNotificationsAsRead",
    summary = "Mark notifications as read", request_body = Vec<String>,
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        there were all of them")))]
pub async fn mark_as_read(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    of_ids(&request, payload, &app).await
}

/// `POST /api/v1/mark-notifications-as-unread` with a list of ids: whether all of them exist.
///
/// # Errors
/// As [`mark_as_read`].
#[utoipa::path(post, path = "/api/v1/mark-notifications-as-unread", tag = "jobs", operation_id = "markNotificationsAsUnread",
    summary = "Mark notifications as unread", request_body = Vec<String>,
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        there were all of them")))]
pub async fn mark_as_unread(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    of_ids(&request, payload, &app).await
}

/// `POST /api/v1/delete-notifications` with a list of ids: whether all of them exist.
///
/// # Errors
/// As [`mark_as_read`].
#[utoipa::path(post, path = "/api/v1/delete-notifications", tag = "jobs", operation_id = "deleteNotifications",
    summary = "Delete notifications", request_body = Vec<String>,
    responses((status = 200, body = bool, content_type = "application/json", description = "Whether \
        there were all of them")))]
pub async fn delete(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    of_ids(&request, payload, &app).await
}

/// `POST /api/v1/notify?a=…&m=…`: false, because nobody is notified.
///
/// # Errors
/// 400, 401.
#[utoipa::path(post, path = "/api/v1/notify", tag = "jobs", operation_id = "notifyUser", summary = "Notify \
    a user", params(ToUser),
    responses((status = 200, body = bool, content_type = "application/json", description = "Always \
        false"), (status = 413)))]
pub async fn notify(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    none_notified(&request, payload, &app, "a").await
}

/// `POST /api/v1/notify-approvers?r=…&m=…`: false, because nobody is notified.
///
/// # Errors
/// 400, 401.
#[utoipa::path(post, path = "/api/v1/notify-approvers", tag = "jobs", operation_id = "notifyApprovers",
    summary = "Notify the approvers of a record", params(ToApprovers),
    responses((status = 200, body = bool, content_type = "application/json", description = "Always \
        false"), (status = 413)))]
pub async fn notify_approvers(
    request: HttpRequest,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, Refused> {
    none_notified(&request, payload, &app, "r").await
}

async fn none_notified(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    whom: &str,
) -> Result<HttpResponse, Refused> {
    app.bearer(request)?;
    body::bytes(request, payload, limits::REST_BODY_BYTES.get()).await?;
    let named = Named::read(request)?;
    named.required(whom)?;
    named.required("m")?;
    Ok(ascii::answer(&false))
}

/// Whether all notifications with these ids exist: true for an empty list.
async fn of_ids(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
) -> Result<HttpResponse, Refused> {
    app.bearer(request)?;
    let bytes = body::bytes(request, payload, limits::REST_BODY_BYTES.get()).await?;
    let length = bytes.len();
    let read = move || -> Result<Vec<String>, _> {
        json::from_bytes(&bytes).map_err(|error| {
            HttpProblem::new(
                ErrorCode::BadRequest,
                format!("expected a list of ids such as [\"1\",\"2\"] as the body, but: {error}"),
            )
        })
    };
    let ids = body::by_length(request, length, read).await??;
    Ok(ascii::answer(&ids.is_empty()))
}
