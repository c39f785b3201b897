//! Migration of instances to another version of their process: one at a time, with a preview. For
//! operators. How it works: `engine::migration`.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{commands, definitions::refused, json, json_text, listing::require_operator};
use crate::{
    engine::migration::MigrationPlan,
    journal::DefinitionState,
    model::ids::InstanceKey,
    runtime::{definitions::DeployedProcess, instance_request::MigrationRequest},
    session::{
        auth::principal::Principal,
        protocol::{body as fields, client::Migrate, code::ErrorCode, to_command},
    },
    web::{
        http::{app::App, body, problem::HttpProblem},
        instance_client::instance_key,
        openapi::shared::{Answered, CommandRefused, IdempotencyKey, InstancePath},
    },
};

/// The preview of a migration.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MigrationPreview<'a> {
    /// The version that it would run.
    version: u32,
    /// Whether it can be migrated.
    possible: bool,
    /// Its active elements, in order of activation.
    elements: Vec<PreviewedElement<'a>>,
    /// The reasons against the migration; with any, nothing is migrated.
    problems: Vec<PreviewedProblem<'a>>,
}

/// An active element and its counterpart.
#[derive(Serialize, ToSchema)]
struct PreviewedElement<'a> {
    element: String,
    node: &'a str,
    /// The node of its counterpart; absent if there is none.
    #[schema(required)]
    to: Option<&'a str>,
}

/// Something without a counterpart in the other version.
#[derive(Serialize, ToSchema)]
struct PreviewedProblem<'a> {
    /// The element, unless it concerns tokens at a join, completed elements, or the mapping.
    #[schema(required)]
    element: Option<String>,
    node: &'a str,
    /// The problem and its remedy.
    message: &'a str,
}

impl<'a> MigrationPreview<'a> {
    fn of(plan: &'a MigrationPlan, version: u32, instance: InstanceKey) -> Self {
        let elements = plan.elements.iter().map(|planned| PreviewedElement {
            element: planned.element.wire(instance),
            node: &planned.node,
            to: planned.to.as_deref(),
        });
        let problems = plan.problems.iter().map(|problem| PreviewedProblem {
            element: problem.element.map(|element| element.wire(instance)),
            node: &problem.node,
            message: &problem.message,
        });
        Self {
            version,
            possible: plan.problems.is_empty(),
            elements: elements.collect(),
            problems: problems.collect(),
        }
    }
}

/// `POST /v1/instances/{key}/migrate` `{"version","mapping","ifSeq"}`: role `operator` or `admin`.
///
/// # Errors
/// Problems: 404 for a version that does not exist, 409 if something active has no counterpart.
#[utoipa::path(post, path = "/v1/instances/{key}/migrate", tag = "instances", operation_id = "migrateInstance", summary = "Take \
    an instance to another version of its process",
    params(InstancePath, IdempotencyKey), request_body = Migrate, responses((status = 200, body = Answered), CommandRefused))]
pub async fn migrate(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let ResolvedMigration {
        principal,
        key,
        migration,
        target,
    } = read(&request, &path, payload, &app).await?;
    let instance_request = to_command::migrate(migration, target, &principal.caller);
    let outcome = app
        .command(key, &principal.caller, instance_request)
        .await?;
    Ok(json_text(
        StatusCode::OK,
        commands::answer(&outcome, &principal.caller, None),
    ))
}

/// `POST /v1/instances/{key}/migrate/preview` `{"version","mapping"}` →
/// `{"version","possible","elements","problems"}`: nothing is changed.
///
/// # Errors
/// As [`migrate`], except for missing counterparts, which are the response.
#[utoipa::path(post, path = "/v1/instances/{key}/migrate/preview", tag = "instances", operation_id = "previewMigration", summary = "Preview \
    the migration of an instance to another version",
    params(InstancePath), request_body = Migrate, responses((status = 200, body = MigrationPreview), CommandRefused))]
pub async fn preview(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    app: Data<App>,
) -> Result<HttpResponse, HttpProblem> {
    let ResolvedMigration {
        principal,
        key,
        migration,
        target,
    } = read(&request, &path, payload, &app).await?;
    let (version, mapping) = (migration.version, migration.mapping);
    let migration = MigrationRequest { target, mapping };
    let plan = app
        .plan_migration(key, &principal.caller, migration)
        .await?;
    Ok(json(
        StatusCode::OK,
        &MigrationPreview::of(&plan, version, key),
    ))
}

/// The request, with the version compiled.
struct ResolvedMigration {
    principal: Principal,
    key: InstanceKey,
    migration: Migrate,
    target: Arc<DeployedProcess>,
}

async fn read(
    request: &HttpRequest,
    key: &str,
    payload: Payload,
    app: &App,
) -> Result<ResolvedMigration, HttpProblem> {
    let principal = app.bearer(request)?;
    require_operator(&principal.caller)?;
    let key = instance_key(key)?;
    let id = commands::command_id(request)?;
    let migration = body::json(request, payload, move |text| fields::migrate(text, id)).await??;
    let observed = app.observe(key, &principal.caller, false).await?;
    let definitions = &app.sessions.runtime.definitions;
    let (tenant, process) = (&principal.caller.tenant, &observed.head().process.id);
    let known = definitions.undeleted(tenant, process, migration.version);
    let Some(known) = known.filter(|known| known.row.state != DefinitionState::Draft) else {
        let sentence = format!(
            "expected the number of a version of '{process}' that was published, but {} is not \
             one: see the versions of the process",
            migration.version
        );
        return Err(HttpProblem::new(ErrorCode::NotFound, sentence));
    };
    let target = definitions.process(&known).await.map_err(refused)?;
    Ok(ResolvedMigration {
        principal,
        key,
        migration,
        target,
    })
}
