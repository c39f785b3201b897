//! How far followers of an instance may fall behind, and how much memory its newest rows may take
//! for them.

/// Frames a subscription replays; a client further behind gets a snapshot.
pub const REPLAY_FRAMES: usize = 1_000;
/// Bytes of log rows that are read at once for a client: for a replay, a part of a history, an
/// earlier moment, or statistics.
pub const LOG_PART_BYTES: usize = 8 * 1024 * 1024;
/// Estimated bytes of the newest rows that one followed instance keeps for followers that are
/// slightly behind; the newest row is kept whatever its size.
pub const FOLLOWED_BYTES: usize = 4 * 1024 * 1024;
/// See [`FOLLOWED_BYTES_IN_ALL`](super::FOLLOWED_BYTES_IN_ALL).
pub const FOLLOWED_SMALL: usize = 16 * 1024;

/// Frames that may wait for a client's socket before its next messages are no longer read.
pub const UNSENT_FRAMES: usize = 4_096;
/// Bytes of frames that may wait for a client's socket before its next messages are no longer read
/// and its further subscriptions are delayed.
pub const UNSENT_BYTES: usize = 1024 * 1024;
/// A frame of more bytes counts in the memory for bodies and unread answers while it waits for a
/// client's socket.
pub const LONG_FRAME: usize = 16 * 1024;
/// Bytes of shorter frames that may wait for a client's socket without counting there.
pub const UNSENT_SHORT_BYTES: usize = 64 * 1024;
/// Instances that one connection looks up at the same time in order to follow them.
pub const READS_AT_ONCE: usize = 4;
/// Bytes of unsent frames beyond which a connection takes no further row of a followed instance.
pub const PULL_BYTES: usize = 64 * 1024;

/// Active elements listed in a frame or in an answer to a command, those that its receiver may act
/// on first. Actions have the same limit.
pub const LISTED_ELEMENTS: usize = 1_000;
/// Actions of one frame that include the current data at their keys, `initial`.
pub const ACTIONS_WITH_INITIAL: usize = 100;
