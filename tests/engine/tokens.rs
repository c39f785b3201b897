//! Accounts for every token, from the records alone: an element is activated only by a flow that a
//! completed element has taken, a completed element takes as many flows as its kind requires, and
//! the tokens that wait at joins are those that have arrived there and were not consumed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stepwire::{
    engine::{
        InstanceState, Record, RecordBatch,
        record::{AdHocRecord, Arrival},
    },
    model::{
        definition::EventGatewayType,
        executable::{ExecutableNode, ExecutableProcess},
        ids::ElementKey,
        node_kind::{GatewayKind, NodeKind},
    },
};

type Scope = Option<ElementKey>;

/// The tokens of an instance.
#[derive(Default)]
pub struct Tokens {
    /// For each element ever activated: its scope, and whether it takes no flow when it completes.
    elements: BTreeMap<ElementKey, (Scope, bool)>,
    /// Flows that wait at joins.
    waiting: BTreeMap<(Scope, Arc<str>), Vec<Arc<str>>>,
    /// Ad-hoc subprocesses in which no further flow is taken.
    closed: BTreeSet<ElementKey>,
    /// Flows taken by joins of complex gateways, by their elements.
    held: BTreeMap<ElementKey, Vec<(ElementKey, Scope, Arc<str>)>>,
}

/// The changes of one batch.
#[derive(Default)]
struct Batch {
    /// Flows that may be taken: those of the elements completed so far, each once.
    free: Vec<(ElementKey, Scope, Arc<str>)>,
    completed: Vec<(ElementKey, Arc<str>)>,
    /// Scopes whose tokens were removed.
    emptied: BTreeSet<Scope>,
    /// Elements activated for compensation: no token arrives at them, and none leaves them.
    undoing: BTreeSet<ElementKey>,
    has_ended: bool,
    has_returned: bool,
    /// The node a token is moved to, until it is activated.
    moved_to: Option<Arc<str>>,
}

impl Tokens {
    /// Follows the records of a batch; `state` is the state after it.
    pub fn follow(
        &mut self,
        process: &ExecutableProcess,
        row: &RecordBatch,
        state: &InstanceState,
    ) {
        let undoing = row.records.iter().filter_map(|record| match record {
            Record::CompensationStarted { element, .. } => Some(*element),
            _ => None,
        });
        let mut batch = Batch {
            undoing: undoing.collect(),
            ..Batch::default()
        };
        for (seq, record) in row.numbered() {
            self.record(process, ElementKey(seq), record, &mut batch);
        }
        if batch.has_returned {
            self.waiting = waiting(state);
            return;
        }
        if batch.has_ended {
            return;
        }
        for (element, node) in &batch.completed {
            let node = process.node(node).expect("completed elements have nodes");
            self.is_left(*element, node, &batch);
        }
        assert_eq!(
            self.waiting,
            waiting(state),
            "what waits at joins is what arrived there"
        );
    }

    fn record(
        &mut self,
        process: &ExecutableProcess,
        key: ElementKey,
        record: &Record,
        batch: &mut Batch,
    ) {
        match record {
            Record::ElementActivated {
                scope,
                node,
                arrivals,
                loop_counter,
            } => {
                let is_silent = loop_counter.is_some() || batch.undoing.contains(&key);
                self.elements.insert(key, (*scope, is_silent));
                let node = process.node(node).expect("activated elements have nodes");
                if !batch.undoing.contains(&key) {
                    self.enters(key, node, *scope, arrivals, batch);
                }
            }
            Record::FlowArrived {
                scope,
                node,
                arrival,
            } => {
                take(batch, *scope, arrival);
                let place = (*scope, node.clone());
                let waits = self.waiting.entry(place).or_default();
                waits.push(arrival.flow.clone());
            }
            Record::ElementCompleted { element, node, .. } => {
                let (scope, is_silent) = self.elements[element];
                let of = process.node(node).expect("elements have nodes");
                if !is_silent {
                    let each = (0..of.completion_quantity).flat_map(|_| &of.outgoing);
                    let flows = each.map(|flow| flow.id.clone());
                    batch.free.extend(flows.map(|flow| (*element, scope, flow)));
                }
                batch.completed.push((*element, node.clone()));
                self.forget(Some(*element), batch);
            }
            Record::Migrated(_) => batch.has_returned = true,
            Record::TokenMoved { node, .. } => batch.moved_to = Some(node.clone()),
            Record::ElementTerminated { element, node } => {
                // A join that is terminated returns its flows: several of them by the end of the
                // element.
                let held = self.held.remove(element).unwrap_or_default();
                if let [(_, scope, _), _, ..] = held[..] {
                    let waits = self.waiting.entry((scope, node.clone())).or_default();
                    waits.extend(held.into_iter().map(|(.., flow)| flow));
                } else {
                    batch.free.extend(held);
                }
                self.forget(Some(*element), batch);
            }
            Record::WaitingFlowsCleared { scope } | Record::ScopeInterrupted { scope, .. } => {
                self.forget(*scope, batch);
            }
            Record::AdHoc(AdHocRecord::Fulfilled { element }) => {
                self.closed.insert(*element);
            }
            Record::Returned { to, .. } => {
                let (scope, _) = self.elements[to];
                self.elements.insert(key, (scope, false));
                batch.has_returned = true;
            }
            Record::TransactionCancelled { element } => drop(batch.emptied.insert(Some(*element))),
            Record::Ended { .. } => {
                self.waiting.clear();
                batch.has_ended = true;
            }
            _ => {}
        }
    }

