//! How much of the writer's time one write, and those like it, may take from the others; how much free
//! space the database keeps.

/// Bytes of a write, its changes of tables counted as some, beyond which it lets shorter ones go
/// first.
pub const LONG_WRITE: usize = 16 * 1024;
/// Bytes of such writes in one transaction, one write at least.
pub const LONG_WRITES_AT_ONCE: usize = 128 * 1024;
