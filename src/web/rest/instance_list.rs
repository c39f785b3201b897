//! Lists of instances, filtered by their properties and search values.
//!
//! Only operators may read the data of instances, so only they may search in them. The search keys
//! of a process: `model::search_attributes`.

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{json, query};
use crate::{
    engine::{access::Caller, record::Status},
    journal::{InstanceFilter, InstanceRow},
    limits,
    model::ids::{InstanceKey, Time},
    session::protocol::code::ErrorCode,
    web::{
        http::{app::App, problem::HttpProblem},
        rest::listing::{part_length, read_cursor, visible_to, write_cursor},
    },
};

/// The prefix of a path that is searched.
const SEARCH: &str = "data.";

/// The instances to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InstanceListQuery {
    /// Of this process.
    process: Option<String>,
    /// Of this version of it.
    version: Option<u32>,
    /// With this status; may be repeated to allow several.
    #[serde(default)]
    status: Vec<String>,
    /// With exactly this business key.
    business_key: Option<String>,
    /// With a user task waiting at this node.
    node: Option<String>,
    /// Started by this user; only operators may name another user.
    started_by: Option<String>,
    /// Started after this time.
    #[param(format = DateTime)]
    created_after: Option<String>,
    /// Started before this time.
    #[param(format = DateTime)]
    created_before: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the previous part.
    cursor: Option<String>,
}

/// A part of a list, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = InstanceList)]
struct List<'a> {
    instances: Vec<ListEntry<'a>>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// An instance in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedInstance)]
#[serde(rename_all = "camelCase")]
struct ListEntry<'a> {
    instance: InstanceKey,
    process: &'a str,
    version: u32,
    status: &'a str,
    business_key: Option<&'a str>,
    started_by: &'a str,
    parent: Option<InstanceKey>,
    root: InstanceKey,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// The number of its open incidents.
    incidents: u32,
}

impl<'a> From<&'a InstanceRow> for ListEntry<'a> {
    fn from(row: &'a InstanceRow) -> Self {
        Self {
            instance: row.key,
            process: &row.process,
            version: row.version,
            status: &row.status,
            business_key: row.business_key.as_deref(),
            started_by: &row.started_by,
            parent: row.parent,
            root: row.root,
            created_at: row.created_at.to_string(),
            ended_at: row.ended_at.map(|time| time.to_string()),
            incidents: row.incidents,
        }
    }
}

/// `GET
/// /v1/instances?process=&version=&status=&businessKey=&node=&startedBy=&createdAfter=&createdBefore=&data.PATH=&limit=&cursor=`:
/// newest first. Operators see all instances of their tenant, others those that they started.
///
/// # Errors
/// 400 for unknown or unreadable filters and for paths that no process declares, 401, 403.
#[utoipa::path(get, path = "/v1/instances", tag = "instances", operation_id = "listInstances", summary = "List \
    instances",
    params(InstanceListQuery, ("data.PATH" = Option<String>, Query,
        description = "Whose data hold this value at PATH, one of the search keys that a process \
            declares; several narrow further")),
    responses((status = 200, body = List), (status = 400), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let principal = app.bearer(&request)?;
    let visible = visible_to(&principal.caller)?;
    let parameters = InstanceQuery::read(&request)?;
    let after = parameters
        .plain
        .cursor
        .as_deref()
        .map(read_cursor)
        .transpose()?;
    let limit = part_length(parameters.plain.limit)?;
    if !parameters.searched.is_empty() {
        may_search(&app, &principal.caller, &parameters.searched)?;
    }
    let part = app
        .list(
            &principal.caller,
            parameters.narrow(visible, &principal.caller)?,
            after,
            limit,
        )
        .await?;
    let instances = part.rows.iter().map(ListEntry::from).collect();
    Ok(json(
        StatusCode::OK,
        &List {
            instances,
            next: part.next.map(write_cursor),
        },
    ))
}

/// The query of a request.
struct InstanceQuery {
    plain: InstanceListQuery,
    searched: Vec<(String, String)>,
}

