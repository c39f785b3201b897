//! What the entity of a message or signal remembers: the fold of its records. Pure: no clock, no
//! store.
//!
//! Numbers are those of records, dense within the entity as within an instance. What a command
//! leads to: `decide`.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    engine::record::{CommandTag, Subscriber},
    limits,
    model::ids::{InstanceKey, Time},
};

/// Who waits, wherever it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The instance.
    pub instance: InstanceKey,
    /// Who waits there.
    pub by: Subscriber,
    /// The node of the event.
    pub node: Arc<str>,
}

/// The records of one command. The row itself takes the number after them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrelationRow {
    /// Number of the first record.
    pub first_seq: u64,
    /// In order.
    pub records: Vec<CorrelationRecord>,
}

impl CorrelationRow {
    /// The number this row ends with.
    pub fn last_seq(&self) -> u64 {
        self.first_seq + self.records.len() as u64
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CorrelationRecord {
    /// Somebody waits; this record's number is the subscription's.
    #[serde(rename = "opened")]
    Opened {
        /// Who.
        place: Place,
        /// The id of its process.
        process: Arc<str>,
    },
    /// Something was published; this record's number is the publication's.
    #[serde(rename = "published")]
    Published {
        /// The command, or what stands for it when an instance published.
        tag: CommandTag,
        /// What it brings.
        data: Value,
        /// Until when it is kept for those who do not wait yet.
        until: Option<Time>,
    },
    /// It went to somebody who waits; this record's number is the delivery's.
    #[serde(rename = "delivered")]
    Delivered {
        /// Number of what was published.
        publication: u64,
        /// Number of the subscription.
        subscription: u64,
    },
    /// It started an instance.
    #[serde(rename = "started")]
    Started {
        /// Number of what was published.
        publication: u64,
        /// The id of its process.
        process: Arc<str>,
        /// The instance.
        instance: InstanceKey,
        /// Whether no other of the process starts while it is live.
        alone: bool,
    },
    /// Somebody took what was delivered, or did not, or waits no more.
    #[serde(rename = "settled")]
    Settled {
        /// Number of the subscription.
        subscription: u64,
        /// Whether what was on its way there was taken.
        taken: bool,
        /// Whether it goes on waiting.
        stays_open: bool,
    },
    /// The instance that alone could be live has ended.
    #[serde(rename = "ended")]
    Ended {
        /// The id of its process.
        process: Arc<str>,
    },
    /// A broadcast went to some, and goes on to more.
    #[serde(rename = "goesOn")]
    GoesOn {
        /// Number of what was published.
        publication: u64,
    },
    /// Nothing remains to be done for what was published.
    #[serde(rename = "done")]
    Done {
        /// Its number.
        publication: u64,
    },
}

/// Who waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Who.
    pub place: Place,
    /// The id of its process.
    pub process: Arc<str>,
    /// The delivery on its way there, and what was published: number by number.
    pub under_way: Option<(u64, u64)>,
}

/// What was published and is not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    /// What it brings.
    pub data: Value,
    /// Until when it is kept.
    pub until: Option<Time>,
    /// The processes it went to: a message goes to each once.
    pub processes: BTreeSet<Arc<str>>,
    /// Deliveries that were not settled.
    pub under_way: u32,
    /// The subscription a broadcast went to last.
    pub reached: u64,
}

impl Publication {
    /// Whether it is still kept for those who come to wait.
    pub fn is_kept(&self, now: Time) -> bool {
        self.until.is_some_and(|until| until > now)
    }
}

/// What came of something published, for its publisher and whoever repeats it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Instances it went to, the first [`limits::PUBLICATION_INSTANCES`] of them.
    pub instances: Vec<InstanceKey>,
    /// Instances it started, as many at most.
    pub started: Vec<InstanceKey>,
    /// Until when it is kept, if it was when it came.
    pub until: Option<Time>,
}

/// The state of one entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CorrelationState {
    seq: u64,
    waiting: BTreeMap<u64, Waiting>,
    places: BTreeMap<Place, u64>,
    /// Subscriptions to which nothing is on its way, by process: what a message may go to.
    idle: BTreeMap<Arc<str>, BTreeSet<u64>>,
    publications: BTreeMap<u64, Publication>,
    /// Instances that alone may be live, by process.
    live: BTreeMap<Arc<str>, InstanceKey>,
    /// The newest publications, by what identifies them.
    seen: VecDeque<(CommandTag, u64, Outcome)>,
}

impl CorrelationState {
    /// Takes in a row.
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

