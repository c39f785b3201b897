//! The options that say when ended instances and audit rows are packed and dropped.

use std::time::Duration;

use super::{ConfigError, Options, duration_argument};
use crate::limits::{self, Retention};

/// Parses the options; an instance is kept for at least a day, because a repeated start is answered
/// for as long.
pub(super) fn retention(options: &Options) -> Result<Retention, ConfigError> {
    let archive_after = match options.archive_after.as_deref() {
        None => Some(limits::ARCHIVE_AFTER),
        Some(text) => read("archive-after", text)?,
    };
    let drop_after = match options.drop_after.as_deref() {
        None => None,
        Some(text) => read("drop-after", text)?,
    };
    let audit_keep = match options.audit_keep.as_deref() {
        None => Some(limits::AUDIT_KEEP),
        Some(text) => read("audit-keep", text)?,
    };
    match drop_after {
        Some(after) if after < limits::LEAST_DROP_AFTER => Err(ConfigError(format!(
            "expected drop-after to be P1D or longer, as a repeated start is answered for a day, \
            but it is {} s",
            after.as_secs()
        ))),
        _ => Ok(Retention {
            archive_after,
            drop_after,
            audit_keep,
        }),
    }
}

fn read(name: &str, text: &str) -> Result<Option<Duration>, ConfigError> {
    if text == "0" {
        return Ok(None);
    }
    duration_argument(text)
        .map(Some)
        .map_err(|wrong| ConfigError(format!("{name}: {wrong}; 0 means never")))
}
