//! The stored row of a process definition. Not here: the meaning of its source (`model`).
//!
//! # Rationale
//!
//! **Writing a definition's row with other content ends the server** (`StoreError::Overwrite`),
//! like writing a row of the log twice: memory and store disagree, nothing of the batch was
//! acknowledged, and the next start reads the store.

use super::{listing::Owner, packed_source::PackedSource};
use crate::model::{ids::Time, source::SourceFormat};

/// The state of a version of a definition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DefinitionState {
    /// Being edited; cannot be started.
    Draft,
    /// The version new instances start with.
    Published,
    /// Published, but disabled: starts nothing new until it is enabled.
    Disabled,
    /// Its instances continue, but it starts nothing new.
    Deprecated,
    /// Replaced by a newer version.
    Replaced,
    /// Gone for everybody except the instances that run or ran it.
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
    /// Its tenant.
    pub tenant: String,
    /// Its id, written by the modeller.
    pub id: String,
    /// Its version, counted from 1 within (tenant, id).
    pub version: u32,
    /// The hash of its content.
    pub revision: String,
    /// Its state.
    pub state: DefinitionState,
    /// The number by which clients may name it.
    pub alias: Option<i64>,
    /// Its name, for people.
    pub name: String,
    /// The format of `source`.
    pub format: DefinitionFormat,
    /// The text as it was deployed. `None` if the store has it already, because it is long and
    /// rarely needed; also when only the state of a stored version is written.
    pub source: Option<PackedSource>,
    /// When it was deployed.
    pub created_at: Time,
    /// By whom.
    pub created_by: String,
}

impl DefinitionRow {
    /// Whose work its instances are.
    pub fn owner(&self) -> Owner {
        Owner {
            tenant: self.tenant.clone(),
            process: self.id.clone(),
        }
    }
}
