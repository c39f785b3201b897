//! The server's local socket: a file in its data directory through which `stepwire user` has changes take effect at once.
//!
//! Whoever owns the directory may use it, nobody else. One line of JSON in, one out. Not here: what may be asked
//! (`runtime::users::requests`).
//!
//! Where to go next: `ask` for the other end, `command` for the command line.

pub mod ask;
pub mod command;
#[cfg(unix)]
mod socket;

use serde::{Deserialize, Serialize};

use crate::{limits, runtime::users::requests::ListedUser};

#[cfg(unix)]
pub use socket::LocalSocket;

/// Name of the socket in the data directory.
const FILE: &str = "stepwire.sock";

/// The longest line that asks for something: names, roles and a password, each letter escaped.
const REQUEST_BYTES: u64 = 6 * (limits::NAME_BYTES * (limits::USER_ROLES + 2) + limits::PASSWORD_BYTES) as u64 + 1024;

/// The line that answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Told {
    /// It is done; a list answers with users.
    Done(Vec<ListedUser>),
    /// Why it is not done, as a sentence.
    Refused(String),
}

/// A server without one: only Unix has such sockets. Users are then changed while it is stopped.
#[cfg(not(unix))]
pub struct LocalSocket;

#[cfg(not(unix))]
impl LocalSocket {
    /// There is none.
    ///
    /// # Errors
    /// Always.
    pub fn listen(_: &std::path::Path, _: &std::sync::Arc<crate::runtime::Runtime>) -> std::io::Result<Self> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
