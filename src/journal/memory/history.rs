//! History in memory: rows are not compressed, because that would only save memory that a server
//! with this store has; instances are deleted.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{MemoryStore, tables::Tables};
use crate::{
    journal::{
        history::{
            AgedCorrelation, AgedCursor, AgedInstance, DroppedInstance, HistoryChange,
            HistoryReader, HistorySize,
        },
        row::{Entity, LAST_INSTANCE, StoredRow},
        store::StoreError,
    },
    model::ids::{ElementKey, InstanceKey, Time},
};

impl Tables {
    pub(super) fn change_history(&mut self, change: &HistoryChange) {
        match change {
            HistoryChange::Pack(_)
            | HistoryChange::ForgetSnapshots(_)
            | HistoryChange::ShrinkDatabase => {}
            HistoryChange::Drop(instances) => {
                for dropped in instances {
                    self.drop_instance(dropped);
                }
            }
            HistoryChange::DropCorrelations(entities) => {
                for entity in entities {
                    self.drop_rows(*entity);
                }
            }
            HistoryChange::FilesRemoved(files) => {
                for file in files {
                    self.dropped_files.remove(file);
                }
            }
        }
    }

    fn drop_rows(&mut self, entity: Entity) {
        let rows = self.log.range((entity, 0)..=(entity, u64::MAX));
        let seqs: Vec<u64> = rows.map(|((_, seq), _)| *seq).collect();
        for seq in seqs {
            if let Some(row) = self.log.remove(&(entity, seq)) {
                self.log_bytes -= row.row.body.len();
            }
        }
        self.snapshots.remove(&entity);
    }

    fn drop_instance(&mut self, dropped: &DroppedInstance) {
        let key = dropped.key;
        self.drop_rows(Entity::from(key));
        if let Some(cursor) = self.instance_cursors.remove(&key) {
            self.instances.remove(&cursor);
            self.jobs.remove(&cursor);
        }
        self.searched.retain(|(instance, _), _| *instance != key);
        self.incidents.retain(|(instance, _), _| *instance != key);
        self.calls.retain(|(instance, _), _| *instance != key);
        self.drafts.retain(|draft, _| draft.instance != key);
        let files = dropped.files.iter().map(|file| (key, *file));
        self.dropped_files.extend(files);
    }
}

impl HistoryReader for MemoryStore {
    fn aged_instances(
        &self,
        until: Time,
        after: Option<AgedCursor>,
        limit: usize,
    ) -> Result<Vec<AgedInstance>, StoreError> {
        let tables = self.tables();
        let rows = tables.instances.values();
        let rest = rows.filter(|row| row.created_at <= until);
        let aged = rest.map(|row| AgedInstance {
            tenant: row.tenant.clone(),
            key: row.key,
            created_at: row.created_at,
            ended_at: row.ended_at,
            is_root: row.parent.is_none(),
            is_logged: true,
        });
        let mut aged: Vec<AgedInstance> = aged
            .filter(|aged| after.as_ref().is_none_or(|after| aged.cursor() > *after))
            .collect();
        aged.sort_by_cached_key(AgedInstance::cursor);
        aged.truncate(limit);
        Ok(aged)
    }

    fn unpacked_rows(
        &self,
        _entity: Entity,
        _limit: usize,
        _bytes: usize,
    ) -> Result<Vec<StoredRow>, StoreError> {
        Ok(Vec::new())
    }

    fn is_tree_recent(&self, root: InstanceKey, ended_after: Time) -> Result<bool, StoreError> {
        let is_recent = |ended: Option<Time>| ended.is_none_or(|ended| ended > ended_after);
        let tables = self.tables();
        let mut below = tables
            .instances
            .values()
            .filter(|row| row.root == root && row.parent.is_some());
        Ok(below.any(|row| is_recent(row.ended_at) || row.open_until.is_some()))
    }

    fn below(&self, root: InstanceKey, limit: usize) -> Result<Vec<InstanceKey>, StoreError> {
        let tables = self.tables();
        let below = tables
            .instances
            .values()
            .filter(|row| row.root == root && row.parent.is_some());
        Ok(below.map(|row| row.key).take(limit).collect())
    }

    fn is_in_use(&self, key: InstanceKey) -> Result<bool, StoreError> {
        let (tables, entity) = (self.tables(), Entity::from(key));
        let elements = (key, ElementKey(0))..=(key, ElementKey(u64::MAX));
        let is_open = tables
            .instance_cursors
            .get(&key)
            .and_then(|cursor| tables.instances.get(cursor))
            .is_some_and(|row| row.open_until.is_some());
        let is_last = tables.log.values().max_by_key(|row| row.pos);
        Ok(is_open
            || tables.tasks.range(elements).next().is_some()
            || tables.timer_dues.keys().any(|timer| timer.instance == key)
            || tables
                .calls
                .values()
                .any(|call| call.instance == key && call.tried.due.is_some())
            || tables
                .outbox
                .iter()
                .any(|((source, _), row)| *source == entity || row.target == entity)
            || is_last.is_some_and(|row| row.row.entity == entity))
    }

    fn aged_correlations(
        &self,
        after: Option<Entity>,
        limit: usize,
    ) -> Result<Vec<AgedCorrelation>, StoreError> {
        let tables = self.tables();
        let after = after.unwrap_or(LAST_INSTANCE);
        let rows = tables.log.range((after, u64::MAX)..);
        let mut last = BTreeMap::new();
        for ((entity, _), row) in rows {
            last.insert(*entity, row.row.time);
        }
        let end = tables.log.values().max_by_key(|row| row.pos);
        let aged = last.into_iter().map(|(entity, last)| AgedCorrelation {
            entity,
            last,
            is_in_use: end.is_some_and(|row| row.row.entity == entity)
                || tables
                    .outbox
                    .iter()
                    .any(|((source, _), row)| *source == entity || row.target == entity),
        });
        Ok(aged.take(limit).collect())
    }

    fn files_to_remove(&self, limit: usize) -> Result<Vec<(InstanceKey, Uuid)>, StoreError> {
        let tables = self.tables();
        Ok(tables.dropped_files.iter().copied().take(limit).collect())
    }

    fn history_size(&self) -> Result<HistorySize, StoreError> {
        Ok(HistorySize::default())
    }
}
