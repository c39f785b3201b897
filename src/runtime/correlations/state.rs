//! The state of the entity of a message or signal: the fold of its records. Pure: no clock, no
//! store.
//!
//! Numbers are those of records, dense within the entity as within an instance. The effect of a
//! command: `decide`.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    idle::IdleSubscriptions,
    outcome::Outcome,
    record::{CorrelationRecord, CorrelationRow, WaitingElement},
};
use crate::{
    engine::{record::CommandTag, trace::TraceContext},
    limits,
    model::ids::{InstanceKey, Time},
};

/// A waiting element.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrelationSubscriber {
    /// The element.
    pub place: WaitingElement,
    /// The id of its process.
    pub process: Arc<str>,
    /// Deliveries in progress to it, in order; for a message at most one.
    pub under_way: Vec<Delivery>,
    /// The business key of its instance.
    #[serde(default)]
    pub business_key: Option<Arc<str>>,
}

/// A delivery of a publication to a waiting element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Number of its record.
    pub number: u64,
    /// The number of the publication.
    pub publication: u64,
}

/// A publication that is not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    /// The data.
    pub data: Arc<Value>,
    /// Until when it is kept.
    pub until: Option<Time>,
    /// The processes it was delivered to: a message goes to each once.
    pub processes: BTreeSet<Arc<str>>,
    /// Deliveries that have not ended.
    pub under_way: u32,
    /// Whether it goes to all that wait.
    pub is_broadcast: bool,
    /// The instance that threw it, to which it is not delivered.
    pub thrown_by: Option<InstanceKey>,
    /// The subscription to which a broadcast was delivered last.
    pub reached: u64,
    /// The trace it belongs to.
    #[serde(default)]
    pub trace: Option<TraceContext>,
    /// The business key of instances that it starts; a message goes only to instances with it.
    #[serde(default)]
    pub business_key: Option<Arc<str>>,
}

impl Publication {
    /// Whether it is still kept for elements that begin to wait.
    pub fn is_kept(&self, now: Time) -> bool {
        self.until.is_some_and(|until| until > now)
    }
}

/// The state of one entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CorrelationState {
    seq: u64,
    waiting: BTreeMap<u64, CorrelationSubscriber>,
    places: BTreeMap<WaitingElement, u64>,
    idle: IdleSubscriptions,
    publications: BTreeMap<u64, Publication>,
    /// Instances beside which no other may be live, by process.
    live: BTreeMap<Arc<str>, InstanceKey>,
    /// The start that was last offered to another instance, by process; only the start whose turn
    /// it is needs this.
    offered: BTreeMap<Arc<str>, (InstanceKey, InstanceKey)>,
    /// The newest publications, by their identity.
    seen: VecDeque<(CommandTag, u64, Outcome)>,
    /// The idle subscriptions of instances with a business key, by that key.
    #[serde(default)]
    idle_by_key: BTreeMap<Arc<str>, IdleSubscriptions>,
}

impl CorrelationState {
    /// Applies a row.
    pub fn replay(&mut self, row: &CorrelationRow) {
        for (seq, record) in (row.first_seq..).zip(&row.records) {
            self.apply(seq, record);
        }
        self.end_row(row.last_seq());
    }

    /// Takes the number of a row.
    pub fn end_row(&mut self, last_seq: u64) {
        self.seq = last_seq;
    }

