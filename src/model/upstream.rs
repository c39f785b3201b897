//! The nodes from which a token can reach each flow that enters a waiting join, without passing the
//! join.
//!
//! Computed once for each join, when it first has to wait, and stored. Then only the nodes with a
//! token are looked up, so a step costs the same in a large model. The stored size of one process
//! is limited; beyond it a join is searched each time.
//!
//! How a join uses this: `engine::elements::inclusive_gateway`.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    mem::size_of_val,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    executable::{ExecutableNode, ExecutableProcess},
    node_kind::NodeKind,
};
use crate::limits::UPSTREAM_BYTES;

/// The joins of one process.
#[derive(Debug, Default)]
pub struct Upstream {
    /// For each node, by index, the indexes of those from which a token comes directly.
    before: Vec<Vec<u32>>,
    /// By join, for each of its incoming flows.
    found: BTreeMap<Arc<str>, OnceLock<Vec<Nodes>>>,
    /// The stored bytes.
    bytes: AtomicUsize,
}

/// A set of nodes, by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// The word with the first stored bit.
    first: usize,
    words: Vec<u64>,
}

impl Nodes {
    /// Whether it contains a node.
    pub fn contains(&self, place: usize) -> bool {
        let word = (place / 64).checked_sub(self.first);
        let word = word.and_then(|word| self.words.get(word));
        word.is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    fn bytes(&self) -> usize {
        size_of_val(self) + size_of_val(&self.words[..])
    }
}

impl Upstream {
    /// The tables to compute them; empty for a process without such joins.
    pub(super) fn of(
        nodes: &[ExecutableNode],
        by_id: &BTreeMap<Arc<str>, usize>,
        sources: &BTreeMap<Arc<str>, Arc<str>>,
    ) -> Self {
        let is_late = |node: &&ExecutableNode| node.is_inclusive_join() || node.is_complex_join();
        let joins = nodes.iter().filter(is_late);
        let found: BTreeMap<_, _> = joins
            .map(|join| (join.id.clone(), OnceLock::new()))
            .collect();
        if found.is_empty() {
            return Self::default();
        }
        let place = |id: &Arc<str>| by_id.get(id).map(|&place| place as u32);
        let before = nodes.iter().map(|node| {
            let of_flow = |flow: &Arc<str>| sources.get(flow).and_then(place);
            let mut before: Vec<u32> = node.incoming.iter().filter_map(of_flow).collect();
            if let NodeKind::Boundary { attached_to, .. } = &node.kind {
                before.extend(place(attached_to));
            }
            before
        });
        Self {
            before: before.collect(),
            found,
            bytes: AtomicUsize::new(0),
        }
    }

    /// The nodes from which a token can reach a flow that leaves the node at `source`, without
    /// passing the one at `join`.
    fn walk(&self, source: usize, join: usize) -> Nodes {
        let mut words = vec![0_u64; self.before.len().div_ceil(64)];
        let mut open = vec![source as u32];
        while let Some(place) = open.pop() {
            let place = place as usize;
            let (word, bit) = (&mut words[place / 64], 1 << (place % 64));
            if place == join || *word & bit != 0 {
                continue;
            }
            *word |= bit;
            open.extend(&self.before[place]);
        }
        let first = words.iter().position(|word| *word != 0).unwrap_or(0);
        let last = words.iter().rposition(|word| *word != 0).unwrap_or(0);
        Nodes {
            first,
            words: words[first..=last.min(words.len() - 1)].to_vec(),
        }
    }
}

impl ExecutableProcess {
    /// Whether it has a join that waits for flows that can still arrive.
    pub fn has_late_join(&self) -> bool {
        !self.upstream.found.is_empty()
    }

    /// For each incoming flow of such a join the nodes from which a token can reach it without
    /// passing the join.
    pub fn upstream(&self, join: &ExecutableNode) -> Cow<'_, [Nodes]> {
        let Some(kept) = self.upstream.found.get(&join.id) else {
            return Cow::Borrowed(&[]);
        };
        if let Some(found) = kept.get() {
            return Cow::Borrowed(found);
        }
        let place = self.place_of(&join.id).unwrap_or(usize::MAX);
        let of_flow = |flow: &Arc<str>| {
            let source = self.flow_sources.get(flow)?;
            Some(self.upstream.walk(self.place_of(source)?, place))
        };
        let flows = join.incoming.iter();
        let found: Vec<Nodes> = flows
            .map(|flow| of_flow(flow).unwrap_or_default())
            .collect();
        let bytes = found.iter().map(Nodes::bytes).sum();
        let before = self.upstream.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > UPSTREAM_BYTES {
            self.upstream.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Cow::Owned(found);
        }
        Cow::Borrowed(kept.get_or_init(|| found))
    }

    /// The index of a node among all, in document order.
    pub fn place_of(&self, node: &str) -> Option<usize> {
        self.by_id.get(node).copied()
    }
}

#[cfg(test)]
mod tests;
