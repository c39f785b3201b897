//! Builds a part of a history from records.
//!
//! The entries are in `entries`. Not here: reading the log (the module above).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::entries::{
    CalledInstance, DecisionEntry, LoopEntry, PatchedData, TriggeredEvent, Visit, VisitKind,
};
use crate::{
    engine::{
        Record, RecordBatch,
        record::{Arrival, LoopRecord, Subscriber},
    },
    model::{
        deep_merge::deep_merge,
        executable::{ExecutableNode, ExecutableProcess},
        ids::{ElementKey, InstanceKey, Time},
        node_kind::{NodeKind, SubProcess},
    },
};

/// A part of a history under construction.
pub(super) struct HistoryBuilder<'a> {
    key: InstanceKey,
    process: &'a ExecutableProcess,
    pub(super) visits: BTreeMap<ElementKey, Visit<'a>>,
    pub(super) flows: BTreeSet<&'a str>,
    pub(super) patches: Vec<PatchedData<'a>>,
    /// Whether data are included.
    with_data: bool,
}

/// The visit that a record begins.
struct Begun<'a> {
    node: &'a str,
    scope: Option<ElementKey>,
    loop_counter: Option<u32>,
}

impl<'a> HistoryBuilder<'a> {
    /// A history without visits yet.
    pub(super) fn new(key: InstanceKey, process: &'a ExecutableProcess, with_data: bool) -> Self {
        Self {
            key,
            process,
            visits: BTreeMap::new(),
            flows: BTreeSet::new(),
            patches: Vec::new(),
            with_data,
        }
    }

    /// Adds what happened after a number, up to `length` visits; of later rows only the ends of
    /// these. `false` if there are more.
    pub(super) fn add_rows(&mut self, rows: &'a [RecordBatch], after: u64, length: usize) -> bool {
        let mut whole = true;
        for row in rows {
            for (seq, record) in row.numbered().filter(|(seq, _)| *seq > after) {
                if let Some(begun) = self.begun(ElementKey(seq), record) {
                    whole &= self.visits.len() < length;
                    if whole {
                        let visit = self.visit(ElementKey(seq), begun, row.time);
                        self.visits.insert(ElementKey(seq), visit);
                    }
                }
                self.add_record(row, seq, record, whole);
            }
        }
        whole
    }

