//! The changes of a user. Each change is one row, written by the journal's writer, and visible as
//! soon as it is durable.

use std::{error::Error, fmt, sync::Arc};

use super::{UserIndex, Users};
use crate::{
    journal::UserRow,
    limits::{self, CallerKind},
    model::{ids::Time, user_name},
    runtime::durable::{NoAnswer, TableDecision},
};

/// A user to add.
#[derive(Clone, Copy)]
pub struct NewUser<'a> {
    /// Its tenant.
    pub tenant: &'a str,
    /// The name it signs in with.
    pub name: &'a str,
    /// Its password.
    pub password: &'a str,
    /// Its roles.
    pub roles: &'a [String],
}

/// Changes of a user; values that are `None` remain.
#[derive(Clone, Copy, Default)]
pub struct UserUpdate<'a> {
    /// All its roles, from its next token on.
    pub roles: Option<&'a [String]>,
    /// Its new password; every token issued so far ends.
    pub password: Option<&'a str>,
}

/// Why a change is not made, or not known to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserError {
    /// A user of this name exists.
    Exists(String),
    /// No user of this name exists.
    Unknown(String),
    /// The name, a role or the password is invalid; the sentence says why.
    Invalid(String),
    /// A queue is full.
    Busy,
    /// The disk is full; nothing was changed.
    NoRoom,
    /// The disk failed; the change may or may not be made.
    OutcomeUnknown,
    /// The server is shutting down, or the system gave no random bytes.
    Failed,
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(name) => write!(
                f,
                "expected a new name, but there is a user '{name}': \
                change it, or take another name"
            ),
            Self::Unknown(name) => write!(
                f,
                "expected the name of a user, but there is no user \
                '{name}'"
            ),
            Self::Invalid(sentence) => f.write_str(sentence),
            Self::Busy => f.write_str(
                "expected space in the queue for the change, but it is full: \
            try again",
            ),
            Self::NoRoom => f.write_str(
                "expected space for the change, but the server's disk is full; nothing was \
                changed: free space on it",
            ),
            Self::OutcomeUnknown => f.write_str(
                "expected to write the change, but the server's disk failed, or it is stopping: \
                the change may have been made or not; check when the server is back",
            ),
            Self::Failed => f.write_str(
                "expected to write the change, but the server is stopping or has failed: try again",
            ),
        }
    }
}

impl Error for UserError {}

impl From<NoAnswer> for UserError {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Busy => Self::Busy,
            NoAnswer::NoRoom => Self::NoRoom,
            NoAnswer::Unknown => Self::OutcomeUnknown,
        }
    }
}

