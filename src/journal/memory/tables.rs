//! The tables of the store in memory, and how a batch changes them.
//!
//! Not here: how they are read (`memory`).

use super::*;

/// Everything in the store.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) incarnation: Uuid,
    pub(super) pos: i64,
    /// Bytes of the rows of the log.
    pub(super) log_bytes: usize,
    pub(super) log: BTreeMap<(Entity, u64), StoredRow>,
    pub(super) snapshots: BTreeMap<Entity, SnapshotRow>,
    pub(super) audit: VecDeque<AuditRow>,
    pub(super) instances: BTreeMap<InstanceCursor, InstanceRow>,
    pub(super) jobs: BTreeMap<InstanceCursor, JobRow>,
    pub(super) instance_cursors: BTreeMap<InstanceKey, InstanceCursor>,
    pub(super) searched: BTreeMap<(InstanceKey, String), SearchedRow>,
    pub(super) tasks: BTreeMap<(InstanceKey, ElementKey), TaskRow>,
    pub(super) incidents: BTreeMap<(InstanceKey, ElementKey), IncidentRow>,
    pub(super) timers: BTreeMap<(Time, TimerRowKey), (TimerRow, Owner)>,
    pub(super) timer_dues: BTreeMap<TimerRowKey, Time>,
    pub(super) calls: BTreeMap<(InstanceKey, u64), HttpCallRow>,
    pub(super) outbox: BTreeMap<(Entity, u64), OutboxRow>,
    pub(super) definitions: BTreeMap<(String, String, u32), DefinitionRow>,
    pub(super) schedules: BTreeMap<ScheduleKey, ScheduleRow>,
    pub(super) users: BTreeMap<(String, String), UserRow>,
    pub(super) drafts: BTreeMap<DraftKey, DraftRow>,
    /// The first to expire first.
    pub(super) kept: BTreeSet<KeptMessageRow>,
    /// Files of deleted instances, until they are removed.
    pub(super) dropped_files: BTreeSet<(InstanceKey, Uuid)>,
}

