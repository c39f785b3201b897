//! An element instance: one visit of a node, with the states of its actions.
//!
//! Its fields are visible to `engine::state` only; other code reads it through methods.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    call::Call,
    compensation::Compensation,
    http_call::OpenCall,
    loop_state::LoopState,
    scope::Scope,
    subscription::{OpenSubscription, Subscriptions},
};
use crate::{
    engine::{
        command::{DueTimer, TimerKey},
        record::{Arrival, Incident},
        trace::TraceContext,
    },
    model::{
        event_definition::EventRef,
        executable::ExecutableNode,
        ids::{ElementKey, Time},
    },
};

/// One visit of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElementInstance {
    pub(super) node: Arc<str>,
    /// The scope it is in; `None` for the instance.
    pub(super) scope: Option<ElementKey>,
    /// Its state as a scope, once it has begun as one.
    pub(super) as_scope: Option<Box<Scope>>,
    /// The variables it owns, a JSON object; `None` when it has declared none.
    pub(super) variables: Option<Box<Value>>,
    /// The bytes of the variables it declared.
    pub(super) owned_bytes: usize,
    /// Its subscriptions; `None` before they were opened.
    pub(super) subscriptions: Option<Subscriptions>,
    /// The nodes whose events have occurred, each once: its own, those at its boundary, or those
    /// behind it.
    pub(super) triggered: Vec<Arc<str>>,
    /// Whether it has requested compensation.
    pub(super) has_thrown: bool,
    /// Until it has finished its compensation: the element that requested it.
    pub(super) compensates: Option<ElementKey>,
    /// The node of the iteration that it compensates, as its handler.
    pub(super) undone_iteration: Option<Arc<str>>,
    /// Whether it has finished its compensation.
    pub(super) has_undone: bool,
    /// Whether it compensates inside an element that was terminated before it had completed.
    pub(super) unfinished: bool,
    /// Whether it is a transaction that was cancelled.
    pub(super) cancelling: bool,
    /// Its state as an ad-hoc subprocess; `None` before its activities can be started.
    pub(super) ad_hoc: Option<AdHocState>,
    /// Whether its output mappings were applied in an earlier attempt to complete it.
    pub(super) has_written_outputs: bool,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) active: bool,
    pub(super) entered: Time,
    pub(super) actions: BTreeMap<Arc<str>, ActionState>,
    pub(super) first_runs: BTreeMap<Arc<str>, FirstRun>,
    pub(super) incidents: Vec<Incident>,
    /// The child of a call activity; `None` before it was started.
    pub(super) call: Option<Call>,
    /// The number of the iteration that it is, from 1; `None` for other elements.
    pub(super) loop_counter: Option<u32>,
    /// Its state as the whole of a loop; `None` before the loop has begun.
    pub(super) looping: Option<Box<LoopState>>,
    /// HTTP calls without a response yet, oldest first.
    pub(super) http_calls: Vec<OpenCall>,
    /// The subject it is assigned to.
    pub(super) assignee: Option<Arc<str>>,
    /// When a user task is due.
    pub(super) due: Option<Time>,
    /// The number of its next reminder, from 1, and its time.
    pub(super) reminder: Option<(u32, Time)>,
    /// When its last reminder was sent.
    pub(super) reminded: Option<Time>,
    /// The trace of the command that activated it.
    #[serde(default)]
    pub(super) trace: Option<Arc<TraceContext>>,
    /// Until it has finished its compensation: the activity that it compensates, which can be
    /// compensated again if it is terminated before. What a new visit has taken over is not in it.
    #[serde(default)]
    pub(super) undoing: Option<Box<Compensation>>,
}

/// The state of an ad-hoc subprocess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdHocState {
    /// Its activities can be started.
    #[serde(rename = "o")]
    Open,
    /// Its completion condition is true: no further activity in it can be started.
    #[serde(rename = "f")]
    Fulfilled,
}

/// The triggerings of an action in one visit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionState {
    pub(super) started: u32,
    pub(super) completed: u32,
    /// The number of triggerings that a back step or a skip has cancelled: neither due nor done.
    pub(super) cancelled: u32,
    /// Triggerings whose work is due later: number and due time.
    pub(super) delayed: Vec<(u32, Time)>,
}

/// The state that a back step to an action restores: that before its first run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstRun {
    pub(super) seq: u64,
    pub(super) actions: BTreeMap<Arc<str>, ActionState>,
    /// The view, when the action restarts from a snapshot. The data are in the list of merges.
    pub(super) view: Option<Value>,
}

impl FirstRun {
    /// The number of the record of the first run.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The view before it, when the action restarts from a snapshot.
    pub fn view(&self) -> Option<&Value> {
        self.view.as_ref()
    }
}

impl ActionState {
    /// How often the action was triggered.
    pub fn started(&self) -> u32 {
        self.started
    }

