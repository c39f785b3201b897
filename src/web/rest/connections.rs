//! The open connections, websockets and streams, for operators of a tenant or of the server.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{json, query};
use crate::{
    session::{auth::principal::Principal, protocol::code::ErrorCode},
    web::{
        http::{
            app::App,
            audit::Act,
            open_connection::{ConnectionLoad, OpenConnection, Protocol},
            problem::HttpProblem,
        },
        rest::listing::{bad_cursor, cut, part_length, require_operator},
    },
};

/// The connections to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ConnectionsQuery {
    /// Of this user.
    user: Option<String>,
    /// Only those whose client does not read at present.
    #[serde(default)]
    blocked: bool,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the previous part.
    cursor: Option<String>,
}

/// A part of a list of open connections, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectionList)]
struct ConnectionList {
    connections: Vec<ListedConnection>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// An open websocket or stream.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedConnection)]
#[serde(rename_all = "camelCase")]
struct ListedConnection {
    /// The `connection` of its `welcome`.
    connection: Uuid,
    protocol: Protocol,
    /// The user; absent before `hello`.
    user: Option<String>,
    tenant: Option<String>,
    /// Whether it has no token of a user.
    anonymous: bool,
    /// The client's address, according to trusted proxies.
    address: Option<String>,
    /// Name and version of the client, according to its `hello`.
    client: Option<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    /// Instances and lists that it follows.
    subscriptions: usize,
    /// Frames that wait to be sent.
    queued: usize,
    /// Frames that were sent.
    sent: u64,
    /// Since when its client has not been reading; absent while it keeps up.
    #[schema(format = DateTime)]
    blocked_since: Option<String>,
}

impl From<&OpenConnection> for ListedConnection {
    fn from(open: &OpenConnection) -> Self {
        let ConnectionLoad {
            subscriptions,
            queued,
            sent,
            blocked_since,
        } = open.load();
        let user = open.user();
        Self {
            connection: open.id,
            protocol: open.protocol,
            anonymous: user.as_ref().is_some_and(|user| user.anonymous),
            tenant: user.as_ref().map(|user| user.tenant.clone()),
            user: user.map(|user| user.subject),
            address: open.address.map(|address| address.to_string()),
            client: open.client(),
            opened_at: open.opened_at.to_string(),
            subscriptions,
            queued,
            sent,
            blocked_since: blocked_since.map(|since| since.to_string()),
        }
    }
}

/// `GET /v1/connections?user=&blocked=&limit=&cursor=` → `{"connections","next"}`: those of the
/// caller's tenant; for operators of the server all, including those before `hello`.
///
/// # Errors
/// 400, 401, 403 without role operator, admin or server-operator.
#[utoipa::path(get, path = "/v1/connections", tag = "server", operation_id = "listConnections", summary = "List \
    open websockets and streams", params(ConnectionsQuery),
    responses((status = 200, body = ConnectionList), (status = 400), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    require_either(&principal)?;
    let parameters: ConnectionsQuery = query(request.query_string())?;
    let after = parameters.cursor.as_deref().map(str::parse).transpose();
    let after = after.map_err(|_| bad_cursor())?;
    let limit = part_length(parameters.limit)?;
    let wanted = |open: &OpenConnection| {
        let user = open.user();
        let is_of = |name: &String| user.as_ref().is_some_and(|user| user.subject == *name);
        may_see(&principal, open)
            && parameters.user.as_ref().is_none_or(is_of)
            && (!parameters.blocked || open.load().blocked_since.is_some())
    };
    let mut found = app.connections.listed(after, wanted);
    let next = cut(&mut found, limit).map(|(number, _)| number.to_string());
    let connections = found.iter().map(|(_, open)| (&**open).into()).collect();
    Ok(json(StatusCode::OK, &ConnectionList { connections, next }))
}

/// `DELETE /v1/connections/{connection}` → 204: closes it. Its client may reconnect; to prevent
/// that, revoke its tokens.
///
/// # Errors
/// 401, 403 without role operator, admin or server-operator, 404.
#[utoipa::path(delete, path = "/v1/connections/{connection}", tag = "server", operation_id = "closeConnection", summary = "Close \
    a websocket or stream",
    params(("connection" = Uuid, Path, description = "The connection of its welcome")),
    responses((status = 204, description = "It is being closed"), (status = 403), (status = 404)))]
pub async fn close(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let (principal, identity) = app.user(&request)?;
    require_either(&principal)?;
    let id = path.parse::<Uuid>().ok();
    let wanted = |open: &OpenConnection| Some(open.id) == id && may_see(&principal, open);
    let Some(closed) = app.connections.close(wanted) else {
        let sentence = "expected an open connection of your tenant, but there is none with this id";
        return Err(HttpProblem::new(ErrorCode::NotFound, sentence));
    };
    let user = closed.user().map(|user| user.subject);
    let act = Act::by(&app, &request, &identity, "connection closed");
    let act = act.on("connection", &closed.id.to_string());
    act.on("user", user.as_deref().unwrap_or("not known yet"))
        .is_done();
    Ok(HttpResponse::NoContent().finish())
}

/// Refuses users who are operators of neither a tenant nor the server.
///
/// # Errors
/// 403 without role operator, admin or server-operator.
pub fn require_either(principal: &Principal) -> Result<(), HttpProblem> {
    if principal.is_server_operator() {
        return Ok(());
    }
    require_operator(&principal.caller)
}

fn may_see(principal: &Principal, open: &OpenConnection) -> bool {
    let is_of_tenant = || {
        open.user()
            .is_some_and(|user| user.tenant == principal.caller.tenant)
    };
    principal.is_server_operator() || is_of_tenant()
}
