//! A definition that a scenario deploys: a file beside it, or a model inside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cli::{deploy, exit::Failure, rest::Body};

/// Where a definition of a scenario is.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum ModelSource {
    /// A path relative to the scenario's folder.
    Path(PathBuf),
    /// In the scenario itself.
    Inside(InsideModel),
    /// In the scenario itself, in the JSON form.
    InsideJson(InsideJson),
}

/// A BPMN model inside a scenario.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct InsideModel {
    /// BPMN XML.
    pub bpmn: String,
}

/// A definition in JSON form inside a scenario.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct InsideJson {
    /// The definition.
    pub json: Map<String, Value>,
}

impl ModelSource {
    /// Its name for people.
    pub fn name(&self, folder: &Path) -> String {
        match self {
            Self::Path(path) => folder.join(path).display().to_string(),
            Self::Inside(_) | Self::InsideJson(_) => "the model in the scenario".to_owned(),
        }
    }

    /// The request body for the server.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn body(&self, folder: &Path) -> Result<Body, Failure> {
        let path = match self {
            Self::Path(path) => folder.join(path),
            Self::Inside(model) => {
                let bytes = model.bpmn.clone().into_bytes();
                return Ok(deploy::body(Path::new("model.bpmn"), bytes));
            }
            Self::InsideJson(model) => {
                // Serialising a map of texts to JSON values never fails.
                let bytes = serde_json::to_vec(&model.json).unwrap_or_default();
                return Ok(deploy::body(Path::new("model.json"), bytes));
            }
        };
        let bytes = fs::read(&path).map_err(|error| {
            Failure::usage(format!(
                "expected a definition in {}, but: {error}; paths begin at the scenario's folder",
                path.display()
            ))
        })?;
        Ok(deploy::body(&path, bytes))
    }
}
