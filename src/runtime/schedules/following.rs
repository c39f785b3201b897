//! What becomes of schedules when definitions change: they follow the standing version of their process.
//!
//! One whose node and times stay is kept, with what it remembers; with other times it begins anew. A disabled process keeps its
//! schedules and starts nothing; a process without a standing version has none. What an operator has disabled stays so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Schedules,
    known::{Entry, Known},
};
use crate::{
    journal::{Release, ScheduleChange, ScheduleKey, ScheduleRow},
    model::{
        executable::ExecutableSchedule,
        ids::{InstanceKey, Time},
    },
    runtime::{definitions::DeployedProcess, keys},
};

/// A process and what stands of it.
pub struct Standing {
    /// Whose it is.
    pub tenant: String,
    /// Its id.
    pub process: String,
    /// Its published or disabled version.
    pub version: Option<Arc<DeployedProcess>>,
}

impl Schedules {
    /// Knows the standing versions again after a restart. Nothing changes by that.
    pub fn adopt(&self, standing: Vec<Standing>) {
        let mut known = self.lock();
        for Standing { tenant, process, version } in standing {
            let of_process = known.entries.values_mut().filter(|entry| is_of(&entry.row.key, &tenant, &process));
            of_process.for_each(|entry| entry.process.clone_from(&version));
        }
    }

    /// Has the schedules of these processes follow what stands of them now. `hand_over` gets what is to be written, and what is
    /// to be done once it is durable.
    pub fn follow(self: &Arc<Self>, standing: Vec<Standing>, hand_over: impl FnOnce(Vec<ScheduleChange>, Release)) {
        let mut known = self.lock();
        let now = self.clock.now();
        let changes: Vec<ScheduleChange> = standing.iter().flat_map(|standing| follow(&mut known, standing, now, None)).collect();
        let settled = self.settled(&changes, &known);
        hand_over(changes, settled);
    }

    /// As [`Self::follow`], when the server begins: what came due while it was down is missed. From here on schedules are due.
    /// `unnoted` are the instances that exist for times still to be kept.
    pub(super) fn follow_at_start(
        self: &Arc<Self>,
        standing: Vec<Standing>,
        unnoted: &BTreeSet<InstanceKey>,
        hand_over: impl FnOnce(Vec<ScheduleChange>, Release),
    ) {
        let mut known = self.lock();
        let now = self.clock.now();
        known.begun = true;
        let changes: Vec<ScheduleChange> =
            standing.iter().flat_map(|standing| follow(&mut known, standing, now, Some(unnoted))).collect();
        let keys: Vec<ScheduleKey> = known.entries.keys().cloned().collect();
        keys.iter().for_each(|key| known.arm(key));
        let settled = self.settled(&changes, &known);
        hand_over(changes, settled);
    }
}

fn is_of(key: &ScheduleKey, tenant: &str, process: &str) -> bool {
    key.tenant == tenant && key.process == process
}

/// `unnoted` when the server begins.
fn follow(known: &mut Known, standing: &Standing, now: Time, unnoted: Option<&BTreeSet<InstanceKey>>) -> Vec<ScheduleChange> {
    let Standing { tenant, process, version } = standing;
    let mut nodes: BTreeMap<&str, &ExecutableSchedule> = BTreeMap::new();
    nodes.extend(version.iter().flat_map(|version| version.executable.schedules()).map(|(node, schedule)| (&*node.id, schedule)));
    let gone = |key: &&ScheduleKey| is_of(key, tenant, process) && !nodes.contains_key(key.node.as_str());
    let gone: Vec<ScheduleKey> = known.entries.keys().filter(gone).cloned().collect();
    gone.iter().for_each(|key| known.remove(key));
    let mut changes: Vec<ScheduleChange> = gone.into_iter().map(ScheduleChange::Removed).collect();
    let Some(version) = version else { return changes };
    for (node, schedule) in nodes {
        let key = ScheduleKey { tenant: tenant.clone(), process: process.clone(), node: node.to_owned() };
        let has_begun = known.begun;
        let has_changed = match known.entry(&key) {
            Some(entry) => keep(entry, version, schedule, now, unnoted, has_begun),
            None => {
                let row = begin(key.clone(), version, schedule, now);
                known.entries.insert(key.clone(), Entry::new(row, version.clone()));
                true
            }
        };
        if has_changed {
            changes.extend(known.stamp(&key));
        } else {
            known.arm(&key);
        }
    }
    changes
}

/// Goes over to a version. Returns whether the row changes by that.
fn keep(
    entry: &mut Entry,
    version: &Arc<DeployedProcess>,
    schedule: &ExecutableSchedule,
    now: Time,
    unnoted: Option<&BTreeSet<InstanceKey>>,
    has_begun: bool,
) -> bool {
    let before = entry.row.clone();
    let was_live = entry.is_live();
    entry.process = Some(version.clone());
    entry.row.version = version.row.version;
    if before.expression != schedule.written.to_string() {
        let begun = begin(before.key.clone(), version, schedule, now);
        (entry.row.expression, entry.row.begun_at, entry.row.next_due) = (begun.expression, begun.begun_at, begun.next_due);
    } else if entry.row.enabled && entry.is_live() && (unnoted.is_some() || (has_begun && !was_live)) {
        entry.catch_up(now);
        // One that stays the next is kept again, and noted then.
        let passed = before.next_due.filter(|_| entry.row.next_due != before.next_due);
        if let Some(due) = passed
            && let instance = keys::of_schedule(&before.key.tenant, &before.key.process, &before.key.node, due)
            && unnoted.is_some_and(|unnoted| unnoted.contains(&instance))
        {
            entry.note(instance, due);
        }
    }
    entry.row != before
}

/// A schedule that comes into force now.
fn begin(key: ScheduleKey, version: &DeployedProcess, schedule: &ExecutableSchedule, now: Time) -> ScheduleRow {
    ScheduleRow {
        key,
        version: version.row.version,
        expression: schedule.written.to_string(),
        begun_at: now,
        next_due: schedule.occurrences.first(now),
        enabled: true,
        fired: 0,
        last_fired: None,
        last_instance: None,
        last_skipped: None,
        last_error: None,
        failed_at: None,
    }
}