    /// Takes in one record.
    pub fn apply(&mut self, seq: u64, record: &CorrelationRecord) {
        match record {
            CorrelationRecord::Opened { place, process } => {
                self.places.insert(place.clone(), seq);
                let waiting = Waiting {
                    place: place.clone(),
                    process: process.clone(),
                    under_way: None,
                };
                self.waiting.insert(seq, waiting);
                self.idle.entry(process.clone()).or_default().insert(seq);
            }
            CorrelationRecord::Published { tag, data, until } => {
                let publication = Publication {
                    data: data.clone(),
                    until: *until,
                    processes: BTreeSet::new(),
                    under_way: 0,
                    reached: 0,
                };
                self.publications.insert(seq, publication);
                self.seen.push_back((tag.clone(), seq, Outcome::default()));
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
                self.tell(*publication, |outcome| &mut outcome.started, *instance);
            }
            CorrelationRecord::Settled {
                subscription,
                taken,
                stays_open,
            } => self.settle(*subscription, *taken, *stays_open),
            CorrelationRecord::Ended { process } => drop(self.live.remove(process)),
            CorrelationRecord::GoesOn { .. } => {}
            CorrelationRecord::Done { publication } => {
                let done = self.publications.remove(publication);
                let until = done.and_then(|done| done.until);
                if let Some((.., outcome)) = self.seen_mut(*publication) {
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
        waiting.under_way = Some((seq, publication));
        self.busy(&process, subscription);
        if let Some(publication) = self.publications.get_mut(&publication) {
            publication.processes.insert(process);
            publication.under_way += 1;
            publication.reached = publication.reached.max(subscription);
        }
        self.tell(publication, |outcome| &mut outcome.instances, instance);
    }

    fn settle(&mut self, subscription: u64, taken: bool, stays_open: bool) {
        let Some(waiting) = self.waiting.get_mut(&subscription) else {
            return;
        };
        let (process, instance) = (waiting.process.clone(), waiting.place.instance);
        if let Some((_, number)) = waiting.under_way.take()
            && let Some(publication) = self.publications.get_mut(&number)
        {
            publication.under_way = publication.under_way.saturating_sub(1);
            if !taken {
                publication.processes.remove(&process);
                if let Some((.., outcome)) = self.seen_mut(number) {
                    outcome.instances.retain(|told| *told != instance);
                }
            }
        }
        if stays_open {
            self.idle.entry(process).or_default().insert(subscription);
        } else if let Some(gone) = self.waiting.remove(&subscription) {
            self.places.remove(&gone.place);
            self.busy(&process, subscription);
        }
    }

    /// Something is on its way to a subscription, or it is gone.
    fn busy(&mut self, process: &Arc<str>, subscription: u64) {
        if let Some(idle) = self.idle.get_mut(process) {
            idle.remove(&subscription);
            if idle.is_empty() {
                self.idle.remove(process);
            }
        }
    }

    fn tell(
        &mut self,
        publication: u64,
        which: impl FnOnce(&mut Outcome) -> &mut Vec<InstanceKey>,
        instance: InstanceKey,
    ) {
        if let Some((.., outcome)) = self.seen_mut(publication) {
            let told = which(outcome);
            if told.len() < limits::PUBLICATION_INSTANCES {
                told.push(instance);
            }
        }
    }

    fn seen_mut(&mut self, publication: u64) -> Option<&mut (CommandTag, u64, Outcome)> {
        self.seen
            .iter_mut()
            .rev()
            .find(|(_, number, _)| *number == publication)
    }

    /// The number its last row ended with.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// A subscription.
    pub fn waiting(&self, subscription: u64) -> Option<&Waiting> {
        self.waiting.get(&subscription)
    }

    /// The subscription of a place.
    pub fn at(&self, place: &Place) -> Option<u64> {
        self.places.get(place).copied()
    }

    /// For each process the subscription that has waited longest and to which nothing is on its way.
    pub fn idle(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.idle
            .iter()
            .filter_map(|(process, idle)| Some((process, *idle.first()?)))
    }

    /// The same for one process.
    pub fn idle_of(&self, process: &str) -> Option<u64> {
        self.idle.get(process)?.first().copied()
    }

    /// Subscriptions after one and before another, so many at most.
    pub fn between(&self, after: u64, before: u64, most: usize) -> Vec<u64> {
        let range = (after + 1).max(1)..before.max(after + 1);
        self.waiting
            .range(range)
            .map(|(key, _)| *key)
            .take(most)
            .collect()
    }

    /// Something published that is not done.
    pub fn publication(&self, number: u64) -> Option<&Publication> {
        self.publications.get(&number)
    }

    /// All that is not done, oldest first.
    pub fn publications(&self) -> impl Iterator<Item = (u64, &Publication)> {
        self.publications.iter().map(|(key, value)| (*key, value))
    }

    /// The instance of a process that alone may be live.
    pub fn live(&self, process: &str) -> Option<InstanceKey> {
        self.live.get(process).copied()
    }

    /// Processes with an instance that alone may be live.
    pub fn processes_live(&self) -> Vec<Arc<str>> {
        self.live.keys().cloned().collect()
    }

    /// What came of a publication that was seen before, with the hash of its body.
    pub fn seen(&self, tag: &CommandTag) -> Option<(u64, Outcome)> {
        let (seen, number, outcome) = self
            .seen
            .iter()
            .rev()
            .find(|(seen, ..)| seen.id == tag.id && seen.subject == tag.subject)?;
        let mut outcome = outcome.clone();
        if let Some(publication) = self.publications.get(number) {
            outcome.until = publication.until;
        }
        Some((seen.hash, outcome))
    }

    /// What came of the publication with this number.
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

    /// Whether nothing is remembered that a later command needs, but for repeats.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.publications.is_empty() && self.live.is_empty()
    }
}
