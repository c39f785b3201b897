//! How long one write may delay other writes, and how much free space the database keeps.

/// A write of more bytes, with a fixed cost for each change of a table, lets shorter ones go first.
pub const LONG_WRITE: usize = 16 * 1024;
/// Bytes that an instance writes by itself that count as one more start by the user who started its
/// tree.
pub const WRITTEN_AS_A_START: usize = 64 * 1024;
/// Bytes of long writes in one transaction; at least one write.
pub const LONG_WRITES_AT_ONCE: usize = 128 * 1024;
/// Bytes of such writes in a transaction that has fewer bytes of shorter ones; at least one write.
/// With more bytes of shorter ones, there are as many of long ones, up to [`LONG_WRITES_AT_ONCE`].
pub const LONG_WRITES_BESIDE_SHORT: usize = 32 * 1024;
