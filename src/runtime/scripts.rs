//! Threads for steps whose definition has scripts: no script runs on an arbiter.
//!
//! Time and memory of a script are bounded by `expression`, but its engine cannot be interrupted everywhere (a built-in that
//! runs long never looks at its fuel). So a step also has a time on the clock. One that is not back by then is given up, and
//! its thread, which cannot be ended, gets a replacement; a thread that comes back after all ends itself. Of lost threads at
//! most [`MOST_LOST`] are borne at a time: beyond that, steps with scripts are given up while they wait.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender};
use tokio::sync::oneshot;

/// Lost threads that are replaced.
const MOST_LOST: usize = 8;

type Job = Box<dyn FnOnce() -> Outcome + Send>;

/// What a thread does after a job.
#[derive(PartialEq, Eq)]
enum Outcome {
    /// The next job.
    GoOn,
    /// It came back after it was given up.
    Late,
}

/// A small pool of script threads.
pub struct Scripts {
    jobs: Sender<Job>,
    crew: Arc<Crew>,
    patience: Duration,
}

/// The threads of a pool, and how many of them are lost.
struct Crew {
    queue: Receiver<Job>,
    lost: AtomicUsize,
}

/// Why a step gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoOutcome {
    /// It panicked.
    Panicked,
    /// It was not back in time.
    Late,
}

impl Scripts {
    /// Starts `threads` threads; they end when the pool is dropped. A step may take `patience`, waiting included.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(threads: usize, patience: Duration) -> std::io::Result<Self> {
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        let crew = Arc::new(Crew { queue, lost: AtomicUsize::new(0) });
        for _ in 0..threads {
            crew.hire()?;
        }
        Ok(Self { jobs, crew, patience })
    }

    /// How many threads are lost at the moment, and how many steps wait for one.
    pub fn counts(&self) -> (usize, usize) {
        (self.crew.lost.load(Ordering::Acquire), self.jobs.len())
    }

    /// Runs `step` on a script thread.
    pub fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, NoOutcome>> + 'static {
        let (begun, has_begun) = oneshot::channel();
        let (done, outcome) = oneshot::channel();
        let job = move || {
            if begun.send(()).is_err() {
                // Given up while it waited.
                return Outcome::GoOn;
            }
            match done.send(catch_unwind(AssertUnwindSafe(step))) {
                Ok(()) => Outcome::GoOn,
                Err(_) => Outcome::Late,
            }
        };
        // The threads outlive every sender, so the job arrives.
        let _ = self.jobs.send(Box::new(job));
        let (crew, patience) = (self.crew.clone(), self.patience);
        async move {
            let mut has_begun = has_begun;
            match tokio::time::timeout(patience, outcome).await {
                Ok(Ok(Ok(outcome))) => Ok(outcome),
                Ok(_) => Err(NoOutcome::Panicked),
                Err(_) => {
                    if has_begun.try_recv().is_ok() {
                        crew.replace();
                    }
                    Err(NoOutcome::Late)
                }
            }
        }
    }
}

impl Crew {
    fn hire(self: &Arc<Self>) -> std::io::Result<()> {
        let crew = self.clone();
        thread::Builder::new().name("scripts".to_owned()).spawn(move || crew.work()).map(drop)
    }

    fn work(&self) {
        for job in &self.queue {
            if job() == Outcome::Late && self.was_replaced() {
                return;
            }
        }
    }

    /// A thread is lost: another takes its place, if too many are not lost already.
    fn replace(self: &Arc<Self>) {
        let counted = self.lost.try_update(Ordering::AcqRel, Ordering::Acquire, |lost| (lost < MOST_LOST).then_some(lost + 1));
        match counted {
            Err(_) => log::error!("a script does not end, and {MOST_LOST} threads are lost already: it is not replaced"),
            Ok(lost) => {
                log::error!("a script does not end; its thread, the {}. lost at the moment, is replaced", lost + 1);
                if let Err(error) = self.hire() {
                    self.lost.fetch_sub(1, Ordering::AcqRel);
                    log::error!("a script thread cannot be replaced: {error}");
                }
            }
        }
    }

    fn was_replaced(&self) -> bool {
        self.lost.try_update(Ordering::AcqRel, Ordering::Acquire, |lost| lost.checked_sub(1)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_step_gives_its_outcome_and_a_panic_loses_no_thread() {
        let scripts = Scripts::start(1, LONG).unwrap();
        assert_eq!(scripts.run(|| panic!("a test's panic")).await, Err::<(), _>(NoOutcome::Panicked));
        assert_eq!(scripts.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_thread_that_does_not_come_back_is_replaced_and_ends_when_it_does() {
        let mut scripts = Scripts::start(1, SHORT).unwrap();
        let (let_go, hold) = mpsc::channel::<()>();
        assert_eq!(scripts.run(move || hold.recv()).await, Err(NoOutcome::Late));
        assert_eq!(scripts.crew.lost.load(Ordering::Acquire), 1);
        scripts.patience = LONG;
        assert_eq!(scripts.run(|| 7).await, Ok(7));
        drop(let_go);
        while scripts.crew.lost.load(Ordering::Acquire) > 0 {
            thread::yield_now();
        }
        assert_eq!(scripts.run(|| 8).await, Ok(8));
    }

    #[tokio::test]
    async fn lost_threads_are_bounded_and_what_waits_is_given_up() {
        let scripts = Scripts::start(1, SHORT).unwrap();
        let mut held = Vec::new();
        for _ in 0..=MOST_LOST {
            let (let_go, hold) = mpsc::channel::<()>();
            held.push(let_go);
            assert_eq!(scripts.run(move || hold.recv()).await, Err(NoOutcome::Late));
        }
        assert_eq!(scripts.crew.lost.load(Ordering::Acquire), MOST_LOST);
        assert_eq!(scripts.run(|| 7).await, Err(NoOutcome::Late), "nobody is there to begin it");
    }
}
