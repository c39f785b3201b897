//! The server's local socket: a file in its data directory. Through it `stepwire user` changes
//! users with immediate effect, other commands learn the server's address and get a token, and
//! `stepwire backup` reports a copy.
//!
//! Only the owner of the directory may use it. A request is one line of JSON, and so is the
//! response. Not here: the operations on users (`runtime::users::requests`).
//!
//! Where to go next: `request` for the client's side, `command` for the command line.
//!
//! # Rationale
//!
//! **The owner of a data directory gets its token from the running server**, so no command reads
//! the secret.

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

/// The longest request line: names, roles and a password, each character escaped.
const REQUEST_BYTES: u64 =
    6 * (limits::NAME_BYTES * (limits::USER_ROLES + 2) + limits::PASSWORD_BYTES) as u64 + 1024;

/// A request.
#[derive(Deserialize)]
#[serde(untagged)]
enum LocalRequest {
    /// An operation on users.
    Users(UserRequest),
    /// A request of the data that a client needs.
    Client(ClientRequest),
    /// A report that the directory was copied; asks for nothing.
    Backup(BackupMade),
}

/// A copy of the directory was made, which is logged.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BackupMade {
    backup_to: String,
}

/// The request of a client.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientRequest {
    #[serde(rename = "request")]
    _request: RequestedData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum RequestedData {
    /// The server's address and a token.
    Access,
}

/// The data that a client on this machine needs.
#[derive(Serialize, Deserialize)]
struct LocalAccess {
    /// The server's address for programs on this machine.
    server: String,
    /// A token for [`limits::LOCAL_TOKEN`].
    token: String,
    /// The user of the token.
    user: String,
}

/// A response.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum LocalReply {
    /// It is done; the response to a list contains users.
    Done(Vec<ListedUser>),
    /// The address and token that were requested.
    Access(LocalAccess),
    /// Why it was not done, as a sentence.
    Refused(String),
}

/// For systems other than Unix, which have no such sockets: users are changed while the server is
/// stopped.
#[cfg(not(unix))]
pub struct LocalSocket;

#[cfg(not(unix))]
impl LocalSocket {
    /// Fails.
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
