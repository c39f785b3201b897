//! A store in memory, for tests and for servers without durable data (`--store memory`). Nothing
//! survives the process.

mod audit;
mod history;
mod tables;
mod versions;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use tables::Tables;

use super::{
    audit::AuditRow,
    change::{Commit, ReadModelChange, WriteOp},
    definition::DefinitionRow,
    draft::{DraftChange, DraftKey, DraftRow},
    filter::{ElementCursor, ListedTimer, PlaceFilter, TaskFilter},
    http_call::{CallChange, FullPlaces, HttpCallRow},
    in_use::VersionInUse,
    job::{JobFilter, JobOrder, JobRow},
    kept_message::{KeptMessage, KeptMessageRow},
    listing::{
        IncidentRow, InstanceCursor, InstanceFilter, InstanceRow, Owner, SearchedRow, TaskRow,
        TimerRow, TimerRowKey,
    },
    log_part::{LogLimit, LogPart},
    row::{Entity, Loaded, LogRow, OutboxMessage, OutboxRow, SnapshotRow, StoredRow},
    schedule::{ScheduleChange, ScheduleKey, ScheduleRow},
    store::{Store, StoreError, StoreReader},
    user::UserRow,
};
use crate::{
    limits::{self, WEBHOOKS_GIVEN_UP},
    model::ids::{ElementKey, InstanceKey, Time},
};

/// A store over maps that its clones and readers share.
#[derive(Clone)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        let tables = Tables {
            incarnation: Uuid::now_v7(),
            ..Tables::default()
        };
        Self {
            tables: Arc::new(Mutex::new(tables)),
        }
    }
}

impl MemoryStore {
    /// The bytes of its log, whose rows are never deleted.
    pub fn log_bytes(&self) -> usize {
        self.tables().log_bytes
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Only a lack of memory can cause a panic while the lock is held, so the tables are
        // consistent.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The matching instances of a tree without its root, each with its parent.
    fn below(
        &self,
        root: InstanceKey,
        fits: fn(&InstanceRow) -> bool,
    ) -> Vec<(InstanceKey, InstanceKey)> {
        let tables = self.tables();
        let rows = tables.instances.values();
        rows.filter(|row| row.root == root && fits(row))
            .filter_map(|row| Some((row.key, row.parent?)))
            .collect()
    }
}

impl Store for MemoryStore {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.check(batch)?;
        for op in batch {
            tables.apply(op);
        }
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        Ok(Box::new(self.clone()))
    }
}

impl StoreReader for MemoryStore {
    fn load(&self, entity: Entity) -> Result<Loaded, StoreError> {
        let tables = self.tables();
        let snapshot = tables.snapshots.get(&entity).cloned();
        let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
        let rows = tables.rows_after(entity, after).cloned().collect();
        Ok(Loaded { snapshot, rows })
    }

    fn exists(&self, entity: Entity) -> Result<bool, StoreError> {
        let tables = self.tables();
        let logged = tables
            .log
            .range((entity, 0)..=(entity, u64::MAX))
            .next()
            .is_some();
        Ok(logged || tables.snapshots.contains_key(&entity))
    }

    fn instance_keys(
        &self,
        after: InstanceKey,
        limit: usize,
    ) -> Result<Vec<InstanceKey>, StoreError> {
        let tables = self.tables();
        let logged = tables.log.range(
            (Entity::from(after), u64::MAX)..=(Entity::from(InstanceKey(Uuid::max())), u64::MAX),
        );
        let keys: BTreeSet<InstanceKey> =
            logged.map(|((entity, _), _)| entity.instance()).collect();
        Ok(keys.into_iter().take(limit).collect())
    }

    fn log_part(
        &self,
        entity: Entity,
        after_seq: u64,
        limit: LogLimit,
    ) -> Result<LogPart, StoreError> {
        let mut part = LogPart::default();
        let tables = self.tables();
        part.take(limit, tables.rows_after(entity, after_seq).cloned());
        Ok(part)
    }

    fn instances(
        &self,
        filter: &InstanceFilter,
        after: Option<InstanceCursor>,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let tables = self.tables();
        let newest_first = tables.instances.iter().rev();
        let rest =
            newest_first.skip_while(|(cursor, _)| after.is_some_and(|after| **cursor >= after));
        Ok(rest
            .map(|(_, row)| row)
            .filter(|row| tables.accept(filter, row))
            .take(limit)
            .cloned()
            .collect())
    }

    fn live_instances(
        &self,
        after: InstanceKey,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let tables = self.tables();
        let cursors = tables
            .instance_cursors
            .range((Bound::Excluded(after), Bound::Unbounded));
        let rows = cursors.filter_map(|(_, cursor)| tables.instances.get(cursor));
        let live = rows.filter(|row| row.ended_at.is_none());
        Ok(live.take(limit).cloned().collect())
    }

