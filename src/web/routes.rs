//! The only route table. Other paths are answered by a page that says so, or for programs by a
//! problem in JSON.
//!
//! `route_table` registers the table. A test compares it with the API that `openapi` describes.

use actix_web::{
    Handler, Resource, Responder, Route,
    guard::{Any, Get, Head},
    web::{self, ServiceConfig},
};

use super::{
    http::{
        parameters,
        route_table::{RouteEntry, RouteTable},
        strict_input::{no_body, no_input, no_query},
    },
    jobs,
    openapi::{self, api_page, asyncapi},
    pages::{
        assets, designer, docs, home, instances as instance_pages, operations, playground,
        processes, sign_in, start, tasks as task_pages,
    },
    rest::{
        audit, commands, connections, definition_source, definition_types, definition_versions,
        definitions, drafts, health, history, http_calls, incidents, instance_list, instances,
        login, messages, metrics, migration, overview, previews, schedules, settings, statistics,
        stream as instance_stream, tasks, tickets, timers, tokens, trials, uploads, users,
    },
    websocket::socket,
};

/// Adds every route.
pub fn routes(service: &mut ServiceConfig) {
    service
        .app_data(
            web::QueryConfig::default()
                .error_handler(|error, _| parameters::problem(&error).into()),
        )
        .app_data(web::PathConfig::default().error_handler(|_, _| start::nothing().into()))
        .configure(|service| table().register(service))
        .default_service(web::to(start::nothing_here));
}

