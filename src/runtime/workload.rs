//! The load of the running system at a moment, for metrics; read on request.

use super::{Runtime, long_steps::StepKind};

/// The work in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Followers of instances and of lists.
    pub subscriptions: usize,
    /// Timers that are due and have not fired.
    pub timers_due: usize,
    /// Timers of the next minute, those included.
    pub timers_near: usize,
    /// Steps without scripts that wait because earlier ones of their instance or process took long.
    pub long_steps_waiting: usize,
    /// Threads that run scripts.
    pub script_threads: usize,
    /// Steps that wait for a script thread.
    pub scripts_waiting: usize,
    /// Steps with scripts that wait because earlier ones of their instance or process took long.
    pub long_scripts_waiting: usize,
    /// Steps since the start that were not run because the scripts of their definition had to be
    /// killed too often.
    pub scripts_stopped: usize,
}

impl Runtime {
    /// The current load.
    pub fn workload(&self) -> Workload {
        let (timers_due, timers_near) = self.timers.counts(self.clock.now());
        let long = |kind| self.long_steps.threads(kind);
        Workload {
            subscriptions: self.hub.followers() + self.lists.len(),
            timers_due,
            timers_near,
            long_steps_waiting: long(StepKind::Plain).waiting(),
            script_threads: super::startup::SCRIPT_THREADS,
            scripts_waiting: self.scripts.waiting(),
            long_scripts_waiting: long(StepKind::Scripted).waiting(),
            scripts_stopped: self.late_scripts.stopped(),
        }
    }
}