    /// How often its work was done.
    pub fn completed(&self) -> u32 {
        self.completed
    }

    /// The number of triggerings that have begun and are not done: their work failed or waits for a
    /// child.
    pub fn at_work(&self) -> u32 {
        self.started
            .saturating_sub(self.completed + self.cancelled + self.delayed.len() as u32)
    }

    /// The delayed triggerings: number and due time.
    pub fn delayed(&self) -> &[(u32, Time)] {
        &self.delayed
    }
}

impl ElementInstance {
    /// A new element instance, which is active.
    pub(super) fn begun(
        scope: Option<ElementKey>,
        node: Arc<str>,
        arrivals: Vec<Arrival>,
        entered: Time,
    ) -> Self {
        Self {
            node,
            scope,
            as_scope: None,
            variables: None,
            owned_bytes: 0,
            subscriptions: None,
            triggered: Vec::new(),
            has_thrown: false,
            compensates: None,
            undone_iteration: None,
            has_undone: false,
            unfinished: false,
            cancelling: false,
            ad_hoc: None,
            has_written_outputs: false,
            arrivals,
            active: true,
            entered,
            actions: BTreeMap::<Arc<str>, ActionState>::new(),
            first_runs: BTreeMap::new(),
            incidents: Vec::new(),
            call: None,
            loop_counter: None,
            looping: None,
            http_calls: Vec::new(),
            assignee: None,
            due: None,
            reminder: None,
            reminded: None,
            trace: None,
            undoing: None,
        }
    }

    /// Removes a delayed triggering, because its work has begun.
    pub(super) fn undelay(&mut self, action: &str, occurrence: u32) {
        if let Some(action) = self.actions.get_mut(action) {
            action.delayed.retain(|&(delayed, _)| delayed != occurrence);
        }
    }

    pub(super) fn remind(&mut self, now: Time, again: Option<Time>) {
        let next = self.reminder.map_or(1, |(number, _)| number + 1);
        self.reminder = again.map(|again| (next, again));
        self.reminded = Some(now);
    }

    /// Removes the HTTP call of a triggering that has ended.
    pub(super) fn close_call(&mut self, action: &str, occurrence: u32) {
        self.http_calls
            .retain(|open| *open.action != *action || open.occurrence != occurrence);
    }

    /// Whether it is a join whose flows come from different elements, so that no single element can
    /// replace it in the lineage.
    pub(super) fn unites(&self) -> bool {
        self.arrivals
            .windows(2)
            .any(|pair| pair[0].from != pair[1].from)
    }

    /// The scope it is in: the element of an embedded subprocess, or `None` for the instance.
    pub fn scope(&self) -> Option<ElementKey> {
        self.scope
    }

    /// The variables it owns, a JSON object; `None` when it has declared none.
    pub fn variables(&self) -> Option<&Value> {
        self.variables.as_deref()
    }

    /// The bytes of the variables it declared.
    pub fn owned_bytes(&self) -> usize {
        self.owned_bytes
    }