impl InstanceQuery {
    /// Names that may be repeated are taken out first, because others may not be repeated.
    fn read(request: &HttpRequest) -> Result<Self, HttpProblem> {
        let (mut statuses, mut searched, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for part in request.query_string().split('&') {
            let pair = Query::<Vec<(String, String)>>::from_query(part)
                .map(|Query(pairs)| pairs)
                .unwrap_or_default();
            match pair.into_iter().next() {
                Some((name, value)) if name == "status" => statuses.push(status(value)?),
                Some((name, value)) if name.starts_with(SEARCH) => {
                    searched.push((name[SEARCH.len()..].to_owned(), value))
                }
                _ => rest.push(part),
            }
        }
        Ok(Self {
            plain: InstanceListQuery {
                status: statuses,
                ..query(&rest.join("&"))?
            },
            searched,
        })
    }

    fn narrow(
        self,
        visible: InstanceFilter,
        caller: &Caller,
    ) -> Result<InstanceFilter, HttpProblem> {
        let Self { plain, searched } = self;
        if !caller.operator
            && plain
                .started_by
                .as_ref()
                .is_some_and(|starter| *starter != caller.subject)
        {
            let sentence = "expected role operator or admin to list what others started, but the \
                token grants neither: leave 'startedBy' out";
            return Err(HttpProblem::new(ErrorCode::Forbidden, sentence));
        }
        Ok(InstanceFilter {
            process: plain.process,
            version: plain.version,
            statuses: plain.status,
            business_key: plain.business_key,
            node: plain.node,
            started_by: visible.started_by.or(plain.started_by),
            created_after: time("createdAfter", plain.created_after)?,
            created_before: time("createdBefore", plain.created_before)?,
            searched,
            tenant: visible.tenant,
            ..InstanceFilter::default()
        })
    }
}

/// Refuses a search that the caller may not make, or that can find nothing because no process
/// declares its path.
fn may_search(
    app: &App,
    caller: &Caller,
    searched: &[(String, String)],
) -> Result<(), HttpProblem> {
    if !caller.operator {
        let sentence = "expected role operator or admin to search in data, but the token grants \
            neither: look for a business key";
        return Err(HttpProblem::new(ErrorCode::Forbidden, sentence));
    }
    let all = app.sessions.runtime.definitions.all(&caller.tenant);
    let declared: BTreeSet<&str> = all
        .iter()
        .flat_map(|known| &known.summary.search_keys)
        .map(String::as_str)
        .collect();
    for (path, text) in searched {
        if !declared.contains(path.as_str()) {
            let known = if declared.is_empty() {
                "none".to_owned()
            } else {
                Vec::from_iter(declared).join(", ")
            };
            let sentence = format!(
                "expected '{SEARCH}' and a search key that a process declares ({known}), but \
                there is a path that none does: declare it in stepwire:searchKeys"
            );
            return Err(HttpProblem::new(ErrorCode::BadRequest, sentence));
        }
        if text.len() > limits::SEARCHED_BYTES {
            let longest = limits::SEARCHED_BYTES;
            let sentence = format!(
                "expected a value of at most {longest} bytes for '{SEARCH}{path}', but it is longer"
            );
            return Err(HttpProblem::new(ErrorCode::BadRequest, sentence));
        }
    }
    Ok(())
}

fn status(name: String) -> Result<String, HttpProblem> {
    if Status::named(&name).is_some() {
        return Ok(name);
    }
    let known = Status::ALL.map(Status::name).join(", ");
    let sentence = format!("expected 'status' to be one of {known}, but it is another text");
    Err(HttpProblem::new(ErrorCode::BadRequest, sentence))
}

fn time(name: &str, text: Option<String>) -> Result<Option<Time>, HttpProblem> {
    let read = |text: String| {
        let time: jiff::Timestamp = text.parse().map_err(|_| {
            let sentence = format!(
                "expected '{name}' to be a time such as 2026-11-21T09:30:00Z, \
                but it is another text"
            );
            HttpProblem::new(ErrorCode::BadRequest, sentence)
        })?;
        Ok(Time(time.as_millisecond()))
    };
    text.map(read).transpose()
}
