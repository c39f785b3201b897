//! The compiled target version of a migration, and the names of its nodes and flows.

use std::collections::BTreeMap;

use crate::{
    engine::record::created::ProcessRef,
    model::{evaluator::Evaluator, executable::ExecutableProcess},
};

/// The version to which an instance is migrated.
pub struct MigrationTarget<'a> {
    /// Its id and version.
    pub reference: ProcessRef,
    /// Its compiled form.
    pub process: &'a ExecutableProcess,
    /// The evaluator of its conditions and scripts.
    pub evaluator: &'a dyn Evaluator,
    /// The ids of nodes and flows in the target, by those in the source.
    pub mapping: &'a BTreeMap<String, String>,
}
