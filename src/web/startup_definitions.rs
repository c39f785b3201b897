//! The processes a server deploys before it listens: its examples, and the files of `--deploy`.
//!
//! Not here: deploying by request, and what a deploy does (`runtime::definitions`).

use std::path::Path;

use rust_embed::Embed;

use crate::{
    config::Config,
    journal::DefinitionRow,
    logging::AUDIT,
    model::source::SourceFormat,
    runtime::{
        Runtime,
        definitions::{Deploy, DeployError},
    },
    session::token::DEFAULT_TENANT,
};

#[derive(Embed)]
#[folder = "examples/"]
#[include = "*.bpmn"]
struct Examples;

/// Deploys and publishes what the configuration asks for.
///
/// # Errors
/// The first process that cannot be deployed, as a sentence.
pub async fn deploy(runtime: &Runtime, config: &Config) -> Result<(), String> {
    if config.examples {
        for name in Examples::iter() {
            let Some(file) = Examples::get(&name) else {
                continue;
            };
            // A process that somebody has changed stays changed.
            let deployed = runtime
                .definitions
                .deploy_if_unknown(source(runtime, &file.data, "examples"))
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

async fn deploy_file(runtime: &Runtime, path: &Path) -> Result<(), String> {
    let name = path.display().to_string();
    let content = std::fs::read(path)
        .map_err(|error| format!("expected to read {name} of --deploy, but: {error}"))?;
    let deployed = runtime
        .definitions
        .deploy(source(runtime, &content, "startup"))
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

fn source<'a>(runtime: &Runtime, source: &'a [u8], by: &'a str) -> Deploy<'a> {
    Deploy {
        tenant: DEFAULT_TENANT,
        source,
        format: SourceFormat::BpmnXml,
        publish: true,
        by,
        now: runtime.clock.now(),
    }
}

fn report(name: &str, deployed: Result<Vec<DefinitionRow>, DeployError>) -> Result<(), String> {
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
        Err(DeployError::Invalid(problems)) => Err(format!("{name} has problems: {problems:?}")),
        Err(error) => Err(format!("{name} could not be deployed: {error:?}")),
    }
}
