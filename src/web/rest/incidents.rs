//! Open incidents of a tenant: elements that are stuck until somebody intervenes. For operators;
//! other users see an incident in its instance.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::{json, query};
use crate::{
    journal::IncidentRow,
    model::ids::InstanceKey,
    web::{
        http::{app::App, problem::HttpProblem},
        rest::listing::{
            PlaceQuery, cut, part_length, read_element_cursor, require_operator,
            write_element_cursor,
        },
    },
};

/// A part of a list of incidents, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentList)]
struct Incidents<'a> {
    incidents: Vec<Incident<'a>>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// An element that is stuck.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Incident<'a> {
    instance: InstanceKey,
    /// For `retry` and `skip`.
    element: String,
    process: &'a str,
    node: &'a str,
    /// The error as a code for programs.
    code: &'a str,
    /// The error as a sentence for people.
    message: &'a str,
    #[schema(format = DateTime)]
    raised_at: String,
}

impl<'a> From<&'a IncidentRow> for Incident<'a> {
    fn from(row: &'a IncidentRow) -> Self {
        Self {
            instance: row.instance,
            element: row.element.wire(row.instance),
            process: &row.process,
            node: &row.node,
            code: &row.code,
            message: &row.message,
            raised_at: row.raised_at.to_string(),
        }
    }
}

/// `GET /v1/incidents?process=&instance=&limit=&cursor=` → `{"incidents","next"}`.
///
/// # Errors
/// 400, 401, 403 without role operator or admin.
#[utoipa::path(get, path = "/v1/incidents", tag = "incidents", operation_id = "listIncidents", summary = "List \
    open incidents",
    params(PlaceQuery), responses((status = 200, body = Incidents), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    require_operator(&principal.caller)?;
    let parameters: PlaceQuery = query(request.query_string())?;
    let after = parameters
        .cursor
        .as_deref()
        .map(read_element_cursor)
        .transpose()?;
    let limit = part_length(parameters.limit)?;
    let filter = parameters.filter(principal.caller.tenant.clone())?;
    let mut rows = app
        .read(&principal.caller, move |reader| {
            reader.incidents(&filter, after, limit + 1)
        })
        .await?;
    let next = cut(&mut rows, limit)
        .map(IncidentRow::cursor)
        .map(write_element_cursor);
    Ok(json(
        StatusCode::OK,
        &Incidents {
            incidents: rows.iter().map(Incident::from).collect(),
            next,
        },
    ))
}
