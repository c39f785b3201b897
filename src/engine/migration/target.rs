//! The compiled target version of a migration, and the names of its nodes and flows.

use std::collections::BTreeMap;

use crate::{
    engine::record::created::ProcessRef,
    model::{evaluator::Evaluator, executable::ExecutableProcess},
};

/// The version that an instance is to run.
pub struct MigrationTarget<'a> {
    /// Which.
    pub reference: ProcessRef,
    /// Compiled.
    pub process: &'a ExecutableProcess,
    /// Its conditions and scripts.
    pub evaluator: &'a dyn Evaluator,
    /// Ids of nodes and flows there, by those in the version that the instance runs.
    pub mapping: &'a BTreeMap<String, String>,
}
