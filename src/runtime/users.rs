//! The users of this server: people and programs with a password. Read once at start and held in
//! memory.
//!
//! A change is durable before it is visible, and visible before it is answered (`durable`). Not
//! here: tokens and their holders (`session`), the command line (`web::local`).
//!
//! Where to go next: `changes` for changes of a user, `sign_in` for checking names and passwords,
//! `throttle` for slowing down guessing, `requests` for changes as data.

mod changes;
mod password;
pub mod requests;
mod sign_in;
mod throttle;

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

pub use changes::{NewUser, UserError, UserUpdate};
pub use sign_in::{SignInError, SignedIn};

use super::{
    durable::{DurableTable, Table},
    lists::{Lists, Topic},
};
use crate::{
    journal::{Damaged, Journal, StoredKind, UserRow, WriteOp},
    model::ids::Time,
};
use password::Hashing;
use throttle::Throttle;

/// All users by tenant and name, removed ones too.
type UserIndex = HashMap<(String, String), Arc<UserRow>>;

/// The users.
pub struct Users {
    table: DurableTable<UserIndex>,
    hashing: Hashing,
    throttle: Mutex<Throttle>,
}

/// Whether the row has a valid hash of a password; a removed user has none.
pub fn can_be_compared(row: &UserRow) -> bool {
    row.password_hash.as_deref().is_none_or(password::is_hash)
}

impl Table for UserIndex {
    type Change = Arc<UserRow>;

    fn write(row: &Arc<UserRow>) -> WriteOp {
        WriteOp::User(UserRow::clone(row))
    }

    fn topic(row: &Arc<UserRow>) -> Option<(&str, Topic)> {
        Some((&row.tenant, Topic::Users))
    }

    fn apply(&mut self, row: Arc<UserRow>) {
        self.insert((row.tenant.clone(), row.name.clone()), row);
    }
}

impl Users {
    /// The users of a store. Those whose hash is invalid are recorded as damaged.
    pub fn load(journal: Journal, rows: Vec<UserRow>, damaged: &Damaged) -> Self {
        for row in rows.iter().filter(|row| !can_be_compared(row)) {
            let name = format!("'{}' of tenant '{}'", row.name, row.tenant);
            damaged.note(
                StoredKind::User,
                &name,
                "the hash of its password cannot be read",
            );
        }
        let index: UserIndex = rows
            .into_iter()
            .map(|row| ((row.tenant.clone(), row.name.clone()), Arc::new(row)))
            .collect();
        Self {
            table: DurableTable::new(journal, index),
            hashing: Hashing::default(),
            throttle: Mutex::default(),
        }
    }

    /// A user that was not removed.
    pub fn get(&self, tenant: &str, name: &str) -> Option<Arc<UserRow>> {
        self.row(tenant, name)
            .filter(|row| row.password_hash.is_some())
    }

    /// The users of a tenant by name, without removed ones.
    pub fn all(&self, tenant: &str) -> Vec<Arc<UserRow>> {
        let wanted = |row: &&Arc<UserRow>| row.tenant == tenant && row.password_hash.is_some();
        let mut all: Vec<_> = self
            .table
            .read(|index| index.values().filter(wanted).cloned().collect());
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Whether a token of this subject, issued at this time, is still valid. A subject that is no
    /// user of this server is always admitted, because its tokens are checked elsewhere. A token
    /// without a time of issue counts as issued before any revocation.
    pub fn admits(&self, tenant: &str, subject: &str, issued_at: Option<Time>) -> bool {
        let Some(row) = self.row(tenant, subject) else {
            return true;
        };
        let since = |revoked: Time| issued_at.is_some_and(|issued| issued > revoked);
        row.password_hash.is_some() && row.revoked_at.is_none_or(since)
    }

    /// Announces every change from now on to the followers of lists.
    pub(super) fn announce_to(&self, lists: &Lists) {
        self.table.announce_to(lists);
    }

    /// Wakes whenever a user has changed.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.table.changes()
    }

    fn row(&self, tenant: &str, name: &str) -> Option<Arc<UserRow>> {
        self.table
            .read(|index| index.get(&(tenant.to_owned(), name.to_owned())).cloned())
    }
}
