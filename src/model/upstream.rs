//! Where a token can come from: for each flow that enters a join which waits for what can still come,
//! the nodes from which a token can reach that flow without passing the join.
//!
//! Found once for each join, when it first has to wait, and kept: then it is asked of the nodes that
//! have a token only, and a step costs the same in a large model. What is kept of one process is
//! bounded; a join beyond that is walked to each time.
//!
//! What a join does with it: `engine::elements::inclusive_gateway`.

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
    /// Of each node, by its place, the places of those that a token comes from directly.
    before: Vec<Vec<u32>>,
    /// By join, for each of its incoming flows.
    found: BTreeMap<Arc<str>, OnceLock<Vec<Nodes>>>,
    /// How much of them is kept.
    bytes: AtomicUsize,
}

/// A set of nodes, by their places among all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// The word that the first bit kept is in.
    first: usize,
    words: Vec<u64>,
}

impl Nodes {
    /// Whether a node is among them.
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
    /// What is needed to find them; nothing for a process without such joins.
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
    /// Whether any of its gateways is a join that waits for what can still come.
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

    /// The place of a node among all, in document order.
    pub fn place_of(&self, node: &str) -> Option<usize> {
        self.by_id.get(node).copied()
    }
}

#[cfg(test)]
mod tests;
