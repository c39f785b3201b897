//! The tables, as an ordered list of scripts; `PRAGMA user_version` counts how many of them a file
//! has seen.
//!
//! A script that was released never changes: add the next one.
//!
//! # Why so
//!
//! **Tasks are found by four partial indexes**, of which a task is in one: by assignee, owner,
//! root's owner, or its lane's list of roles; there are as many lists as lanes, so no table of
//! (task, role) is needed.
//!
//! **Lists of one starter have an index of their own.** It costs about 6 % of B1, as each start
//! touches its starter's page; without it a normal user's list read all instances by time.
//!
//! **Search keys are declared**: what instances hold there is kept beside them and written only
//! when it changes, so a process without search keys pays nothing.
//!
//! **SQLite migrations are an ordered list of scripts by `user_version`**: a dozen lines
//! instead of a framework.

use rusqlite::Connection;

use super::failed;
use crate::journal::store::StoreError;

/// The scripts in order; script `n` takes a file from version `n` to `n + 1`.
const SCRIPTS: [&str; 1] = [include_str!("schema/0001_first.sql")];

/// The version that this server writes.
const NEWEST: u32 = SCRIPTS.len() as u32;

/// Brings the file to the newest version; each script is one transaction.
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

/// The version a file has.
///
/// # Errors
/// One that this server does not know.
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
