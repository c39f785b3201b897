//! What is remembered of each schedule, and which is due next. A map behind a lock; nothing here waits or writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::Mutex;

use super::{Told, missed};
use crate::{
    journal::{DefinitionState, ScheduleChange, ScheduleKey, ScheduleRow},
    model::{
        executable::ExecutableSchedule,
        ids::{InstanceKey, Time},
    },
    runtime::definitions::DeployedProcess,
};

/// The schedules by key.
#[derive(Default)]
pub(super) struct Known {
    pub entries: BTreeMap<ScheduleKey, Entry>,
    /// Whether the server has begun them: before that nothing is due.
    pub begun: bool,
    due: BTreeSet<(Time, ScheduleKey)>,
    last_stamp: u64,
}

/// One schedule.
pub(super) struct Entry {
    /// As it is to be once what was handed over is durable.
    pub row: ScheduleRow,
    /// The standing version of its process; none for a row whose process has none that this server can run.
    pub process: Option<Arc<DeployedProcess>>,
    /// As it is in the store; none while its first write is under way.
    durable: Option<ScheduleRow>,
    /// The last write handed over.
    stamp: u64,
    /// Whether that one is durable.
    settled: bool,
    /// Whether a due time is being kept.
    firing: bool,
    /// Where it stands among what is due.
    armed: Option<Time>,
    /// See [`Order::turn`].
    pub turn: Arc<Mutex<()>>,
}

/// A write of a schedule that was handed over.
pub(super) struct Stamped {
    row: ScheduleRow,
    stamp: u64,
}

/// A time to keep.
pub(super) struct Order {
    /// Which schedule.
    pub key: ScheduleKey,
    /// For which time.
    pub due: Time,
    /// The time the row held when this was taken; none for what is due at no time of the schedule.
    pub planned: Option<Time>,
    /// The version to start.
    pub process: Arc<DeployedProcess>,
    /// Held while the schedule starts something: what does not overlap sees what was started before it.
    pub turn: Arc<Mutex<()>>,
}

/// What became of it.
pub(super) enum Outcome {
    /// The instance is durable.
    Started(InstanceKey),
    /// The one before it is still live.
    Skipped,
    /// It cannot be started, as the sentence says.
    Failed(String),
}

/// Whether instances of a version may start.
pub(super) fn is_published(process: &DeployedProcess) -> bool {
    process.row.state == DefinitionState::Published
}

impl Entry {
    /// A schedule that has just come into force.
    pub fn new(row: ScheduleRow, process: Arc<DeployedProcess>) -> Self {
        Self {
            row,
            process: Some(process),
            durable: None,
            stamp: 0,
            settled: false,
            firing: false,
            armed: None,
            turn: Arc::default(),
        }
    }

    /// Whether instances of its process may start.
    pub fn is_live(&self) -> bool {
        self.process.as_deref().is_some_and(is_published)
    }

    fn schedule(&self) -> Option<&ExecutableSchedule> {
        self.process.as_ref()?.executable.node(&self.row.key.node)?.schedule.as_ref()
    }

    /// Goes on from where it stopped: what of the times since then is made up for is said by its rule.
    pub fn catch_up(&mut self, now: Time) {
        if let (Some(due), Some(schedule)) = (self.row.next_due, self.schedule()) {
            self.row.next_due = missed::after(schedule, due, self.row.begun_at, now);
        }
    }

    /// Notes an instance that a server before this one started for a time and could not note any more.
    pub fn note(&mut self, instance: InstanceKey, due: Time) {
        self.row.fired += 1;
        self.row.last_fired = Some(due);
        self.row.last_instance = Some(instance);
    }

    /// Takes what became of an order into the row.
    pub fn conclude(&mut self, order: &Order, outcome: Outcome, now: Time) {
        if order.planned.is_some() {
            self.firing = false;
        }
        // Else it began anew meanwhile, or went on past this time.
        if order.planned.is_some() && self.row.next_due == order.planned {
            self.row.next_due = self.schedule().and_then(|schedule| schedule.occurrences.next(order.due, self.row.begun_at));
        }
        match outcome {
            Outcome::Started(instance) => {
                self.row.fired += 1;
                self.row.last_fired = Some(now);
                self.row.last_instance = Some(instance);
                (self.row.last_error, self.row.failed_at) = (None, None);
            }
            Outcome::Skipped => self.row.last_skipped = Some(order.due),
            Outcome::Failed(sentence) => (self.row.last_error, self.row.failed_at) = (Some(sentence), Some(now)),
        }
    }
}

