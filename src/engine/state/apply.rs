//! The only code that writes an instance's state: one match over the record types. Never fails, never evaluates.
//!
//! A record that names something unknown changes nothing: the engine does not write such records, and a log that holds one
//! is reported by the journal's checks, not here.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use super::{
    Call, Child, Commands, InstanceState, ItemRun, Merge,
    element::{ActionState, ElementInstance, FirstRun},
};
use crate::{
    engine::{
        peer::PeerMessage,
        record::{Arrival, ChildStarted, Created, Push, Record, Remember, Row, Status},
    },
    model::{
        action::MessageType,
        ids::{ElementKey, InstanceKey, Time},
        merging::deep_merge,
    },
};

impl InstanceState {
    /// The state right after the first record.
    pub(in crate::engine) fn created(seq: u64, time: Time, created: &Created) -> Self {
        let mut head = created.clone();
        let data = std::mem::replace(&mut head.data, Value::Null);
        let parent_heard = head.parent.as_ref().map_or(0, |link| link.seq);
        Self {
            head: Arc::new(head),
            participants: Arc::default(),
            status: Status::Created,
            created_at: time,
            ended_at: None,
            seq,
            data,
            view: Value::Object(Map::new()),
            elements: BTreeMap::new(),
            waiting: BTreeMap::new(),
            open: BTreeMap::new(),
            children: BTreeMap::new(),
            parent_heard,
            parent_finished: false,
            merges: Vec::new(),
            files: BTreeMap::new(),
            commands: Commands::default(),
        }
    }

    /// Takes in one record.
    pub(in crate::engine) fn apply(&mut self, seq: u64, time: Time, record: &Record) {
        match record {
            Record::Created(_) => {}
            Record::DataMerged { by, patch, .. } => self.merge(seq, *by, patch),
            Record::DataReplaced { data, .. } => self.data = data.clone(),
            Record::FileStored(file) => drop(self.files.insert(file.id, (**file).clone())),
            Record::FlowArrived { node, arrival } => self.waiting.entry(node.clone()).or_default().push(arrival.clone()),
            Record::ElementActivated { node, arrivals } => self.activate(seq, time, node, arrivals),
            Record::ElementCompleted { element, keep, closes, .. } => self.complete(*element, *keep, *closes),
            Record::ElementTerminated { element, .. } => self.remove(*element),
            Record::ActionStarted { element, action, due, remember } => self.start_action(seq, *element, action, *due, *remember),
            Record::ActionCompleted { element, action, occurrence } => self.complete_action(*element, action, *occurrence),
            Record::Pushed(push) => self.push(seq, push),
            Record::OfferClosed { seq } => drop(self.open.remove(seq)),
            Record::ViewReplaced { body } => self.view = body.clone(),
            Record::Returned { to, action, .. } => self.return_to(seq, time, *to, action),
            Record::ChildStarted(start) => self.start_child(seq, start),
            Record::ItemsTaken { element, items } => self.with(*element, |element| element.call = Some(Call::over(items))),
            Record::ItemCompleted { element, item, result } => self.with(*element, |element| {
                element.call = Call::with_item(element.call.take(), *item, ItemRun::Done(result.clone()));
            }),
            Record::PeerHeard { from, number } => self.hear(*from, *number),
            Record::ChildEnded { child, status, .. } => self.end_child(*child, *status),
            Record::ParentFinished => self.parent_finished = true,
            Record::PeerTold { target, message } => self.tell(*target, message),
            Record::IncidentRaised { element, incident } => {
                self.with(*element, |element| {
                    if let Some((action, occurrence)) = &incident.action {
                        element.undelay(action, *occurrence);
                    }
                    element.incidents.push(incident.clone());
                });
            }
            Record::Assigned { element, user } => self.assign(*element, user.as_ref()),
            Record::ActionSkipped { element, action, occurrence } => self.skip_action(*element, action, *occurrence),
            Record::CallSkipped { element } => {
                self.with(*element, |element| element.call = Some(Call::skipped(element.call.take())));
            }
            Record::Held => self.status = Status::OnHold,
            Record::Unheld => self.status = Status::Started,
            Record::IncidentsResolved { element } => self.with(*element, |element| element.incidents.clear()),
            Record::Ended { status } => self.end(*status, time),
        }
    }

    /// Closes a row: takes its own number and remembers its command.
    pub(in crate::engine) fn end_row(&mut self, row: &Row) {
        self.seq = row.last_seq();
        self.commands.remember(row);
    }

    fn with(&mut self, element: ElementKey, change: impl FnOnce(&mut ElementInstance)) {
        if let Some(element) = self.elements.get_mut(&element) {
            change(element);
        }
    }

    fn merge(&mut self, seq: u64, by: Option<ElementKey>, patch: &Value) {
        deep_merge(&mut self.data, patch);
        if self.snapshots_kept() {
            self.merges.push(Merge { seq, by, patch: patch.clone() });
        }
    }

