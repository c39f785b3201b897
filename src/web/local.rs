//! The server's local socket: a file in its data directory through which `stepwire user` has
//! changes take effect at once, the other commands learn where the server listens and get a token,
//! and `stepwire backup` says that it has made a copy.
//!
//! The owner of the directory may use it, nobody else. One line of JSON in, one out. Not here:
//! what may be asked about users (`runtime::users::requests`).
//!
//! Where to go next: `request` for the other end, `command` for the command line.
//!
//! # Why so
//!
//! **The owner of a data directory gets its token from the running server**, so no command
//! reads the secret.

pub mod command;
pub mod request;
#[cfg(unix)]
mod socket;

use serde::{Deserialize, Serialize};

use crate::{
    limits,
    runtime::users::requests::{ListedUser, UserRequest},
};

#[cfg(unix)]
pub use socket::LocalSocket;

/// Name of the socket in the data directory.
const FILE: &str = "stepwire.sock";

/// The longest line that asks for something: names, roles and a password, each letter escaped.
const REQUEST_BYTES: u64 =
    6 * (limits::NAME_BYTES * (limits::USER_ROLES + 2) + limits::PASSWORD_BYTES) as u64 + 1024;

/// The line that asks.
#[derive(Deserialize)]
#[serde(untagged)]
enum LocalRequest {
    /// About users.
    Users(UserRequest),
    /// For what a client needs.
    Client(ClientRequest),
    /// For nothing: it reports a copy of the directory.
    Backup(BackupMade),
}

/// A copy of the directory was made, which the log is to say.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BackupMade {
    backup_to: String,
}

/// The request of a client.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientRequest {
    #[serde(rename = "want")]
    _want: Want,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Want {
    /// The address, and a token.
    Access,
}

/// What a client on this machine needs.
#[derive(Serialize, Deserialize)]
struct Access {
    /// The server's address for programs on this machine.
    server: String,
    /// A token for [`limits::LOCAL_TOKEN`].
    token: String,
    /// Whom it is for.
    user: String,
}

/// The line that answers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum LocalReply {
    /// It is done; a list answers with users.
    Done(Vec<ListedUser>),
    /// The request that was made.
    Access(Access),
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
    pub fn listen(
        _: &actix_web::web::Data<super::http::app::App>,
        _: String,
    ) -> std::io::Result<Self> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
