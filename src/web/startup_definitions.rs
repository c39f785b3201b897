//! Deploys processes before the server listens: its examples, and the files of `--deploy`.
//!
//! Not here: deploys by request, and how a deploy works (`runtime::definitions`).

use std::{path::Path, sync::Arc};

use actix_web::rt;
use rust_embed::Embed;

use super::rest::definitions::refused;
use crate::{
    config::Config,
    journal::{DefinitionRow, disk_room::DiskRoom},
    logging::AUDIT,
    model::source::SourceFormat,
    runtime::{
        Runtime,
        definitions::{Deploy, DeployError},
    },
    session::auth::token::DEFAULT_TENANT,
};

#[derive(Embed)]
#[folder = "examples/"]
#[include = "*.bpmn"]
struct Examples;

/// Deploys and publishes what the configuration names. If the disk is full, the server starts
/// nevertheless, and they are deployed once there is space.
///
/// # Errors
/// The first process that cannot be deployed, as a sentence.
pub async fn deploy_when_there_is_room(
    runtime: &Arc<Runtime>,
    config: &Config,
) -> Result<(), String> {
    match deploy(runtime, config).await {
        Err(NotDeployed::NoRoom) => {}
        Err(NotDeployed::Wrong(sentence)) => return Err(sentence),
        Ok(()) => return Ok(()),
    }
    log::error!(
        "the disk has no room to deploy what the configuration asks for: the server starts \
        without it, and deploys it when there is"
    );
    let (runtime, config) = (Arc::downgrade(runtime), config.clone());
    rt::spawn(async move {
        let room = |runtime: &Runtime| runtime.journal.room().changes();
        while let Some(mut changes) = runtime.upgrade().map(|runtime| room(&runtime)) {
            let enough = changes.wait_for(|room| *room < DiskRoom::Critical).await;
            let (Ok(_), Some(runtime)) = (enough, runtime.upgrade()) else {
                return;
            };
            match deploy(&runtime, &config).await {
                Err(NotDeployed::NoRoom) => {}
                Err(NotDeployed::Wrong(sentence)) => return log::error!("{sentence}"),
                Ok(()) => return,
            }
        }
    });
    Ok(())
}

/// Why a process is not deployed.
enum NotDeployed {
    /// The disk has too little free space at present.
    NoRoom,
    /// It cannot be deployed; the sentence says why.
    Wrong(String),
}

async fn deploy(runtime: &Runtime, config: &Config) -> Result<(), NotDeployed> {
    if config.examples {
        for name in Examples::iter() {
            let Some(file) = Examples::get(&name) else {
                continue;
            };
            // A process that a user has changed stays as it is.
            let deployed = runtime
                .definitions
                .deploy_if_unknown(source(
                    runtime,
                    (&file.data, SourceFormat::BpmnXml),
                    "examples",
                ))
                .await;
            report(
                &name,
                deployed.map(|deployed| deployed.into_iter().map(|one| one.row).collect()),
            )?;
        }
    }
    for path in &config.deploy {
        deploy_file(runtime, path).await?;
    }
    Ok(())
}

async fn deploy_file(runtime: &Runtime, path: &Path) -> Result<(), NotDeployed> {
    let name = path.display().to_string();
    let content = std::fs::read(path).map_err(|error| {
        NotDeployed::Wrong(format!("expected to read {name} of --deploy, but: {error}"))
    })?;
    let deployed = runtime
        .definitions
        .deploy(source(
            runtime,
            (&content, SourceFormat::of_file(path)),
            "startup",
        ))
        .await;
    report(
        &name,
        deployed.map(|deployed| {
            deployed
                .into_iter()
                .filter(|one| !one.existing)
                .map(|one| one.row)
                .collect()
        }),
    )
}

fn source<'a>(
    runtime: &Runtime,
    (source, format): (&'a [u8], SourceFormat),
    by: &'a str,
) -> Deploy<'a> {
    Deploy {
        tenant: DEFAULT_TENANT,
        source,
        format,
        publish: true,
        by,
        now: runtime.clock.now(),
    }
}

fn report(
    name: &str,
    deployed: Result<Vec<DefinitionRow>, DeployError>,
) -> Result<(), NotDeployed> {
    match deployed {
        Ok(rows) => {
            for DefinitionRow {
                id,
                version,
                created_by,
                ..
            } in rows
            {
                log::info!(target: AUDIT, process = &*id, version, by = &*created_by; "process \
                    deployed");
            }
            Ok(())
        }
        Err(DeployError::NoRoom(_)) => Err(NotDeployed::NoRoom),
        Err(DeployError::Invalid(problems)) => {
            let lines: Vec<String> = problems
                .iter()
                .map(|one| format!("{name}: {one}"))
                .collect();
            Err(NotDeployed::Wrong(format!(
                "expected to deploy {name}, but it has problems:\n{}",
                lines.join("\n")
            )))
        }
        Err(error) => Err(NotDeployed::Wrong(format!(
            "expected to deploy {name}, but: {}",
            refused(error)
        ))),
    }
}
