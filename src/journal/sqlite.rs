//! The embedded store: one SQLite file in WAL mode, synced at every commit.
//!
//! [`open`] guards the data directory and prepares the file, [`write`] applies batches (by
//! [`statements`]), [`read`] answers (by [`sql_filter`] and [`from_row`]), [`checkpoint`] moves the
//! write-ahead log into the file on a thread of its own, [`copy`] makes copies beside a running
//! server and reads them, [`examine`] reads those that may be damaged, [`values`] says how our types look in a column, [`row_reading`] which rows
//! are damaged, [`http_calls`] has the
//! one table that changes beside the rows of instances, [`jobs`] that of jobs, [`audit`] what was done by whom, [`history`] packs and
//! removes what is old, [`counts`] keeps what lists would count, [`plans`] holds that indexes answer
//! what is asked. Not here: when a
//! batch is written (see [`writer`](super::writer)).

mod audit;
mod checkpoint;
mod copy;
mod counts;
mod drafts;
mod examine;
mod from_row;
mod history;
mod http_calls;
mod instance_list;
mod jobs;
mod kept_messages;
mod open;
#[cfg(any(test, debug_assertions))]
mod plans;
mod read;
mod row_reading;
mod schema;
mod sql_filter;
mod statements;
mod task_list;
mod timers;
mod values;
mod write;

pub use copy::{CopiedDatabase, Facts, copy_database};
pub use examine::{Examined, Orphan};
pub use open::{DATABASE, DiskUse, SqliteStore};

use rusqlite::{Error, ErrorCode};

use super::store::StoreError;

/// Wraps what the library says with what was tried: `expected to <what>, but …`.
///
/// Only a write that the disk had no room for is [`StoreError::NoRoom`]: it failed before the
/// record that makes its transaction valid was complete, so nothing of it is stored. A sync that
/// fails for lack of space is an error like any other.
fn failed(what: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |cause| match cause.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::NoRoom(what),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Unreadable(format!("a page of the database: {cause} (to {what})"))
        }
        _ if is_damage(&cause) => StoreError::Unreadable(format!("a row: {cause} (to {what})")),
        _ => StoreError::Failed(what, Box::new(cause)),
    }
}

/// Whether a row was found whose columns do not hold what they must.
fn is_damage(cause: &Error) -> bool {
    matches!(
        cause,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    )
}