impl Known {
    /// What a store holds.
    pub fn of(rows: Vec<ScheduleRow>) -> Self {
        let entry = |row: ScheduleRow| Entry {
            durable: Some(row.clone()),
            row,
            process: None,
            stamp: 0,
            settled: true,
            firing: false,
            armed: None,
            turn: Arc::default(),
        };
        let entries = rows.into_iter().map(|row| (row.key.clone(), entry(row))).collect();
        Self { entries, ..Self::default() }
    }

    /// A schedule, to be changed; [`Self::stamp`] must follow.
    pub fn entry(&mut self, key: &ScheduleKey) -> Option<&mut Entry> {
        self.entries.get_mut(key)
    }

    /// What is told of those whose process has a standing version.
    pub fn told(&self, wanted: impl Fn(&ScheduleKey) -> bool) -> impl Iterator<Item = Told> {
        self.entries.values().filter(move |entry| wanted(&entry.row.key)).filter_map(told)
    }

    /// What is told of one.
    pub fn told_of(&self, key: &ScheduleKey) -> Option<Told> {
        self.entries.get(key).and_then(told)
    }

    /// Marks a changed schedule as handed over: until that is durable, nothing of it is due.
    pub fn stamp(&mut self, key: &ScheduleKey) -> Option<ScheduleChange> {
        self.last_stamp += 1;
        let entry = self.entries.get_mut(key)?;
        (entry.stamp, entry.settled) = (self.last_stamp, false);
        let row = entry.row.clone();
        self.arm(key);
        Some(ScheduleChange::Put(row))
    }

    /// The write that a change is, to be settled when it is durable.
    pub fn stamped(&self, change: &ScheduleChange) -> Option<Stamped> {
        match change {
            ScheduleChange::Put(row) => Some(Stamped { row: row.clone(), stamp: self.entries.get(&row.key)?.stamp }),
            ScheduleChange::Removed(_) => None,
        }
    }

    /// A write is durable.
    pub fn settle(&mut self, Stamped { row, stamp }: Stamped) {
        let key = row.key.clone();
        let Some(entry) = self.entries.get_mut(&key) else { return };
        entry.settled = entry.stamp == stamp;
        entry.durable = Some(row);
        self.arm(&key);
    }

    /// Forgets a schedule.
    pub fn remove(&mut self, key: &ScheduleKey) {
        if let Some(Entry { armed: Some(due), .. }) = self.entries.remove(key) {
            self.due.remove(&(due, key.clone()));
        }
    }

    /// Puts a schedule where it belongs among what is due.
    pub fn arm(&mut self, key: &ScheduleKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let may = self.begun && entry.settled && !entry.firing && entry.row.enabled && entry.is_live();
        let due = entry.row.next_due.filter(|_| may);
        if let Some(armed) = entry.armed.take() {
            self.due.remove(&(armed, key.clone()));
        }
        entry.armed = due;
        self.due.extend(due.map(|due| (due, key.clone())));
    }

    /// Times to keep that have come, begun or not.
    pub fn overdue(&self, now: Time) -> Vec<(ScheduleKey, Time)> {
        let next = self.entries.values().filter_map(|entry| Some((entry.row.key.clone(), entry.row.next_due?)));
        next.filter(|(_, due)| *due <= now).collect()
    }

    /// The instance a schedule started last.
    pub fn last_instance(&self, key: &ScheduleKey) -> Option<InstanceKey> {
        self.entries.get(key)?.row.last_instance
    }

    /// When the first is due.
    pub fn next_due(&self) -> Option<Time> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Takes the first that is due: it is no more until [`Entry::conclude`] and a write.
    pub fn take_due(&mut self, now: Time) -> Option<Order> {
        let (planned, key) = self.due.first().filter(|(due, _)| *due <= now)?.clone();
        let entry = self.entries.get_mut(&key)?;
        let process = entry.process.clone()?;
        let begun = entry.row.begun_at;
        let due = entry.schedule().map_or(planned, |schedule| missed::newest(&schedule.occurrences, planned, begun, now));
        let turn = entry.turn.clone();
        entry.firing = true;
        self.arm(&key);
        Some(Order { key, due, planned: Some(planned), process, turn })
    }
}

fn told(entry: &Entry) -> Option<Told> {
    Some(Told { row: entry.durable.clone()?, process: entry.process.clone()? })
}
