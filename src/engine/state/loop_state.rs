//! The state of an activity that runs more than once, as a whole.
//!
//! Changed by `apply` only; all other code reads it. What it leads to: `engine::looping`.

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
    /// How many iterations a multi-instance activity has; `None` for a standard loop.
    instances: Option<u32>,
    sequential: bool,
    /// The items of iterations that have not begun.
    items: Option<Items>,
    begun: u32,
    completed: u32,
    terminated: u32,
    /// Results by iteration; `None` as long as there is none.
    results: BTreeMap<u32, Value>,
    /// Whether no further iteration begins.
    stopped: bool,
}

impl LoopState {
    /// How many iterations have begun.
    pub fn begun(&self) -> u32 {
        self.begun
    }

    /// How many iterations have completed.
    pub fn completed(&self) -> u32 {
        self.completed
    }

    /// Whether no further iteration begins.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// How many iterations of a multi-instance activity are still to begin.
    pub fn open(&self) -> u32 {
        let all = self.instances.filter(|_| !self.stopped).unwrap_or(0);
        all.saturating_sub(self.begun)
    }

    /// The item of the iteration that begins next.
    pub fn next_item(&self) -> Option<&Value> {
        self.items.as_ref()?.values.front()
    }

    /// The list of results, once all are there: `null` for an iteration that gave none.
    pub fn results(&self) -> Value {
        let all = 1..=self.instances.unwrap_or(0);
        all.map(|iteration| self.results.get(&iteration).cloned().unwrap_or_default())
            .collect()
    }

    /// What a loop as a whole counts, as variables: when so many more iterations have completed.
    pub fn counters(&self, completing: u32) -> Map<String, Value> {
        let Some(instances) = self.instances else {
            return Map::from_iter([(LOOP_COUNTER.to_owned(), json!(self.begun))]);
        };
        let completed = self.completed + completing;
        // That some of them begin in a later step is nothing a model can see.
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

    /// An iteration begins; returns the variables it owns.
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

    /// An iteration has ended.
    pub(super) fn end(&mut self, well: bool) {
        if well {
            self.completed += 1;
        } else {
            self.terminated += 1;
        }
    }
}