    /// Adds a record; new flows and corrections only if `whole`.
    fn add_record(&mut self, row: &'a RecordBatch, seq: u64, record: &'a Record, whole: bool) {
        match record {
            Record::ElementActivated { arrivals, .. } if whole => {
                self.flows
                    .extend(arrivals.iter().map(|arrival: &Arrival| &*arrival.flow));
            }
            Record::Decided {
                element,
                approved,
                comment,
            } => {
                let decision = if *approved { "approved" } else { "rejected" };
                let (by, at) = (row.by.as_deref(), row.time.to_string());
                let decided = DecisionEntry {
                    decision,
                    by,
                    at,
                    comment: comment.as_deref(),
                };
                self.visits
                    .entry(*element)
                    .and_modify(|visit| visit.decisions.push(decided));
            }
            Record::DataPatched { scope, patch } => {
                if let Some(owner) = scope {
                    self.variables(*owner, |owned| deep_merge(owned, patch));
                }
                if whole {
                    self.patches.push(PatchedData {
                        seq,
                        by: row.by.as_deref(),
                        at: row.time.to_string(),
                        scope: scope.map(|scope| scope.wire(self.key)),
                        data: self.with_data.then_some(patch),
                    });
                }
            }
            Record::VariablesDeclared { element, variables } => {
                self.variables(*element, |owned| {
                    if let Value::Object(owned) = owned {
                        owned.extend(variables.clone());
                    }
                });
            }
            Record::DataMerged {
                scope: Some(owner),
                patch,
                ..
            } => self.variables(*owner, |owned| deep_merge(owned, patch)),
            Record::DataReplaced {
                scope: Some(owner),
                data,
            } => self.variables(*owner, |owned| *owned = data.clone()),
            Record::Returned { to, .. } => {
                let owned = self
                    .visits
                    .get(to)
                    .and_then(|visit| visit.variables.clone());
                if let Some(owned) = owned {
                    self.variables(ElementKey(seq), |again| *again = owned);
                }
            }
            Record::DataMerged { scope: None, .. } | Record::DataReplaced { scope: None, .. } => {}
            Record::FlowArrived { arrival, .. } if whole => {
                self.flows.insert(&*arrival.flow);
            }
            Record::ElementCompleted { element, .. } => {
                end(self.visits.get_mut(element), "Completed", row.time)
            }
            Record::ElementTerminated { element, .. } => {
                end(self.visits.get_mut(element), "Terminated", row.time)
            }
            Record::SubscriptionTriggered {
                by: Subscriber::Element(element),
                event,
                ..
            } => {
                let event = TriggeredEvent {
                    node: &event.node,
                    at: row.time.to_string(),
                };
                self.change(*element, |visit| visit.events.push(event));
            }
            Record::SubscriptionTriggered {
                by: Subscriber::Scope(scope),
                event,
                ..
            } => {
                let event = TriggeredEvent {
                    node: &event.node,
                    at: row.time.to_string(),
                };
                if let Some(scope) = scope {
                    self.change(*scope, |visit| visit.events.push(event));
                }
            }
            Record::Loop(looped) => {
                if let LoopRecord::Begun {
                    element,
                    instances,
                    sequential,
                    ..
                } = &**looped
                {
                    let begun = LoopEntry {
                        instances: *instances,
                        sequential: *sequential,
                    };
                    self.change(*element, |visit| visit.r#loop = Some(begun));
                }
            }
            Record::ChildStarted(child) => {
                let called = CalledInstance {
                    instance: child.child,
                    process: &child.process,
                    status: None,
                };
                if let Some(element) = child.element {
                    self.change(element, |visit| visit.children.push(called));
                }
            }
            Record::ChildEnded { child, status, .. } => {
                let called = self
                    .visits
                    .values_mut()
                    .flat_map(|visit| &mut visit.children);
                for called in called.filter(|called| called.instance == *child) {
                    called.status = Some(status.name());
                }
            }
            Record::Migrated(migrated) => self.migrated(&migrated.renamed),
            Record::Created(_)
            | Record::TokenMoved { .. }
            | Record::SubscriptionsRenewed { .. }
            | Record::FileStored(_)
            | Record::FlowArrived { .. }
            | Record::ElementActivated { .. }
            | Record::SubscriptionsOpened { .. }
            | Record::Multiple(_)
            | Record::DeliveryHeld(_)
            | Record::CorrelationNotified { .. }
            | Record::ConditionReset { .. }
            | Record::ScopeInterrupted { .. }
            | Record::WaitingFlowsCleared { .. }
            | Record::GatewayStateChanged { .. }
            | Record::ErrorThrown { .. }
            | Record::EscalationThrown { .. }
            | Record::CompensationThrown { .. }
            | Record::CompensationStarted { .. }
            | Record::CompensationCompleted { .. }
            | Record::TransactionCancelled { .. }
            | Record::ActionStarted { .. }
            | Record::ActionCompleted { .. }
            | Record::Pushed(_)
            | Record::OfferClosed { .. }
            | Record::ViewReplaced { .. }
            | Record::MessageReceived { .. }
            | Record::ParentFinished
            | Record::DescendantsEnded
            | Record::MessageSent { .. }
            | Record::HttpCall(_)
            | Record::IncidentRaised { .. }
            | Record::Assigned { .. }
            | Record::TaskScheduled { .. }
            | Record::Reminded { .. }
            | Record::ActionSkipped { .. }
            | Record::AdHoc(_)
            | Record::OutputsWritten { .. }
            | Record::CallSkipped { .. }
            | Record::Held
            | Record::Unheld
            | Record::IncidentsResolved { .. }
            | Record::Ended { .. } => {}
        }
    }

    /// The visit that a record begins.
    fn begun(&self, element: ElementKey, record: &'a Record) -> Option<Begun<'a>> {
        if let Record::ElementActivated {
            scope,
            node,
            loop_counter,
            ..
        } = record
        {
            return Some(Begun {
                node,
                scope: *scope,
                loop_counter: *loop_counter,
            });
        }
        let Record::Returned { to, node, .. } = record else {
            return None;
        };
        // It is a visit of the same node in the same place. The visit before a back step is not
        // known if it lies before the rows that were read.
        let before = self.visits.get(to).filter(|_| *to < element);
        Some(Begun {
            node,
            scope: before
                .and_then(|visit| ElementKey::from_wire(visit.scope.as_deref()?, self.key)),
            loop_counter: before.and_then(|visit| visit.loop_counter),
        })
    }

    fn visit(&self, element: ElementKey, begun: Begun<'a>, at: Time) -> Visit<'a> {
        let Begun {
            node,
            scope,
            loop_counter,
        } = begun;
        let mut visit = Visit {
            element: element.wire(self.key),
            node,
            name: "",
            r#type: "",
            kind: VisitKind::Task,
            scope: scope.map(|scope| scope.wire(self.key)),
            loop_counter,
            attached_to: None,
            lifecycle: "Activated",
            activated_at: at.to_string(),
            ended_at: None,
            r#loop: None,
            events: Vec::new(),
            children: Vec::new(),
            decisions: Vec::new(),
            variables: None,
        };
        describe(self.process, &mut visit);
        visit
    }

    /// Earlier visits get the ids of the present version, because they are drawn on its diagram.
    fn migrated(&mut self, renamed: &'a BTreeMap<Arc<str>, Arc<str>>) {
        for visit in self.visits.values_mut() {
            if let Some(node) = renamed.get(visit.node) {
                visit.node = node;
                describe(self.process, visit);
            }
        }
        let now = |flow| renamed.get(flow).map_or(flow, |flow: &Arc<str>| &**flow);
        self.flows = std::mem::take(&mut self.flows)
            .into_iter()
            .map(now)
            .collect();
    }

    fn change(&mut self, element: ElementKey, change: impl FnOnce(&mut Visit<'a>)) {
        if let Some(visit) = self.visits.get_mut(&element) {
            change(visit);
        }
    }

    /// Records a change of the variables that an element owns.
    fn variables(&mut self, owner: ElementKey, change: impl FnOnce(&mut Value)) {
        if let Some(visit) = self.visits.get_mut(&owner).filter(|_| self.with_data) {
            change(
                visit
                    .variables
                    .get_or_insert_with(|| Value::Object(Map::new())),
            );
        }
    }

    /// The newest visit.
    pub(super) fn last(&self) -> Option<u64> {
        self.visits.last_key_value().map(|(key, _)| key.0)
    }
}

fn kind(node: &ExecutableNode, is_whole: bool) -> VisitKind {
    if is_whole {
        return VisitKind::Loop;
    }
    match &node.kind {
        NodeKind::Start(_) | NodeKind::End(_) | NodeKind::Catch(_) | NodeKind::Throw(_) => {
            VisitKind::Event
        }
        NodeKind::Boundary { .. } => VisitKind::BoundaryEvent,
        NodeKind::Task(_) => VisitKind::Task,
        NodeKind::Call(_) => VisitKind::CallActivity,
        NodeKind::SubProcess(SubProcess {
            triggered_by_event: true,
            ..
        }) => VisitKind::EventSubProcess,
        NodeKind::SubProcess(_) => VisitKind::SubProcess,
        NodeKind::Gateway(_) => VisitKind::Gateway,
    }
}

fn end(visit: Option<&mut Visit<'_>>, lifecycle: &'static str, at: Time) {
    if let Some(visit) = visit {
        visit.lifecycle = lifecycle;
        visit.ended_at = Some(at.to_string());
    }
}

/// Adds the properties of a visited node from the process.
fn describe<'a>(process: &'a ExecutableProcess, visit: &mut Visit<'a>) {
    let Some(node) = process.node(visit.node) else {
        return;
    };
    let is_whole = node.looping.is_some() && visit.loop_counter.is_none();
    visit.name = &node.name;
    visit.r#type = node.kind.bpmn_name();
    visit.kind = kind(node, is_whole);
    visit.attached_to = match &node.kind {
        NodeKind::Boundary { attached_to, .. } => Some(&**attached_to),
        NodeKind::Start(_)
        | NodeKind::End(_)
        | NodeKind::Catch(_)
        | NodeKind::Throw(_)
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => None,
    };
}