    /// The tokens in a scope are removed.
    fn forget(&mut self, scope: Scope, batch: &mut Batch) {
        self.waiting.retain(|(of, _), _| *of != scope);
        batch.emptied.insert(scope);
    }

    /// Checks that a node is activated by flows that were taken, or that waited at it.
    fn enters(
        &mut self,
        key: ElementKey,
        node: &ExecutableNode,
        scope: Scope,
        arrivals: &[Arrival],
        batch: &mut Batch,
    ) {
        if node.is_complex_join() {
            let flows = arrivals.iter().map(|arrival| arrival.flow.clone());
            let flows = flows.map(|flow| (key, scope, flow)).collect();
            self.held.insert(key, flows);
        }
        // A boundary event has the lineage of its activity, and the node to which a token is moved
        // that of the element it was moved from.
        let is_moved = batch.moved_to.take_if(|to| *to == node.id).is_some();
        if batch.has_returned || is_moved || matches!(node.kind, NodeKind::Boundary { .. }) {
            return;
        }
        if !node.is_join() {
            assert!(arrivals.len() <= 1, "{} is no join: {arrivals:?}", node.id);
            for arrival in arrivals {
                take(batch, scope, arrival);
            }
            return;
        }
        let place = (scope, node.id.clone());
        let waits = self.waiting.entry(place.clone()).or_default();
        for arrival in arrivals {
            let at = waits.iter().position(|flow| *flow == arrival.flow);
            let at = at.unwrap_or_else(|| panic!("{}: nothing arrived by {arrival:?}", node.id));
            waits.remove(at);
        }
        if waits.is_empty() {
            self.waiting.remove(&place);
        }
    }

    /// Checks that a completed element has taken as many flows as its kind requires, unless its
    /// scope has ended.
    fn is_left(&self, element: ElementKey, node: &ExecutableNode, batch: &Batch) {
        let (scope, is_silent) = self.elements[&element];
        let is_closed = |scope: &Scope| scope.is_some_and(|key| self.closed.contains(&key));
        let is_removed = |scope: &Scope| batch.emptied.contains(scope) || is_closed(scope);
        let mut around = std::iter::successors(Some(scope), |scope| {
            Some(self.elements.get(&(*scope)?).and_then(|(scope, _)| *scope))
        });
        if is_silent || node.outgoing.is_empty() || around.any(|scope| is_removed(&scope)) {
            return;
        }
        let left = batch.free.iter().filter(|(by, ..)| *by == element).count();
        let taken = node.outgoing.len() * node.completion_quantity - left;
        let fits = match &node.kind {
            NodeKind::Gateway(GatewayKind::Exclusive) => taken == 1,
            NodeKind::Gateway(GatewayKind::EventBased { instantiates }) => {
                if *instantiates == Some(EventGatewayType::Parallel) {
                    left == 0
                } else {
                    taken == 1
                }
            }
            NodeKind::Gateway(GatewayKind::Inclusive) => taken >= 1,
            // A reset may take no flow.
            NodeKind::Gateway(GatewayKind::Complex { .. }) => node.is_complex_join() || taken >= 1,
            _ if node.chooses_flows() => taken >= 1,
            _ => left == 0,
        };
        assert!(
            fits,
            "'{}' was left by {taken} of {} flows",
            node.id,
            node.outgoing.len()
        );
    }
}

/// A flow may be taken once after the completion of its source element.
fn take(batch: &mut Batch, scope: Scope, arrival: &Arrival) {
    // In a loop, the visit that completed last.
    let mut free = batch.free.iter();
    let at = free.rposition(|(_, of, flow)| *of == scope && *flow == arrival.flow);
    let at = at.unwrap_or_else(|| panic!("nothing was left by {arrival:?} in {scope:?}"));
    batch.free.remove(at);
}

fn waiting(state: &InstanceState) -> BTreeMap<(Scope, Arc<str>), Vec<Arc<str>>> {
    let elements = state.active().map(|(key, _)| Some(key));
    let scopes = elements.chain([None]);
    let held = scopes.filter_map(|scope| Some((scope, state.scope(scope)?)));
    held.flat_map(|(scope, held)| {
        held.waiting().map(move |(node, arrivals)| {
            let flows = arrivals.iter().map(|arrival| arrival.flow.clone());
            ((scope, node.clone()), flows.collect())
        })
    })
    .collect()
}
