//! How much is stored for user tasks: drafts and presence.

use std::time::Duration;

/// One draft, as JSON.
pub const DRAFT_BYTES: usize = 16 * 1024;
/// The bytes that a draft counts in addition to its data.
pub const DRAFT_OVERHEAD: usize = 512;
/// How long somebody counts as typing.
pub const TYPING: Duration = Duration::from_secs(10);
