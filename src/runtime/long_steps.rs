//! Detects instances whose steps take long. Such steps run on a few threads of low priority, so
//! that a short step, an answer or the writer never waits for one.
//!
//! Whether a step is long is guessed from earlier ones: the last steps of the instance or, for a
//! new instance, the last starts of its process. One long step proves little, because a thread may
//! have lost its core meanwhile; from the second on, only the processor time of the step counts.
//! Not here: the order of the steps that wait (`step_threads`).

use std::{
    hash::{BuildHasher, RandomState},
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use dashmap::DashMap;

use super::{step_threads::StepThreads, thread_priority};
use crate::journal::DefinitionRow;

/// The time from which a step counts as long.
const LONG_STEP: Duration = Duration::from_micros(250);
/// After this many long steps in a row the next one is expected to be long.
const IN_A_ROW: u8 = 3;

/// The number of long steps in a row, up to [`IN_A_ROW`].
#[derive(Clone, Copy, Default)]
pub(super) struct LongInARow(u8);

impl LongInARow {
    /// Adds a step that took `took`.
    pub fn and(self, took: Duration) -> Self {
        Self(if took < LONG_STEP {
            0
        } else {
            (self.0 + 1).min(IN_A_ROW)
        })
    }

    /// Whether the last step was long, so that the next is timed exactly.
    pub fn is_suspect(self) -> bool {
        self.0 > 0
    }

    /// Whether the next step is expected to be long.
    pub fn is_long(self) -> bool {
        self.0 == IN_A_ROW
    }
}

/// Measures the time of a step.
pub(super) struct StepTimer {
    began: Instant,
    /// The thread's processor time at the beginning.
    worked: Option<Duration>,
}

impl StepTimer {
    /// Begins to measure. With `exactly`, only the thread's processor time counts, which costs a
    /// system call.
    pub fn begin(exactly: bool) -> Self {
        Self {
            began: Instant::now(),
            worked: exactly.then(thread_priority::worked),
        }
    }

    /// The time since the beginning.
    pub fn elapsed(&self) -> Duration {
        match self.worked {
            Some(before) => thread_priority::worked().saturating_sub(before),
            None => self.began.elapsed(),
        }
    }
}

/// The threads of long steps, and the processes whose starts are long.
pub(super) struct LongSteps {
    threads: Arc<StepThreads>,
    /// Processes whose last start was long, by a hash of their names.
    starts: DashMap<u64, LongInARow>,
    /// The number of these processes: usually 0.
    count: AtomicUsize,
    hasher: RandomState,
}

impl LongSteps {
    /// Threads for long steps, half as many as `cores`.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn of_cores(cores: usize) -> io::Result<Self> {
        let threads = StepThreads::start("long steps", (cores / 2).max(1), || {
            thread_priority::step_back();
        })?;
        Ok(Self {
            threads: Arc::new(threads),
            starts: DashMap::new(),
            count: AtomicUsize::new(0),
            hasher: RandomState::new(),
        })
    }

    /// The threads.
    pub fn threads(&self) -> Arc<StepThreads> {
        self.threads.clone()
    }

    /// Whether the last start of a process was long.
    pub fn is_suspect_start(&self, of: &DefinitionRow) -> bool {
        self.last_starts(of).is_suspect()
    }

    /// Whether the last starts of a process were long.
    pub fn is_long_start(&self, of: &DefinitionRow) -> bool {
        self.last_starts(of).is_long()
    }

    fn last_starts(&self, of: &DefinitionRow) -> LongInARow {
        if self.count.load(Ordering::Relaxed) == 0 {
            return LongInARow::default();
        }
        self.starts
            .get(&self.key(of))
            .map_or_else(LongInARow::default, |it| *it)
    }

    /// Records the start of an instance of a process.
    pub fn started(&self, of: &DefinitionRow, took: Duration) {
        if took >= LONG_STEP {
            let mut start = self.starts.entry(self.key(of)).or_default();
            *start = start.and(took);
        } else if self.count.load(Ordering::Relaxed) > 0 {
            self.starts.remove(&self.key(of));
        } else {
            return;
        }
        self.count.store(self.starts.len(), Ordering::Relaxed);
    }

    fn key(&self, of: &DefinitionRow) -> u64 {
        self.hasher.hash_one((&of.tenant, &of.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{DefinitionFormat, DefinitionState},
        model::ids::Time,
    };

    fn process(id: &str) -> DefinitionRow {
        DefinitionRow {
            tenant: "t".to_owned(),
            id: id.to_owned(),
            version: 1,
            revision: String::new(),
            state: DefinitionState::Published,
            alias: None,
            name: String::new(),
            format: DefinitionFormat::Json,
            source: None,
            created_at: Time(0),
            created_by: String::new(),
        }
    }

    #[test]
    fn a_start_is_estimated_by_the_last_starts_of_its_process() {
        let steps = LongSteps::of_cores(4).unwrap();
        let (long, short) = (process("long"), process("short"));
        assert!(!steps.is_long_start(&long));
        for _ in 0..IN_A_ROW {
            assert!(!steps.is_long_start(&long));
            steps.started(&long, LONG_STEP);
            steps.started(&short, LONG_STEP / 2);
        }
        assert!(steps.is_long_start(&long) && !steps.is_long_start(&short));
        steps.started(&long, LONG_STEP / 2);
        assert!(!steps.is_long_start(&long) && steps.starts.is_empty());
    }

    #[test]
    fn only_processor_time_counts_when_available() {
        let timed = StepTimer::begin(true);
        let (started, is_started) = std::sync::mpsc::channel::<()>();
        let since = Instant::now();
        let other = std::thread::spawn(move || {
            while since.elapsed() < 4 * LONG_STEP {
                std::hint::spin_loop();
            }
            drop(started);
        });
        assert!(is_started.recv().is_err());
        assert!(timed.elapsed() < since.elapsed());
        other.join().unwrap();
    }
}