impl Users {
    /// Adds a user, or a removed one again; tokens from before the removal stay refused.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn add(&self, user: NewUser<'_>, now: Time) -> Result<(), UserError> {
        check_name("tenant", user.tenant)?;
        check_name("name", user.name)?;
        user_name::check(user.name).map_err(UserError::Invalid)?;
        check_roles(user.roles)?;
        if self.get(user.tenant, user.name).is_some() {
            return Err(UserError::Exists(user.name.to_owned()));
        }
        let hash = self.hash(user.password).await?;
        self.change(user.tenant, user.name, |known| match known {
            Some(row) if row.password_hash.is_some() => Err(UserError::Exists(row.name.clone())),
            known => Ok(UserRow {
                tenant: user.tenant.to_owned(),
                name: user.name.to_owned(),
                password_hash: Some(hash),
                roles: user.roles.to_vec(),
                // A damaged row revokes all tokens, including future ones.
                revoked_at: known.and_then(|row| row.revoked_at).map(|at| at.min(now)),
                created_at: now,
            }),
        })
        .await
    }

    /// Changes a user's password, roles or both, in one change.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn update(
        &self,
        tenant: &str,
        name: &str,
        update: UserUpdate<'_>,
        now: Time,
    ) -> Result<(), UserError> {
        if let Some(roles) = update.roles {
            check_roles(roles)?;
        }
        if self.get(tenant, name).is_none() {
            return Err(UserError::Unknown(name.to_owned()));
        }
        let hash = match update.password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        self.change_known(tenant, name, |row| UserRow {
            roles: update.roles.map_or(row.roles, <[String]>::to_vec),
            revoked_at: if hash.is_some() {
                Some(now)
            } else {
                row.revoked_at
            },
            password_hash: hash.or(row.password_hash),
            ..row
        })
        .await
    }

    /// Sets another password, and revokes every token issued so far.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn set_password(
        &self,
        tenant: &str,
        name: &str,
        password: &str,
        now: Time,
    ) -> Result<(), UserError> {
        self.update(
            tenant,
            name,
            UserUpdate {
                password: Some(password),
                roles: None,
            },
            now,
        )
        .await
    }

    /// Replaces the roles of a user; tokens contain them from the next one on.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn set_roles(
        &self,
        tenant: &str,
        name: &str,
        roles: &[String],
        now: Time,
    ) -> Result<(), UserError> {
        self.update(
            tenant,
            name,
            UserUpdate {
                roles: Some(roles),
                password: None,
            },
            now,
        )
        .await
    }

    /// Revokes every token issued so far. With the password the user can get new ones.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn revoke(&self, tenant: &str, name: &str, now: Time) -> Result<(), UserError> {
        self.change_known(tenant, name, |row| UserRow {
            revoked_at: Some(now),
            ..row
        })
        .await
    }

    /// Removes a user: its password and all tokens of its name become invalid.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn remove(&self, tenant: &str, name: &str, now: Time) -> Result<(), UserError> {
        let removed = |row| UserRow {
            password_hash: None,
            roles: Vec::new(),
            revoked_at: Some(now),
            ..row
        };
        self.change_known(tenant, name, removed).await
    }

    async fn change_known(
        &self,
        tenant: &str,
        name: &str,
        change: impl FnOnce(UserRow) -> UserRow,
    ) -> Result<(), UserError> {
        let changed = |known: Option<&UserRow>| match known {
            Some(row) if row.password_hash.is_some() => Ok(change(row.clone())),
            _ => Err(UserError::Unknown(name.to_owned())),
        };
        self.change(tenant, name, changed).await
    }

    /// Writes the row as changed by `change`.
    async fn change(
        &self,
        tenant: &str,
        name: &str,
        change: impl FnOnce(Option<&UserRow>) -> Result<UserRow, UserError>,
    ) -> Result<(), UserError> {
        let decide = |index: &UserIndex| {
            let known = index.get(&(tenant.to_owned(), name.to_owned()));
            let row = change(known.map(Arc::as_ref))?;
            Ok(TableDecision {
                change: Some(Arc::new(row)),
                answer: (),
            })
        };
        self.table.change(decide).await?
    }

    async fn hash(&self, password: &str) -> Result<String, UserError> {
        if password.is_empty() || password.len() > limits::PASSWORD_BYTES {
            let sentence = format!(
                "expected a password of 1 to {} bytes, but it has {}",
                limits::PASSWORD_BYTES,
                password.len()
            );
            return Err(UserError::Invalid(sentence));
        }
        let turn = self
            .hashing
            .turn(CallerKind::Staff)
            .await
            .ok_or(UserError::Busy)?;
        turn.hash(password.to_owned())
            .await
            .ok_or(UserError::Failed)
    }
}

fn check_name(what: &str, name: &str) -> Result<(), UserError> {
    let plain = !name.is_empty() && name.trim() == name && !name.chars().any(char::is_control);
    if plain && name.len() <= limits::NAME_BYTES {
        return Ok(());
    }
    let limit = limits::NAME_BYTES;
    Err(UserError::Invalid(format!(
        "expected a {what} of 1 to {limit} bytes without control characters and without blanks at \
        its ends, but it is not"
    )))
}

fn check_roles(roles: &[String]) -> Result<(), UserError> {
    let (maximum, limit) = (limits::USER_ROLES, limits::NAME_BYTES);
    let plain = |role: &String| {
        !role.is_empty()
            && role.len() <= limit
            && !role.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    let together: usize = roles.iter().map(String::len).sum();
    if roles.len() <= maximum && roles.iter().all(plain) && together <= limits::USER_ROLES_BYTES {
        return Ok(());
    }
    if together > limits::USER_ROLES_BYTES {
        let longest = limits::USER_ROLES_BYTES;
        return Err(UserError::Invalid(format!(
            "expected roles of at most {longest} bytes together, so that a browser keeps the \
            sign-in, but they have {together}: use fewer or shorter ones"
        )));
    }
    Err(UserError::Invalid(format!(
        "expected at most {maximum} roles of 1 to {limit} bytes each, without blanks and control \
        characters, but they are others"
    )))
}
