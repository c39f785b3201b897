//! How long what has ended is kept as it is, and how large the steps are that pack and drop it.

use std::time::Duration;

/// How long after its end an instance is packed, unless an option says otherwise.
pub const ARCHIVE_AFTER: Duration = Duration::from_secs(24 * 3600);
/// The shortest time after which instances may be dropped: so long a repeated start is answered.
pub const LEAST_DROP_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How long the entity of a message or signal is kept that nobody needs: so long an id deduplicates.
pub const CORRELATION_KEEP: Duration = Duration::from_secs(24 * 3600);
/// The longest time between two passes of retention that have little to do.
pub const RETENTION_PASS: Duration = Duration::from_secs(600);
/// Rows that a turn of retention packs.
pub const RETENTION_ROWS: usize = 256;
/// Bytes of the rows that a turn of retention packs; of one more row at most are more.
pub const RETENTION_BYTES: usize = 512 * 1024;

/// Rows that the audit log keeps.
pub const AUDIT_ROWS: usize = 200_000;
/// How long the audit log keeps a row, unless an option says otherwise.
pub const AUDIT_KEEP: Duration = Duration::from_secs(400 * 24 * 3600);
/// Rows of the audit log that wait for room to be written.
pub const AUDIT_WAITING: usize = 1_000;

/// When what has ended is packed and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long after its end an instance is packed; `None`: never.
    pub archive_after: Option<Duration>,
    /// How long after the end of its tree an instance is dropped; `None`: never.
    pub drop_after: Option<Duration>,
    /// How long the audit log keeps what was done; `None`: as many rows as it may have.
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
    /// How often a pass begins: often enough that what is due does not wait for long, compared with
    /// how long it had to be kept. `None` when nothing is ever to be done.
    pub fn pause(self) -> Option<Duration> {
        let shortest = self
            .archive_after
            .into_iter()
            .chain(self.drop_after)
            .min()?;
        Some((shortest / 10).clamp(Duration::from_secs(1), RETENTION_PASS))
    }
}
