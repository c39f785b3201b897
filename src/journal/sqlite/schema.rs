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

use std::collections::BTreeSet;

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
    require_same_columns(connection)
}

/// Refuses a file with other columns than the scripts give it: before the first release the first
/// script has changed.
fn require_same_columns(connection: &Connection) -> Result<(), StoreError> {
    let expected = || {
        let empty = Connection::open_in_memory()?;
        for script in SCRIPTS {
            empty.execute_batch(script)?;
        }
        columns(&empty)
    };
    let expected = expected().map_err(failed("make tables to compare with"))?;
    let found = columns(connection).map_err(failed("read the names of the columns"))?;
    let Some((table, column)) = expected.symmetric_difference(&found).next() else {
        return Ok(());
    };
    Err(StoreError::Unreadable(format!(
        "the tables of the data directory are those of another version of this program, as the \
        column `{column}` of `{table}` shows: start that version, or use another directory (--data)"
    )))
}

/// Each table with each of its columns.
fn columns(connection: &Connection) -> rusqlite::Result<BTreeSet<(String, String)>> {
    let mut names = connection.prepare(
        "SELECT tables.name, columns.name FROM sqlite_schema AS tables
             JOIN pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let names = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    names.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_another_version_are_refused() {
        for change in [
            "ALTER TABLE outbox DROP COLUMN publication",
            "ALTER TABLE task ADD COLUMN mood TEXT",
            "DROP TABLE draft",
        ] {
            let mut file = Connection::open_in_memory().unwrap();
            migrate(&mut file).unwrap();
            migrate(&mut file).unwrap();
            file.execute_batch(change).unwrap();
            let refused = migrate(&mut file).unwrap_err().to_string();
            assert!(
                refused.contains("another version of this program"),
                "{refused}"
            );
        }
    }
}
