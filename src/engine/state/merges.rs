//! The data at the earliest snapshot that a back step may restore, and every merge since, with its
//! author.
//!
//! In every scope of a live instance, the data are the base with these merges applied. A snapshot
//! is a position in the list, not a copy, so a back step that removes merges removes them from all
//! later snapshots, too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::apply::declare_in;
use crate::model::{
    deep_merge::{composes, deep_merge},
    ids::ElementKey,
};

/// Data at a point in time, and the merges since. The scope `Some` means the variables that this
/// element owns, `None` the data of the instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Merges {
    base: BTreeMap<Option<ElementKey>, Value>,
    list: Vec<Merge>,
}

/// One merge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Merge {
    /// The number of its record.
    pub seq: u64,
    /// The scope whose data it changed.
    pub scope: Option<ElementKey>,
    /// The author of the change.
    pub author: Author,
    /// Whether a back step that left the data unchanged has undone its author. Such a merge stays
    /// until a back step restores earlier data.
    pub given_up: bool,
    /// The change.
    pub change: Change,
}

/// The change that a merge makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Change {
    /// A patch, merged deeply.
    Patch(Value),
    /// A declaration of variables, with their first values.
    Declaration(Map<String, Value>),
}

/// The author of a change, which decides whether a back step undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Author {
    /// The element, or the nearest retained element instance in its place.
    pub element: Option<ElementKey>,
    /// The number of the record from which the change dates: its own, the start of the child that
    /// it came from, or the HTTP call whose response it is.
    pub since: u64,
}

impl Merges {
    pub fn new(base: BTreeMap<Option<ElementKey>, Value>) -> Self {
        Self {
            base,
            list: Vec::new(),
        }
    }

    /// Adds the newest merge. It is combined with the previous one when every back step treats both
    /// alike: they have the same author, and no action that allows back ran for the first time
    /// between them (`barrier` is the last such run).
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

    /// The data of a scope with those merges only for which `keep` holds.
    pub fn folded(&self, scope: Option<ElementKey>, keep: impl Fn(&Merge) -> bool) -> Value {
        let mut data = self.base.get(&scope).cloned().unwrap_or_else(empty);
        let of_scope = self.list.iter().filter(|merge| merge.scope == scope);
        for merge in of_scope.filter(|merge| keep(merge)) {
            merge.change.apply(&mut data);
        }
        data
    }

    /// Passes the variables of an element to its next visit.
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

    /// Removes an element with its variables.
    pub fn drop_scope(&mut self, scope: ElementKey) {
        self.base.remove(&Some(scope));
        self.list.retain(|merge| merge.scope != Some(scope));
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Merge> {
        self.list.iter_mut()
    }

    pub fn retain(&mut self, keep: impl Fn(&Merge) -> bool) {
        self.list.retain(keep);
    }

    /// Applies the merges before this number to the base: no snapshot is older.
    pub fn forget_before(&mut self, seq: u64) {
        let kept = self.list.partition_point(|merge| merge.seq < seq);
        for merge in self.list.drain(..kept) {
            let base = self.base.entry(merge.scope).or_insert_with(empty);
            merge.change.apply(base);
        }
    }
}

impl Merge {
    /// A declaration of variables. No back step removes it; it is removed with the element.
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
    /// An author without element, whose changes no back step undoes.
    pub fn nobody(seq: u64) -> Self {
        Self {
            element: None,
            since: seq,
        }
    }

    /// Whether every back step undoes both authors or neither, provided that none returns to a
    /// record between `barrier` and now.
    fn is_like(self, other: Self, barrier: u64) -> bool {
        self.element == other.element
            && (self.since == other.since || self.since.min(other.since) > barrier)
    }
}
