//! The warnings of a deploy about processes that start themselves: the last part of its outcome,
//! because the processes of one source may start each other. They are looked for while the table is
//! not locked and on a thread of low priority, because following thousands of nodes takes long.
//!
//! Not here: what a cycle is ([`cycles`]).

use std::{collections::HashMap, sync::Arc};

use super::{Deployed, Versions, cycles};
use crate::{
    journal::DefinitionState,
    model::{executable::ExecutableProcess, problem::Problem},
    thread_priority::beside,
};

/// A deploy that was decided, without these warnings.
pub(super) struct DecidedDeploy {
    /// Each process of the source, in document order, with the other warnings.
    pub outcome: Vec<Deployed>,
    /// Their compiled forms.
    pub deployed: Vec<Arc<ExecutableProcess>>,
    /// The tenant.
    pub tenant: String,
    /// All definitions after the deploy.
    pub versions: Versions,
}

impl DecidedDeploy {
    /// The outcome with these warnings.
    pub async fn warned(mut self) -> Vec<Deployed> {
        let outcome = std::mem::take(&mut self.outcome);
        let found = beside(move || self.warnings()).await;
        // A search that panicked was logged; the deploy is durable all the same.
        added(outcome, found.unwrap_or_default())
    }

    /// The outcome with these warnings, found on this thread, and all definitions after the deploy.
    pub fn warned_here(mut self) -> (Vec<Deployed>, Versions) {
        let outcome = std::mem::take(&mut self.outcome);
        (added(outcome, self.warnings()), self.versions)
    }

    /// A warning, or none, for each process.
    fn warnings(&self) -> Vec<Option<Problem>> {
        let own: HashMap<&str, _> = self
            .deployed
            .iter()
            .map(|executable| (&*executable.definition.id, executable.clone()))
            .collect();
        let published = |id: &str| {
            self.versions.find(&self.tenant, id, |row| {
                row.state == DefinitionState::Published
            })
        };
        let find = |id: &str| {
            own.get(id)
                .cloned()
                .or_else(|| Some(published(id)?.in_memory()?.executable.clone()))
        };
        let mut search = cycles::Search::new(find);
        let warnings = self.deployed.iter().map(|process| search.warning(process));
        warnings.collect()
    }
}

fn added(mut outcome: Vec<Deployed>, found: Vec<Option<Problem>>) -> Vec<Deployed> {
    for (deployed, warning) in outcome.iter_mut().zip(found) {
        deployed.problems.extend(warning);
    }
    outcome
}

/// The warnings of all processes of a deploy, in document order.
pub(super) fn all(outcome: Vec<Deployed>) -> Vec<Problem> {
    outcome
        .into_iter()
        .flat_map(|deployed| deployed.problems)
        .collect()
}
