//! The number of live instances of each version, and of recent starts: one write for each count and
//! batch. Not here: how a change is counted (`in_use`).

use rusqlite::{Connection, Result, params};

use super::{
    read::SqliteReader,
    statements::Statements,
    values::{Revision, Seq},
};
use crate::{
    journal::{
        change::{Commit, ReadModelChange},
        in_use::{CountChanges, MINUTES, VersionInUse, minute},
        store::StoreError,
    },
    model::ids::Time,
};

/// Adds the changes of a commit to the counts.
pub(super) fn add<'a>(counts: &mut CountChanges<'a>, commit: &'a Commit) {
    for change in commit.changes.iter() {
        if let ReadModelChange::Instance(row, before) = change {
            counts.add(row, before.as_ref());
        }
    }
}

/// Writes the changed counts of a batch.
pub(super) fn write(db: &mut Statements<'_>, counts: &CountChanges<'_>) -> Result<()> {
    for ((tenant, process, version, revision), change) in &counts.versions {
        let [instances, stuck, incidents] = change;
        if change.iter().all(|difference| *difference == 0) {
            continue;
        }
        let revision = Revision(*revision);
        let sql = "INSERT INTO version_in_use
                (tenant, process, version, revision, instances, stuck, incidents)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (tenant, process, version, revision)
                 DO UPDATE SET instances = instances + excluded.instances, stuck = stuck + excluded.stuck,
                     incidents = incidents + excluded.incidents";
        db.get(sql)?.execute(params![
            tenant, process, version, revision, instances, stuck, incidents
        ])?;
        if *instances < 0 {
            let sql = "DELETE FROM version_in_use WHERE tenant = ?1 AND process = ?2
                AND version = ?3 AND revision = ?4 AND instances = 0";
            db.get(sql)?
                .execute(params![tenant, process, version, revision])?;
        }
    }
    for ((tenant, minute), instances) in &counts.started {
        let sql = "INSERT INTO started (tenant, minute, instances) VALUES (?1, ?2, ?3)
             ON CONFLICT (tenant, minute) DO UPDATE SET instances = instances + excluded.instances";
        db.get(sql)?.execute(params![tenant, minute, instances])?;
        let sql = "DELETE FROM started WHERE tenant = ?1 AND minute < ?2";
        db.get(sql)?.execute(params![tenant, minute - MINUTES])?;
    }
    Ok(())
}

/// The counts of each version, computed from the rows of instances; `version_in_use` stores them
/// beside the rows.
const OF_ROWS: &str = "SELECT tenant, process, version, revision, count(*) AS instances,
        sum(incidents > 0) AS stuck, sum(incidents) AS incidents
    FROM instance WHERE ended_at IS NULL GROUP BY tenant, process, version, revision";
/// The starts in each minute of the last day, computed from the rows of instances. The stored
/// counts also include instances that were deleted meanwhile.
const STARTED_OF_ROWS: &str = "SELECT tenant, created_at / 60000 AS minute, count(*) AS instances
    FROM instance WHERE created_at >= 60000 * (SELECT max(minute) - 1440 FROM started)
    GROUP BY tenant, created_at / 60000";

/// Computes all counts again from the rows.
pub(super) fn recount(connection: &Connection) -> Result<()> {
    connection.execute_batch(&format!(
        "DELETE FROM version_in_use;
         INSERT INTO version_in_use (tenant, process, version, revision, instances, stuck, incidents) {OF_ROWS};
         INSERT INTO started (tenant, minute, instances)
             SELECT tenant, minute, instances FROM ({STARTED_OF_ROWS}) WHERE true
             ON CONFLICT (tenant, minute) DO UPDATE SET instances = max(instances, excluded.instances);"
    ))
}

impl SqliteReader {
    /// A sentence for each count that differs from the rows.
    pub(super) fn miscounts(&self, limit: u32) -> std::result::Result<Vec<String>, StoreError> {
        let sql = format!(
            "SELECT tenant, process, version, coalesce(kept.instances, 0), coalesce(kept.stuck, 0),
                 coalesce(kept.incidents, 0), coalesce(found.instances, 0), coalesce(found.stuck, 0),
                 coalesce(found.incidents, 0)
             FROM ({OF_ROWS}) AS found
             FULL OUTER JOIN version_in_use AS kept USING (tenant, process, version, revision)
             WHERE (found.instances, found.stuck, found.incidents)
                 IS NOT (kept.instances, kept.stuck, kept.incidents)
             LIMIT ?1 /*whole: it is examined*/ /*sorts: the same*/"
        );
        let mut wrong = self.list(&sql, [limit], |row| {
            // A damaged text is reported elsewhere.
            let text = |at| {
                let bytes = row.get_ref(at)?.as_bytes().unwrap_or_default();
                Ok::<_, rusqlite::Error>(String::from_utf8_lossy(bytes).into_owned())
            };
            let number = |at| row.get::<_, i64>(at);
            let counts = |first: usize| {
                let [instances, stuck, incidents] = [first, first + 1, first + 2].map(number);
                Ok::<_, rusqlite::Error>(format!(
                    "{} live instances, {} stuck, {} incidents",
                    instances?, stuck?, incidents?
                ))
            };
            Ok(format!(
                "of version {} of process '{}' of tenant '{}' there are {}, but counted are {}",
                number(2)?,
                text(1)?,
                text(0)?,
                counts(6)?,
                counts(3)?
            ))
        })?;
        let sql = format!(
            "SELECT tenant, minute, found.instances, coalesce(kept.instances, 0)
             FROM ({STARTED_OF_ROWS}) AS found LEFT JOIN started AS kept USING (tenant, minute)
             WHERE found.instances > coalesce(kept.instances, 0)
             LIMIT ?1 /*whole: it is examined*/ /*sorts: the same*/"
        );
        wrong.extend(self.list(&sql, [limit], |row| {
            let (tenant, minute): (String, i64) = (row.get(0)?, row.get(1)?);
            let (found, kept): (i64, i64) = (row.get(2)?, row.get(3)?);
            Ok(format!(
                "tenant '{tenant}' has started {found} instances in the minute of {}, but counted \
                are {kept}",
                crate::journal::in_use::minute_start(minute)
            ))
        })?);
        Ok(wrong)
    }

    /// See `StoreReader::versions_in_use`.
    pub(super) fn counted_versions(
        &self,
        tenant: Option<&str>,
    ) -> std::result::Result<Vec<VersionInUse>, StoreError> {
        let sql = "SELECT tenant, process, version, revision, instances, stuck, incidents
             FROM version_in_use WHERE ?1 IS NULL OR tenant = ?1
             ORDER BY tenant, process, version, revision";
        self.list(sql, [tenant], |row| {
            let (Seq(instances), Seq(stuck), Seq(incidents)) =
                (row.get(4)?, row.get(5)?, row.get(6)?);
            Ok(VersionInUse {
                tenant: row.get(0)?,
                process: row.get(1)?,
                version: row.get(2)?,
                revision: row.get::<_, Revision<String>>(3)?.0,
                instances,
                stuck,
                incidents,
            })
        })
    }

    /// See `StoreReader::started_since`.
    pub(super) fn counted_starts(
        &self,
        tenant: &str,
        since: Time,
    ) -> std::result::Result<u64, StoreError> {
        let sql =
            "SELECT coalesce(sum(instances), 0) FROM started WHERE tenant = ?1 AND minute >= ?2";
        let counted = self.one(sql, params![tenant, minute(since)], |row| row.get(0))?;
        Ok(counted.map_or(0, |Seq(count)| count))
    }
}
