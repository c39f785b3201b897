//! The only code that writes an instance's state: one match over the record types. It never fails
//! and evaluates nothing.
//!
//! A record that names something unknown changes nothing: the engine does not write such records,
//! and the checks of the journal report a log that has one.
//!
//! This file has the short cases. The end of an element is in `leave`, a back step in `back_step`,
//! HTTP calls in `http_call`, subscriptions in `subscription`, variables of scopes in `variables`.

mod back_step;
mod http_call;
mod leave;
mod looped;
mod marks;
mod migrated;
mod subscription;
mod variables;

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Call, Child, Commands, Decision, InstanceState, OpenMessage, Scope,
    decisions::Decisions,
    element::{ElementInstance, FirstRun},
    merges::{Author, Change, Merge, Merges},
};
use crate::{
    engine::{
        instance_message::InstanceMessage,
        record::{
            Arrival, ChildStarted, Created, Push, Record, Remember, Status, batch::RecordBatch,
        },
    },
    model::{
        action::MessageType,
        deep_merge::deep_merge,
        ids::{ElementKey, InstanceKey, Time},
    },
};

pub(super) use migrated::{Names, rename};
pub(super) use variables::declare_in;

impl InstanceState {
    /// The state after the first record.
    pub(in crate::engine) fn created(seq: u64, time: Time, created: &Created) -> Self {
        let mut head = created.clone();
        let data = std::mem::replace(&mut head.data, Value::Null);
        let parent_received = head.parent.as_ref().map_or(0, |link| link.seq);
        Self {
            head: Arc::new(head),
            participants: Arc::default(),
            status: Status::Created,
            created_at: time,
            ended_at: None,
            seq,
            data: Arc::new(data),
            view: Arc::new(Value::Object(Map::new())),
            elements: BTreeMap::new(),
            active_elements: 0,
            root: Scope::default(),
            open: BTreeMap::new(),
            children: BTreeMap::new(),
            parent_received,
            parent_finished: false,
            descendants_ended: false,
            decisions: Decisions::default(),
            has_skipped: false,
            merges: None,
            owned_bytes: 0,
            files: BTreeMap::new(),
            commands: Commands::default(),
            held_deliveries: Vec::new(),
            joined: Default::default(),
            trace: None,
        }
    }

