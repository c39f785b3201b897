//! The stored row of a user with a password. Not here: changes of users (`runtime::users`).
//!
//! # Rationale
//!
//! **A removed user's row stays**, without its hash: a token is checked against the users by its
//! subject, and a token with an unknown subject belongs to an issuer. A revocation is a time:
//! tokens issued before it are refused, so `iat` has milliseconds.

use std::fmt;

use crate::model::ids::Time;

/// A user of this server.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Its tenant.
    pub tenant: String,
    /// The name it signs in with, unique in the tenant; the subject of its tokens.
    pub name: String,
    /// The password's argon2id hash as a PHC string. `None`: the user was removed, and its row
    /// stays so that its tokens stay refused.
    pub password_hash: Option<String>,
    /// The roles in its next token.
    pub roles: Vec<String>,
    /// Tokens issued until this time are refused.
    pub revoked_at: Option<Time>,
    /// When it was added.
    pub created_at: Time,
}

/// Omits the hash, which must not be logged.
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
