//! What the data were at the earliest snapshot a back step may restore, and every merge since, with
//! its author.
//!
//! The data of a live instance are always the base with these merges on top. A snapshot is a place
//! in the list, not a copy: so a step back that takes merges out takes them out of every snapshot
//! behind them, too.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{
    deep_merge::{composes, deep_merge},
    ids::ElementKey,
};

/// Data as they were, and the merges since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Merges {
    base: Value,
    list: Vec<Merge>,
}

/// One merge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Merge {
    /// Number of its record.
    pub seq: u64,
    /// Who did it.
    pub author: Author,
    /// Its author was given up by a step back that left the data alone: it stays until a restore of
    /// something earlier.
    pub given_up: bool,
    /// What was merged.
    pub patch: Value,
}

/// Who did something in an instance, for a step back that may have to undo it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Author {
    /// The element, or the nearest retained element instance that stands for it.
    pub element: Option<ElementKey>,
    /// Number of the record it goes back to: its own, the start of the child it came from, or the
    /// call it answers.
    pub since: u64,
}

impl Merges {
    pub fn new(base: Value) -> Self {
        Self {
            base,
            list: Vec::new(),
        }
    }

    /// Adds the newest merge. It becomes one with the merge before when they cannot be told apart:
    /// the same author, and no action that allows back ran for the first time in between (`barrier`
    /// is the last that did).
    pub fn push(&mut self, merge: Merge, barrier: u64) {
        if let Some(last) = self.list.last_mut()
            && last.seq > barrier
            && !last.given_up
            && last.author.is_like(merge.author, barrier)
            && composes(&last.patch, &merge.patch)
        {
            return deep_merge(&mut last.patch, &merge.patch);
        }
        self.list.push(merge);
    }

    /// The data with only the merges that pass.
    pub fn folded(&self, stands: impl Fn(&Merge) -> bool) -> Value {
        let mut data = self.base.clone();
        for merge in self.list.iter().filter(|merge| stands(merge)) {
            deep_merge(&mut data, &merge.patch);
        }
        data
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Merge> {
        self.list.iter_mut()
    }

    pub fn retain(&mut self, stands: impl Fn(&Merge) -> bool) {
        self.list.retain(stands);
    }

    /// Forgets who merged what before this number: no snapshot is older.
    pub fn forget_before(&mut self, seq: u64) {
        let kept = self.list.partition_point(|merge| merge.seq < seq);
        for merge in self.list.drain(..kept) {
            deep_merge(&mut self.base, &merge.patch);
        }
    }
}

impl Author {
    /// Whether every step back undoes both or neither, if none goes back to between `barrier` and
    /// now.
    fn is_like(self, other: Self, barrier: u64) -> bool {
        self.element == other.element
            && (self.since == other.since || self.since.min(other.since) > barrier)
    }
}
