//! The read side, on a read-only connection of its own. Statements are prepared once per
//! connection.

use std::cell::RefCell;

use rusqlite::{CachedStatement, Connection, Row, params};
use uuid::Uuid;

use super::{
    drafts,
    from_row::{
        definition_row, incident_row, instance_row, locked_out_user, outbox_message, schedule_row,
        task_row, user_row,
    },
    history, http_calls, jobs, kept_messages, row_reading,
    sql_filter::{SqlFilter, bounded},
    timers,
    values::Seq,
};
use crate::{
    journal::{
        damaged::Damaged,
        definition::DefinitionRow,
        draft::DraftRow,
        filter::{ElementCursor, ListedTimer, PlaceFilter, TaskFilter},
        http_call::{FullPlaces, HttpCallRow},
        in_use::VersionInUse,
        job::{JobFilter, JobOrder, JobRow},
        kept_message::KeptMessageRow,
        listing::{
            IncidentRow, InstanceCursor, InstanceFilter, InstanceRow, Owner, TaskRow, TimerRow,
        },
        log_part::{LogLimit, LogPart},
        row::{Entity, Loaded, OutboxMessage, SnapshotRow},
        schedule::ScheduleRow,
        store::{StoreError, StoreReader},
        user::UserRow,
    },
    limits,
    model::ids::{ElementKey, InstanceKey, Time},
};

/// A reader of a [`SqliteStore`](super::SqliteStore).
pub struct SqliteReader {
    pub(super) connection: Connection,
    /// The rows that were left out because they cannot be read.
    pub(super) damaged: Damaged,
    #[cfg(debug_assertions)]
    checked: super::plans::CheckedPlans,
}

impl SqliteReader {
    pub(super) fn new(connection: Connection, damaged: Damaged) -> Self {
        Self {
            connection,
            damaged,
            #[cfg(debug_assertions)]
            checked: super::plans::CheckedPlans::default(),
        }
    }

    /// A prepared statement. In debug builds its plan is checked at its first use.
    pub(super) fn prepared(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        #[cfg(debug_assertions)]
        self.checked.check(&self.connection, sql);
        self.connection.prepare_cached(sql)
    }
}

pub(super) const INSTANCE: &str = "
    key, tenant, process, version, revision, status, business_key, started_by, parent, root, created_at, ended_at, incidents,
    outcome, open_until, descendants_ended, origin";

/// The business key is a column of the instance.
pub(super) const TASK: &str = "
    instance, element, tenant, process, node, name, lane, assignee, candidates, started_by, root_started_by, created_at,
    due_at, reminded_at, loop_counter, (SELECT business_key FROM instance WHERE key = task.instance)";

pub(super) const INCIDENT: &str =
    "SELECT instance, element, tenant, process, node, code, message, raised_at FROM incident";

