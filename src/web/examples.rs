//! The example processes, embedded in the program and deployed at the first start.

use rust_embed::Embed;

use crate::{
    model::source::SourceFormat,
    runtime::{
        Runtime,
        definitions::{Deploy, DeployError},
    },
};

#[derive(Embed)]
#[folder = "examples/"]
#[include = "*.bpmn"]
struct Examples;

/// Deploys and publishes the examples whose process ids are not known yet: on the first start all of them.
///
/// # Errors
/// An example that cannot be deployed, as a sentence.
pub async fn deploy_examples(runtime: &Runtime) -> Result<(), String> {
    for name in Examples::iter() {
        let Some(file) = Examples::get(&name) else { continue };
        let deploy = Deploy {
            tenant: "default",
            source: &file.data,
            format: SourceFormat::BpmnXml,
            publish: true,
            by: "examples",
            now: runtime.clock.now(),
        };
        match runtime.definitions.deploy_if_unknown(deploy).await {
            Ok(deployed) => {
                deployed.iter().for_each(|one| log::info!("example '{}' deployed as version {}", one.row.id, one.row.version))
            }
            Err(DeployError::Invalid(problems)) => return Err(format!("example {name} has problems: {problems:?}")),
            Err(error) => return Err(format!("example {name} could not be deployed: {error:?}")),
        }
    }
    Ok(())
}
