//! `stepwire migrate`: migrates instances to another version of their process.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    access::Access,
    exit::{Exit, Failure},
    print::{Printer, harmless, list},
    rest::{Body, Rest},
};
use crate::config::MigrateArguments;

/// Migrates each instance, or reports what would happen to it; one that cannot be migrated does not
/// stop the others.
///
/// # Errors
/// An invalid mapping, no server.
pub async fn migrate(
    migrate: MigrateArguments,
    access: Access,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut rest = Rest::new(access)?;
    let mut mapping = Map::new();
    for pair in &migrate.map {
        let Some((from, to)) = pair.split_once('=') else {
            return Err(Failure::usage(format!(
                "expected --map OLD=NEW with the ids of two nodes, but it is '{pair}'"
            )));
        };
        mapping.insert(from.to_owned(), json!(to));
    }
    let body = json!({"version": migrate.to, "mapping": mapping});
    let mut exit = Exit::Done;
    for instance in &migrate.instances {
        let confirmed = if migrate.preview {
            preview(&mut rest, *instance, &body, printer).await
        } else {
            migrate_one(&mut rest, *instance, &body, printer).await
        };
        match confirmed {
            Ok(Exit::Done) => {}
            Ok(other) => exit = other,
            Err(failure) if failure.exit == Exit::Refused => {
                let message = format!("{instance}: {}", failure.message);
                printer.failure(&Failure { message, ..failure });
                exit = Exit::Refused;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(exit)
}

async fn migrate_one(
    rest: &mut Rest,
    instance: Uuid,
    body: &Value,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let path = format!("/v1/instances/{instance}/migrate");
    let reply = rest
        .post(&path, Body::command(body, Uuid::now_v7()))
        .await?;
    let version = &body["version"];
    let result = json!({"instance": instance, "version": version, "seq": reply["seq"]});
    printer.result(&format!("{instance}  version {version}"), &result)?;
    Ok(Exit::Done)
}

async fn preview(
    rest: &mut Rest,
    instance: Uuid,
    body: &Value,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let path = format!("/v1/instances/{instance}/migrate/preview");
    let plan = rest
        .post(&path, Body::command(body, Uuid::now_v7()))
        .await?;
    let text = |value: &Value| harmless(value.as_str().unwrap_or("?")).into_owned();
    let can = plan["possible"] == true;
    let mut lines = vec![format!(
        "{instance}  {} to version {}",
        if can { "can go" } else { "cannot go" },
        plan["version"]
    )];
    lines.extend(
        list(&plan["elements"])
            .iter()
            .map(|element| format!("  {} -> {}", text(&element["node"]), text(&element["to"]))),
    );
    lines.extend(
        list(&plan["problems"])
            .iter()
            .map(|problem| format!("  {}", text(&problem["message"]))),
    );
    let mut result = plan;
    result["instance"] = json!(instance);
    printer.result(&lines.join("\n"), &result)?;
    Ok(if can { Exit::Done } else { Exit::Refused })
}
