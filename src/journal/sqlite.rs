//! The embedded store: one SQLite file in WAL mode, synced at every commit.
//!
//! [`open`] guards the data directory and prepares the file; [`write`] applies batches, with
//! [`statements`]; [`counts`] keeps counts beside the rows. [`read`] answers queries, with
//! [`sql_filter`], [`from_row`] and [`row_reading`] (damaged rows); [`values`] has the column forms
//! of our types, and [`plans`] checks that indexes answer every query. [`http_calls`], [`jobs`],
//! [`audit`] and [`history`] have the statements of one table each. [`checkpoint`] moves the
//! write-ahead log into the file on a thread of its own; [`copy`] makes and reads copies beside a
//! running server; [`examine`] reads databases that may be damaged. Not here: when a batch is
//! written ([`writer`](super::writer)).

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

/// Wraps an error of the library with what was tried: `expected to <what>, but …`.
///
/// Only a write for which the disk had no room is [`StoreError::NoRoom`]: it failed before the
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

/// Whether the error is a row whose columns have invalid values.
fn is_damage(cause: &Error) -> bool {
    matches!(
        cause,
        Error::FromSqlConversionFailure(..)
            | Error::InvalidColumnType(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..)
    )
}
