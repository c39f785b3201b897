//! Calls to the outside that were not answered yet, and webhooks that were given up, for operators.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{json, query};
use crate::{
    journal::OutsideCallRow,
    model::ids::InstanceKey,
    web::{
        app::App,
        listing::{bad_cursor, cut, part_length, require_operator},
        problem::Problem,
    },
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the part before.
    cursor: Option<String>,
}

/// A part of the list, about newest first.
#[derive(Serialize, ToSchema)]
pub struct OutsideCalls<'a> {
    calls: Vec<OutsideCallEntry<'a>>,
    /// Where the list goes on, when it does.
    next: Option<String>,
}

/// A call.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutsideCallEntry<'a> {
    #[schema(value_type = uuid::Uuid)]
    instance: InstanceKey,
    process: &'a str,
    /// `httpRequest` or `webhook`.
    r#type: &'static str,
    /// The node of its action; absent for a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    /// Its action; absent for a webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'a str>,
    url: &'a str,
    placed_at: String,
    /// How often it was tried.
    attempts: u32,
    /// When it is tried next; absent when it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    given_up: bool,
    /// What the last try came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

impl<'a> From<&'a OutsideCallRow> for OutsideCallEntry<'a> {
    fn from(row: &'a OutsideCallRow) -> Self {
        Self {
            instance: row.instance,
            process: &row.process,
            r#type: if row.action.is_some() {
                "httpRequest"
            } else {
                "webhook"
            },
            node: row.node.as_deref(),
            action: row.action.as_deref(),
            url: &row.url,
            placed_at: row.placed_at.to_string(),
            attempts: row.tried.attempts,
            due_at: row.tried.due.map(|due| due.to_string()),
            given_up: row.tried.due.is_none(),
            problem: row.tried.problem.as_deref(),
        }
    }
}

/// `GET /v1/outside-calls?limit=&cursor=` → `{"calls","next"}`: what is under way to the outside,
/// and webhooks given up.
///
/// # Errors
/// 400, 401, 403 without role operator or admin.
#[utoipa::path(get, path = "/v1/outside-calls", tag = "operations", operation_id = "listOutsideCalls", summary = "List \
    calls under way and webhooks given up",
    params(ListQuery), responses((status = 200, body = OutsideCalls), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Problem> {
    let (who, _) = app.user(&request)?;
    require_operator(&who.caller)?;
    let ListQuery { limit, cursor } = query(request.query_string())?;
    let limit = part_length(limit)?;
    let after = cursor.as_deref().map(read_cursor).transpose()?;
    let tenant = who.caller.tenant.clone();
    let mut rows = app
        .read(move |reader| reader.outside_calls(&tenant, after, limit + 1))
        .await?;
    let next = cut(&mut rows, limit).map(|row| format!("{}_{}", row.instance, row.seq));
    Ok(json(
        StatusCode::OK,
        &OutsideCalls {
            calls: rows.iter().map(OutsideCallEntry::from).collect(),
            next,
        },
    ))
}

fn read_cursor(text: &str) -> Result<(InstanceKey, u64), Problem> {
    let parse = || {
        let (instance, seq) = text.split_once('_')?;
        // The store counts with one bit less.
        Some((
            instance.parse().ok()?,
            seq.parse().ok().filter(|seq| *seq <= i64::MAX as u64)?,
        ))
    };
    parse().ok_or_else(bad_cursor)
}
