//! An element instance: one visit of a node, with the states of its actions.
//!
//! Fields are visible to `engine::state` only; everyone else reads through methods.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    call::Call,
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
    /// What it holds as a scope, once it has begun.
    pub(super) as_scope: Option<Box<Scope>>,
    /// The variables it owns, a JSON object; `None` when it has declared none.
    pub(super) variables: Option<Box<Value>>,
    /// How many bytes of them it declared.
    pub(super) owned_bytes: usize,
    /// What it waits for, by the definitions of the events; `None` before it has opened any.
    pub(super) subscriptions: Option<Subscriptions>,
    /// The nodes of the events that have come, each once: its own, those at its boundary or behind
    /// it.
    pub(super) triggered: Vec<Arc<str>>,
    /// Whether it has asked for compensation.
    pub(super) has_thrown: bool,
    /// Who asked for what it undoes, as a compensation handler, until it has undone it.
    pub(super) compensates: Option<ElementKey>,
    /// The node of the iteration that it undoes, as its handler.
    pub(super) undone_iteration: Option<Arc<str>>,
    /// Whether it has undone what it was to undo.
    pub(super) has_undone: bool,
    /// Whether it undoes what was ended before it had completed.
    pub(super) unfinished: bool,
    /// Whether it is a transaction that was cancelled.
    pub(super) cancelling: bool,
    /// Its state as an ad-hoc subprocess; `None` before its activities can be started.
    pub(super) ad_hoc: Option<AdHocState>,
    /// Whether what its output mappings read was written before it stopped.
    pub(super) has_written_outputs: bool,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) active: bool,
    pub(super) entered: Time,
    pub(super) actions: BTreeMap<Arc<str>, ActionState>,
    pub(super) first_runs: BTreeMap<Arc<str>, FirstRun>,
    pub(super) incidents: Vec<Incident>,
    /// What a call activity has started; `None` before it has.
    pub(super) call: Option<Call>,
    /// Which iteration of its scope it is, from 1; `None` for anything else.
    pub(super) loop_counter: Option<u32>,
    /// Its state as a whole that runs more than once; `None` before it has begun.
    pub(super) looping: Option<Box<LoopState>>,
    /// Calls to the outside without a result yet, oldest first.
    pub(super) http_calls: Vec<OpenCall>,
    /// The subject it belongs to.
    pub(super) assignee: Option<Arc<str>>,
    /// When a user task is due.
    pub(super) due: Option<Time>,
    /// Which reminder comes next, from 1, and when.
    pub(super) reminder: Option<(u32, Time)>,
    /// When it reminded last.
    pub(super) reminded: Option<Time>,
    /// The trace that it was begun in.
    #[serde(default)]
    pub(super) trace: Option<Arc<TraceContext>>,
}

/// The state of an ad-hoc subprocess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdHocState {
    /// Its activities can be started.
    #[serde(rename = "o")]
    Open,
    /// Its completion condition is true: nothing in it begins any more.
    #[serde(rename = "f")]
    Fulfilled,
}

/// What an action did in one visit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionState {
    pub(super) started: u32,
    pub(super) completed: u32,
    /// Triggerings a back step has given up: neither due nor done.
    pub(super) cancelled: u32,
    /// Triggerings whose work is due later.
    pub(super) delayed: Vec<(u32, Time)>,
}

/// What a back step to an action needs: how things were before its first run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstRun {
    pub(super) seq: u64,
    pub(super) actions: BTreeMap<Arc<str>, ActionState>,
    /// The view, when the action restarts from a snapshot; the data are in the list of merges.
    pub(super) view: Option<Value>,
}

impl FirstRun {
    /// Number of the record that was the first run.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The view as it was, when the action restarts from a snapshot.
    pub fn view(&self) -> Option<&Value> {
        self.view.as_ref()
    }
}

impl ActionState {
    /// How often it was triggered.
    pub fn started(&self) -> u32 {
        self.started
    }

    /// How often its work was done.
    pub fn completed(&self) -> u32 {
        self.completed
    }

    /// How many triggerings have begun and are not done: their work failed, or waits for a child.
    pub fn at_work(&self) -> u32 {
        self.started
            .saturating_sub(self.completed + self.cancelled + self.delayed.len() as u32)
    }

    /// Triggerings not due yet, with the time they are.
    pub fn delayed(&self) -> &[(u32, Time)] {
        &self.delayed
    }
}