    /// Applies one record.
    pub(in crate::engine) fn apply(&mut self, seq: u64, time: Time, record: &Record) {
        match record {
            Record::Created(_)
            | Record::ErrorThrown { .. }
            | Record::EscalationThrown { .. }
            | Record::TokenMoved { .. } => {}
            Record::DataMerged {
                scope,
                by,
                child,
                call,
                patch,
            } => {
                let author = self.author(call.unwrap_or(seq), *by, *child);
                self.merge(seq, *scope, author, patch);
            }
            Record::DataPatched { scope, patch } => {
                self.count_own(*scope, patch);
                self.merge(seq, *scope, Author::nobody(seq), patch);
            }
            Record::VariablesDeclared { element, variables } => {
                self.declare(seq, *element, variables)
            }
            Record::DataReplaced { scope, data } => self.replace(*scope, data),
            Record::FileStored(file) => drop(self.files.insert(file.id, (**file).clone())),
            Record::FlowArrived {
                scope,
                node,
                arrival,
            } => {
                if let Some(scope) = self.scope_mut(*scope) {
                    let waiting = scope.waiting.entry(node.clone()).or_default();
                    waiting.push(arrival.clone());
                }
            }
            Record::WaitingFlowsCleared { scope } => {
                if let Some(scope) = self.scope_mut(*scope) {
                    scope.waiting.clear();
                    scope.resetting.clear();
                }
            }
            Record::GatewayStateChanged { scope, node, taken } => {
                if let Some(scope) = self.scope_mut(*scope) {
                    scope.change_gateway(node, taken.as_deref());
                }
            }
            Record::ElementActivated {
                scope,
                node,
                arrivals,
                loop_counter,
            } => {
                self.activate(seq, time, *scope, node, arrivals);
                if let Some(iteration) = loop_counter {
                    self.begin_iteration(seq, *scope, *iteration);
                }
            }
            Record::SubscriptionsOpened { by, subscriptions } => {
                self.subscribe(*by, subscriptions, time)
            }
            Record::Migrated(migrated) => self.migrate(migrated),
            Record::SubscriptionsRenewed { by, subscriptions } => {
                self.renew(*by, subscriptions, time)
            }
            Record::SubscriptionTriggered { by, event, remains } => {
                self.trigger(*by, event, remains.as_ref())
            }
            Record::Multiple(record) => self.multiple(record),
            Record::DeliveryHeld(delivery) => self.held_deliveries.push((**delivery).clone()),
            Record::CorrelationNotified { .. } => {} // Changes only the entity.
            Record::ConditionReset { by, event } => self.reset_condition(*by, event),
            Record::ScopeInterrupted { scope, .. } => self.interrupt(*scope),
            Record::ElementCompleted {
                element,
                keep,
                closes,
                compensable,
                ..
            } => self.complete(seq, *element, (*keep, *closes), *compensable),
            Record::ElementTerminated { element, .. } => self.remove(seq, *element),
            Record::CompensationThrown { by, scope, of } => {
                self.throw_compensation(*by, *scope, of)
            }
            Record::CompensationStarted { element, by, of } => {
                self.start_compensation(seq, *element, *by, *of)
            }
            Record::CompensationCompleted { element } => self.complete_compensation(*element),
            Record::TransactionCancelled { element } => self.cancel(*element),
            Record::ActionStarted {
                element,
                action,
                due,
                remember,
            } => self.start_action(seq, *element, action, *due, *remember),
            Record::ActionCompleted {
                element,
                action,
                occurrence,
            } => self.complete_action(*element, action, *occurrence),
            Record::Pushed(push) => self.push(seq, time, push),
            Record::OfferClosed { seq } => drop(self.open.remove(seq)),
            Record::ViewReplaced { body } => self.view = Arc::new(body.clone()),
            Record::Returned { to, action, .. } => self.return_to(seq, time, *to, action),
            Record::ChildStarted(start) => self.start_child(seq, start),
            Record::Loop(record) => self.looped(record),
            Record::AdHoc(record) => self.ad_hoc(record),
            Record::OutputsWritten { element } => self.write_outputs(*element),
            Record::MessageReceived { from, number } => self.receive(*from, *number),
            Record::ChildEnded { child, status, .. } => self.end_child(*child, *status),
            Record::ParentFinished => self.parent_finished = true,
            Record::DescendantsEnded => self.descendants_ended = true,
            Record::MessageSent { target, message } => self.send(*target, message),
            Record::HttpCall(record) => self.http_calls(seq, record),
            Record::IncidentRaised { element, incident } => {
                self.with(*element, |element| {
                    if let Some((action, occurrence)) = &incident.action {
                        element.undelay(action, *occurrence);
                    }
                    element.incidents.push(incident.clone());
                });
            }
            Record::Assigned { element, user } => self.assign(*element, user.as_ref()),
            Record::TaskScheduled {
                element,
                due,
                remind,
            } => self.with(*element, |element| {
                element.due = Some(*due);
                element.reminder = remind.map(|remind| (1, remind));
            }),
            Record::Reminded { element, again } => {
                self.with(*element, |element| element.remind(time, *again))
            }
            Record::Decided {
                element, approved, ..
            } => self.decide(seq, *element, *approved),
            Record::ActionSkipped {
                element,
                action,
                occurrence,
            } => self.skip_action(*element, action, *occurrence),
            Record::CallSkipped { element } => {
                self.with(*element, |element| element.call = Some(Call::Done));
            }
            Record::Held => self.status = Status::OnHold,
            Record::Unheld => {
                self.status = Status::Started;
                self.held_deliveries.clear();
            }
            Record::IncidentsResolved { element, skipped } => {
                self.has_skipped |= *skipped;
                self.with(*element, |element| element.incidents.clear());
            }
            Record::Ended { status } => self.end(*status, time),
        }
    }

    /// Ends a row: counts the row's own number and remembers its command.
    pub(in crate::engine) fn end_row(&mut self, row: &RecordBatch) {
        self.seq = row.last_seq();
        self.commands.remember(row);
        if let Some(trace) = &row.trace {
            self.belongs_to(row.first_seq, trace);
        }
    }

    pub(super) fn with(&mut self, element: ElementKey, change: impl FnOnce(&mut ElementInstance)) {
        if let Some(element) = self.elements.get_mut(&element) {
            change(element);
        }
    }

    fn activate(
        &mut self,
        seq: u64,
        time: Time,
        scope: Option<ElementKey>,
        node: &Arc<str>,
        arrivals: &[Arrival],
    ) {
        if let Some(scope) = self.scope_mut(scope) {
            scope.live += 1;
            scope.begun = true;
            scope.take_arrivals(node, arrivals);
        }
        self.put_element(
            ElementKey(seq),
            ElementInstance::begun(scope, node.clone(), arrivals.to_vec(), time),
        );
        if self.status == Status::Created {
            self.status = Status::Started;
        }
    }

    fn assign(&mut self, element: ElementKey, user: Option<&Arc<str>>) {
        self.with(element, |element| element.assignee = user.cloned());
        if let Some(user) = user.filter(|user| !self.participants.contains(*user)) {
            Arc::make_mut(&mut self.participants).insert(user.clone());
        }
    }

    fn merge(&mut self, seq: u64, scope: Option<ElementKey>, author: Author, patch: &Value) {
        self.merge_into(scope, patch);
        if self.merges.is_none() {
            return;
        }
        let merge = Merge {
            seq,
            scope,
            author,
            given_up: false,
            change: Change::Patch(patch.clone()),
        };
        let first_runs = self
            .elements
            .values()
            .flat_map(|element| element.first_runs.values());
        let barrier = first_runs.map(FirstRun::seq).max().unwrap_or(0);
        if let Some(merges) = &mut self.merges {
            merges.push(merge, barrier);
        }
    }

