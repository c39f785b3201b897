//! Limits on the memory that instances take while they are in memory. Not here: how it is estimated
//! (`text::memory`), how instances leave (`runtime::live_memory`).

/// Memory that the large instances may take together, estimated; beyond it, those leave memory that
/// were not used for longest, and beyond one and a half times that, each as soon as it has
/// answered. They are read again when needed. The default of an option.
pub const LIVE_MEMORY: usize = 128 * 1024 * 1024;
/// An instance that takes more than this is large.
pub const LARGE_INSTANCE: usize = 16 * 1024;
/// An instance that takes more than this leaves memory on a thread of low priority: to store and
/// drop it takes some tenths of a millisecond or more.
pub const PUT_AWAY_AT_ONCE: usize = 512 * 1024;