impl ElementInstance {
    /// One that begins.
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
        }
    }

    /// A delayed triggering is no longer pending: its work has begun.
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

    /// A triggering is over: nothing waits for its call any more.
    pub(super) fn close_call(&mut self, action: &str, occurrence: u32) {
        self.http_calls
            .retain(|open| *open.action != *action || open.occurrence != occurrence);
    }

    /// Whether it is a join whose flows come from different elements: no single heir can stand for
    /// it.
    pub(super) fn unites(&self) -> bool {
        self.arrivals
            .windows(2)
            .any(|pair| pair[0].from != pair[1].from)
    }

    /// The scope it is in: an element of an embedded subprocess, `None` for the instance.
    pub fn scope(&self) -> Option<ElementKey> {
        self.scope
    }

    /// The variables it owns, a JSON object; `None` when it has declared none.
    pub fn variables(&self) -> Option<&Value> {
        self.variables.as_deref()
    }

    /// How many bytes of variables it declared.
    pub fn owned_bytes(&self) -> usize {
        self.owned_bytes
    }

    /// What it waits for, by the definitions of the events.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&EventRef, &OpenSubscription)> {
        self.subscriptions.iter().flat_map(Subscriptions::iter)
    }

    /// Whether it has opened what it waits for.
    pub fn has_subscribed(&self) -> bool {
        self.subscriptions
            .as_ref()
            .is_some_and(Subscriptions::is_opened)
    }

    /// The nodes of the events that have come, in the order they came first: its own, those at its
    /// boundary or, for an event-based gateway, behind it.
    pub fn triggered(&self) -> &[Arc<str>] {
        &self.triggered
    }

    /// Whether its own event has come.
    pub fn is_triggered(&self) -> bool {
        self.triggered.contains(&self.node)
    }

    /// Whether it has asked for compensation.
    pub fn has_thrown_compensation(&self) -> bool {
        self.has_thrown
    }

    /// The node of the iteration that it undoes, as its handler; also once it has undone it.
    pub fn undone_iteration(&self) -> Option<&Arc<str>> {
        self.undone_iteration.as_ref()
    }

    /// Who asked for what it undoes, until it has undone it.
    pub fn compensates(&self) -> Option<ElementKey> {
        self.compensates
    }

    /// Whether it is there to undo something that is completed.
    pub fn is_undoing(&self) -> bool {
        self.compensates.is_some() || self.has_undone
    }

    /// Whether it undoes what was ended before it had completed: a subprocess in a transaction that
    /// was cancelled.
    pub fn undoes_unfinished(&self) -> bool {
        self.unfinished
    }

    /// Whether it is a transaction that was cancelled and undoes what is completed in it.
    pub fn is_cancelling(&self) -> bool {
        self.cancelling
    }

    /// Its state as an ad-hoc subprocess; `None` before its activities can be started.
    pub fn ad_hoc(&self) -> Option<AdHocState> {
        self.ad_hoc
    }

    /// Whether it is an ad-hoc subprocess in which nothing begins any more.
    pub fn is_closed_ad_hoc(&self) -> bool {
        let is_interrupted = self.as_scope().is_some_and(Scope::is_interrupted);
        match self.ad_hoc {
            None => false,
            Some(AdHocState::Open) => is_interrupted,
            Some(AdHocState::Fulfilled) => true,
        }
    }

    /// What it holds as a scope, once something in it has begun.
    pub fn as_scope(&self) -> Option<&Scope> {
        self.as_scope.as_deref()
    }

    /// Whether what its output mappings read was written before it stopped.
    pub fn has_written_outputs(&self) -> bool {
        self.has_written_outputs
    }

    /// Id of its node.
    pub fn node(&self) -> &Arc<str> {
        &self.node
    }

    /// Whether the token is here; else it is the retained element instance of a passed element.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// When it was activated.
    pub fn entered(&self) -> Time {
        self.entered
    }

    /// The flows that led here.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// State of an action; a fresh one when it has not been triggered.
    pub fn action(&self, name: &str) -> ActionState {
        self.actions.get(name).cloned().unwrap_or_default()
    }

    /// Actions whose work has begun and is not done.
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

    /// Every timer it has armed: of delayed triggerings, of its next reminder, of events, also of
    /// those it waits for as a scope.
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

    /// What a back step to this action needs, once it ran.
    pub fn first_run(&self, action: &str) -> Option<&FirstRun> {
        self.first_runs.get(action)
    }

    /// Unresolved incidents, oldest first.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// The subject it belongs to, if to anybody.
    pub fn assignee(&self) -> Option<&Arc<str>> {
        self.assignee.as_ref()
    }

    /// When it is due, if it has a due date.
    pub fn due(&self) -> Option<Time> {
        self.due
    }

    /// Which reminder comes next, from 1, and when.
    pub fn reminder(&self) -> Option<(u32, Time)> {
        self.reminder
    }

    /// When it reminded last.
    pub fn reminded(&self) -> Option<Time> {
        self.reminded
    }

    /// Calls to the outside without a result yet, oldest first.
    pub fn http_calls(&self) -> impl Iterator<Item = &OpenCall> {
        self.http_calls.iter()
    }

    /// The call of a triggering, once it was placed and as long as it has no result.
    pub fn http_call(&self, action: &str, occurrence: u32) -> Option<&OpenCall> {
        self.http_calls
            .iter()
            .find(|open| *open.action == *action && open.occurrence == occurrence)
    }

    /// Which iteration of its scope it is, from 1; `None` for anything else.
    pub fn loop_counter(&self) -> Option<u32> {
        self.loop_counter
    }

    /// Whether it is the whole of a node that runs more than once: its iterations do the work.
    pub fn is_whole(&self, node: &ExecutableNode) -> bool {
        node.looping.is_some() && self.loop_counter.is_none()
    }

    /// Its state as such a whole, once it has begun.
    pub fn looping(&self) -> Option<&LoopState> {
        self.looping.as_deref()
    }

    /// The state of the child of a call activity.
    pub fn call(&self) -> Option<&Call> {
        self.call.as_ref()
    }
}
