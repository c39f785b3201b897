//! The row of a process definition, as stored. Not here: what its source means (see `model`).
//!
//! # Why so
//!
//! **A definition's row with another content ends the server** (`StoreError::Overwrite`), as a
//! row of the log that is there does: memory and store are of two minds, nothing of the batch
//! was acknowledged, and the next start reads the store.

use std::sync::Arc;

use crate::model::{ids::Time, source::SourceFormat};

/// Where a version of a definition is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DefinitionState {
    /// Being edited; cannot be started.
    Draft,
    /// The version new instances start with.
    Published,
    /// Published, but starts nothing new until it is enabled.
    Disabled,
    /// Runs on, but starts nothing new.
    Deprecated,
    /// A newer version took its place.
    Replaced,
    /// Gone for everybody but the instances that run or ran it.
    Deleted,
}

impl DefinitionState {
    /// Its name in answers and on pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Disabled => "disabled",
            Self::Deprecated => "deprecated",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
        }
    }
}

/// The language a definition's source is written in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DefinitionFormat {
    /// BPMN 2.0 XML.
    Bpmn,
    /// The project's own JSON.
    Json,
}

impl From<DefinitionFormat> for SourceFormat {
    fn from(format: DefinitionFormat) -> Self {
        match format {
            DefinitionFormat::Bpmn => Self::BpmnXml,
            DefinitionFormat::Json => Self::Json,
        }
    }
}

/// One version of a process definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DefinitionRow {
    /// Whose it is.
    pub tenant: String,
    /// Its id, written by the modeller.
    pub id: String,
    /// Its version, counted from 1 within (tenant, id).
    pub version: u32,
    /// The hash of its content.
    pub revision: String,
    /// Where it is in its life.
    pub state: DefinitionState,
    /// The number that clients may call it by.
    pub alias: Option<i64>,
    /// Its name, for people.
    pub name: String,
    /// What `source` is written in.
    pub format: DefinitionFormat,
    /// The text as it was deployed. None where the store has it: it is long and rarely wanted, so it
    /// does not stay in memory; and where only the state of a version is written that is there.
    pub source: Option<Arc<[u8]>>,
    /// When it was deployed.
    pub created_at: Time,
    /// By whom.
    pub created_by: String,
}
