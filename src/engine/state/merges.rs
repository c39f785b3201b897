//! What the data were at the earliest snapshot a back step may restore, and every merge since, with
//! its author.
//!
//! The data of a live instance, scope by scope, are always the base with these merges on top. A snapshot is a place
//! in the list, not a copy: so a step back that takes merges out takes them out of every snapshot
//! behind them, too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::apply::declare_in;
use crate::model::{
    deep_merge::{composes, deep_merge},
    ids::ElementKey,
};

/// Data as they were, and the merges since. The data of scopes (`Some`) are the variables an element
/// owns, those of the root (`None`) the instance's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Merges {
    base: BTreeMap<Option<ElementKey>, Value>,
    list: Vec<Merge>,
}

/// One merge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Merge {
    /// Number of its record.
    pub seq: u64,
    /// Whose data it changed.
    pub scope: Option<ElementKey>,
    /// Who did it.
    pub author: Author,
    /// Its author was given up by a step back that left the data alone: it stays until a restore of
    /// something earlier.
    pub given_up: bool,
    /// What it changed.
    pub change: Change,
}

/// What a merge changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Change {
    /// Members, deeply.
    Patch(Value),
    /// Variables are there from then on, with these values.
    Declaration(Map<String, Value>),
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
    pub fn new(base: BTreeMap<Option<ElementKey>, Value>) -> Self {
        Self {
            base,
            list: Vec::new(),
        }
    }

    /// Adds the newest merge. It becomes one with the merge before when they cannot be
    /// distinguished: the same author, and no action that allows back ran for the first time in
    /// between (`barrier` is the last that did).
    pub fn push(&mut self, merge: Merge, barrier: u64) {
        if let Some(last) = self.list.last_mut()
            && last.seq > barrier
            && last.scope == merge.scope
            && !last.given_up
            && last.author.is_like(merge.author, barrier)
            && let (Change::Patch(earlier), Change::Patch(later)) =
                (&mut last.change, &merge.change)
            && composes(earlier, later)
        {
            return deep_merge(earlier, later);
        }
        self.list.push(merge);
    }

    /// The data of a scope with only the merges that pass.
    pub fn folded(&self, scope: Option<ElementKey>, stands: impl Fn(&Merge) -> bool) -> Value {
        let mut data = self.base.get(&scope).cloned().unwrap_or_else(empty);
        let of_scope = self.list.iter().filter(|merge| merge.scope == scope);
        for merge in of_scope.filter(|merge| stands(merge)) {
            merge.change.apply(&mut data);
        }
        data
    }

    /// What an element owned belongs to its next visit.
    pub fn move_scope(&mut self, from: ElementKey, to: ElementKey) {
        if let Some(base) = self.base.remove(&Some(from)) {
            self.base.insert(Some(to), base);
        }
        for merge in &mut self.list {
            if merge.scope == Some(from) {
                merge.scope = Some(to);
            }
        }
    }

    /// An element is gone, with what it owned.
    pub fn drop_scope(&mut self, scope: ElementKey) {
        self.base.remove(&Some(scope));
        self.list.retain(|merge| merge.scope != Some(scope));
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
            let base = self.base.entry(merge.scope).or_insert_with(empty);
            merge.change.apply(base);
        }
    }
}

impl Merge {
    /// An element owns variables from now on. No step back takes that out: it is gone with the
    /// element.
    pub fn declaration(seq: u64, element: ElementKey, variables: Map<String, Value>) -> Self {
        Self {
            seq,
            scope: Some(element),
            author: Author::nobody(seq),
            given_up: false,
            change: Change::Declaration(variables),
        }
    }
}

impl Change {
    fn apply(&self, data: &mut Value) {
        match self {
            Self::Patch(patch) => deep_merge(data, patch),
            Self::Declaration(variables) => declare_in(data, variables),
        }
    }
}

fn empty() -> Value {
    Value::Object(Map::new())
}

impl Author {
    /// No element: no step back undoes it.
    pub fn nobody(seq: u64) -> Self {
        Self {
            element: None,
            since: seq,
        }
    }

    /// Whether every step back undoes both or neither, if none goes back to between `barrier` and
    /// now.
    fn is_like(self, other: Self, barrier: u64) -> bool {
        self.element == other.element
            && (self.since == other.since || self.since.min(other.since) > barrier)
    }
}
