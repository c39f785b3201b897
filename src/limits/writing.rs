//! How long one write may delay other writes, and how much free space the database keeps.

/// A write of more bytes, with a fixed cost for each change of a table, lets shorter ones go first.
pub const LONG_WRITE: usize = 16 * 1024;
/// Bytes of such writes in one transaction; at least one write.
pub const LONG_WRITES_AT_ONCE: usize = 128 * 1024;
