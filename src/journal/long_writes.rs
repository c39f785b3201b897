//! Long writes let the others go first: however many long ones are queued, a short write waits only
//! for those in the transaction in progress and for a few in its own.
//!
//! A transaction takes a limited number of bytes of long writes, the oldest first, but at least
//! one, so that none waits forever. Beside short ones it takes about as many bytes as they have,
//! because somebody waits for them. What depends on one of them, or waits for everything handed
//! over before, stays behind it. Not here: how a transaction is gathered and written
//! ([`writer`](super::writer)).

use std::collections::{HashMap, VecDeque};

use super::{
    change::{CHANGE, WriteOp},
    writer::QueuedEntry,
};
use crate::limits;

/// The waiting entries, in the order in which they were handed over.
#[derive(Default)]
pub(super) struct LongWrites {
    waiting: VecDeque<(usize, QueuedEntry)>,
    /// The number of waiting entries of each chain; `None` for those without a chain, which are
    /// kept in order.
    chains: HashMap<Option<usize>, usize>,
    /// Bytes of the short entries of the next transaction, each at least one.
    short: usize,
}

impl LongWrites {
    /// Keeps an entry that has to wait; returns one that does not.
    pub fn hold(&mut self, handed: QueuedEntry) -> Option<QueuedEntry> {
        let cost = handed.op.as_ref().map_or(0, cost);
        let is_behind = self.chains.contains_key(&chain(&handed)) || self.is_barrier(&handed);
        if cost <= limits::LONG_WRITE && !is_behind {
            self.short += cost.max(1);
            return Some(handed);
        }
        *self.chains.entry(chain(&handed)).or_default() += 1;
        self.waiting.push_back((cost, handed));
        None
    }

    /// Whether it waits for everything handed over before it.
    fn is_barrier(&self, handed: &QueuedEntry) -> bool {
        handed.op.is_none() && handed.chain.is_none() && !self.waiting.is_empty()
    }

    /// The entries whose turn it is with the next transaction.
    pub fn turn(&mut self) -> Vec<QueuedEntry> {
        let mut left = match std::mem::take(&mut self.short) {
            0 => limits::LONG_WRITES_AT_ONCE,
            short => short.clamp(
                limits::LONG_WRITES_BESIDE_SHORT,
                limits::LONG_WRITES_AT_ONCE,
            ),
        };
        let mut taken = Vec::new();
        while let Some((cost, _)) = self.waiting.front()
            && (taken.is_empty() || *cost <= left)
        {
            left = left.saturating_sub(*cost);
            taken.extend(self.next());
        }
        taken
    }

    /// The oldest entry.
    pub fn next(&mut self) -> Option<QueuedEntry> {
        let (_, handed) = self.waiting.pop_front()?;
        let chain = chain(&handed);
        if let Some(waiting) = self.chains.get_mut(&chain) {
            *waiting -= 1;
            if *waiting == 0 {
                self.chains.remove(&chain);
            }
        }
        Some(handed)
    }

    /// The number of waiting entries.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

fn chain(handed: &QueuedEntry) -> Option<usize> {
    handed.chain.as_ref().map(super::chain::Chain::address)
}

/// The estimated size of a write in bytes.
fn cost(op: &WriteOp) -> usize {
    match op {
        WriteOp::Commit(commit) => commit.bytes(),
        WriteOp::Snapshot(_, snapshot) => snapshot.body.len(),
        WriteOp::Definitions(rows, schedules) => {
            let sources = rows.iter().filter_map(|row| row.source.as_ref());
            let bytes: usize = sources.map(|source| source.bytes().len()).sum();
            bytes + (rows.len() + schedules.len()) * CHANGE
        }
        WriteOp::Drafts(changes) => changes.len() * CHANGE,
        WriteOp::Audited(op, rows) => cost(op) + rows.len() * CHANGE,
        // Retention limits each of its writes to this size.
        WriteOp::History(_) => limits::LONG_WRITES_AT_ONCE,
        WriteOp::User(_)
        | WriteOp::HttpCall(..)
        | WriteOp::Audit(_)
        | WriteOp::OutboxDelivered(..) => CHANGE,
    }
}
