//! The row of a user with a password, as stored. Not here: what may be done with it (see
//! `runtime::users`).
//!
//! # Why so
//!
//! **A removed user's row stays**, without its hash: a token is held against the users by its
//! subject, and one whose subject is unknown is an issuer's business. A revocation is a time:
//! tokens issued until then are refused, so `iat` has milliseconds.

use std::fmt;

use crate::model::ids::Time;

/// A user of this server.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Whose it is.
    pub tenant: String,
    /// The name it signs in with, unique in the tenant; the subject of its tokens.
    pub name: String,
    /// The password's argon2id hash as a PHC string. `None`: the user was removed, and its row
    /// stays so that its tokens stay refused.
    pub password_hash: Option<String>,
    /// What its next token grants.
    pub roles: Vec<String>,
    /// Tokens issued until then are refused.
    pub revoked_at: Option<Time>,
    /// When it was added.
    pub created_at: Time,
}

/// Without the hash, which belongs into no log.
impl fmt::Debug for UserRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tenant,
            name,
            roles,
            ..
        } = self;
        write!(f, "user '{name}' of tenant '{tenant}' with roles {roles:?}")
    }
}
