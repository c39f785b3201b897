//! Notifications between users, which this server does not keep: nobody has any, and nobody is
//! notified.
//!
//! Anyone who waits for an approval sees it in `search-approval-workflows`, in the list of tasks,
//! and by the websocket. Requests are read and answered as what is true here, so that clients that
//! ask continue.

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
    web::http::{app::App, body, problem::Problem},
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

/// The one whose notifications is requested.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct OfUser {
    /// The user's name.
    a: String,
}

/// What is searched for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct WithText {
    /// In the message; nothing finds everything.
    s: Option<String>,
}

/// Who is to be notified of what.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its description is used")]
struct ToUser {
    /// The user's name.
    a: String,
    /// The message.
    m: String,
}

/// Whose approvers are to be notified of what.
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

/// `GET /api/v1/search-notifications?a=…&s=…`: none.
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

/// `POST /api/v1/mark-notifications-as-read` with a list of ids: whether there were all of them.
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

/// `POST /api/v1/mark-notifications-as-unread` with a list of ids: whether there were all of them.
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

/// `POST /api/v1/delete-notifications` with a list of ids: whether there were all of them.
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

/// `POST /api/v1/notify?a=…&m=…`: false, as nobody is notified.
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
    nobody_notified(&request, payload, &app, "a").await
}

/// `POST /api/v1/notify-approvers?r=…&m=…`: false, as nobody is notified.
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
    nobody_notified(&request, payload, &app, "r").await
}

async fn nobody_notified(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
    whom: &str,
) -> Result<HttpResponse, Refused> {
    app.bearer(request)?;
    body::bytes(request, payload, limits::REST_BODY_BYTES).await?;
    let named = Named::read(request)?;
    named.required(whom)?;
    named.required("m")?;
    Ok(ascii::answer(&false))
}

/// Whether there are all notifications with these ids: of none that is true.
async fn of_ids(
    request: &HttpRequest,
    payload: Payload,
    app: &App,
) -> Result<HttpResponse, Refused> {
    app.bearer(request)?;
    let bytes = body::bytes(request, payload, limits::REST_BODY_BYTES).await?;
    let ids: Vec<String> = json::from_bytes(&bytes).map_err(|error| {
        Problem::new(
            ErrorCode::BadRequest,
            format!("expected a list of ids such as [\"1\",\"2\"] as the body, but: {error}"),
        )
    })?;
    Ok(ascii::answer(&ids.is_empty()))
}
