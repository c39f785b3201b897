//! The tables, as an ordered list of scripts; `PRAGMA user_version` is the number of scripts that a
//! file has run.
//!
//! A released script never changes: add the next one.
//!
//! # Rationale
//!
//! **Tasks are found by four partial indexes**, each task by one of them: by assignee, owner,
//! root's owner, or its lane's list of roles. There are as many such lists as lanes, so no table of
//! (task, role) is needed.
//!
//! **Lists of one starter have an index of their own.** It costs about 6 % of B1, because each
//! start changes its starter's page; without it the list of a normal user would read all instances
//! by time.
//!
//! **Search keys are declared**: the values of instances are kept beside them and written only when
//! they change, so a process without search keys has no cost.
//!
//! **SQLite migrations are an ordered list of scripts by `user_version`**: a dozen lines instead of
//! a framework.

use rusqlite::Connection;

use super::failed;
use crate::journal::store::StoreError;

/// The scripts in order; script `n` takes a file from version `n` to `n + 1`.
const SCRIPTS: [&str; 1] = [include_str!("schema/0001_first.sql")];

/// The version that this program writes.
const NEWEST: u32 = SCRIPTS.len() as u32;

/// Migrates the file to the newest version; each script is one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = version(connection)?;
    for (script, version) in SCRIPTS
        .iter()
        .zip(1u32..)
        .filter(|(_, version)| *version > found)
    {
        let mut migrated = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            transaction.execute_batch(script)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()
        };
        migrated().map_err(failed("bring the tables up to date"))?;
    }
    Ok(())
}

/// The version of a file.
///
/// # Errors
/// A version that this program does not know.
pub(super) fn version(connection: &Connection) -> Result<u32, StoreError> {
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0));
    let found: u32 = version.map_err(failed("read the schema's version"))?;
    if found > NEWEST {
        return Err(StoreError::Unreadable(format!(
            "the data directory has schema version {found} and this server knows {NEWEST}: start \
            a newer server"
        )));
    }
    Ok(found)
}
