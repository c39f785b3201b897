//! How much is stored for user tasks: drafts and presence.

use std::time::Duration;

/// One draft, as JSON.
pub const DRAFT_BYTES: usize = 16 * 1024;
/// The bytes that a draft counts in addition to its data.
pub const DRAFT_OVERHEAD: usize = 512;
/// Drafts of one user; for an anonymous caller, in one instance.
pub const DRAFTS_PER_USER: usize = 100;
/// Bytes of the drafts of a tenant, with their overhead.
pub const DRAFTS_PER_TENANT: usize = 16 << 20;
/// Bytes of all drafts.
pub const DRAFTS_IN_ALL: usize = 64 << 20;
/// Tasks that one connection has open.
pub const TASKS_OPEN: usize = 16;
/// Connections that have one task open.
pub const PRESENT_PER_TASK: usize = 32;
/// How long somebody counts as typing.
pub const TYPING: Duration = Duration::from_secs(10);