    /// The author of a record. Changes by a child are dated to its start, because a back step
    /// undoes them together with the child.
    fn author(&self, seq: u64, element: Option<ElementKey>, child: Option<InstanceKey>) -> Author {
        let started = child
            .and_then(|child| self.children.get(&child))
            .map(|child| child.seq);
        Author {
            element,
            since: started.unwrap_or(seq),
        }
    }

    fn start_action(
        &mut self,
        seq: u64,
        key: ElementKey,
        name: &Arc<str>,
        due: Option<Time>,
        remember: Remember,
    ) {
        let view = (remember == Remember::Snapshot).then(|| self.view.as_ref().clone());
        if view.is_some() && self.merges.is_none() {
            let of_scopes = self.elements.iter();
            let of_scopes = of_scopes
                .filter_map(|(&key, element)| Some((Some(key), element.variables()?.clone())));
            let base = of_scopes
                .chain([(None, self.data.as_ref().clone())])
                .collect();
            self.merges = Some(Merges::new(base));
        }
        self.with(key, |element| {
            if remember != Remember::Nothing {
                let first = FirstRun {
                    seq,
                    actions: element.actions.clone(),
                    view,
                };
                element.first_runs.entry(name.clone()).or_insert(first);
            }
            let action = element.actions.entry(name.clone()).or_default();
            action.started += 1;
            if let Some(due) = due {
                action.delayed.push((action.started, due));
            }
        });
    }

    fn decide(&mut self, seq: u64, key: ElementKey, approved: bool) {
        let first_runs: Vec<u64> = self
            .elements
            .values()
            .flat_map(|element| element.first_runs.values())
            .map(FirstRun::seq)
            .collect();
        let author = self.author(seq, Some(key), None);
        self.decisions
            .push(Decision { approved, author }, &first_runs);
    }

    /// Skips a triggering. If it has no record yet, because its node failed before, it counts as
    /// triggered and cancelled.
    fn skip_action(&mut self, key: ElementKey, name: &Arc<str>, occurrence: u32) {
        self.with(key, |element| {
            element.undelay(name, occurrence);
            element.close_call(name, occurrence);
            let action = element.actions.entry(name.clone()).or_default();
            action.started = action.started.max(occurrence);
            action.cancelled += 1;
        });
    }

    fn complete_action(&mut self, key: ElementKey, name: &Arc<str>, occurrence: u32) {
        self.with(key, |element| {
            element.undelay(name, occurrence);
            element.close_call(name, occurrence);
            let action = element.actions.entry(name.clone()).or_default();
            action.started = action.started.max(occurrence);
            action.completed += 1;
        });
    }

    fn push(&mut self, seq: u64, time: Time, push: &Push) {
        if push.kind == MessageType::Default {
            deep_merge(Arc::make_mut(&mut self.view), &push.body);
        }
        if let Some(until) = push.open_until {
            // Expired messages are dropped when a new one is sent, so their number stays bounded.
            self.open.retain(|_, message| message.until > time);
            let author = self.author(seq, push.element, push.origin);
            self.open.insert(
                seq,
                OpenMessage {
                    body: push.body.clone(),
                    until,
                    author,
                },
            );
        }
    }

    fn start_child(&mut self, seq: u64, start: &ChildStarted) {
        if let (Some(element), Some((action, occurrence))) = (start.element, &start.action) {
            self.with(element, |element| element.undelay(action, *occurrence));
        }
        if let (Some(element), None, true) = (start.element, &start.action, start.awaited) {
            self.with(element, |element| {
                element.call = Some(Call::Awaiting(start.child))
            });
        }
        self.children.insert(
            start.child,
            Child {
                seq,
                start: start.clone(),
                status: Status::Started,
                ending: false,
            },
        );
    }

    fn send(&mut self, target: InstanceKey, message: &InstanceMessage) {
        if let (InstanceMessage::End { .. }, Some(child)) =
            (message, self.children.get_mut(&target))
        {
            child.ending = true;
        }
    }

    fn receive(&mut self, from: InstanceKey, number: u64) {
        let is_parent = self.parent_is(from);
        match self.children.get_mut(&from) {
            Some(child) => child.start.received = number,
            None if is_parent => self.parent_received = number,
            None => drop(self.joined.insert(from)),
        }
    }

    fn end_child(&mut self, key: InstanceKey, status: Status) {
        let Some(child) = self.children.get_mut(&key) else {
            return;
        };
        child.status = status;
        let awaited = std::mem::take(&mut child.start.awaited);
        if let (Some(element), None, true) = (child.start.element, &child.start.action, awaited) {
            let well = status == Status::Finished;
            self.with(element, |element| element.call = well.then_some(Call::Done));
        }
    }

    fn end(&mut self, status: Status, time: Time) {
        self.status = status;
        self.ended_at = Some(time);
        self.elements.clear();
        self.active_elements = 0;
        self.owned_bytes = 0;
        self.root = Scope::default();
        // Open Action messages of a finished instance still accept responses, since its last step
        // may send them.
        if status != Status::Finished {
            self.open.clear();
        }
        self.merges = None;
        self.held_deliveries.clear();
    }
}
