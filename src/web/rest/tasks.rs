//! User tasks: those for the caller, the same as in the list `tasks` of the websocket; and all of
//! the tenant for operators.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{json, query};
use crate::{
    engine::access::Caller,
    journal::{Assignee, TaskAudience, TaskFilter, TaskRow, TaskScope},
    session::protocol::lists::TaskEntry,
    web::{
        http::{app::App, problem::HttpProblem},
        rest::listing::{
            cut, instance_filter, part_length, read_element_cursor, require_operator,
            write_element_cursor,
        },
    },
};

/// The caller, as an assignee.
const ME: &str = "me";
/// No assignee.
const NONE: &str = "none";

/// The tasks to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TasksQuery {
    /// Those of every user; for operators only.
    #[serde(default)]
    all: bool,
    /// Of this process.
    process: Option<String>,
    /// Of this instance.
    #[param(format = Uuid)]
    instance: Option<String>,
    /// Of instances with this business key.
    #[serde(rename = "businessKey")]
    business_key: Option<String>,
    /// Assigned to this user; `me` is the caller, `none` is nobody.
    assignee: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `next` of the previous part.
    cursor: Option<String>,
}

/// A part of a list of tasks, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskList)]
struct Tasks<'a> {
    tasks: Vec<TaskEntry<'a>>,
    /// The `cursor` of the next part, if there is one.
    next: Option<String>,
}

/// `GET /v1/tasks?all=&process=&instance=&businessKey=&assignee=&limit=&cursor=` → `{"tasks","next"}`: tasks
/// that are assigned to the caller, and unassigned ones that the caller may claim.
///
/// # Errors
/// 400, 401, 403 for the token of one instance tree, and without role operator for all.
#[utoipa::path(get, path = "/v1/tasks", tag = "tasks", operation_id = "listTasks", summary = "List \
    waiting user tasks", params(TasksQuery),
    responses((status = 200, body = Tasks), (status = 400), (status = 403)))]
pub async fn list(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, HttpProblem> {
    let (principal, _) = app.user(&request)?;
    let parameters: TasksQuery = query(request.query_string())?;
    let after = parameters
        .cursor
        .as_deref()
        .map(read_element_cursor)
        .transpose()?;
    let limit = part_length(parameters.limit)?;
    let filter = filter(parameters, &principal.caller)?;
    let mut rows = app
        .read(&principal.caller, move |reader| {
            reader.task_list(&filter, after, limit + 1)
        })
        .await?;
    let next = cut(&mut rows, limit)
        .map(TaskRow::cursor)
        .map(write_element_cursor);
    Ok(json(
        StatusCode::OK,
        &Tasks {
            tasks: rows.iter().map(TaskEntry::from).collect(),
            next,
        },
    ))
}

fn filter(parameters: TasksQuery, caller: &Caller) -> Result<TaskFilter, HttpProblem> {
    let scope = if parameters.all {
        require_operator(caller)?;
        TaskScope::All(caller.tenant.clone())
    } else {
        let (tenant, subject) = (caller.tenant.clone(), caller.subject.clone());
        TaskScope::Of(TaskAudience {
            tenant,
            subject,
            roles: caller.roles.to_vec(),
        })
    };
    let assignee = parameters.assignee.map(|name| match name.as_str() {
        ME => Assignee::User(caller.subject.clone()),
        NONE => Assignee::Unassigned,
        _ => Assignee::User(name),
    });
    Ok(TaskFilter {
        scope,
        process: parameters.process,
        instance: instance_filter(parameters.instance.as_deref())?,
        business_key: parameters.business_key,
        assignee,
    })
}