    fn snapshots_kept(&self) -> bool {
        self.elements.values().any(|element| element.first_runs.values().any(|first| first.snapshot.is_some()))
    }

    fn activate(&mut self, seq: u64, time: Time, node: &Arc<str>, arrivals: &[Arrival]) {
        if let Some(waiting) = self.waiting.get_mut(node) {
            for arrival in arrivals {
                if let Some(index) = waiting.iter().position(|waiting| waiting == arrival) {
                    waiting.remove(index);
                }
            }
            if waiting.is_empty() {
                self.waiting.remove(node);
            }
        }
        self.elements.insert(ElementKey(seq), visit(node.clone(), arrivals.to_vec(), time));
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

    fn complete(&mut self, key: ElementKey, keep: bool, closes: bool) {
        let Some(mut element) = self.elements.remove(&key) else { return };
        let ancestors = self.ancestors(&element);
        let inherited = element.arrivals.first().and_then(|arrival| arrival.from);
        if closes {
            for ancestor in ancestors {
                self.forget(ancestor, None);
            }
            self.forget_references(key, None);
        } else if keep {
            // Of several visits in a loop only the latest can be gone back to.
            for ancestor in ancestors {
                if self.elements.get(&ancestor).is_some_and(|stone| stone.node == element.node && !stone.unites()) {
                    let from = self.elements[&ancestor].arrivals.first().and_then(|arrival| arrival.from);
                    for arrival in element.arrivals.iter_mut().filter(|arrival| arrival.from == Some(ancestor)) {
                        arrival.from = from;
                    }
                    self.forget(ancestor, from);
                }
            }
            element.active = false;
            for action in element.actions.values_mut() {
                action.delayed.clear();
            }
            self.elements.insert(key, element);
        } else {
            self.forget_references(key, inherited);
        }
        if !self.snapshots_kept() {
            self.merges.clear();
        }
    }

    /// Drops a stone; what came from it now comes from `heir`.
    fn forget(&mut self, key: ElementKey, heir: Option<ElementKey>) {
        self.elements.remove(&key);
        self.forget_references(key, heir);
    }

    fn forget_references(&mut self, key: ElementKey, heir: Option<ElementKey>) {
        let of_elements = self.elements.values_mut().flat_map(|element| &mut element.arrivals);
        let waiting = self.waiting.values_mut().flatten();
        for arrival in of_elements.chain(waiting).filter(|arrival| arrival.from == Some(key)) {
            arrival.from = heir;
        }
        for merge in self.merges.iter_mut().filter(|merge| merge.by == Some(key)) {
            merge.by = heir;
        }
        for child in self.children.values_mut().filter(|child| child.start.element == Some(key)) {
            child.start.element = heir;
        }
    }

    fn remove(&mut self, key: ElementKey) {
        let Some(element) = self.elements.get(&key) else { return };
        let heir = element.arrivals.first().and_then(|arrival| arrival.from);
        if element.active && element.arrivals.len() > 1 {
            // A join that is ended before it went on gives its flows back; the back step takes those that come from its target.
            let arrivals = element.arrivals.clone();
            self.waiting.entry(element.node.clone()).or_default().extend(arrivals);
        }
        for child in self.children.values_mut().filter(|child| child.start.element == Some(key)) {
            child.start.awaited = false;
        }
        self.forget(key, heir);
    }

    fn start_action(&mut self, seq: u64, key: ElementKey, name: &Arc<str>, due: Option<Time>, remember: Remember) {
        let snapshot = (remember == Remember::Snapshot).then(|| (self.data.clone(), self.view.clone()));
        self.with(key, |element| {
            if remember != Remember::Nothing {
                let first = FirstRun { seq, actions: element.actions.clone(), snapshot };
                element.first_runs.entry(name.clone()).or_insert(first);
            }
            let action = element.actions.entry(name.clone()).or_default();
            action.started += 1;
            if let Some(due) = due {
                action.delayed.push((action.started, due));
            }
        });
    }

    /// A triggering that never came to a record (its node was stopped before it) begins and ends here.
    fn skip_action(&mut self, key: ElementKey, name: &Arc<str>, occurrence: u32) {
        self.with(key, |element| {
            element.undelay(name, occurrence);
            let action = element.actions.entry(name.clone()).or_default();
            action.started = action.started.max(occurrence);
            action.cancelled += 1;
        });
    }

    fn complete_action(&mut self, key: ElementKey, name: &Arc<str>, occurrence: u32) {
        self.with(key, |element| {
            element.undelay(name, occurrence);
            let action = element.actions.entry(name.clone()).or_default();
            action.started = action.started.max(occurrence);
            action.completed += 1;
        });
    }

    fn push(&mut self, seq: u64, push: &Push) {
        match push.kind {
            MessageType::Default => deep_merge(&mut self.view, &push.body),
            MessageType::Action if self.status.is_live() => drop(self.open.insert(seq, push.body.clone())),
            MessageType::Action => {}
        }
    }

    fn return_to(&mut self, seq: u64, time: Time, to: ElementKey, action: &Arc<str>) {
        let Some(stone) = self.elements.get(&to).cloned() else { return };
        self.give_back_to_joins(to);
        let descendants: Vec<ElementKey> = self.elements.keys().copied().filter(|&key| self.descends(key, to)).collect();
        let dropped: Vec<bool> = self.merges.iter().map(|merge| merge.by.is_some_and(|by| self.descends(by, to))).collect();
        let mut dropped = dropped.into_iter();
        self.merges.retain(|_| !dropped.next().unwrap_or(false));
        for key in descendants {
            self.remove(key);
        }
        let mut again = visit(stone.node, stone.arrivals, time);
        again.assignee = stone.assignee;
        if let Some(first) = stone.first_runs.get(action) {
            again.actions = first.actions.clone();
            again.first_runs = stone
                .first_runs
                .iter()
                .filter(|(_, earlier)| earlier.seq < first.seq)
                .map(|(name, earlier)| (name.clone(), earlier.clone()))
                .collect();
        }
        for action in again.actions.values_mut() {
            // A delayed triggering of the passed visit was cancelled when it was left: it neither comes again nor counts as done,
            // so its children do not run.
            action.cancelled = action.started.saturating_sub(action.completed);
            action.delayed.clear();
        }
        self.elements.insert(ElementKey(seq), again);
    }

    /// Joins passed since `to` return the flows that do not come from it; flows that do come from it vanish.
    fn give_back_to_joins(&mut self, to: ElementKey) {
        let mut kept: BTreeMap<Arc<str>, Vec<Arrival>> = BTreeMap::new();
        for (&key, element) in &self.elements {
            if key != to && element.arrivals.len() > 1 && self.descends(key, to) {
                let others = element.arrivals.iter().filter(|arrival| !self.arrival_descends(arrival, to)).cloned();
                kept.entry(element.node.clone()).or_default().extend(others);
            }
        }
        for (node, arrivals) in &self.waiting {
            let others = arrivals.iter().filter(|arrival| !self.arrival_descends(arrival, to)).cloned();
            kept.entry(node.clone()).or_default().extend(others);
        }
        kept.retain(|_, arrivals| !arrivals.is_empty());
        self.waiting = kept;
    }

    fn start_child(&mut self, seq: u64, start: &ChildStarted) {
        if let (Some(element), Some((action, occurrence))) = (start.element, &start.action) {
            self.with(element, |element| element.undelay(action, *occurrence));
        }
        if let (Some(element), None, true) = (start.element, &start.action, start.awaited) {
            self.with(element, |element| element.call = Call::started(element.call.take(), start.item, start.child));
        }
        self.children.insert(start.child, Child { seq, start: start.clone(), status: Status::Started, ending: false });
    }

    fn tell(&mut self, target: InstanceKey, message: &PeerMessage) {
        if let (PeerMessage::End { .. }, Some(child)) = (message, self.children.get_mut(&target)) {
            child.ending = true;
        }
    }

    fn hear(&mut self, from: InstanceKey, number: u64) {
        match self.children.get_mut(&from) {
            Some(child) => child.start.heard = number,
            None => self.parent_heard = number,
        }
    }

    fn end_child(&mut self, key: InstanceKey, status: Status) {
        let Some(child) = self.children.get_mut(&key) else { return };
        child.status = status;
        let awaited = std::mem::take(&mut child.start.awaited);
        if let (Some(element), None, true) = (child.start.element, &child.start.action, awaited) {
            let (item, well) = (child.start.item, status == Status::Finished);
            self.with(element, |element| element.call = Call::ended(element.call.take(), item, well));
        }
    }

    fn end(&mut self, status: Status, time: Time) {
        self.status = status;
        self.ended_at = Some(time);
        self.elements.clear();
        self.waiting.clear();
        self.open.clear();
        self.merges.clear();
    }
}

impl InstanceState {
    /// The snapshot before an action's first run with every later merge that a back step to `to` leaves standing.
    pub(in crate::engine) fn restored_data(&self, to: ElementKey, first: &FirstRun) -> Option<Value> {
        let (data, _) = first.snapshot.as_ref()?;
        let mut data = data.clone();
        let standing = |merge: &&Merge| merge.seq > first.seq && !merge.by.is_some_and(|by| self.descends(by, to));
        for merge in self.merges.iter().filter(standing) {
            deep_merge(&mut data, &merge.patch);
        }
        Some(data)
    }
}

fn visit(node: Arc<str>, arrivals: Vec<Arrival>, entered: Time) -> ElementInstance {
    ElementInstance {
        node,
        arrivals,
        active: true,
        entered,
        actions: BTreeMap::<Arc<str>, ActionState>::new(),
        first_runs: BTreeMap::new(),
        incidents: Vec::new(),
        call: None,
        assignee: None,
    }
}
