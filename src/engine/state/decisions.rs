//! The outcome of approvals. Only the last decision that no back step has undone counts; earlier
//! ones are kept as long as a back step can make one of them the last again.
//!
//! # Rationale
//!
//! **Decisions have authors like merges**, so a back step undoes them. Of several decisions that
//! every back step undoes together, only the last is kept.

use serde::{Deserialize, Serialize};

use super::merges::Author;

/// A decision in an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// `true` for approved, `false` for rejected.
    pub approved: bool,
    pub(super) author: Author,
}

/// The decisions that may count, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Decisions(Vec<Decision>);

impl Decisions {
    /// The decision that counts.
    pub fn last(&self) -> Option<&Decision> {
        self.0.last()
    }

    /// Adds the newest decision. `first_runs` are the numbers to which a back step may return. An
    /// earlier decision of the same element without such a number between the two is dropped: every
    /// back step undoes both or neither.
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
            // No back step undoes a decision without an element.
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

    pub fn retain(&mut self, keep: impl Fn(&Decision) -> bool) {
        self.0.retain(keep);
    }
}