impl Tables {
    /// Checks for conflicts before anything changes, so a refused batch has no effect.
    pub(super) fn check(&self, batch: &[WriteOp]) -> Result<(), StoreError> {
        let mut fresh = HashSet::new();
        let mut versions = BTreeMap::new();
        for op in batch {
            match op.bare() {
                WriteOp::Commit(Commit { row, .. }) => {
                    let key = (row.entity, row.first_seq);
                    if self.log.contains_key(&key) || !fresh.insert(key) {
                        return Err(StoreError::Conflict(row.entity, row.first_seq));
                    }
                }
                WriteOp::Definitions(rows, _) => {
                    for row in rows {
                        let key = (row.tenant.clone(), row.id.clone(), row.version);
                        let stored = self.definitions.get(&key).map(|row| &row.revision);
                        if row.source.is_none() && stored.is_none() && !versions.contains_key(&key)
                        {
                            return Err(StoreError::Overwrite(row.id.clone(), row.version));
                        }
                        if *versions
                            .entry(key)
                            .or_insert(stored.unwrap_or(&row.revision))
                            != &row.revision
                        {
                            return Err(StoreError::Overwrite(row.id.clone(), row.version));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, op: &WriteOp) {
        match op {
            WriteOp::Commit(commit) => self.append(commit),
            WriteOp::Snapshot(entity, snapshot) => {
                self.snapshots.insert(*entity, snapshot.clone());
            }
            WriteOp::Definitions(rows, schedules) => {
                for row in rows {
                    let key = (row.tenant.clone(), row.id.clone(), row.version);
                    self.definitions
                        .entry(key)
                        .or_insert_with(|| row.clone())
                        .state = row.state;
                }
                schedules
                    .iter()
                    .for_each(|change| self.change_schedule(change));
            }
            WriteOp::User(row) => {
                self.users
                    .insert((row.tenant.clone(), row.name.clone()), row.clone());
            }
            WriteOp::Drafts(changes) => {
                for change in changes {
                    match change {
                        DraftChange::Put(row) => {
                            self.drafts.insert(row.key.clone(), DraftRow::clone(row));
                        }
                        DraftChange::Removed(key) => {
                            self.drafts.remove(key);
                        }
                    }
                }
            }
            WriteOp::HttpCall(instance, seq, change) => self.change_call((*instance, *seq), change),
            WriteOp::Audit(change) => self.change_audit(change),
            WriteOp::Audited(op, rows) => {
                self.apply(op);
                self.change_audit(&crate::journal::AuditChange::Added(rows.clone()));
            }
            WriteOp::History(change) => self.change_history(change),
            WriteOp::OutboxDelivered(source, seq) => {
                self.outbox.remove(&(*source, *seq));
            }
        }
    }

    pub(super) fn append(&mut self, commit: &Commit) {
        let row = &commit.row;
        self.pos += 1;
        self.log_bytes += row.body.len();
        self.log.insert(
            (row.entity, row.first_seq),
            StoredRow {
                pos: self.pos,
                epoch: 1,
                row: row.clone(),
            },
        );
        if let Some(snapshot) = &commit.snapshot {
            self.snapshots.insert(row.entity, snapshot.clone());
        }
        if let Some(kept) = &commit.kept {
            self.keep(row, kept);
        }
        for message in &commit.outbox {
            self.outbox
                .insert((row.entity, message.seq), message.clone());
        }
        for change in commit.changes.iter() {
            self.change(change);
        }
    }

    pub(super) fn change(&mut self, change: &ReadModelChange) {
        match change {
            ReadModelChange::Instance(row, _) => self.upsert_instance(row),
            ReadModelChange::Job(row) => {
                self.jobs.insert(
                    InstanceCursor {
                        created_at: row.created_at,
                        key: row.instance,
                    },
                    row.clone(),
                );
            }
            ReadModelChange::SearchedSet(row) => {
                self.searched
                    .insert((row.instance, row.path.clone()), row.clone());
            }
            ReadModelChange::SearchedCleared(instance, path) => {
                self.searched.remove(&(*instance, path.clone()));
            }
            ReadModelChange::TaskOpened(row) => {
                self.tasks.insert((row.instance, row.element), row.clone());
            }
            ReadModelChange::TaskClosed(instance, element) => {
                self.tasks.remove(&(*instance, *element));
            }
            ReadModelChange::TimerSet(row, owner) => {
                self.clear_timer(&row.key);
                self.timer_dues.insert(row.key.clone(), row.due);
                let key = (row.due, row.key.clone());
                self.timers.insert(key, (row.clone(), owner.clone()));
            }
            ReadModelChange::TimerCleared(key) => self.clear_timer(key),
            ReadModelChange::CallPlaced(row) => drop(self.calls.insert(row.key(), (**row).clone())),
            ReadModelChange::CallForgotten(instance, seq) => {
                drop(self.calls.remove(&(*instance, *seq)))
            }
            ReadModelChange::IncidentRaised(row) => {
                self.incidents
                    .insert((row.instance, row.element), row.clone());
            }
            ReadModelChange::IncidentResolved(instance, element) => {
                self.incidents.remove(&(*instance, *element));
            }
        }
    }

    fn keep(&mut self, row: &LogRow, kept: &KeptMessage) {
        while self
            .kept
            .first()
            .is_some_and(|first| first.until <= row.time)
        {
            self.kept.pop_first();
        }
        self.kept.insert(KeptMessageRow {
            until: kept.until,
            entity: row.entity,
            number: kept.number,
            tenant: row.tenant.clone(),
        });
    }

    pub(super) fn change_schedule(&mut self, change: &ScheduleChange) {
        match change {
            ScheduleChange::Put(row) => drop(self.schedules.insert(row.key.clone(), row.clone())),
            ScheduleChange::Removed(key) => drop(self.schedules.remove(key)),
        }
    }

    pub(super) fn change_call(&mut self, key: (InstanceKey, u64), change: &CallChange) {
        match change {
            CallChange::Forgotten => drop(self.calls.remove(&key)),
            CallChange::Attempted(tried) => {
                if let Some(call) = self.calls.get_mut(&key) {
                    call.tried = tried.clone();
                }
                if tried.due.is_none() {
                    self.forget_given_up();
                }
            }
        }
    }

    pub(super) fn forget_given_up(&mut self) {
        let given_up = self.calls.values().filter(|call| call.tried.due.is_none());
        let mut given_up: Vec<(Time, (InstanceKey, u64))> =
            given_up.map(|call| (call.placed_at, call.key())).collect();
        given_up.sort_unstable();
        for (_, key) in given_up.iter().rev().skip(WEBHOOKS_GIVEN_UP.get()) {
            self.calls.remove(key);
        }
    }

    pub(super) fn clear_timer(&mut self, key: &TimerRowKey) {
        if let Some(due) = self.timer_dues.remove(key) {
            self.timers.remove(&(due, key.clone()));
        }
    }

    pub(super) fn upsert_instance(&mut self, row: &InstanceRow) {
        let cursor = *self.instance_cursors.entry(row.key).or_insert(row.cursor());
        let stored = self.instances.entry(cursor).or_insert_with(|| row.clone());
        stored.version = row.version;
        stored.revision.clone_from(&row.revision);
        stored.status.clone_from(&row.status);
        stored.outcome.clone_from(&row.outcome);
        stored.business_key.clone_from(&row.business_key);
        stored.ended_at = row.ended_at;
        stored.incidents = row.incidents;
        stored.open_until = row.open_until;
        stored.descendants_ended = row.descendants_ended;
        stored.origin = row.origin;
    }

    pub(super) fn accept(&self, filter: &InstanceFilter, row: &InstanceRow) -> bool {
        let range = (row.key, ElementKey(0))..=(row.key, ElementKey(u64::MAX));
        let waits_at = |node: &String| self.tasks.range(range).any(|(_, task)| task.node == *node);
        let is_found_by = |(path, text): &(String, String)| {
            self.searched
                .get(&(row.key, path.clone()))
                .is_some_and(|searched| searched.value == *text)
        };
        filter.accepts(row)
            && filter.node.as_ref().is_none_or(waits_at)
            && filter.searched.iter().all(is_found_by)
    }

    pub(super) fn rows_after(
        &self,
        entity: Entity,
        after_seq: u64,
    ) -> impl Iterator<Item = &StoredRow> {
        let start = self
            .log
            .range(..=(entity, after_seq))
            .next_back()
            .filter(|((owner, _), _)| *owner == entity);
        let first = start.map_or(0, |((_, first_seq), _)| *first_seq);
        self.log
            .range((entity, first)..=(entity, u64::MAX))
            .map(|(_, row)| row)
            .filter(move |row| row.row.last_seq > after_seq)
    }
}
