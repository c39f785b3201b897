//! The list of instances and the page of one, for signed-in users.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};

use super::{page, person, sign_in_first};
use crate::{
    admin::{
        instance::{InstancePage, Relative},
        instances::{FoundInstances, InstancePageFilter, InstancesPage, ShownInstances},
        message::Message,
    },
    journal::InstanceFilter,
    limits,
    model::ids::InstanceKey,
    runtime::instance_request::Observed,
    session::auth::principal::Principal,
    web::{
        http::{app::App, problem::HttpProblem},
        instance_client::instance_key,
        pages::problem_pages::wants_page,
        rest::listing::{InstancePart, read_cursor, visible_to, write_cursor},
    },
};

/// `GET /admin/instances?q=&status=&process=&node=&after=`.
///
/// # Errors
/// 400 for a wrong cursor, 401 for a program that has not signed in, 500.
pub async fn list(
    request: HttpRequest,
    parameters: Query<InstancePageFilter>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let Some(principal) = person(&app, &request) else {
        return sign_in_first(&request);
    };
    let (total, part) = find(&app, &principal, &parameters).await?;
    let next = part.next.map(write_cursor);
    let rows = app
        .read(&principal.caller, |reader| {
            let with_tasks = part
                .rows
                .into_iter()
                .map(|row| Ok((reader.tasks_of(row.key)?, row)));
            with_tasks
                .map(|found| found.map(|(tasks, row)| (row, tasks)))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let processes = processes(&app, &principal.caller.tenant);
    let now = app.sessions.runtime.clock.now();
    let shown = ShownInstances {
        total,
        rows: &rows,
        next,
        processes: &processes,
        now,
    };
    page(
        &app,
        StatusCode::OK,
        "admin_instances",
        &InstancesPage::new(&app.pages.assets, &principal.caller, &parameters, &shown),
    )
}

/// The number of matching instances, and the requested part. The search text is a key, or otherwise
/// a business key.
async fn find(
    app: &App,
    principal: &Principal,
    parameters: &InstancePageFilter,
) -> Result<(FoundInstances, InstancePart), HttpProblem> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut filter = InstanceFilter {
        process: given(&parameters.process),
        statuses: given(&parameters.status).into_iter().collect(),
        node: given(&parameters.node),
        ..visible_to(&principal.caller)?
    };
    if let Ok(key) = parameters.q.trim().parse::<InstanceKey>() {
        let found = app
            .read(&principal.caller, move |reader| reader.instance(key))
            .await?
            .filter(|row| filter.accepts(row));
        return Ok((
            FoundInstances::of(u64::from(found.is_some())),
            InstancePart {
                rows: found.into_iter().collect(),
                next: None,
            },
        ));
    }
    filter.business_key = given(&parameters.q);
    let after = given(&parameters.after)
        .as_deref()
        .map(read_cursor)
        .transpose()?;
    let counted = filter.clone();
    let maximum = limits::COUNTED_INSTANCES;
    let total = app
        .read(&principal.caller, move |reader| {
            reader.count(&counted, maximum + 1)
        })
        .await?;
    Ok((
        FoundInstances::of(total),
        app.list(&principal.caller, filter, after, limits::LISTED)
            .await?,
    ))
}

/// Id and name of every process, by its newest version.
fn processes(app: &App, tenant: &str) -> Vec<(String, String)> {
    let mut processes: Vec<(String, String)> = Vec::new();
    for process in app.sessions.runtime.definitions.all(tenant).iter().rev() {
        if processes.last().is_none_or(|(id, _)| *id != process.row.id) {
            processes.push((process.row.id.clone(), process.row.name.clone()));
        }
    }
    processes.reverse();
    processes
}

/// `GET /admin/instances/{key}`.
///
/// # Errors
/// 401 for a program that has not signed in, 404 for a program if the instance does not exist, 500.
pub async fn one(
    request: HttpRequest,
    path: Path<String>,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let Some(principal) = person(&app, &request) else {
        return sign_in_first(&request);
    };
    let assets = &app.pages.assets;
    let observed = match instance_key(&path) {
        Ok(key) => app.observe(key, &principal.caller, false).await,
        Err(problem) => Err(problem),
    };
    let observed = match observed {
        Ok(observed) => observed,
        Err(problem) if !wants_page(&request) => return Err(problem),
        Err(problem) => {
            let view = Message::new(
                assets,
                &principal.caller.subject,
                "No such instance",
                &problem.to_string(),
            );
            return page(&app, StatusCode::NOT_FOUND, "message", &view);
        }
    };
    let (parent, root) = above(&app, &principal, &observed).await;
    let (parent, root) = (
        parent.as_deref().map(Relative::new),
        root.as_deref().map(Relative::new),
    );
    let view = InstancePage::new(assets, &principal.caller.subject, &observed, parent, root);
    page(&app, StatusCode::OK, "admin_instance", &view)
}

/// The instances above this one that the caller may see: its parent, and its root if that is
/// another one.
async fn above(
    app: &App,
    principal: &Principal,
    observed: &Observed,
) -> (Option<Arc<Observed>>, Option<Arc<Observed>>) {
    let head = observed.head();
    let Some(parent) = head.parent.as_ref().map(|link| link.instance) else {
        return (None, None);
    };
    let root = if head.root() == parent {
        None
    } else {
        app.observe(head.root(), &principal.caller, false)
            .await
            .ok()
    };
    (
        app.observe(parent, &principal.caller, false).await.ok(),
        root,
    )
}