/// All routes, in the order in which paths are matched: first those that clients request most.
pub fn table() -> RouteTable {
    RouteTable::default()
        .service(both(
            "/v1/instances",
            no_body(instance_list::list),
            no_query(instances::start),
        ))
        .service(post("/v1/instances/{key}/run", no_query(commands::run)))
        .service(get("/v1/instances/{key}", no_body(instances::get)))
        .service(get("/healthz", health::healthz))
        .service(get("/readyz", health::readyz))
        .service(get("/metrics", metrics::metrics))
        .service(get("/openapi.json", openapi::json))
        .service(get("/asyncapi.json", asyncapi::json))
        .service(get("/docs/api", api_page::page))
        .service(get("/docs/api/{file:.*}", api_page::file))
        .service(get("/v1/ws", no_body(socket::websocket)))
        .service(post("/v1/login", no_query(login::login)))
        .service(post("/v1/logout", no_input(login::logout)))
        .service(post("/v1/tickets", no_query(tickets::issue)))
        .service(both(
            "/v1/definitions",
            no_body(definition_versions::list),
            definitions::deploy,
        ))
        .service(post("/v1/definition-checks", no_query(definitions::check)))
        .service(post("/v1/definition-previews", no_query(previews::preview)))
        .service(post("/v1/trials", no_query(trials::begin)))
        .service(at("/v1/trials/{trial}", "GET, HEAD, DELETE", |trial| {
            trial
                .route(read(no_input(trials::get)))
                .route(web::delete().to(no_input(trials::end)))
        }))
        .service(post("/v1/trials/{trial}/users", no_query(trials::user)))
        .service(post("/v1/trials/{trial}/clock", no_query(trials::clock)))
        .service(get(
            "/v1/trials/{trial}/instances/{key}",
            no_input(trials::instance),
        ))
        .service(get(
            "/v1/trials/{trial}/ws",
            no_input(socket::trial_websocket),
        ))
        .service(get(
            "/v1/definitions/{id}",
            no_input(definition_versions::get),
        ))
        .service(post(
            "/v1/definitions/{id}/{change:disable|enable}",
            no_input(definitions::switch),
        ))
        .service(at(
            "/v1/definitions/{id}/{version}",
            "GET, HEAD, DELETE",
            |version| {
                version
                    .route(read(no_input(definition_source::source)))
                    .route(web::delete().to(no_input(definitions::delete)))
            },
        ))
        .service(get(
            "/v1/definitions/{id}/{version}/types.d.ts",
            no_input(definition_types::types),
        ))
        .service(get(
            "/v1/definitions/{id}/{version}/schemas",
            no_input(definition_types::schemas),
        ))
        .service(get(
            "/v1/definitions/{id}/{version}/statistics",
            no_body(statistics::statistics),
        ))
        .service(post(
            "/v1/definitions/{id}/{version}/publish",
            no_input(definitions::publish),
        ))
        .service(post(
            "/v1/definitions/{id}/{version}/deprecate",
            no_input(definitions::deprecate),
        ))
        .service(post("/v1/messages", no_query(messages::message)))
        .service(post("/v1/signals", no_query(messages::signal)))
        .service(post("/v1/conditions", no_query(messages::conditions)))
        .service(get("/v1/schedules", no_body(schedules::list)))
        .service(get(
            "/v1/schedules/{process}/{node}",
            no_input(schedules::get),
        ))
        .service(post(
            "/v1/schedules/{process}/{node}/enable",
            no_input(schedules::enable),
        ))
        .service(post(
            "/v1/schedules/{process}/{node}/disable",
            no_input(schedules::disable),
        ))
        .service(post(
            "/v1/schedules/{process}/{node}/run",
            no_input(schedules::run),
        ))
        .service(get(
            "/v1/instances/{key}/children",
            no_body(instances::children),
        ))
        .service(get(
            "/v1/instances/{key}/history",
            no_body(history::history),
        ))
        .service(get(
            "/v1/instances/{key}/records",
            no_body(history::timeline::records),
        ))
        .service(get(
            "/v1/instances/{key}/messages",
            no_body(history::messages),
        ))
        .service(stream(
            "/v1/instances/{key}/stream",
            no_body(instance_stream::stream),
        ))
        .service(at("/v1/instances/{key}/data", "PATCH", |data| {
            data.route(web::patch().to(no_query(commands::patch)))
        }))
        .service(post("/v1/instances/{key}/upload", uploads::upload))
        .service(get(
            "/v1/instances/{key}/files/{id}",
            no_input(uploads::file),
        ))
        .service(post("/v1/instances/{key}/done", no_query(commands::done)))
        .service(post(
            "/v1/instances/{key}/{command:hold|unhold|terminate|dismiss}",
            no_query(commands::on_instance),
        ))
        .service(post(
            "/v1/instances/{key}/{command:retry|skip|claim|release}",
            no_query(commands::at_element),
        ))
        .service(post(
            "/v1/instances/{key}/assign",
            no_query(commands::assign),
        ))
        .service(get("/v1/instances/{key}/drafts", no_input(drafts::list)))
        .service(at(
            "/v1/instances/{key}/drafts/{element}/{action}",
            "GET, HEAD, PUT, DELETE",
            |draft| {
                draft
                    .route(read(no_input(drafts::get)))
                    .route(web::put().to(no_query(drafts::put)))
                    .route(web::delete().to(no_input(drafts::delete)))
            },
        ))
        .service(post(
            "/v1/instances/{key}/move",
            no_query(commands::move_token),
        ))
        .service(post(
            "/v1/instances/{key}/migrate",
            no_query(migration::migrate),
        ))
        .service(post(
            "/v1/instances/{key}/migrate/preview",
            no_query(migration::preview),
        ))
        .service(both(
            "/v1/users",
            no_body(users::list),
            no_query(users::add),
        ))
        .service(at("/v1/users/me/password", "PUT", |password| {
            password.route(web::put().to(no_query(users::own_password)))
        }))
        .service(at("/v1/users/{name}", "PATCH, DELETE", |user| {
            user.route(web::patch().to(no_query(users::change)))
                .route(web::delete().to(no_input(users::remove)))
        }))
        .service(post("/v1/users/{name}/revoke", no_input(users::revoke)))
        .service(post("/v1/tokens", no_query(tokens::issue)))
        .service(get("/v1/tasks", no_body(tasks::list)))
        .service(get("/v1/incidents", no_body(incidents::list)))
        .service(get("/v1/timers", no_body(timers::list)))
        .service(get("/v1/audit", no_body(audit::list)))
        .service(get("/v1/overview", no_input(overview::overview)))
        .service(get("/v1/http-calls", no_body(http_calls::list)))
        .service(get("/v1/settings", no_input(settings::settings)))
        .service(get("/v1/connections", no_body(connections::list)))
        .service(at("/v1/connections/{connection}", "DELETE", |connection| {
            connection.route(web::delete().to(no_input(connections::close)))
        }))
        .service(get("/api/v1/hello", jobs::sign_in::hello))
        .service(post("/api/v1/login", jobs::sign_in::login))
        .service(post("/api/v1/logout", jobs::sign_in::logout))
        .service(post("/api/v1/start", jobs::start::start))
        .service(post(
            "/api/v1/start-with-variables",
            jobs::start::start_with_variables,
        ))
        .service(post("/api/v1/stop", jobs::commands::stop))
        .service(post("/api/v1/suspend", jobs::commands::suspend))
        .service(post("/api/v1/resume", jobs::commands::resume))
        .service(post("/api/v1/approve", jobs::commands::approve))
        .service(post("/api/v1/reject", jobs::commands::reject))
        .service(get("/api/v1/workflow", jobs::entries::workflow))
        .service(get("/api/v1/job", jobs::entries::job))
        .service(get("/api/v1/jobs", jobs::entries::jobs))
        .service(get("/api/v1/search", jobs::entries::search))
        .service(get(
            "/api/v1/search-approval-workflows",
            jobs::entries::search_approvals,
        ))
        .service(get(
            "/api/v1/search-entries-by-page-order-by",
            jobs::dashboard::search,
        ))
        .service(get(
            "/api/v1/search-history-entries-by-page-order-by",
            jobs::dashboard::search_history,
        ))
        .service(get("/api/v1/entries-count-by-date", jobs::dashboard::count))
        .service(get(
            "/api/v1/history-entries-count-by-date",
            jobs::dashboard::count_history,
        ))
        .service(get(
            "/api/v1/entry-status-date-min",
            jobs::dashboard::date_min,
        ))
        .service(get(
            "/api/v1/entry-status-date-max",
            jobs::dashboard::date_max,
        ))
        .service(get(
            "/api/v1/history-entry-status-date-min",
            jobs::dashboard::history_date_min,
        ))
        .service(get(
            "/api/v1/history-entry-status-date-max",
            jobs::dashboard::history_date_max,
        ))
        .service(get("/api/v1/entry", jobs::dashboard::entry))
        .service(get("/api/v1/entry-logs", jobs::logs::logs))
        .service(get("/api/v1/history-entry-logs", jobs::logs::history_logs))
        .service(post("/api/v1/enable/{workflow}", jobs::enable::enable))
        .service(post("/api/v1/disable/{workflow}", jobs::enable::disable))
        .service(get("/api/v1/has-notifications", jobs::notifications::has))
        .service(get(
            "/api/v1/search-notifications",
            jobs::notifications::search,
        ))
        .service(post(
            "/api/v1/mark-notifications-as-read",
            jobs::notifications::mark_as_read,
        ))
        .service(post(
            "/api/v1/mark-notifications-as-unread",
            jobs::notifications::mark_as_unread,
        ))
        .service(post(
            "/api/v1/delete-notifications",
            jobs::notifications::delete,
        ))
        .service(post("/api/v1/notify", jobs::notifications::notify))
        .service(post(
            "/api/v1/notify-approvers",
            jobs::notifications::notify_approvers,
        ))
        .service(get("/api/v1/status-count", jobs::counts::status_count))
        .service(stream("/api/v1/sse/status-count", jobs::counts::stream))
        .service(stream("/api/v1/sse/{workflow}/{job}", jobs::stream::stream))
        .service(get("/", home::home))
        .service(get("/demo", home::demo))
        .service(both("/sign-in", sign_in::by_link, sign_in::by_form))
        .service(post("/sign-out", sign_in::out))
        .service(get("/admin", start::admin))
        .service(get("/admin/", start::admin))
        .service(get("/admin/instances", instance_pages::list))
        .service(get("/admin/instances/{key}", instance_pages::one))
        .service(get("/admin/processes", processes::list))
        .service(get("/admin/designer/{process}", designer::open))
        .service(get("/admin/tasks", task_pages::own_tasks))
        .service(get("/admin/playground", playground::open))
        .service(get("/admin/operations", operations::first))
        .service(get("/admin/operations/{page}", operations::one))
        .service(get("/assets/{file:.*}", assets::asset))
        .service(get("/llms.txt", docs::llms))
        .service(get("/docs", docs::list))
        .service(get("/docs/{page:.*}", docs::one))
}

