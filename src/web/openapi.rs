//! The OpenAPI document of the HTTP interface, made from the annotations of the handlers.
//!
//! A handler has an annotation `#[utoipa::path]` with its parameters and responses, and a line in
//! the list below. What follows from the form of a request is not written there, but added in
//! `completion`: a request that needs a token may be answered 401, one with a body 413, and every
//! refusal is a `Problem`. So an annotation only names its successful responses, and its own
//! refusals as bare statuses: `(status = 404)`. Common parts: `shared`. A test compares this list
//! with `routes`. Not here: the page that shows the document (`api_page`), the websocket's document
//! (`asyncapi`).

pub mod api_page;
pub mod asyncapi;
mod completion;
mod optional_fields;
pub mod published;
pub mod shared;

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use utoipa::OpenApi;

pub(super) use optional_fields::loosen;

use super::{
    http::problem::Details,
    jobs,
    openapi::published::PublishedDocument,
    rest::{self, health, metrics},
    websocket::socket,
};

/// The handlers, by resource as in `routes`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stepwire",
        description = "Runs BPMN processes and tells their users the next step. What refusals \
            mean: /docs/errors/README. The websocket has its own document: /asyncapi.json.",
        contact(),
    ),
    paths(
        health::healthz,
        health::readyz,
        metrics::metrics,
        json,
        asyncapi::json,
        rest::definition_versions::list,
        rest::definitions::deploy,
        rest::definition_versions::get,
        rest::definitions::switch,
        rest::definition_source::source,
        rest::definitions::check,
        rest::previews::preview,
        rest::definitions::delete,
        rest::definition_types::types,
        rest::definition_types::schemas,
        rest::statistics::statistics,
        rest::definitions::publish,
        rest::definitions::deprecate,
        rest::messages::message,
        rest::messages::signal,
        rest::messages::conditions,
        rest::schedules::list,
        rest::schedules::get,
        rest::schedules::enable,
        rest::schedules::disable,
        rest::schedules::run,
        rest::instance_list::list,
        rest::instances::start,
        rest::instances::get,
        rest::instances::children,
        rest::overview::overview,
        rest::history::history,
        rest::history::messages,
        rest::history::timeline::records,
        rest::stream::stream,
        rest::commands::run,
        rest::commands::patch,
        rest::commands::done,
        rest::commands::on_instance,
        rest::commands::at_element,
        rest::commands::assign,
        rest::commands::move_token,
        rest::migration::migrate,
        rest::migration::preview,
        rest::uploads::upload,
        rest::uploads::file,
        rest::tasks::list,
        rest::drafts::list,
        rest::drafts::get,
        rest::drafts::put,
        rest::drafts::delete,
        rest::incidents::list,
        rest::timers::list,
        rest::audit::list,
        rest::http_calls::list,
        rest::users::list,
        rest::users::add,
        rest::users::own_password,
        rest::users::change,
        rest::users::remove,
        rest::users::revoke,
        rest::tokens::issue,
        rest::login::login,
        rest::login::logout,
        rest::trials::begin,
        rest::trials::get,
        rest::trials::end,
        rest::trials::user,
        rest::trials::clock,
        rest::trials::instance,
        socket::trial_websocket,
        rest::connections::list,
        rest::connections::close,
        rest::settings::settings,
        rest::tickets::issue,
        socket::websocket,
        jobs::sign_in::hello,
        jobs::sign_in::login,
        jobs::sign_in::logout,
        jobs::start::start,
        jobs::start::start_with_variables,
        jobs::commands::stop,
        jobs::commands::suspend,
        jobs::commands::resume,
        jobs::commands::approve,
        jobs::commands::reject,
        jobs::entries::workflow,
        jobs::entries::job,
        jobs::entries::jobs,
        jobs::entries::search,
        jobs::entries::search_approvals,
        jobs::dashboard::search,
        jobs::dashboard::search_history,
        jobs::dashboard::count,
        jobs::dashboard::count_history,
        jobs::dashboard::date_min,
        jobs::dashboard::date_max,
        jobs::dashboard::history_date_min,
        jobs::dashboard::history_date_max,
        jobs::dashboard::entry,
        jobs::logs::logs,
        jobs::logs::history_logs,
        jobs::enable::enable,
        jobs::enable::disable,
        jobs::notifications::has,
        jobs::notifications::search,
        jobs::notifications::mark_as_read,
        jobs::notifications::mark_as_unread,
        jobs::notifications::delete,
        jobs::notifications::notify,
        jobs::notifications::notify_approvers,
        jobs::counts::status_count,
        jobs::counts::stream,
        jobs::stream::stream,
    ),
    components(schemas(Details)),
    tags(
        (name = "definitions", description = "Process definitions"),
        (name = "trials", description = "Trials of drafts: each has a runtime of its own with a stopped clock"),
        (name = "instances", description = "Process instances: start, read, run, follow"),
        (name = "tasks", description = "User tasks"),
        (name = "incidents", description = "Open incidents"),
        (name = "timers", description = "Armed timers"),
        (name = "messages", description = "Messages, signals and conditions from outside"),
        (name = "schedules", description = "Scheduled starts"),
        (name = "operations", description = "Calls to other systems"),
        (name = "users", description = "Users and their tokens"),
        (name = "signing in", description = "Tokens, cookies, tickets"),
        (name = "jobs", description = "Jobs in the wire format of Wexflow's API"),
        (name = "server", description = "Health, metrics and the documents of the interface"),
    ),
    security(("bearer" = []), ("cookie" = [])),
)]
struct Described;

/// The document.
pub fn document() -> Value {
    let mut document = Described::openapi();
    completion::complete(&mut document);
    // Its keys are texts, and its serializers do not fail.
    let mut document = serde_json::to_value(&document).unwrap_or_default();
    loosen(&mut document);
    optional_fields::close_bodies(&mut document, "/v1/");
    document
}

/// `GET /openapi.json`: this document. For anybody.
#[utoipa::path(get, path = "/openapi.json", tag = "server", operation_id = "getOpenapi", summary = "Read \
    this document", security(()),
    responses((status = 200, description = "An OpenAPI document", body = Object, content_type = "application/json"), (status = 304, description = "As \
        it was")))]
pub async fn json(request: HttpRequest) -> HttpResponse {
    static PUBLISHED: LazyLock<PublishedDocument> =
        LazyLock::new(|| PublishedDocument::new(&document()));
    PUBLISHED.answer(&request)
}