    /// Its subscriptions, by the definitions of the events.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&EventRef, &OpenSubscription)> {
        self.subscriptions.iter().flat_map(Subscriptions::iter)
    }

    /// Whether it has opened its subscriptions.
    pub fn has_subscribed(&self) -> bool {
        self.subscriptions
            .as_ref()
            .is_some_and(Subscriptions::is_opened)
    }

    /// The nodes whose events have occurred, in the order of their first occurrence: its own, those
    /// at its boundary or, for an event-based gateway, those behind it.
    pub fn triggered(&self) -> &[Arc<str>] {
        &self.triggered
    }

    /// Whether its own event has occurred.
    pub fn is_triggered(&self) -> bool {
        self.triggered.contains(&self.node)
    }

    /// Whether it has requested compensation.
    pub fn has_thrown_compensation(&self) -> bool {
        self.has_thrown
    }

    /// The node of the iteration that it compensates, as its handler; also after it has finished.
    pub fn undone_iteration(&self) -> Option<&Arc<str>> {
        self.undone_iteration.as_ref()
    }

    /// The element that requested its compensation, until it has finished it.
    pub fn compensates(&self) -> Option<ElementKey> {
        self.compensates
    }

    /// Whether its purpose is to compensate a completed element.
    pub fn is_undoing(&self) -> bool {
        self.compensates.is_some() || self.has_undone
    }

    /// Whether it compensates inside an element that was terminated before it had completed: a
    /// subprocess in a transaction that was cancelled.
    pub fn undoes_unfinished(&self) -> bool {
        self.unfinished
    }

    /// Whether it is a cancelled transaction, which compensates the elements completed in it.
    pub fn is_cancelling(&self) -> bool {
        self.cancelling
    }

    /// Its state as an ad-hoc subprocess; `None` before its activities can be started.
    pub fn ad_hoc(&self) -> Option<AdHocState> {
        self.ad_hoc
    }

    /// Whether it is an ad-hoc subprocess in which no further activity can be started.
    pub fn is_closed_ad_hoc(&self) -> bool {
        let is_interrupted = self.as_scope().is_some_and(Scope::is_interrupted);
        match self.ad_hoc {
            None => false,
            Some(AdHocState::Open) => is_interrupted,
            Some(AdHocState::Fulfilled) => true,
        }
    }

    /// Its state as a scope, once an element in it was activated.
    pub fn as_scope(&self) -> Option<&Scope> {
        self.as_scope.as_deref()
    }

    /// Whether its output mappings were applied in an earlier attempt to complete it.
    pub fn has_written_outputs(&self) -> bool {
        self.has_written_outputs
    }

    /// The id of its node.
    pub fn node(&self) -> &Arc<str> {
        &self.node
    }

    /// Whether it is active; otherwise it is retained after its completion.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// When it was activated.
    pub fn entered(&self) -> Time {
        self.entered
    }

    /// The flows by which its token arrived.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// The state of an action; the default when it was not triggered.
    pub fn action(&self, name: &str) -> ActionState {
        self.actions.get(name).cloned().unwrap_or_default()
    }

    /// The actions whose work has begun and is not done.
    pub fn actions_at_work(&self) -> impl Iterator<Item = &Arc<str>> {
        let at_work = self
            .actions
            .iter()
            .filter(|(_, action)| action.at_work() > 0);
        at_work.map(|(name, _)| name)
    }

    /// How often an action was triggered and how often its work was done.
    pub fn counts(&self, name: &str) -> (u32, u32) {
        self.actions
            .get(name)
            .map_or((0, 0), |action| (action.started, action.completed))
    }

    /// All pending delayed triggerings: action, occurrence, due.
    pub fn delayed(&self) -> impl Iterator<Item = (&Arc<str>, u32, Time)> {
        self.actions.iter().flat_map(|(name, action)| {
            action
                .delayed
                .iter()
                .map(move |&(occurrence, due)| (name, occurrence, due))
        })
    }

    /// All its timers: of delayed triggerings, of its next reminder, and of events, including those
    /// of its event subprocesses.
    pub fn timers(&self, key: ElementKey) -> Vec<DueTimer> {
        let of_action = |(action, occurrence, due): (&Arc<str>, u32, Time)| DueTimer {
            key: TimerKey::action(key, action, occurrence),
            due,
        };
        let reminder = self.reminder.map(|(number, due)| DueTimer {
            key: TimerKey::reminder(key, number),
            due,
        });
        let of_scope = self
            .as_scope
            .iter()
            .filter_map(|scope| scope.subscriptions());
        let events = self
            .subscriptions
            .iter()
            .chain(of_scope)
            .flat_map(|subscriptions| subscriptions.timers(Some(key)));
        self.delayed()
            .map(of_action)
            .chain(reminder)
            .chain(events)
            .collect()
    }

    /// The state that a back step to this action restores, once it has run.
    pub fn first_run(&self, action: &str) -> Option<&FirstRun> {
        self.first_runs.get(action)
    }

    /// Unresolved incidents, oldest first.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// The subject it is assigned to, if any.
    pub fn assignee(&self) -> Option<&Arc<str>> {
        self.assignee.as_ref()
    }

    /// When it is due, if it has a due date.
    pub fn due(&self) -> Option<Time> {
        self.due
    }

    /// The number of its next reminder, from 1, and its time.
    pub fn reminder(&self) -> Option<(u32, Time)> {
        self.reminder
    }

    /// When its last reminder was sent.
    pub fn reminded(&self) -> Option<Time> {
        self.reminded
    }

    /// HTTP calls without a response yet, oldest first.
    pub fn http_calls(&self) -> impl Iterator<Item = &OpenCall> {
        self.http_calls.iter()
    }

    /// The call of a triggering, from its placement to its response.
    pub fn http_call(&self, action: &str, occurrence: u32) -> Option<&OpenCall> {
        self.http_calls
            .iter()
            .find(|open| *open.action == *action && open.occurrence == occurrence)
    }

    /// The number of the iteration that it is, from 1; `None` for other elements.
    pub fn loop_counter(&self) -> Option<u32> {
        self.loop_counter
    }

    /// Whether it is the whole of a node that runs more than once; its iterations do the work.
    pub fn is_whole(&self, node: &ExecutableNode) -> bool {
        node.looping.is_some() && self.loop_counter.is_none()
    }

    /// Its state as such a whole, once the loop has begun.
    pub fn looping(&self) -> Option<&LoopState> {
        self.looping.as_deref()
    }

    /// The state of the child of a call activity.
    pub fn call(&self) -> Option<&Call> {
        self.call.as_ref()
    }
}
