//! Bearer tokens: their size, how long they last, and how many are remembered.

use std::time::Duration;

/// The longest bearer token, in bytes.
pub const TOKEN_BYTES: usize = 8 * 1024;
/// Users' tokens that were found genuine and are not decoded again while they are in use.
pub const VERIFIED_TOKENS: usize = 1024;
/// The longest of them; a longer token is decoded each time.
pub const VERIFIED_TOKEN_BYTES: usize = 2 * 1024;
/// How long a token may last from now, unless `--max-token-lifetime` says otherwise: a year, with a
/// leap day.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(366 * 24 * 3600);
