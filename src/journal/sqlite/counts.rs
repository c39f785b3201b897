//! How many live instances each version has, and how many were started of late: one write for each
//! count and batch. Not here: what a change counts as (`in_use`).

use rusqlite::{Result, params};

use super::{read::SqliteReader, statements::Statements, values::Seq};
use crate::{
    journal::{
        change::{Commit, ReadModelChange},
        in_use::{CountChanges, MINUTES, VersionInUse, minute},
        store::StoreError,
    },
    model::ids::Time,
};

/// Adds what a commit means for the counts.
pub(super) fn add<'a>(counts: &mut CountChanges<'a>, commit: &'a Commit) {
    for change in commit.changes.iter() {
        if let ReadModelChange::Instance(row, before) = change {
            counts.add(row, before.as_ref());
        }
    }
}

/// Writes what a batch has changed.
pub(super) fn write(db: &mut Statements<'_>, counts: &CountChanges<'_>) -> Result<()> {
    for ((tenant, process, version, revision), change) in &counts.versions {
        let [instances, stuck, incidents] = change;
        if change.iter().all(|difference| *difference == 0) {
            continue;
        }
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

impl SqliteReader {
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
                revision: row.get(3)?,
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
