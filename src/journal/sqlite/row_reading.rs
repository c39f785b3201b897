//! Reads rows: either all of them or an error, or without damaged ones; and names a damaged row by
//! its table and the readable parts of its key. Not here: the meaning of columns (`from_row`), the
//! queries (`read`).

use std::ops::Range;

use rusqlite::{OptionalExtension, Params, Row, types::ValueRef};
use uuid::Uuid;

use super::{
    audit, failed,
    from_row::{incident_row, instance_row, task_row, timer_row},
    http_calls, is_damage, jobs,
    read::{INCIDENT, INSTANCE, SqliteReader, TASK},
};
use crate::journal::{
    damaged::StoredKind,
    store::{StoreError, StoreReader},
};

/// How much of one column a name repeats, in bytes.
const COLUMN_BYTES: usize = 80;

/// A table whose damaged rows are left out and named.
pub(super) struct NamedTable {
    pub kind: StoredKind,
    /// Its name, for people.
    name: &'static str,
    /// The position of its key among the columns that are read.
    key: Range<usize>,
}

macro_rules! tables {
    ($($constant:ident = $kind:ident, $name:literal, $key:expr;)*) => {
        $(pub(super) const $constant: NamedTable = NamedTable {
            kind: StoredKind::$kind,
            name: $name,
            key: $key,
        };)*
    };
}

tables! {
    DEFINITIONS = Definition, "definition", 0..3;
    SCHEDULES = Schedule, "schedule", 0..3;
    USERS = User, "user", 0..2;
    AUDIT = ListLine, "audit", 0..1;
    DRAFTS = Draft, "draft", 0..4;
    KEPT_MESSAGES = ListLine, "kept_message", 0..3;
    INSTANCES = ListLine, "instance", 0..1;
    TASKS = ListLine, "task", 0..2;
    INCIDENTS = ListLine, "incident", 0..2;
    JOBS = ListLine, "job", 0..1;
    TIMERS = Timer, "timer", 1..4;
    HTTP_CALLS = HttpCall, "http_call", 0..2;
    OUTBOX = Message, "outbox", 0..2;
}

impl NamedTable {
    /// The row's name: its table and its key.
    pub fn name_of(&self, row: &Row<'_>) -> String {
        let columns = self.key.clone().map(|column| match row.get_ref(column) {
            Ok(value) => shown(value),
            Err(_) => "?".to_owned(),
        });
        let key = columns.collect::<Vec<_>>().join(", ");
        format!("the row ({key}) of the table '{}'", self.name)
    }
}

impl SqliteReader {
    /// All rows of a statement, or an error.
    pub(super) fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.list_until(sql, params, read, |_| false)
    }

    /// The rows of a statement up to the first that is enough, or an error.
    pub(super) fn list_until<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
        mut is_enough: impl FnMut(&T) -> bool,
    ) -> Result<Vec<T>, StoreError> {
        let rows = || {
            let mut found = Vec::new();
            for row in self.prepared(sql)?.query_map(params, read)? {
                found.push(row?);
                if found.last().is_some_and(&mut is_enough) {
                    break;
                }
            }
            Ok(found)
        };
        rows().map_err(failed("read rows"))
    }

    /// The first row of a statement, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let row = || self.prepared(sql)?.query_row(params, read).optional();
        row().map_err(failed("read a row"))
    }

    /// As [`Self::list`], but a damaged row is recorded and left out. Not for rows whose order and
    /// number matter.
    pub(super) fn listed<T>(
        &self,
        table: &NamedTable,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.listed_or(table, sql, params, read, |_| None)
    }

    /// Reads every row of the named tables without keeping them, so that damaged ones are recorded.
    pub(super) fn read_every_table(&self) -> Result<(), StoreError> {
        self.each_definition(&mut drop)?;
        self.schedules()?;
        self.users()?;
        self.outbox()?;
        self.drafts()?;
        self.kept_messages()?;
        let all = |select: &str| format!("{select} /*whole: it is examined*/");
        self.each(
            &INSTANCES,
            &all(&format!("SELECT {INSTANCE} FROM instance")),
            instance_row,
        )?;
        self.each(&TASKS, &all(&format!("SELECT {TASK} FROM task")), task_row)?;
        self.each(&INCIDENTS, &all(INCIDENT), incident_row)?;
        self.each(&AUDIT, &all(audit::AUDIT), audit::row)?;
        self.each(&JOBS, &all(jobs::JOB), jobs::job_row)?;
        let timers = "SELECT due, instance, element, kind, name, occurrence FROM timer";
        self.each(&TIMERS, &all(timers), timer_row)?;
        self.each(&HTTP_CALLS, &all(http_calls::CALL), http_calls::row)
    }

    fn each<T>(
        &self,
        table: &NamedTable,
        sql: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<(), StoreError> {
        self.listed(table, sql, [], |row| read(row).map(drop))
            .map(drop)
    }

    /// As [`Self::listed`], but with a replacement for each damaged row.
    pub(super) fn listed_or<T>(
        &self,
        table: &NamedTable,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
        instead: impl Fn(&Row<'_>) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        let row_or_not = |row: &Row<'_>| match read(row) {
            Ok(found) => Ok(Some(found)),
            Err(cause) if is_damage(&cause) => {
                let name = table.name_of(row);
                self.damaged.note(table.kind, &name, &cause.to_string());
                Ok(instead(row))
            }
            Err(cause) => Err(cause),
        };
        let rows = self.list(sql, params, row_or_not)?;
        Ok(rows.into_iter().flatten().collect())
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(&text[..text.len().min(COLUMN_BYTES)]);
            format!("'{}'", text.escape_debug())
        }
        // A key, or the kind of an entity before it.
        ValueRef::Blob(key) if matches!(key.len(), 16 | 17) => {
            let key = &key[key.len() - 16..];
            Uuid::from_slice(key).unwrap_or_default().to_string()
        }
        ValueRef::Blob(bytes) => format!("a blob of {} bytes", bytes.len()),
    }
}
