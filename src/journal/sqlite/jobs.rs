//! The table of jobs: each list is read in the order of an index, beginning at its offset.
//!
//! Jobs in groups (a process with a status) are counted group by group until the first group of the
//! part is found; an order by time skips what precedes the part, in the index alone.

use rusqlite::{Result, Row, ToSql, params};

use super::{
    read::SqliteReader,
    row_reading,
    sql_filter::{SqlFilter, bounded},
    statements::Statements,
    values::Seq,
};
use crate::{
    engine::job_status::JobStatus,
    journal::{
        job::{JobFilter, JobOrder, JobRow},
        store::StoreError,
    },
    model::ids::InstanceKey,
};

pub(super) const JOB: &str =
    "SELECT instance, tenant, process, started_by, created_at, status, status_at FROM job";

/// The row of the instance has the values by which its job is found.
const ONE: &str = "SELECT job.instance, job.tenant, job.process, job.started_by, job.created_at, job.status, job.status_at
     FROM instance CROSS JOIN job ON (job.tenant, job.process, job.created_at, job.instance)
         = (instance.tenant, instance.process, instance.created_at, instance.key)
     WHERE instance.key = ?1";

pub(super) fn put(db: &mut Statements<'_>, row: &JobRow) -> Result<()> {
    let statement = db.get(
        "INSERT INTO job (instance, tenant, process, started_by, created_at, status, status_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (tenant, process, created_at, instance)
             DO UPDATE SET status = excluded.status, status_at = excluded.status_at",
    )?;
    let JobRow {
        instance,
        tenant,
        process,
        started_by,
        created_at,
        status,
        status_at,
    } = row;
    statement.execute(params![
        instance,
        tenant,
        process,
        started_by,
        created_at,
        status.number(),
        status_at
    ])?;
    Ok(())
}

/// See `StoreReader::jobs`.
pub(super) fn list(
    reader: &SqliteReader,
    filter: &JobFilter,
    order: JobOrder,
    offset: u64,
    limit: usize,
) -> std::result::Result<Vec<JobRow>, StoreError> {
    if filter.statuses.is_empty() || filter.processes.is_empty() {
        return Ok(Vec::new());
    }
    if let JobOrder::StatusAt { descending } = order {
        let processes = json_list(&filter.processes);
        let (limit, offset) = (bounded(limit), Seq(offset));
        let mut statement = by_time(filter, &processes, descending);
        statement.limit(&limit);
        statement.offset(&offset);
        return rows(reader, &statement);
    }
    let (mut before, mut found) = (offset, Vec::new());
    for (process, status) in filter.groups(order) {
        if found.len() >= limit {
            break;
        }
        if before > 0 {
            let jobs = count_group(reader, filter, process, status)?;
            if jobs <= before {
                before -= jobs;
                continue;
            }
        }
        let (rest, offset, status) = (bounded(limit - found.len()), Seq(before), status.number());
        let mut statement = of_group(JOB, filter, &process, &status);
        statement.push(" ORDER BY status_at DESC, created_at DESC, instance DESC");
        statement.limit(&rest);
        statement.offset(&offset);
        found.extend(rows(reader, &statement)?);
        before = 0;
    }
    Ok(found)
}

/// See `StoreReader::count_jobs`.
pub(super) fn count(
    reader: &SqliteReader,
    filter: &JobFilter,
) -> std::result::Result<u64, StoreError> {
    let groups = filter.groups(JobOrder::Process);
    groups
        .into_iter()
        .map(|(process, status)| count_group(reader, filter, process, status))
        .sum()
}

/// See `StoreReader::job`.
pub(super) fn one(
    reader: &SqliteReader,
    key: InstanceKey,
) -> std::result::Result<Option<JobRow>, StoreError> {
    reader.one(ONE, [key], job_row)
}

/// See `StoreReader::newest_jobs`.
pub(super) fn newest(
    reader: &SqliteReader,
    tenant: &str,
    process: &str,
    started_by: Option<&str>,
    limit: usize,
) -> std::result::Result<Vec<JobRow>, StoreError> {
    let limit = bounded(limit);
    let statement = newest_of(&tenant, &process, started_by.as_ref(), &limit);
    rows(reader, &statement)
}

fn rows(
    reader: &SqliteReader,
    statement: &SqlFilter<'_>,
) -> std::result::Result<Vec<JobRow>, StoreError> {
    let (sql, values) = (statement.sql(), statement.values());
    reader.listed(&row_reading::JOBS, sql, values, job_row)
}

fn count_group(
    reader: &SqliteReader,
    filter: &JobFilter,
    process: &str,
    status: JobStatus,
) -> std::result::Result<u64, StoreError> {
    let status = status.number();
    let statement = of_group("SELECT count(*) FROM job", filter, &process, &status);
    let counted = reader.one(statement.sql(), statement.values(), |row| row.get(0))?;
    Ok(counted.map_or(0, |Seq(count)| count))
}