    /// Applies one record.
    pub fn apply(&mut self, seq: u64, record: &CorrelationRecord) {
        match record {
            CorrelationRecord::Opened {
                place,
                process,
                business_key,
            } => {
                self.places.insert(place.clone(), seq);
                let waiting = CorrelationSubscriber {
                    place: place.clone(),
                    process: process.clone(),
                    under_way: Vec::new(),
                    business_key: business_key.clone(),
                };
                self.waiting.insert(seq, waiting);
                self.wait_idly(seq);
            }
            CorrelationRecord::Published {
                tag,
                data,
                until,
                receivers,
                thrown_by,
                trace,
                business_key,
            } => {
                let publication = Publication {
                    data: data.clone(),
                    until: *until,
                    processes: BTreeSet::new(),
                    under_way: 0,
                    is_broadcast: receivers.is_some(),
                    thrown_by: *thrown_by,
                    reached: 0,
                    trace: trace.clone(),
                    business_key: business_key.clone(),
                };
                self.publications.insert(seq, publication);
                let outcome = Outcome {
                    more_instances: receivers.unwrap_or(0),
                    ..Outcome::default()
                };
                self.seen.push_back((tag.clone(), seq, outcome));
                if self.seen.len() > limits::PUBLICATIONS_REMEMBERED {
                    self.seen.pop_front();
                }
            }
            CorrelationRecord::Delivered {
                publication,
                subscription,
            } => self.deliver(seq, *publication, *subscription),
            CorrelationRecord::Started {
                publication,
                process,
                instance,
                alone,
            } => {
                if let Some(publication) = self.publications.get_mut(publication) {
                    publication.processes.insert(process.clone());
                }
                if *alone {
                    self.live.insert(process.clone(), *instance);
                }
                if let Some(outcome) = self.outcome_mut(*publication) {
                    outcome.started(*instance);
                }
            }
            CorrelationRecord::Settled {
                subscription,
                taken,
                stays_open,
            } => self.settle(*subscription, *taken, *stays_open),
            CorrelationRecord::Ended { process } => {
                self.live.remove(process);
                self.offered.remove(process);
            }
            CorrelationRecord::Offered {
                process,
                instance,
                to,
            } => drop(self.offered.insert(process.clone(), (*instance, *to))),
            CorrelationRecord::NotStarted { instance, joined } => {
                self.live.retain(|_, live| live != instance);
                let mut seen = self.seen.iter_mut().rev();
                if let Some((.., outcome)) = seen.find(|(.., it)| it.started.contains(instance)) {
                    outcome.not_started(*instance, *joined);
                }
            }
            CorrelationRecord::GoesOn { .. } => {}
            CorrelationRecord::Done { publication } => {
                let done = self.publications.remove(publication);
                let until = done.and_then(|done| done.until);
                if let Some(outcome) = self.outcome_mut(*publication) {
                    outcome.until = until;
                }
            }
        }
    }

    fn deliver(&mut self, seq: u64, publication: u64, subscription: u64) {
        let Some(waiting) = self.waiting.get_mut(&subscription) else {
            return;
        };
        let (process, instance) = (waiting.process.clone(), waiting.place.instance);
        waiting.under_way.push(Delivery {
            number: seq,
            publication,
        });
        self.busy(subscription);
        let mut is_counted = false;
        if let Some(publication) = self.publications.get_mut(&publication) {
            publication.processes.insert(process);
            publication.under_way += 1;
            publication.reached = publication.reached.max(subscription);
            is_counted = publication.is_broadcast;
        }
        if let Some(outcome) = self.outcome_mut(publication) {
            if is_counted {
                outcome.more_instances = outcome.more_instances.saturating_sub(1);
            }
            outcome.delivered(instance);
        }
    }

    fn settle(&mut self, subscription: u64, taken: Option<u64>, stays_open: bool) {
        let Some(waiting) = self.waiting.get_mut(&subscription) else {
            return;
        };
        let (process, instance) = (waiting.process.clone(), waiting.place.instance);
        let is_settled = |delivery: &mut Delivery| !stays_open || Some(delivery.number) == taken;
        let settled: Vec<_> = waiting.under_way.extract_if(.., is_settled).collect();
        let is_idle = waiting.under_way.is_empty();
        for delivery in settled {
            let is_taken = Some(delivery.number) == taken;
            if let Some(publication) = self.publications.get_mut(&delivery.publication) {
                publication.under_way = publication.under_way.saturating_sub(1);
                if !is_taken {
                    publication.processes.remove(&process);
                }
            }
            if !is_taken && let Some(outcome) = self.outcome_mut(delivery.publication) {
                outcome.not_taken(instance);
            }
        }
        if !stays_open {
            self.busy(subscription);
            if let Some(gone) = self.waiting.remove(&subscription) {
                self.places.remove(&gone.place);
            }
            self.miss(subscription);
        } else if is_idle {
            self.wait_idly(subscription);
        }
    }

    /// A subscription has ended before broadcasts in progress reached it.
    fn miss(&mut self, subscription: u64) {
        let misses = |(number, publication): (&u64, &Publication)| {
            let still_to_reach = publication.reached < subscription && subscription < *number;
            (publication.is_broadcast && still_to_reach).then_some(*number)
        };
        let skipped: Vec<u64> = self.publications.iter().filter_map(misses).collect();
        for publication in skipped {
            if let Some(outcome) = self.outcome_mut(publication) {
                outcome.more_instances = outcome.more_instances.saturating_sub(1);
            }
        }
    }

    /// A message may be delivered to a subscription.
    fn wait_idly(&mut self, subscription: u64) {
        let Some(waiting) = self.waiting.get(&subscription) else {
            return;
        };
        self.idle.insert(&waiting.process, subscription);
        if let Some(key) = &waiting.business_key {
            let with_key = self.idle_by_key.entry(key.clone()).or_default();
            with_key.insert(&waiting.process, subscription);
        }
    }

