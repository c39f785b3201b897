//! Detects instances whose steps take long. Such steps run on a few threads of low priority, so
//! that a short step, an answer or the writer never waits for one. Steps with scripts that take
//! long have threads of their own, whose script processes have that priority, too: neither the
//! short scripts of others nor long steps without scripts wait for them.
//!
//! Whether a step is long is guessed from earlier ones: the last steps of the instance or, for a
//! new instance, the last starts of its process with about as much data, so that who starts it with
//! little does not wait behind others who start it with much. One long step proves little, because
//! a thread may have lost its core meanwhile; from the second on, only the processor time of the
//! step counts.
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
use serde_json::Value;

use super::{late_scripts::LateScripts, step_threads::StepThreads};
use crate::{journal::DefinitionRow, limits, thread_priority};

/// The time from which a step without scripts counts as long.
const LONG_STEP: Duration = Duration::from_micros(250);
/// The same for a step with scripts: several times what an ordinary rule takes.
const LONG_SCRIPTED_STEP: Duration = Duration::from_millis(1);
/// After this many long steps in a row the next one is expected to be long.
const IN_A_ROW: u8 = 3;

/// A step by what it may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    /// No scripts.
    Plain,
    /// Scripts, or checks of intricate data.
    Scripted,
}

impl StepKind {
    /// Whether a step of this kind that took `took` was long.
    fn is_long(self, took: Duration) -> bool {
        took >= match self {
            Self::Plain => LONG_STEP,
            Self::Scripted => LONG_SCRIPTED_STEP,
        }
    }
}

/// The number of long steps in a row, up to [`IN_A_ROW`].
#[derive(Clone, Copy, Default)]
pub(super) struct ConsecutiveLongSteps(u8);

impl ConsecutiveLongSteps {
    /// Adds a step that took `took`.
    pub fn and(self, kind: StepKind, took: Duration) -> Self {
        Self(if kind.is_long(took) {
            (self.0 + 1).min(IN_A_ROW)
        } else {
            0
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

/// How much data a start has, roughly: the logarithm of the number of its values and of its text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DataSize(u32);

impl DataSize {
    /// Bytes of text that count as one value.
    const TEXT: usize = 64;

    /// That of this data. Nothing is counted beyond what makes a step long in any case.
    pub fn of(data: &Value) -> Self {
        /// Whether there is anything left to count.
        fn count(data: &Value, left: &mut usize) -> bool {
            let text = data.as_str().map_or(0, str::len);
            *left = left.saturating_sub(1 + text / DataSize::TEXT);
            *left > 0
                && match data {
                    Value::Array(items) => items.iter().all(|item| count(item, left)),
                    Value::Object(members) => members.values().all(|item| count(item, left)),
                    _ => true,
                }
        }
        let most = limits::VALUES_ON_ARBITER;
        let mut left = most;
        count(data, &mut left);
        Self((most - left).checked_ilog2().unwrap_or(0))
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

/// The threads of long steps, and the starts that are long.
pub(super) struct LongSteps {
    plain: Arc<StepThreads>,
    scripted: Arc<StepThreads>,
    /// Processes whose last start with about this much data was long, by a hash of both.
    starts: DashMap<u64, ConsecutiveLongSteps>,
    /// The number of these: usually 0.
    count: AtomicUsize,
    hasher: RandomState,
}

impl LongSteps {
    /// Threads for long steps, half as many as `cores` for each kind. `prepare` runs first on those
    /// for steps with scripts.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub fn of_cores(
        cores: usize,
        late_scripts: &Arc<LateScripts>,
        prepare: impl Fn() + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let count = (cores / 2).max(1);
        let step_back = thread_priority::step_back;
        let plain = StepThreads::start("long steps", count, late_scripts, step_back)?;
        let scripted = StepThreads::start("long scripts", count, late_scripts, move || {
            // Before a script process is started, which inherits the priority.
            step_back();
            prepare();
        })?;
        Ok(Self {
            plain: Arc::new(plain),
            scripted: Arc::new(scripted),
            starts: DashMap::new(),
            count: AtomicUsize::new(0),
            hasher: RandomState::new(),
        })
    }

    /// The threads for long steps of this kind.
    pub fn threads(&self, kind: StepKind) -> Arc<StepThreads> {
        match kind {
            StepKind::Plain => self.plain.clone(),
            StepKind::Scripted => self.scripted.clone(),
        }
    }

    /// Whether the last start of a process with about this much data was long.
    pub fn is_suspect_start(&self, of: &DefinitionRow, with: DataSize) -> bool {
        self.last_starts(of, with).is_suspect()
    }

    /// Whether the last starts of a process with about this much data were long.
    pub fn is_long_start(&self, of: &DefinitionRow, with: DataSize) -> bool {
        self.last_starts(of, with).is_long()
    }

    fn last_starts(&self, of: &DefinitionRow, with: DataSize) -> ConsecutiveLongSteps {
        if self.count.load(Ordering::Relaxed) == 0 {
            return ConsecutiveLongSteps::default();
        }
        self.starts
            .get(&self.key(of, with))
            .map_or_else(ConsecutiveLongSteps::default, |it| *it)
    }

    /// Records the start of an instance of a process.
    pub fn started(&self, of: &DefinitionRow, with: DataSize, kind: StepKind, took: Duration) {
        if kind.is_long(took) {
            let mut start = self.starts.entry(self.key(of, with)).or_default();
            *start = start.and(kind, took);
        } else if self.count.load(Ordering::Relaxed) > 0 {
            self.starts.remove(&self.key(of, with));
        } else {
            return;
        }
        self.count.store(self.starts.len(), Ordering::Relaxed);
    }

    fn key(&self, of: &DefinitionRow, with: DataSize) -> u64 {
        self.hasher.hash_one((&of.tenant, &of.id, with))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        journal::{DefinitionFormat, DefinitionState},
        model::ids::Time,
    };

    fn long_steps() -> LongSteps {
        LongSteps::of_cores(4, &Arc::default(), || ()).unwrap()
    }

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
        let steps = long_steps();
        let (long, short) = (process("long"), process("short"));
        let little = DataSize::of(&json!({}));
        assert!(!steps.is_long_start(&long, little));
        for _ in 0..IN_A_ROW {
            assert!(!steps.is_long_start(&long, little));
            steps.started(&long, little, StepKind::Plain, LONG_STEP);
            steps.started(&short, little, StepKind::Plain, LONG_STEP / 2);
            steps.started(&short, little, StepKind::Scripted, LONG_STEP);
        }
        assert!(steps.is_long_start(&long, little) && !steps.is_long_start(&short, little));
        steps.started(&long, little, StepKind::Plain, LONG_STEP / 2);
        assert!(!steps.is_long_start(&long, little) && steps.starts.is_empty());
    }

    #[test]
    fn starts_with_much_data_do_not_make_those_with_little_long() {
        let steps = long_steps();
        let process = process("p");
        let little = DataSize::of(&json!({"a": 1}));
        for much in [json!([vec![1; 1000]]), json!({"text": "x".repeat(64_000)})] {
            let much = DataSize::of(&much);
            for _ in 0..IN_A_ROW {
                steps.started(&process, much, StepKind::Plain, LONG_STEP);
            }
            assert!(steps.is_long_start(&process, much));
            assert!(!steps.is_suspect_start(&process, little));
        }
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
