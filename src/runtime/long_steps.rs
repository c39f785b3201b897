//! Steps of instances that take long: they are taken by threads of their own, few of them and of a low
//! priority, so that a short step, an answer and the writer never wait for one.
//!
//! Which steps are long shows afterwards: by the last ones of the instance, and of an instance that
//! begins by the last starts of its process. One alone says little, as a thread may have lost its core
//! meanwhile; from the second on only its own processor time counts. Not here: whose turn it is among
//! those that wait (`step_threads`).

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

/// From here on a step counts as long.
const LONG_STEP: Duration = Duration::from_micros(250);
/// So many long ones in a row, and the next is taken for long.
const IN_A_ROW: u8 = 3;

/// How many steps in a row took long, up to [`IN_A_ROW`].
#[derive(Clone, Copy, Default)]
pub(super) struct LongInARow(u8);

impl LongInARow {
    /// With one more that took so long.
    pub fn and(self, took: Duration) -> Self {
        Self(if took < LONG_STEP {
            0
        } else {
            (self.0 + 1).min(IN_A_ROW)
        })
    }

    /// Whether the last one took long, so that the next is timed exactly.
    pub fn is_suspect(self) -> bool {
        self.0 > 0
    }

    /// Whether the next one is taken for long.
    pub fn is_long(self) -> bool {
        self.0 == IN_A_ROW
    }
}

/// Times a step.
pub(super) struct StepTimer {
    began: Instant,
    /// What the thread had worked by then.
    worked: Option<Duration>,
}

impl StepTimer {
    /// Begins; `exactly`, what others had of the processor meanwhile does not count, which costs a
    /// call of the system.
    pub fn begin(exactly: bool) -> Self {
        Self {
            began: Instant::now(),
            worked: exactly.then(thread_priority::worked),
        }
    }

    /// How long it took.
    pub fn elapsed(&self) -> Duration {
        match self.worked {
            Some(before) => thread_priority::worked().saturating_sub(before),
            None => self.began.elapsed(),
        }
    }
}

/// The threads of long steps, and whose are long.
pub(super) struct LongSteps {
    threads: Arc<StepThreads>,
    /// Processes whose last start took long, by a hash of their names.
    starts: DashMap<u64, LongInARow>,
    /// How many those are: mostly none.
    count: AtomicUsize,
    hasher: RandomState,
}

impl LongSteps {
    /// Half of so many cores may be busy with them.
    ///
    /// # Errors
    /// When the system gives no thread.
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

    /// Where they are taken.
    pub fn threads(&self) -> Arc<StepThreads> {
        self.threads.clone()
    }

    /// Whether the last start of a process took long.
    pub fn is_suspect_start(&self, of: &DefinitionRow) -> bool {
        self.last_starts(of).is_suspect()
    }

    /// Whether the last starts of a process took long.
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

    /// An instance of this process has begun.
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
    fn a_start_is_as_long_as_the_last_ones_of_its_process() {
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
    fn exactly_timed_only_what_a_thread_works_counts() {
        let timed = StepTimer::begin(true);
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let since = Instant::now();
        let other = std::thread::spawn(move || {
            while since.elapsed() < 4 * LONG_STEP {
                std::hint::spin_loop();
            }
            drop(tell);
        });
        assert!(told.recv().is_err());
        assert!(timed.elapsed() < since.elapsed());
        other.join().unwrap();
    }
}
