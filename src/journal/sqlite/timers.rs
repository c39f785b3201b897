//! Reading armed timers: as a list, and those of one owner that are due.

use rusqlite::{Row, ToSql, params};

use super::{
    from_row::timer_row, read::SqliteReader, row_reading, sql_filter::Narrowing,
    values::INSTANCE_ITSELF,
};
use crate::{
    journal::{
        filter::{ListedTimer, PlaceFilter},
        listing::{Owner, TimerRow},
        store::StoreError,
    },
    model::ids::Time,
};

const TIMER: &str = "SELECT due, instance, element, kind, name, occurrence, process FROM timer";

/// Armed timers of a tenant, the next one first.
pub(super) fn list(
    reader: &SqliteReader,
    filter: &PlaceFilter,
    after: Option<&TimerRow>,
    limit: i64,
) -> Result<Vec<ListedTimer>, StoreError> {
    let mut statement = Narrowing::of(TIMER);
    statement.and("tenant = ?", &[&filter.tenant]);
    statement.and_given("instance = ?", filter.instance.as_ref());
    statement.and_given("process = ?", filter.process.as_ref());
    let (parts, element);
    let values: [&dyn ToSql; 6];
    if let Some(TimerRow { due, key }) = after {
        parts = key.kind.parts();
        element = key.element.unwrap_or(INSTANCE_ITSELF);
        values = [
            due,
            &key.instance,
            &element,
            &parts.0,
            &parts.1,
            &key.occurrence,
        ];
        statement.and(
            "(due, instance, element, kind, name, occurrence) > (?, ?, ?, ?, ?, ?)",
            &values,
        );
    }
    statement.push(" ORDER BY due, instance, element, kind, name, occurrence");
    statement.limit(&limit);
    let listed = |row: &Row<'_>| {
        Ok(ListedTimer {
            timer: timer_row(row)?,
            process: row.get(6)?,
        })
    };
    reader.listed(
        &row_reading::TIMERS,
        statement.sql(),
        statement.values(),
        listed,
    )
}

/// Timers of one owner that are due, by due time.
pub(super) fn due(
    reader: &SqliteReader,
    owner: &Owner,
    until: Time,
    limit: i64,
) -> Result<Vec<TimerRow>, StoreError> {
    let sql = "SELECT due, instance, element, kind, name, occurrence FROM timer
         WHERE tenant = ?1 AND process = ?2 AND due <= ?3
         ORDER BY due, instance, element, kind, name, occurrence LIMIT ?4";
    reader.listed(
        &row_reading::TIMERS,
        sql,
        params![owner.tenant, owner.process, until, limit],
        timer_row,
    )
}

/// Whose timers there are.
pub(super) fn owners(reader: &SqliteReader) -> Result<Vec<Owner>, StoreError> {
    // One look into the index for each, however many timers it has.
    let next = "SELECT tenant, process FROM timer WHERE (tenant, process) > (?1, ?2)
         ORDER BY tenant, process LIMIT 1";
    let owner = |row: &Row<'_>| {
        let (tenant, process) = (row.get(0)?, row.get(1)?);
        Ok(Owner { tenant, process })
    };
    let mut owners: Vec<Owner> = Vec::new();
    loop {
        let after = owners.last();
        let after = after.map_or(("", ""), |last| (&*last.tenant, &*last.process));
        match reader.one(next, [after.0, after.1], owner)? {
            Some(found) => owners.push(found),
            None => return Ok(owners),
        }
    }
}
