//! How far followers of an instance may be behind, and how much memory its newest rows may take for
//! them.

/// Frames a subscription replays; a client further behind gets a snapshot.
pub const REPLAY_FRAMES: usize = 1_000;
/// Bytes of rows of a log that are read at once for a client: to replay what it missed, for a part of a
/// history, an earlier moment, statistics.
pub const LOG_PART_BYTES: usize = 8 * 1024 * 1024;
/// Estimated bytes of the newest rows that one followed instance keeps for followers that are a little
/// behind; the newest row is kept whatever it takes.
pub const FOLLOWED_BYTES: usize = 4 * 1024 * 1024;
/// The same of all followed instances together. Beyond it, one keeps nothing that takes more than
/// [`FOLLOWED_SMALL`].
pub const FOLLOWED_BYTES_IN_ALL: usize = 64 * 1024 * 1024;
/// See [`FOLLOWED_BYTES_IN_ALL`].
pub const FOLLOWED_SMALL: usize = 16 * 1024;
