//! Reads armed timers: as a list, and those of one owner that are due.

use std::borrow::Cow;

use rusqlite::{Row, params};

use super::{
    from_row::timer_row, read::SqliteReader, row_reading, sql_filter::SqlFilter,
    values::INSTANCE_ITSELF,
};
use crate::{
    journal::{
        filter::{ListedTimer, PlaceFilter},
        listing::{Owner, TimerRow},
        store::StoreError,
    },
    model::ids::{ElementKey, Time},
};

const TIMER: &str = "SELECT due, instance, element, kind, name, occurrence, process FROM timer";

/// The most owners whose timers are merged; those of more are read by time, skipping other tenants.
const MERGED_OWNERS: usize = 100;

/// Where a list continues: after this timer.
struct TimerCursor<'a> {
    timer: &'a TimerRow,
    element: ElementKey,
    kind: (Cow<'static, str>, &'a str),
}

impl<'a> TimerCursor<'a> {
    fn behind(timer: &'a TimerRow) -> Self {
        Self {
            timer,
            element: timer.key.element.unwrap_or(INSTANCE_ITSELF),
            kind: timer.key.kind.parts(),
        }
    }
}

/// Armed timers of a tenant, the next one first.
pub(super) fn list(
    reader: &SqliteReader,
    filter: &PlaceFilter,
    after: Option<&TimerRow>,
    limit: i64,
) -> Result<Vec<ListedTimer>, StoreError> {
    let processes = match (&filter.process, filter.instance) {
        (Some(process), _) => vec![process.clone()],
        (None, Some(_)) => Vec::new(),
        (None, None) => processes_of(reader, &filter.tenant)?,
    };
    if processes.is_empty() && filter.instance.is_none() {
        return Ok(Vec::new());
    }
    let after = after.map(TimerCursor::behind);
    let statement = next_timers(filter, &processes, after.as_ref(), &limit);
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

fn next_timers<'a>(
    filter: &'a PlaceFilter,
    processes: &'a [String],
    after: Option<&'a TimerCursor<'a>>,
    limit: &'a i64,
) -> SqlFilter<'a> {
    let is_by_owner = filter.instance.is_none() && (1..=MERGED_OWNERS).contains(&processes.len());
    let mut branches = Vec::new();
    if is_by_owner {
        branches.extend(processes.iter().map(|process| {
            let mut branch = SqlFilter::of(TIMER);
            branch.and("tenant = ? AND process = ?", &[&filter.tenant, process]);
            branch
        }));
    } else {
        let mut all = SqlFilter::of(TIMER);
        all.and("+tenant = ?", &[&filter.tenant]);
        all.and_given("instance = ?", filter.instance.as_ref());
        all.and_given("+process = ?", filter.process.as_ref());
        branches.push(all);
    }
    if let Some(after) = after {
        for branch in &mut branches {
            branch.and(
                "(due, instance, element, kind, name, occurrence) > (?, ?, ?, ?, ?, ?)",
                &[
                    &after.timer.due,
                    &after.timer.key.instance,
                    &after.element,
                    &after.kind.0,
                    &after.kind.1,
                    &after.timer.key.occurrence,
                ],
            );
        }
    }
    let mut statement = SqlFilter::union(branches);
    if filter.instance.is_some() {
        statement.push("/*sorts: an instance's*/");
    } else if !is_by_owner {
        statement.push("/*whole: timers of more processes than are merged*/");
    }
    statement.push(" ORDER BY due, instance, element, kind, name, occurrence");
    statement.limit(limit);
    statement
}

/// Processes of a tenant that have timers: one lookup in the index for each.
fn processes_of(reader: &SqliteReader, tenant: &str) -> Result<Vec<String>, StoreError> {
    let next = "SELECT process FROM timer WHERE tenant = ?1 AND process > ?2
         ORDER BY process LIMIT 1";
    let mut processes: Vec<String> = Vec::new();
    while processes.len() <= MERGED_OWNERS {
        let after = processes.last().map_or("", String::as_str);
        match reader.one(next, [tenant, after], |row| row.get(0))? {
            Some(found) => processes.push(found),
            None => break,
        }
    }
    Ok(processes)
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

/// The owners of timers.
pub(super) fn owners(reader: &SqliteReader) -> Result<Vec<Owner>, StoreError> {
    // One lookup in the index for each owner, however many timers it has.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::command::TimerKind,
        journal::{listing::TimerRowKey, sqlite::sql_filter::tests::check},
        model::ids::InstanceKey,
    };

    #[test]
    fn every_list_of_timers_is_read_in_the_order_of_an_index() {
        let timer = TimerRow {
            due: Time(5),
            key: TimerRowKey {
                instance: InstanceKey::default(),
                element: None,
                kind: TimerKind::Expiry,
                occurrence: 1,
            },
        };
        let after = TimerCursor::behind(&timer);
        let all = PlaceFilter {
            tenant: "acme".into(),
            instance: None,
            process: None,
        };
        let here = PlaceFilter {
            instance: Some(InstanceKey::default()),
            ..all.clone()
        };
        let processes = ["a", "b"].map(str::to_owned);
        let many = vec!["p".to_owned(); MERGED_OWNERS + 1];
        let owner = "timer_owner (tenant=? AND process=?";
        for after in [None, Some(&after)] {
            check(&next_timers(&all, &processes[..1], after, &7), &[owner]);
            check(&next_timers(&all, &processes, after, &7), &[owner, owner]);
            check(&next_timers(&all, &many, after, &7), &["timer_due"]);
            check(
                &next_timers(&here, &[], after, &7),
                &["PRIMARY KEY (instance=?)"],
            );
        }
    }
}
