//! The definitions whose scripts had to be killed recently: they are not run for a while, so that
//! they fail at once, with an incident, and cost nobody else a second each.
//!
//! Shared by all threads that run scripts. Not here: killing one (`expression::worker`).

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use crate::{expression::worker::Scripting, journal::Owner, limits};

/// The kills of all definitions that are not forgotten yet.
#[derive(Default)]
pub struct LateScripts {
    of: Mutex<HashMap<Owner, Late>>,
    stopped: AtomicUsize,
}

/// The scripts of a definition that had to be killed: how many recently, and when the last one.
struct Late {
    count: u32,
    last: Instant,
}

impl LateScripts {
    /// Whether the scripts of a definition run now.
    pub fn may_run(&self, owner: &Owner, now: Instant) -> Scripting {
        let is_stopped = (self.of().get(owner)).is_some_and(|late| late.is_too_often(now));
        if !is_stopped {
            return Scripting::Runs;
        }
        self.stopped.fetch_add(1, Ordering::Relaxed);
        limits::Limit::ScriptsStopped.refused();
        Scripting::Stopped
    }

    /// Records that scripts of a definition had to be killed, if `killed` is not 0.
    pub fn note(&self, owner: Owner, killed: u32, now: Instant) {
        if killed == 0 {
            return;
        }
        let mut of = self.of();
        of.retain(|_, late| !late.is_forgotten(now));
        let late = of.entry(owner.clone()).or_insert(Late {
            count: 0,
            last: now,
        });
        late.count += killed;
        late.last = now;
        log::warn!(
            "scripts of process {:?} of tenant {:?} were not back in time and were killed: {} of \
            late",
            owner.process,
            owner.tenant,
            late.count
        );
    }

    /// The number of steps since the start that were not run because scripts of their definition
    /// were killed too often.
    pub fn stopped(&self) -> usize {
        self.stopped.load(Ordering::Relaxed)
    }

    fn of(&self) -> MutexGuard<'_, HashMap<Owner, Late>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Late {
    fn is_forgotten(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= limits::SCRIPTS_STOPPED.get()
    }

    fn is_too_often(&self, now: Instant) -> bool {
        self.count >= limits::SCRIPTS_KILLED.get() as u32 && !self.is_forgotten(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_definition_that_is_often_late_is_paused() {
        let late_scripts = LateScripts::default();
        let owner = |process: &str| Owner {
            tenant: "t".to_owned(),
            process: process.to_owned(),
        };
        let (late, other, now) = (owner("late"), owner("other"), Instant::now());
        let may_run = |owner: &Owner, at| late_scripts.may_run(owner, at) == Scripting::Runs;
        late_scripts.note(late.clone(), limits::SCRIPTS_KILLED.get() as u32 - 1, now);
        assert!(may_run(&late, now));
        late_scripts.note(late.clone(), 1, now);
        assert!(!may_run(&late, now) && may_run(&other, now));
        assert_eq!(late_scripts.stopped(), 1);
        let before_end = now + limits::SCRIPTS_STOPPED.get() - Duration::from_millis(1);
        assert!(!may_run(&late, before_end));
        assert!(may_run(&late, now + limits::SCRIPTS_STOPPED.get()));
        late_scripts.note(other, 1, now + limits::SCRIPTS_STOPPED.get());
        assert_eq!(late_scripts.of().len(), 1, "what is forgotten is not kept");
    }
}
