//! HTTP calls without a response yet, and webhooks that were given up, for operators.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{json, query};
use crate::{
    journal::HttpCallRow,
    model::ids::InstanceKey,
    web::{
        http::{app::App, problem::HttpProblem},
        rest::listing::{bad_cursor, cut, part_length, require_operator},
    },
};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HttpCallListQuery {
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the previous part.
    cursor: Option<String>,
}

/// A part of the list, approximately newest first.
#[derive(Serialize, ToSchema)]
pub struct HttpCalls<'a> {
    calls: Vec<HttpCallEntry<'a>>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// A call.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpCallEntry<'a> {
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
    /// The number of attempts.
    attempts: u32,
    /// When the next attempt is due; absent if it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    given_up: bool,
    /// The outcome of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

impl<'a> From<&'a HttpCallRow> for HttpCallEntry<'a> {
    fn from(row: &'a HttpCallRow) -> Self {
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

/// `GET /v1/http-calls?limit=&cursor=` → `{"calls","next"}`: HTTP calls in progress, and webhooks
/// that were given up.
///
/// # Errors
/// 400, 401, 403 without role operator or admin.
#[utoipa::path(get, path = "/v1/http-calls", tag = "operations", operation_id = "listHttpCalls", summary = "List \
    calls under way and webhooks given up",
    params(HttpCallListQuery), responses((status = 200, body = HttpCalls), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    require_operator(&principal.caller)?;
    let HttpCallListQuery { limit, cursor } = query(request.query_string())?;
    let limit = part_length(limit)?;
    let after = cursor.as_deref().map(read_cursor).transpose()?;
    let tenant = principal.caller.tenant.clone();
    let mut rows = app
        .read(&principal.caller, move |reader| {
            reader.http_calls(&tenant, after, limit + 1)
        })
        .await?;
    let next = cut(&mut rows, limit).map(|row| format!("{}_{}", row.instance, row.seq));
    Ok(json(
        StatusCode::OK,
        &HttpCalls {
            calls: rows.iter().map(HttpCallEntry::from).collect(),
            next,
        },
    ))
}

fn read_cursor(text: &str) -> Result<(InstanceKey, u64), HttpProblem> {
    let parse = || {
        let (instance, seq) = text.split_once('_')?;
        // The store has one bit less for numbers.
        Some((
            instance.parse().ok()?,
            seq.parse().ok().filter(|seq| *seq <= i64::MAX as u64)?,
        ))
    };
    parse().ok_or_else(bad_cursor)
}