/// The jobs of one process with one status.
fn of_group<'a>(
    select: &str,
    filter: &'a JobFilter,
    process: &'a &'a str,
    status: &'a u8,
) -> SqlFilter<'a> {
    let mut statement = SqlFilter::of(select);
    statement.and("tenant = ?", &[&filter.tenant]);
    statement.and_given("started_by = ?", filter.started_by.as_ref());
    statement.and(
        "process = ? AND status = ? AND status_at BETWEEN ? AND ?",
        &[process, status, &filter.from, &filter.to],
    );
    statement
}

/// The jobs of the filter by the time of their status. The signs before the columns keep the
/// planner on the index of that order.
fn by_time<'a>(filter: &'a JobFilter, processes: &'a dyn ToSql, descending: bool) -> SqlFilter<'a> {
    let mut statement = SqlFilter::of(JOB);
    statement.and("tenant = ?", &[&filter.tenant]);
    statement.and_given("started_by = ?", filter.started_by.as_ref());
    statement.and("status_at BETWEEN ? AND ?", &[&filter.from, &filter.to]);
    statement.and("+process IN (SELECT value FROM json_each(?))", &[processes]);
    let statuses = filter
        .statuses
        .iter()
        .map(|status| status.number().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    statement.and(&format!("+status IN ({statuses})"), &[]);
    let direction = if descending { "DESC" } else { "ASC" };
    statement.push(&format!(
        " ORDER BY status_at {direction}, created_at {direction}, instance {direction}"
    ));
    statement
}

fn newest_of<'a>(
    tenant: &'a &'a str,
    process: &'a &'a str,
    started_by: Option<&'a &'a str>,
    limit: &'a i64,
) -> SqlFilter<'a> {
    // With the primary key, the jobs of all others would be read and skipped.
    let select = if started_by.is_some() {
        format!("{JOB} INDEXED BY job_starter")
    } else {
        JOB.to_owned()
    };
    let mut statement = SqlFilter::of(&select);
    statement.and("tenant = ? AND process = ?", &[tenant, process]);
    statement.and_given("started_by = ?", started_by);
    statement.push(" ORDER BY created_at DESC, instance DESC");
    statement.limit(limit);
    statement
}

/// Texts as one value, so that the statement is the same for any number of them.
fn json_list(texts: &[String]) -> String {
    // Serialising texts cannot fail.
    serde_json::to_string(texts).unwrap_or_default()
}

pub(super) fn job_row(row: &Row<'_>) -> Result<JobRow> {
    let number: u8 = row.get(5)?;
    let status = JobStatus::numbered(number)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(5, number.into()))?;
    Ok(JobRow {
        instance: row.get(0)?,
        tenant: row.get(1)?,
        process: row.get(2)?,
        started_by: row.get(3)?,
        created_at: row.get(4)?,
        status,
        status_at: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{journal::sqlite::sql_filter::tests::check, model::ids::Time};

    #[test]
    fn lists_of_jobs_are_read_in_the_order_of_an_index() {
        let all = JobFilter {
            tenant: "acme".into(),
            started_by: None,
            processes: vec!["p".into()],
            statuses: JobStatus::ALL.to_vec(),
            from: Time(1),
            to: Time(9),
        };
        let mine = JobFilter {
            started_by: Some("ada".into()),
            ..all.clone()
        };
        let processes = json_list(&all.processes);
        for (filter, index) in [
            (&all, "job_time (tenant=? AND status_at>?"),
            (
                &mine,
                "job_starter_time (tenant=? AND started_by=? AND status_at>?",
            ),
        ] {
            for descending in [false, true] {
                check(
                    &by_time(filter, &processes, descending),
                    &[index, "SCAN json_each"],
                );
            }
        }
        let found = "process=? AND status=? AND status_at>?";
        for (filter, index) in [(&all, "job_status"), (&mine, "job_starter_status")] {
            let mut statement = of_group(JOB, filter, &"p", &1);
            statement.push(" ORDER BY status_at DESC, created_at DESC, instance DESC");
            check(&statement, &[index]);
            check(&statement, &[found]);
            check(
                &of_group("SELECT count(*) FROM job", filter, &"p", &1),
                &["COVERING INDEX"],
            );
        }
        check(
            &newest_of(&"acme", &"p", None, &7),
            &["PRIMARY KEY (tenant=? AND process=?)"],
        );
        check(
            &newest_of(&"acme", &"p", Some(&"ada"), &7),
            &["job_starter (tenant=? AND started_by=? AND process=?"],
        );
    }
}