    fn count(&self, filter: &InstanceFilter, maximum: usize) -> Result<u64, StoreError> {
        let tables = self.tables();
        let rows = tables.instances.values();
        let fitting = rows.filter(|row| tables.accept(filter, row));
        Ok(fitting.take(maximum).count() as u64)
    }

    fn started_since(&self, tenant: &str, since: Time) -> Result<u64, StoreError> {
        let tables = self.tables();
        Ok(versions::started(tables.instances.values(), tenant, since))
    }

    fn instance(&self, key: InstanceKey) -> Result<Option<InstanceRow>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .instance_cursors
            .get(&key)
            .and_then(|cursor| tables.instances.get(cursor))
            .cloned())
    }

    fn live_below(&self, root: InstanceKey) -> Result<Vec<(InstanceKey, InstanceKey)>, StoreError> {
        Ok(self.below(root, |row| row.ended_at.is_none()))
    }

    fn open_below(&self, root: InstanceKey) -> Result<Vec<(InstanceKey, InstanceKey)>, StoreError> {
        Ok(self.below(root, |row| row.open_until.is_some()))
    }

    fn newest_time(&self) -> Result<Option<Time>, StoreError> {
        Ok(self.tables().log.values().map(|row| row.row.time).max())
    }

    fn jobs(
        &self,
        filter: &JobFilter,
        order: JobOrder,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError> {
        let tables = self.tables();
        let mut found: Vec<&JobRow> = tables
            .jobs
            .values()
            .filter(|job| filter.accepts(job))
            .collect();
        filter.sort(order, &mut found);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(found
            .into_iter()
            .skip(offset)
            .take(limit)
            .cloned()
            .collect())
    }

    fn count_jobs(&self, filter: &JobFilter) -> Result<u64, StoreError> {
        Ok(self
            .tables()
            .jobs
            .values()
            .filter(|job| filter.accepts(job))
            .count() as u64)
    }

    fn job(&self, key: InstanceKey) -> Result<Option<JobRow>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .instance_cursors
            .get(&key)
            .and_then(|cursor| tables.jobs.get(cursor))
            .cloned())
    }

    fn newest_jobs(
        &self,
        tenant: &str,
        process: &str,
        started_by: Option<&str>,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError> {
        let tables = self.tables();
        let is_one = |job: &&JobRow| {
            job.tenant == tenant
                && job.process == process
                && started_by.is_none_or(|subject| job.started_by == subject)
        };
        Ok(tables
            .jobs
            .values()
            .rev()
            .filter(is_one)
            .take(limit)
            .cloned()
            .collect())
    }

    fn task_list(
        &self,
        filter: &TaskFilter,
        after: Option<ElementCursor>,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        let tables = self.tables();
        let found = tables.tasks.values().filter(|task| filter.accepts(task));
        Ok(part_of(found, TaskRow::cursor, after, limit))
    }

    fn tasks(
        &self,
        after: Option<(InstanceKey, ElementKey)>,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        Ok(newest_first(&self.tables().tasks, after, limit))
    }

    fn tasks_of(&self, instance: InstanceKey) -> Result<Vec<TaskRow>, StoreError> {
        let tables = self.tables();
        let all = (instance, ElementKey(0))..=(instance, ElementKey(u64::MAX));
        let own = tables.tasks.range(all).rev().map(|(_, row)| row);
        Ok(own.take(limits::ACTIVE_ELEMENTS).cloned().collect())
    }

    fn incidents(
        &self,
        filter: &PlaceFilter,
        after: Option<ElementCursor>,
        limit: usize,
    ) -> Result<Vec<IncidentRow>, StoreError> {
        let tables = self.tables();
        let found = tables
            .incidents
            .values()
            .filter(|row| filter.accepts(&row.tenant, row.instance, &row.process));
        Ok(part_of(found, IncidentRow::cursor, after, limit))
    }

    fn timers(
        &self,
        filter: &PlaceFilter,
        after: Option<&TimerRow>,
        limit: usize,
    ) -> Result<Vec<ListedTimer>, StoreError> {
        let tables = self.tables();
        let after = after.map(|timer| (timer.due, timer.key.clone()));
        let rest = tables.timers.range((
            after.map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Unbounded,
        ));
        let listed = rest.filter_map(|(_, (timer, _))| {
            let instance = tables
                .instance_cursors
                .get(&timer.key.instance)
                .and_then(|cursor| tables.instances.get(cursor))?;
            let fits = filter.accepts(&instance.tenant, instance.key, &instance.process);
            fits.then(|| ListedTimer {
                timer: timer.clone(),
                process: instance.process.clone(),
            })
        });
        Ok(listed.take(limit).collect())
    }

    fn due_timers(
        &self,
        owner: &Owner,
        until: Time,
        limit: usize,
    ) -> Result<Vec<TimerRow>, StoreError> {
        let tables = self.tables();
        let due = tables.timers.values();
        let due = due.take_while(|(timer, _)| timer.due <= until);
        let of_owner = due.filter(|(_, of)| of == owner).map(|(timer, _)| timer);
        Ok(of_owner.take(limit).cloned().collect())
    }

    fn timer_owners(&self) -> Result<Vec<Owner>, StoreError> {
        let tables = self.tables();
        let owners: BTreeSet<&Owner> = tables.timers.values().map(|(_, of)| of).collect();
        Ok(owners.into_iter().cloned().collect())
    }

    fn next_due(&self) -> Result<Option<Time>, StoreError> {
        Ok(self
            .tables()
            .timers
            .values()
            .next()
            .map(|(timer, _)| timer.due))
    }

    fn due_calls(
        &self,
        until: Time,
        full: &FullPlaces,
        limit: usize,
    ) -> Result<Vec<HttpCallRow>, StoreError> {
        let tables = self.tables();
        let is_due =
            |call: &&HttpCallRow| call.tried.due.is_some_and(|due| due <= until) && !full.has(call);
        let mut due: Vec<&HttpCallRow> = tables.calls.values().filter(is_due).collect();
        due.sort_by_key(|call| (call.tried.due, call.key()));
        Ok(due.into_iter().take(limit).cloned().collect())
    }

    fn next_call(&self, after: Time) -> Result<Option<Time>, StoreError> {
        Ok(self
            .tables()
            .calls
            .values()
            .filter_map(|call| call.tried.due)
            .filter(|due| *due > after)
            .min())
    }

    fn http_calls(
        &self,
        tenant: &str,
        after: Option<(InstanceKey, u64)>,
        limit: usize,
    ) -> Result<Vec<HttpCallRow>, StoreError> {
        let tables = self.tables();
        let rest = tables
            .calls
            .iter()
            .rev()
            .filter(|(key, _)| after.is_none_or(|after| **key < after));
        Ok(rest
            .map(|(_, call)| call)
            .filter(|call| call.tenant == tenant)
            .take(limit)
            .cloned()
            .collect())
    }

    fn outbox(&self) -> Result<Vec<OutboxMessage>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .outbox
            .iter()
            .map(|((source, _), row)| OutboxMessage {
                source: *source,
                row: row.clone(),
            })
            .collect())
    }

    fn each_definition(&self, seen: &mut dyn FnMut(DefinitionRow)) -> Result<(), StoreError> {
        let all = self.tables().definitions.clone();
        all.into_values().for_each(seen);
        Ok(())
    }

    fn definition(
        &self,
        tenant: &str,
        id: &str,
        version: u32,
    ) -> Result<Option<DefinitionRow>, StoreError> {
        let key = (tenant.to_owned(), id.to_owned(), version);
        Ok(self.tables().definitions.get(&key).cloned())
    }

    fn versions_in_use(&self, tenant: Option<&str>) -> Result<Vec<VersionInUse>, StoreError> {
        let tables = self.tables();
        let rows = tables.instances.values();
        Ok(versions::count(rows.filter(|row| {
            tenant.is_none_or(|tenant| row.tenant == tenant)
        })))
    }

    fn schedules(&self) -> Result<Vec<ScheduleRow>, StoreError> {
        Ok(self.tables().schedules.values().cloned().collect())
    }

    fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        Ok(self.tables().users.values().cloned().collect())
    }

    fn drafts(&self) -> Result<Vec<DraftRow>, StoreError> {
        Ok(self.tables().drafts.values().cloned().collect())
    }

    fn kept_messages(&self) -> Result<Vec<KeptMessageRow>, StoreError> {
        Ok(self.tables().kept.iter().cloned().collect())
    }

    fn log_incarnation(&self) -> Result<Uuid, StoreError> {
        Ok(self.tables().incarnation)
    }
}

/// The newest of these rows, beginning after a cursor.
fn part_of<'a, T: Clone + 'a>(
    rows: impl Iterator<Item = &'a T>,
    cursor: impl Fn(&T) -> ElementCursor,
    after: Option<ElementCursor>,
    limit: usize,
) -> Vec<T> {
    let mut rest: Vec<&T> = rows
        .filter(|row| after.is_none_or(|after| cursor(row) < after))
        .collect();
    rest.sort_by_key(|row| Reverse(cursor(row)));
    rest.into_iter().take(limit).cloned().collect()
}

type ByElement<T> = BTreeMap<(InstanceKey, ElementKey), T>;

fn newest_first<T: Clone>(
    table: &ByElement<T>,
    after: Option<(InstanceKey, ElementKey)>,
    limit: usize,
) -> Vec<T> {
    let rows = match after {
        Some(after) => table.range(..after),
        None => table.range(..),
    };
    rows.rev().take(limit).map(|(_, row)| row.clone()).collect()
}
