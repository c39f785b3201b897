//! The effects of a new version on schedules: they follow the published or disabled version of
//! their process.
//!
//! A schedule whose node and times are unchanged keeps its row; with other times it starts over. A
//! disabled process keeps its schedules and starts nothing; a process without a published or
//! disabled version has none. A schedule that an operator has disabled stays disabled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
};

use super::{Schedules, misfire};
use crate::{
    journal::{ScheduleChange, ScheduleKey, ScheduleRow},
    model::{
        executable::ExecutableSchedule,
        ids::{InstanceKey, Time},
    },
    runtime::{
        catalog::{Catalog, CatalogChange},
        definitions::DeployedProcess,
        keys,
    },
};

/// A process and its published or disabled version.
pub struct CurrentVersion {
    /// Its tenant.
    pub tenant: String,
    /// Its id.
    pub process: String,
    /// Its published or disabled version.
    pub version: Option<Arc<DeployedProcess>>,
}

/// The moment at which schedules follow.
struct Moment<'a> {
    now: Time,
    /// Whether the server has begun its schedules.
    has_begun: bool,
    /// At the server's start: the instances that exist for times not recorded yet.
    unnoted: Option<&'a BTreeSet<InstanceKey>>,
}

impl Schedules {
    /// The changes of a process's schedules for this next state.
    pub fn follow(&self, catalog: &Catalog, current: &CurrentVersion) -> Vec<ScheduleChange> {
        let moment = Moment {
            now: self.clock.now(),
            has_begun: self.begun.load(Ordering::Acquire),
            unnoted: None,
        };
        follow(catalog, current, &moment)
    }

    /// [`Self::follow`] for all processes at the server's start: times that came due while it was
    /// down are missed. From here on schedules are due. `unnoted` are the instances that exist for
    /// times not recorded yet.
    pub(super) fn follow_at_start(
        &self,
        catalog: &Catalog,
        unnoted: &BTreeSet<InstanceKey>,
    ) -> CatalogChange {
        let moment = Moment {
            now: self.clock.now(),
            has_begun: true,
            unnoted: Some(unnoted),
        };
        self.begun.store(true, Ordering::Release);
        let current = catalog
            .versions()
            .by_process()
            .filter_map(|((tenant, process), _)| {
                let version = catalog.versions().current(tenant, process)?.clone();
                Some(CurrentVersion {
                    tenant: tenant.clone(),
                    process: process.clone(),
                    version: Some(version),
                })
            });
        CatalogChange {
            schedules: current
                .flat_map(|current| follow(catalog, &current, &moment))
                .collect(),
            versions: Vec::new(),
        }
    }
}

fn follow(catalog: &Catalog, current: &CurrentVersion, moment: &Moment<'_>) -> Vec<ScheduleChange> {
    let CurrentVersion {
        tenant,
        process,
        version,
    } = current;
    let mut nodes: BTreeMap<&str, &ExecutableSchedule> = BTreeMap::new();
    nodes.extend(
        version
            .iter()
            .flat_map(|version| version.executable.schedules())
            .map(|(node, schedule)| (&*node.id, schedule)),
    );
    let removed = catalog
        .schedules_of(tenant, process)
        .filter(|row| !nodes.contains_key(row.key.node.as_str()));
    let mut changes: Vec<ScheduleChange> = removed
        .map(|row| ScheduleChange::Removed(row.key.clone()))
        .collect();
    let Some(version) = version else {
        return changes;
    };
    let was_live = catalog
        .versions()
        .current(tenant, process)
        .is_some_and(|process| process.is_published());
    for (node, schedule) in nodes {
        let key = ScheduleKey {
            tenant: tenant.clone(),
            process: process.clone(),
            node: node.to_owned(),
        };
        let row = match catalog.schedule(&key) {
            Some(before) => keep(before, was_live, version, schedule, moment),
            None => begin(key, version, schedule, moment.now),
        };
        if catalog.schedule(&row.key) != Some(&row) {
            changes.push(ScheduleChange::Put(row));
        }
    }
    changes
}

/// Follows another version.
fn keep(
    before: &ScheduleRow,
    was_live: bool,
    version: &Arc<DeployedProcess>,
    schedule: &ExecutableSchedule,
    moment: &Moment<'_>,
) -> ScheduleRow {
    let Moment {
        now,
        has_begun,
        unnoted,
    } = *moment;
    let mut row = ScheduleRow {
        version: version.row.version,
        ..before.clone()
    };
    if before.expression != schedule.written.to_string() {
        let begun = begin(before.key.clone(), version, schedule, now);
        (row.expression, row.begun_at, row.next_due) =
            (begun.expression, begun.begun_at, begun.next_due);
    } else if row.enabled
        && version.is_published()
        && (unnoted.is_some() || (has_begun && !was_live))
    {
        misfire::catch_up(&mut row, schedule, now);
        // A time that stays the next one is started again, and recorded then.
        let passed = before.next_due.filter(|_| row.next_due != before.next_due);
        if let Some(due) = passed
            && let instance = keys::of_schedule(
                &before.key.tenant,
                &before.key.process,
                &before.key.node,
                due,
            )
            && unnoted.is_some_and(|unnoted| unnoted.contains(&instance))
        {
            // An earlier run of the server started it without recording it.
            row.fired += 1;
            (row.last_fired, row.last_instance) = (Some(due), Some(instance));
        }
    }
    row
}

/// A schedule that begins now.
fn begin(
    key: ScheduleKey,
    version: &DeployedProcess,
    schedule: &ExecutableSchedule,
    now: Time,
) -> ScheduleRow {
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
