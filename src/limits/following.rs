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

/// Frames that may wait for a client's socket before its next messages are left unread.
pub const UNSENT_FRAMES: usize = 4_096;
/// Bytes of frames that may wait for a client's socket before its next messages are left unread, and
/// no further subscription of its begins.
pub const UNSENT_BYTES: usize = 1024 * 1024;
/// A frame of more bytes takes space in the memory for bodies and unread answers while it waits for a
/// client's socket.
pub const LONG_FRAME: usize = 16 * 1024;
/// Instances that one connection looks at at the same time, to begin following them.
pub const LOOKS_AT_ONCE: usize = 4;
/// Bytes of frames beyond which a connection takes no further row of a followed instance before these
/// are sent.
pub const PULL_BYTES: usize = 64 * 1024;

/// Active elements that a frame or an answer to a command lists; those that its receiver may act on go
/// first. As many actions are listed.
pub const LISTED_ELEMENTS: usize = 1_000;
/// Actions of one frame that come with the present data at their keys, `initial`.
pub const ACTIONS_WITH_INITIAL: usize = 100;