impl StoreReader for SqliteReader {
    fn load(&self, entity: Entity) -> Result<Loaded, StoreError> {
        let sql = "SELECT seq, body FROM snapshot WHERE entity = ?1";
        let snapshot_row = |row: &Row<'_>| {
            let Seq(seq) = row.get(0)?;
            let body = row.get(1)?;
            Ok(SnapshotRow { seq, body })
        };
        self.at_one_moment(|| {
            let snapshot = self.one(sql, [entity.to_bytes()], snapshot_row)?;
            let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
            let rows = self.rows(entity, after, usize::MAX)?;
            Ok(Loaded { snapshot, rows })
        })
    }

    fn exists(&self, entity: Entity) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM log WHERE entity = ?1) OR EXISTS (SELECT 1 FROM \
            snapshot WHERE entity = ?1) OR EXISTS (SELECT 1 FROM history WHERE entity = ?1)";
        Ok(self
            .one(sql, [entity.to_bytes()], |row| row.get(0))?
            .unwrap_or(false))
    }

    fn instance_keys(
        &self,
        after: InstanceKey,
        limit: usize,
    ) -> Result<Vec<InstanceKey>, StoreError> {
        let sql = "SELECT entity FROM log WHERE entity > ?1 AND entity <= ?2 UNION SELECT entity \
            FROM history WHERE entity > ?1 AND entity <= ?2 ORDER BY entity LIMIT ?3";
        let (first, last) = (Entity::from(after), Entity::from(InstanceKey(Uuid::max())));
        let read = |row: &Row<'_>| row.get(0).map(Entity::instance);
        self.list(
            sql,
            params![first.to_bytes(), last.to_bytes(), bounded(limit)],
            read,
        )
    }

    fn log_part(
        &self,
        entity: Entity,
        after_seq: u64,
        limit: LogLimit,
    ) -> Result<LogPart, StoreError> {
        let mut part = LogPart::default();
        self.take_logged(&mut part, entity, after_seq, limit)?;
        match part.rows.first() {
            Some(first) if first.row.first_seq <= after_seq + 1 => Ok(part),
            _ => history::log_part(self, entity, after_seq, limit),
        }
    }

    fn instances(
        &self,
        filter: &InstanceFilter,
        after: Option<InstanceCursor>,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        self.newest_instances(filter, after, limit)
    }

    fn live_instances(
        &self,
        after: InstanceKey,
        limit: usize,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let sql = format!(
            "SELECT {INSTANCE} FROM instance WHERE key > ?1 AND ended_at IS NULL ORDER BY key LIMIT ?2"
        );
        let values = params![after, bounded(limit)];
        self.listed(&row_reading::INSTANCES, &sql, values, instance_row)
    }

    fn count(&self, filter: &InstanceFilter, maximum: usize) -> Result<u64, StoreError> {
        self.count_instances(filter, maximum)
    }

    fn started_since(&self, tenant: &str, since: Time) -> Result<u64, StoreError> {
        self.counted_starts(tenant, since)
    }

    fn instance(&self, key: InstanceKey) -> Result<Option<InstanceRow>, StoreError> {
        self.one(
            &format!("SELECT {INSTANCE} FROM instance WHERE key = ?1"),
            [key],
            instance_row,
        )
    }

    fn live_below(&self, root: InstanceKey) -> Result<Vec<(InstanceKey, InstanceKey)>, StoreError> {
        let sql = "SELECT key, parent FROM instance WHERE root = ?1 AND parent IS NOT NULL AND \
            ended_at IS NULL";
        self.list(sql, [root], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn open_below(&self, root: InstanceKey) -> Result<Vec<(InstanceKey, InstanceKey)>, StoreError> {
        let sql = "SELECT key, parent FROM instance WHERE root = ?1 AND parent IS NOT NULL AND \
            open_until IS NOT NULL";
        self.list(sql, [root], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn newest_time(&self) -> Result<Option<Time>, StoreError> {
        // Short writes overtake long ones, but no more of those wait than the queue has room for.
        let sql = "SELECT max(time) FROM (SELECT time FROM log /*whole: its last rows*/ ORDER BY pos \
            DESC LIMIT ?1)";
        let newest = self.one(sql, [bounded(limits::WRITER_QUEUE.get())], |row| row.get(0))?;
        Ok(newest.flatten())
    }

    fn jobs(
        &self,
        filter: &JobFilter,
        order: JobOrder,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError> {
        jobs::list(self, filter, order, offset, limit)
    }

    fn count_jobs(&self, filter: &JobFilter) -> Result<u64, StoreError> {
        jobs::count(self, filter)
    }

    fn job(&self, key: InstanceKey) -> Result<Option<JobRow>, StoreError> {
        jobs::one(self, key)
    }

    fn newest_jobs(
        &self,
        tenant: &str,
        process: &str,
        started_by: Option<&str>,
        limit: usize,
    ) -> Result<Vec<JobRow>, StoreError> {
        jobs::newest(self, tenant, process, started_by, limit)
    }

    fn task_list(
        &self,
        filter: &TaskFilter,
        after: Option<ElementCursor>,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        self.newest_tasks(filter, after, limit)
    }

    fn tasks(
        &self,
        after: Option<(InstanceKey, ElementKey)>,
        limit: usize,
    ) -> Result<Vec<TaskRow>, StoreError> {
        let sql = format!(
            "SELECT {TASK} FROM task WHERE (instance, element) < (?1, ?2) \
            ORDER BY instance DESC, element DESC LIMIT ?3"
        );
        let (instance, element) = after.unwrap_or(AFTER_ALL);
        self.listed(
            &row_reading::TASKS,
            &sql,
            params![instance, element, bounded(limit)],
            task_row,
        )
    }

    fn tasks_of(&self, instance: InstanceKey) -> Result<Vec<TaskRow>, StoreError> {
        let sql =
            format!("SELECT {TASK} FROM task WHERE instance = ?1 ORDER BY element DESC LIMIT ?2");
        let maximum = bounded(limits::ACTIVE_ELEMENTS);
        self.listed(
            &row_reading::TASKS,
            &sql,
            params![instance, maximum],
            task_row,
        )
    }

    fn incidents(
        &self,
        filter: &PlaceFilter,
        after: Option<ElementCursor>,
        limit: usize,
    ) -> Result<Vec<IncidentRow>, StoreError> {
        let limit = bounded(limit);
        let statement = newest_incidents(filter, after.as_ref(), &limit);
        self.listed(
            &row_reading::INCIDENTS,
            statement.sql(),
            statement.values(),
            incident_row,
        )
    }

    fn timers(
        &self,
        filter: &PlaceFilter,
        after: Option<&TimerRow>,
        limit: usize,
    ) -> Result<Vec<ListedTimer>, StoreError> {
        timers::list(self, filter, after, bounded(limit))
    }

    fn due_timers(
        &self,
        owner: &Owner,
        until: Time,
        limit: usize,
    ) -> Result<Vec<TimerRow>, StoreError> {
        timers::due(self, owner, until, bounded(limit))
    }

    fn timer_owners(&self) -> Result<Vec<Owner>, StoreError> {
        timers::owners(self)
    }

    fn next_due(&self) -> Result<Option<Time>, StoreError> {
        Ok(self
            .one("SELECT min(due) FROM timer", [], |row| row.get(0))?
            .flatten())
    }

    fn due_calls(
        &self,
        until: Time,
        full: &FullPlaces,
        limit: usize,
    ) -> Result<Vec<HttpCallRow>, StoreError> {
        http_calls::due(self, until, full, bounded(limit))
    }

    fn next_call(&self, after: Time) -> Result<Option<Time>, StoreError> {
        http_calls::next(self, after)
    }

    fn http_calls(
        &self,
        tenant: &str,
        after: Option<(InstanceKey, u64)>,
        limit: usize,
    ) -> Result<Vec<HttpCallRow>, StoreError> {
        http_calls::list(
            self,
            tenant,
            after.unwrap_or((InstanceKey(Uuid::max()), u64::MAX)),
            bounded(limit),
        )
    }

    fn outbox(&self) -> Result<Vec<OutboxMessage>, StoreError> {
        self.listed(
            &row_reading::OUTBOX,
            "SELECT source, seq, target, body, publication FROM outbox /*whole: at start*/ ORDER BY source, seq",
            [],
            outbox_message,
        )
    }

    fn each_definition(&self, seen: &mut dyn FnMut(DefinitionRow)) -> Result<(), StoreError> {
        let sql = "SELECT tenant, id, version, revision, state, alias, name, format, packed_source, created_at, created_by
             FROM definition ORDER BY tenant, id, version";
        let seen = RefCell::new(seen);
        let read = |row: &Row<'_>| definition_row(row).map(|row| (seen.borrow_mut())(row));
        self.listed(&row_reading::DEFINITIONS, sql, [], read)
            .map(drop)
    }

    fn definition(
        &self,
        tenant: &str,
        id: &str,
        version: u32,
    ) -> Result<Option<DefinitionRow>, StoreError> {
        let sql = "SELECT tenant, id, version, revision, state, alias, name, format, packed_source, created_at, created_by
             FROM definition WHERE tenant = ?1 AND id = ?2 AND version = ?3";
        let found = self.listed(
            &row_reading::DEFINITIONS,
            sql,
            params![tenant, id, version],
            definition_row,
        );
        Ok(found?.pop())
    }

    fn definition_numbers(&self) -> Result<Vec<(String, String, u32)>, StoreError> {
        let sql = "SELECT tenant, id, max(version) FROM definition GROUP BY tenant, id";
        let number = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        self.listed(&row_reading::DEFINITIONS, sql, [], number)
    }

    fn versions_in_use(&self, tenant: Option<&str>) -> Result<Vec<VersionInUse>, StoreError> {
        self.counted_versions(tenant)
    }

    fn schedules(&self) -> Result<Vec<ScheduleRow>, StoreError> {
        let sql = "SELECT tenant, process, node, version, expression, begun_at, next_due, enabled, fired, last_fired,
                 last_instance, last_skipped, last_error, failed_at
             FROM schedule ORDER BY tenant, process, node";
        self.listed(&row_reading::SCHEDULES, sql, [], schedule_row)
    }

    fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let sql = "SELECT tenant, name, password_hash, roles, revoked_at, created_at FROM user \
            ORDER BY tenant, name";
        self.listed_or(&row_reading::USERS, sql, [], user_row, locked_out_user)
    }

    fn drafts(&self) -> Result<Vec<DraftRow>, StoreError> {
        self.listed(&row_reading::DRAFTS, drafts::DRAFT, [], drafts::row)
    }

    fn kept_messages(&self) -> Result<Vec<KeptMessageRow>, StoreError> {
        let sql = kept_messages::KEPT_MESSAGE;
        self.listed(&row_reading::KEPT_MESSAGES, sql, [], kept_messages::row)
    }

    fn damaged(&self) -> Damaged {
        self.damaged.clone()
    }

    fn log_incarnation(&self) -> Result<Uuid, StoreError> {
        let bytes = self.one("SELECT incarnation FROM meta", [], |row| row.get(0))?;
        bytes
            .map(Uuid::from_bytes)
            .ok_or_else(|| StoreError::Unreadable("the table `meta` is empty".into()))
    }
}

/// Open incidents of a tenant, newest first.
fn newest_incidents<'a>(
    filter: &'a PlaceFilter,
    after: Option<&'a ElementCursor>,
    limit: &'a i64,
) -> SqlFilter<'a> {
    let mut statement = SqlFilter::of(INCIDENT);
    let tenant = match filter.instance {
        Some(_) => "+tenant = ?",
        None => "tenant = ?",
    };
    statement.and(tenant, &[&filter.tenant]);
    statement.and_given("instance = ?", filter.instance.as_ref());
    statement.and_given("process = ?", filter.process.as_ref());
    if let Some(after) = after {
        statement.and(
            "(raised_at, instance, element) < (?, ?, ?)",
            &[&after.at, &after.instance, &after.element],
        );
    }
    if filter.instance.is_some() {
        statement.push("/*sorts: an instance's*/");
    }
    statement.push(" ORDER BY raised_at DESC, instance DESC, element DESC");
    statement.limit(limit);
    statement
}

/// Sorts after every element: a descending list begins here.
const AFTER_ALL: (InstanceKey, ElementKey) = (InstanceKey(Uuid::max()), ElementKey(u64::MAX));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sqlite::sql_filter::tests::check;

    #[test]
    fn every_list_of_incidents_is_read_in_the_order_of_an_index() {
        let after = ElementCursor {
            at: Time(5),
            instance: InstanceKey::default(),
            element: ElementKey(7),
        };
        let all = PlaceFilter {
            tenant: "acme".into(),
            instance: None,
            process: Some("order".into()),
        };
        let here = PlaceFilter {
            instance: Some(InstanceKey::default()),
            ..all.clone()
        };
        for after in [None, Some(&after)] {
            check(
                &newest_incidents(&all, after, &7),
                &["incident_tenant (tenant=?"],
            );
            check(
                &newest_incidents(&here, after, &7),
                &["PRIMARY KEY (instance=?)"],
            );
        }
    }
}
