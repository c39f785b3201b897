//! How long ended instances and other old data are kept unchanged, and the size of the steps that
//! pack and drop them.

use std::time::Duration;

/// How long after its end an instance is packed, unless an option says otherwise.
pub const ARCHIVE_AFTER: Duration = Duration::from_secs(24 * 3600);
/// The shortest time after which instances may be dropped: a repeated start is recognised for this
/// long.
pub const LEAST_DROP_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How long the unused entity of a message or signal is kept: an id deduplicates for this long.
pub const CORRELATION_KEEP: Duration = Duration::from_secs(24 * 3600);
/// The longest time between two passes of retention.
pub const RETENTION_PASS: Duration = Duration::from_secs(600);
/// Rows that one step of retention packs.
pub const RETENTION_ROWS: usize = 256;
/// Bytes of the rows that one step of retention packs; the last row may exceed it.
pub const RETENTION_BYTES: usize = 512 * 1024;

/// How long the audit log keeps a row, unless an option says otherwise.
pub const AUDIT_KEEP: Duration = Duration::from_secs(400 * 24 * 3600);
/// Rows of the audit log waiting to be written.
pub const AUDIT_WAITING: usize = 1_000;

/// When ended instances and audit rows are packed and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end an instance is packed; `None`: never.
    pub archive_after: Option<Duration>,
    /// How long after the end of its tree an instance is dropped; `None`: never.
    pub drop_after: Option<Duration>,
    /// How long the audit log keeps its rows; `None`: until it has too many.
    pub audit_keep: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            archive_after: Some(ARCHIVE_AFTER),
            drop_after: None,
            audit_keep: Some(AUDIT_KEEP),
        }
    }
}

impl Retention {
    /// How often a pass begins: often enough that due work waits only briefly, compared with how
    /// long it was kept. `None` when there will never be any work.
    pub fn pause(self) -> Option<Duration> {
        let shortest = self
            .archive_after
            .into_iter()
            .chain(self.drop_after)
            .min()?;
        Some((shortest / 10).clamp(Duration::from_secs(1), RETENTION_PASS))
    }
}
