//! The state of an activity that runs more than once, as a whole.
//!
//! Changed by `apply` only; all other code reads it. `engine::looping` runs the loop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    engine::record::{Items, LoopRecord},
    model::loop_characteristics::{COUNTERS, LOOP_COUNTER},
};

/// The state of a loop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoopState {
    /// The number of iterations of a multi-instance activity; `None` for a standard loop.
    instances: Option<u32>,
    sequential: bool,
    /// The items of iterations that have not begun.
    items: Option<Items>,
    begun: u32,
    completed: u32,
    terminated: u32,
    /// The results by number of the iteration; iterations without result are missing.
    results: BTreeMap<u32, Value>,
    /// Whether no further iteration begins.
    stopped: bool,
}

impl LoopState {
    /// The number of iterations that have begun.
    pub fn begun(&self) -> u32 {
        self.begun
    }

    /// The number of iterations that have completed.
    pub fn completed(&self) -> u32 {
        self.completed
    }

    /// Whether no further iteration begins.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The number of iterations of a multi-instance activity that have not begun.
    pub fn open(&self) -> u32 {
        let all = self.instances.filter(|_| !self.stopped).unwrap_or(0);
        all.saturating_sub(self.begun)
    }

    /// The item of the next iteration.
    pub fn next_item(&self) -> Option<&Value> {
        self.items.as_ref()?.values.front()
    }

    /// The list of results at the end of the loop: `null` for an iteration without result.
    pub fn results(&self) -> Value {
        let all = 1..=self.instances.unwrap_or(0);
        all.map(|iteration| self.results.get(&iteration).cloned().unwrap_or_default())
            .collect()
    }

    /// The counters of the loop, as variables, as they are after so many further iterations
    /// complete.
    pub fn counters(&self, completing: u32) -> Map<String, Value> {
        let Some(instances) = self.instances else {
            return Map::from_iter([(LOOP_COUNTER.to_owned(), json!(self.begun))]);
        };
        let completed = self.completed + completing;
        // A model does not see that some of the iterations begin only in a later step.
        let all = if self.sequential {
            self.begun
        } else {
            instances
        };
        let active = all.saturating_sub(completed + self.terminated);
        let counts = [instances, active, completed, self.terminated];
        let named = COUNTERS.iter().zip(counts);
        named
            .map(|(name, count)| ((*name).to_owned(), json!(count)))
            .collect()
    }

    pub(super) fn apply(&mut self, record: &LoopRecord) {
        match record {
            LoopRecord::Begun {
                instances,
                sequential,
                items,
                ..
            } => {
                *self = Self {
                    instances: *instances,
                    sequential: *sequential,
                    items: items.clone(),
                    ..Self::default()
                };
            }
            LoopRecord::Result {
                iteration, result, ..
            } => drop(self.results.insert(*iteration, result.clone())),
            LoopRecord::Stopped { .. } => self.stopped = true,
        }
    }

    /// Begins an iteration, and returns the variables it owns.
    pub(super) fn begin(&mut self, iteration: u32) -> Map<String, Value> {
        self.begun = iteration;
        let mut variables = Map::from_iter([(LOOP_COUNTER.to_owned(), json!(iteration))]);
        if let Some(items) = &mut self.items
            && let Some(item) = items.values.pop_front()
        {
            variables.insert(items.variable.to_string(), item);
        }
        variables
    }

    /// Ends an iteration: `well` if it completed, otherwise it was terminated.
    pub(super) fn end(&mut self, well: bool) {
        if well {
            self.completed += 1;
        } else {
            self.terminated += 1;
        }
    }
}
