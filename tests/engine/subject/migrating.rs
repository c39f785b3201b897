//! Migrates the instance to another version of its sketch.

use std::collections::BTreeMap;

use stepwire::engine::{
    self, Rejection, StepOutcome,
    access::Caller,
    migration::{MigrationPlan, MigrationTarget},
    record::ProcessRef,
};

use super::Subject;

impl Subject {
    /// The plan of the migration.
    pub fn plan_migration(
        &mut self,
        version: u32,
        mapping: &BTreeMap<String, String>,
        caller: Option<&Caller>,
    ) -> Result<MigrationPlan, Rejection> {
        let (process, evaluator) = self.target(version);
        let (reference, input) = (self.reference(version), self.input(caller, None));
        let target = MigrationTarget {
            reference,
            process: &process,
            evaluator: evaluator.as_ref(),
            mapping,
        };
        let state = self.state.as_mut().expect("the instance was started");
        engine::plan_migration(&self.process, state, &target, &input)
    }

    /// Migrates the instance.
    pub fn migrate(
        &mut self,
        version: u32,
        mapping: &BTreeMap<String, String>,
        caller: Option<&Caller>,
    ) -> Result<StepOutcome, Rejection> {
        let (process, evaluator) = self.target(version);
        let tag = self.tag.take();
        let (reference, input) = (self.reference(version), self.input(caller, tag));
        let target = MigrationTarget {
            reference,
            process: &process,
            evaluator: evaluator.as_ref(),
            mapping,
        };
        let state = self.state.as_mut().expect("the instance was started");
        let before = state.clone();
        match engine::migrate(&self.process, state, &target, input) {
            Ok(outcome) => {
                (self.process, self.evaluator) = (process, evaluator);
                self.check(&outcome);
                Ok(outcome)
            }
            Err(rejection) => {
                assert!(before == *self.state(), "a refused step changed the state");
                Err(rejection)
            }
        }
    }

    fn target(
        &self,
        version: u32,
    ) -> (
        std::sync::Arc<stepwire::model::executable::ExecutableProcess>,
        std::sync::Arc<dyn stepwire::model::evaluator::Evaluator>,
    ) {
        let place = version.checked_sub(2).expect("a later version") as usize;
        self.targets[place].clone()
    }

    fn reference(&self, version: u32) -> ProcessRef {
        ProcessRef {
            version,
            ..self.state().head().process.clone()
        }
    }
}