    /// A delivery to a subscription is in progress, or the subscription ends.
    fn busy(&mut self, subscription: u64) {
        let Some(waiting) = self.waiting.get(&subscription) else {
            return;
        };
        self.idle.remove(&waiting.process, subscription);
        if let Some(key) = &waiting.business_key
            && let Some(with_key) = self.idle_by_key.get_mut(key)
        {
            with_key.remove(&waiting.process, subscription);
            if with_key.is_empty() {
                self.idle_by_key.remove(key);
            }
        }
    }

    fn outcome_mut(&mut self, publication: u64) -> Option<&mut Outcome> {
        let found = self.seen.iter_mut().rev();
        let mut found = found.filter(|(_, number, _)| *number == publication);
        found.next().map(|(.., outcome)| outcome)
    }

    /// The number that its last row ended with.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// A subscription.
    pub fn waiting(&self, subscription: u64) -> Option<&CorrelationSubscriber> {
        self.waiting.get(&subscription)
    }

    /// The subscription of an element.
    pub fn at(&self, place: &WaitingElement) -> Option<u64> {
        self.places.get(place).copied()
    }

    /// The number of waiting elements.
    pub fn receivers(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// The subscriptions without a delivery in progress; with a business key those of instances
    /// with it, if there are any.
    pub fn idle(&self, business_key: Option<&str>) -> Option<&IdleSubscriptions> {
        match business_key {
            None => Some(&self.idle),
            Some(key) => self.idle_by_key.get(key),
        }
    }

    /// Subscriptions after one and before another, at most `maximum`, without those of an instance.
    pub fn between(
        &self,
        after: u64,
        before: u64,
        but: Option<InstanceKey>,
        maximum: usize,
    ) -> Vec<u64> {
        let range = (after + 1).max(1)..before.max(after + 1);
        self.waiting
            .range(range)
            .filter(|(_, waiting)| Some(waiting.place.instance) != but)
            .map(|(key, _)| *key)
            .take(maximum)
            .collect()
    }

    /// A publication that is not done.
    pub fn publication(&self, number: u64) -> Option<&Publication> {
        self.publications.get(&number)
    }

    /// All publications that are not done, oldest first.
    pub fn publications(&self) -> impl Iterator<Item = (u64, &Publication)> {
        self.publications.iter().map(|(key, value)| (*key, value))
    }

    /// The instance of a process beside which no other may be live.
    pub fn live(&self, process: &str) -> Option<InstanceKey> {
        self.live.get(process).copied()
    }

    /// The instance to which the start of this one was offered.
    pub fn offered(&self, instance: InstanceKey) -> Option<InstanceKey> {
        let mut offered = self.offered.values();
        offered
            .find(|(offered, _)| *offered == instance)
            .map(|(_, to)| *to)
    }

    /// Whether an instance is remembered as started by a publication.
    pub fn has_started(&self, instance: InstanceKey) -> bool {
        let mut seen = self.seen.iter();
        self.live.values().any(|live| *live == instance)
            || seen.any(|(.., outcome)| outcome.started.contains(&instance))
    }

    /// Processes with an instance beside which no other may be live.
    pub fn processes_live(&self) -> Vec<Arc<str>> {
        self.live.keys().cloned().collect()
    }

    /// The number of an earlier publication with this identity, with the hash of its body.
    pub fn seen(&self, tag: &CommandTag) -> Option<(u64, u64)> {
        let mut seen = self.seen.iter().rev();
        let (seen, number, _) =
            seen.find(|(seen, ..)| seen.id == tag.id && seen.subject == tag.subject)?;
        Some((*number, seen.hash))
    }

    /// Numbers of the deliveries of a publication that are on their way.
    pub fn under_way(&self, publication: u64) -> Vec<u64> {
        self.waiting
            .values()
            .flat_map(|waiting| &waiting.under_way)
            .filter(|delivery| delivery.publication == publication)
            .map(|delivery| delivery.number)
            .collect()
    }

    /// The outcome of the publication with this number.
    pub fn outcome(&self, number: u64) -> Outcome {
        let found = self.seen.iter().rev().find(|(_, seen, _)| *seen == number);
        let mut outcome = found
            .map(|(.., outcome)| outcome.clone())
            .unwrap_or_default();
        if let Some(publication) = self.publications.get(&number) {
            outcome.until = publication.until;
        }
        outcome
    }

    /// Whether anything is remembered that a later command needs, other than to recognise repeats.
    pub fn is_needed(&self, now: Time) -> bool {
        let is_open = |it: &Publication| it.is_broadcast || it.under_way > 0 || it.is_kept(now);
        let mut publications = self.publications.values();
        !self.waiting.is_empty() || !self.live.is_empty() || publications.any(is_open)
    }
}
