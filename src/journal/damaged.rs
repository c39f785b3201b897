//! Stored things that cannot be read: a bounded list of those found so far.
//!
//! A damaged row is left out of what is read, and everything else is served. What was left out is
//! reported by the log (once), by `/readyz` and by `stepwire doctor`. Not here: searching for
//! damage (`sqlite::read`, `runtime::damage`, `backup::doctor`).
//!
//! # Rationale
//!
//! **A damaged row is left out and reported; it does not stop the server.** If a row of the log is
//! damaged, its instance is answered 409; damaged rows of other tables are left out. A user whose
//! row is damaged stays, but without a password and with all tokens revoked, because it is not
//! known which were. The content of a definition is compared with its hash, so a changed one is
//! never run.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::limits;

/// The kind of a stored thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoredKind {
    /// A version of a definition.
    Definition,
    /// A user.
    User,
    /// A schedule.
    Schedule,
    /// An instance: its rows in the log, or its snapshot.
    Instance,
    /// A file that an instance names.
    File,
    /// A message between instances.
    Message,
    /// A call to another system.
    HttpCall,
    /// A draft of a task.
    Draft,
    /// A timer.
    Timer,
    /// A row of a list: an instance, a task, an incident, a job.
    ListLine,
}

impl StoredKind {
    /// Its name in the singular and in the plural.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Definition => ("version of a definition", "versions of definitions"),
            Self::User => ("user", "users"),
            Self::Schedule => ("schedule", "schedules"),
            Self::Instance => ("instance", "instances"),
            Self::File => ("file", "files"),
            Self::Message => ("message between instances", "messages between instances"),
            Self::HttpCall => ("call to another system", "calls to other systems"),
            Self::Draft => ("draft of a task", "drafts of tasks"),
            Self::Timer => ("timer", "timers"),
            Self::ListLine => ("line of a list", "lines of lists"),
        }
    }
}

/// What was found so far, each thing once with the reason. All clones share the list.
#[derive(Clone, Default)]
pub struct Damaged {
    met: Arc<Mutex<BTreeMap<(StoredKind, String), String>>>,
    quiet: bool,
}

impl Damaged {
    /// A list that writes nothing to the log, for callers that report otherwise.
    pub fn quiet() -> Self {
        Self {
            quiet: true,
            ..Self::default()
        }
    }

    /// Records a thing by its name and logs the reason, the first time. After
    /// [`limits::DAMAGED_NAMED`] things nothing more is recorded.
    pub fn note(&self, kind: StoredKind, name: &str, why: &str) {
        let mut met = self.lock();
        let thing = (kind, name.to_owned());
        if met.len() >= limits::DAMAGED_NAMED || met.contains_key(&thing) {
            return;
        }
        met.insert(thing, why.to_owned());
        if self.quiet {
            return;
        }
        let kind = kind.names().0;
        log::error!(
            "expected every stored {kind} to be readable, but {name} is damaged: {why}; everything \
            else is served, and 'stepwire doctor' says what to do"
        );
    }

    /// The number of things of each kind.
    pub fn counts(&self) -> BTreeMap<StoredKind, usize> {
        let mut counts = BTreeMap::new();
        for (kind, _) in self.lock().keys() {
            *counts.entry(*kind).or_default() += 1;
        }
        counts
    }

    /// The number of things.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// All things: kind, name, and reason.
    pub fn all(&self) -> Vec<(StoredKind, String, String)> {
        let met = self.lock();
        met.iter()
            .map(|((kind, name), why)| (*kind, name.clone(), why.clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(StoredKind, String), String>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_damaged_row_is_counted_once_up_to_a_limit() {
        let damaged = Damaged::default();
        for _ in 0..2 {
            damaged.note(StoredKind::Timer, "a", "torn");
            damaged.note(StoredKind::User, "a", "torn");
        }
        assert_eq!(
            damaged.counts().into_iter().collect::<Vec<_>>(),
            [(StoredKind::User, 1), (StoredKind::Timer, 1)]
        );
        for n in 0..limits::DAMAGED_NAMED {
            damaged.note(StoredKind::Instance, &n.to_string(), "torn");
        }
        let all: usize = damaged.counts().values().sum();
        assert_eq!(all, limits::DAMAGED_NAMED);
    }
}
