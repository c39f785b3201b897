//! The audit log: acts with user, time and address. Operators and admins read those in their
//! tenant, operators of the server all of them.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{json, query};
use crate::{
    journal::{AuditFilter, AuditRow},
    model::ids::Time,
    session::protocol::code::ErrorCode,
    web::{
        http::{app::App, problem::HttpProblem},
        rest::listing::{cut, part_length},
    },
};

/// The acts to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// By this user.
    by: Option<String>,
    /// With this name, for example `process deployed`.
    act: Option<String>,
    /// At this time or later.
    #[param(format = DateTime)]
    since: Option<String>,
    /// In this tenant; if absent, in all. For role server-operator.
    tenant: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the previous part.
    cursor: Option<String>,
}

/// A part of the audit log, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditLog)]
struct Entries<'a> {
    entries: Vec<Entry<'a>>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// An act.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct Entry<'a> {
    /// Its number, which increases.
    id: i64,
    #[schema(format = DateTime)]
    at: String,
    tenant: &'a str,
    /// The user.
    by: &'a str,
    /// The address of the request; absent if it came from the server's own machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<&'a str>,
    /// The name of the act: `process deployed`, `terminate`.
    act: &'a str,
    /// Its objects and values: texts, numbers and flags by name. Never data of instances.
    details: Map<String, Value>,
}

impl<'a> From<&'a AuditRow> for Entry<'a> {
    fn from(row: &'a AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at.to_string(),
            tenant: &row.tenant,
            by: &row.subject,
            address: row.address.as_deref(),
            act: &row.act,
            details: serde_json::from_str(&row.details).unwrap_or_default(),
        }
    }
}

/// `GET /v1/audit?by=&act=&since=&tenant=&limit=&cursor=` → `{"entries","next"}`.
///
/// # Errors
/// 400, 401, 403 without role operator, admin or server-operator.
#[utoipa::path(get, path = "/v1/audit", tag = "server", operation_id = "readAuditLog", summary = "Read \
    who did what, when and from where",
    params(AuditQuery), responses((status = 200, body = Entries), (status = 400), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, identity) = app.user(&request)?;
    let parameters: AuditQuery = query(request.query_string())?;
    let tenant = match (identity.is_server_operator(), principal.caller.operator) {
        (true, _) => parameters.tenant,
        (false, true) if parameters.tenant.is_none() => Some(principal.caller.tenant.clone()),
        (false, true) => {
            let sentence = "expected role server-operator, which alone names a tenant, but the \
                token does not grant it; leave 'tenant' out for your own";
            return Err(HttpProblem::new(ErrorCode::Forbidden, sentence));
        }
        (false, false) => {
            let sentence = "expected role operator, admin or server-operator, but the token \
                grants none of them";
            return Err(HttpProblem::new(ErrorCode::Forbidden, sentence));
        }
    };
    let filter = AuditFilter {
        tenant,
        subject: parameters.by,
        act: parameters.act,
        since: parameters.since.as_deref().map(time).transpose()?,
    };
    let before = parameters.cursor.as_deref().map(number).transpose()?;
    let limit = part_length(parameters.limit)?;
    let mut rows = app
        .read(&principal.caller, move |reader| {
            reader.audit(&filter, before, limit + 1)
        })
        .await?;
    let next = cut(&mut rows, limit).map(|last| last.id.to_string());
    let entries = rows.iter().map(Entry::from).collect();
    Ok(json(StatusCode::OK, &Entries { entries, next }))
}

fn time(text: &str) -> Result<Time, HttpProblem> {
    let read = text.parse::<jiff::Timestamp>();
    read.map(|found| Time(found.as_millisecond())).map_err(|_| {
        let sentence = format!(
            "expected 'since' to be a time such as 2030-01-31T09:00:00Z, but it is '{text}'"
        );
        HttpProblem::new(ErrorCode::BadRequest, sentence)
    })
}

fn number(text: &str) -> Result<i64, HttpProblem> {
    text.parse().map_err(|_| {
        let sentence = "expected 'cursor' to be the 'next' of the part before, but it is another \
            text";
        HttpProblem::new(ErrorCode::BadRequest, sentence)
    })
}