/// The entry of a path with its routes.
fn at(
    path: &'static str,
    methods: &'static str,
    routes: impl FnOnce(Resource) -> Resource,
) -> RouteEntry {
    RouteEntry::new(path, methods, routes(web::resource(path)))
}

fn get<F, A>(path: &'static str, handler: F) -> RouteEntry
where
    F: Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    RouteEntry::new(path, "GET, HEAD", web::resource(path).route(read(handler)))
}

fn post<F, A>(path: &'static str, handler: F) -> RouteEntry
where
    F: Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    RouteEntry::new(
        path,
        "POST",
        web::resource(path).route(web::post().to(handler)),
    )
}

/// A stream never ends, so it does not answer HEAD.
fn stream<F, A>(path: &'static str, handler: F) -> RouteEntry
where
    F: Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    RouteEntry::new(
        path,
        "GET",
        web::resource(path).route(web::get().to(handler)),
    )
}

fn both<F, A, G, B>(path: &'static str, reader: F, writer: G) -> RouteEntry
where
    F: Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
    G: Handler<B>,
    B: actix_web::FromRequest + 'static,
    G::Output: Responder + 'static,
{
    RouteEntry::new(
        path,
        "GET, HEAD, POST",
        web::resource(path)
            .route(read(reader))
            .route(web::post().to(writer)),
    )
}

fn read<F, A>(handler: F) -> Route
where
    F: Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::route().guard(Any(Get()).or(Head())).to(handler)
}
