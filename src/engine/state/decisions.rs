//! The outcome of approvals. Only the last decision that no step back has undone counts; the
//! earlier ones are kept as long as a step back may make one of them the last again.
//!
//! # Why so
//!
//! **Decisions have authors like merges**, so a step back undoes them; of those no step back
//! can part, only the last is kept.

use serde::{Deserialize, Serialize};

use super::merges::Author;

/// A decision of an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it approved; else it rejected.
    pub approved: bool,
    pub(super) author: Author,
}

/// Those that may count, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Decisions(Vec<Decision>);

impl Decisions {
    /// The one that counts.
    pub fn last(&self) -> Option<&Decision> {
        self.0.last()
    }

    /// Adds the newest. `first_runs` are the numbers a step back may go back to: what lies before
    /// and behind none of them stands and falls together, so the later one is enough.
    pub fn push(&mut self, decision: Decision, first_runs: &[u64]) {
        self.0.push(decision);
        let all = std::mem::take(&mut self.0);
        let parted = |earlier: &Author, later: &Author| {
            first_runs
                .iter()
                .any(|run| (earlier.since..later.since).contains(run))
        };
        let superseded = |index: usize| {
            let author = &all[index].author;
            let later = all[index + 1..].iter().map(|decision| &decision.author);
            // Without an element nothing can undo it.
            later.into_iter().any(|other| {
                other.element.is_none() || other.element == author.element && !parted(author, other)
            })
        };
        self.0 = (0..all.len())
            .filter(|&index| !superseded(index))
            .map(|index| all[index])
            .collect();
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Decision> {
        self.0.iter_mut()
    }

    pub fn retain(&mut self, stands: impl Fn(&Decision) -> bool) {
        self.0.retain(stands);
    }
}
