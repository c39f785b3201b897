//! Which threads the system prefers, so that no user waits for the work of another, even on a server
//! with few cores.
//!
//! Threads of low priority do work of milliseconds: deploys, long bodies, large instances that are
//! read or leave memory, passwords, long steps. They keep off one core, and so do other threads for
//! which nobody waits but who asked: scripts and their processes, readers of the store, checkpoints.
//!
//! # Rationale
//!
//! **Limiting how much runs at once is not enough.** A start passes four threads, and each of them
//! may have to wait for a core as long as the system lets another thread run, some milliseconds. A
//! thread of low priority runs for a shorter time then.
//!
//! **A low priority is not enough either.** Linux lets also a thread of low priority finish its
//! turn, up to 8 ms, before a thread that wakes up gets the core. So one core is left to the threads
//! that serve connections and write: it is often idle when they wake up. Measured with two cores,
//! the slowest of a hundred answers to another user took 6 ms instead of 10 beside deploys, which
//! took a quarter longer, 7 instead of 9 beside readers of long histories, and 6 instead of 8 beside
//! endless scripts.

use std::{sync::LazyLock, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

use crate::limits;

/// The niceness of these threads, of at most 19: in competition with one other thread such a thread
/// gets a tenth of a core.
const STEPS: i32 = 10;
/// Threads of [`beside`]: for each kind of work as many as may run at once; one deploy, one search
/// for cycles after a deploy, one large instance that leaves memory.
const THREADS: usize = limits::LARGE_BODIES_AT_ONCE + limits::HASHES + limits::PAST_FOLDS + 3;

/// Gives this thread a low priority from now on, and keeps it from one core, if there are several.
/// On systems other than Linux, where a priority belongs to a whole process, nothing changes.
pub fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(STEPS) {
        log::warn!("a thread could not step back, so its work may keep others waiting: {error}");
    }
    leave_a_core();
}

/// Keeps this thread, and processes that it starts, off the first core that the server may use,
/// unless that is the only one. On systems other than Linux nothing changes.
pub fn leave_a_core() {
    #[cfg(target_os = "linux")]
    if let Err(error) = keep_off_first_core() {
        log::warn!("a thread could not leave a core, so its work may keep others waiting: {error}");
    }
}

#[cfg(target_os = "linux")]
fn keep_off_first_core() -> rustix::io::Result<()> {
    use rustix::{
        process::getpid,
        thread::{CpuSet, sched_getaffinity, sched_setaffinity},
    };
    // Those of the main thread, so that a second call changes nothing.
    let mut cores = sched_getaffinity(Some(getpid()))?;
    let first = (0..CpuSet::MAX_CPU).find(|core| cores.is_set(*core));
    match first {
        Some(first) if cores.count() > 1 => {
            cores.unset(first);
            sched_setaffinity(None, &cores)
        }
        _ => Ok(()),
    }
}

/// The processor time of this thread, without the time it waits for a core.
pub fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Runs work on a thread of low priority. If the future is dropped, work that has begun still ends.
/// `None` when it panicked.
pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    /// Its callers limit how much there is of each kind.
    static POOL: LazyLock<Option<Runtime>> = LazyLock::new(|| {
        let threads = Builder::new_current_thread()
            .thread_name("beside")
            .max_blocking_threads(THREADS)
            .on_thread_start(step_back)
            .build();
        threads
            .inspect_err(|error| log::error!("no threads for work beside: {error}"))
            .ok()
    });
    POOL.as_ref()?.spawn_blocking(work).await.ok()
}

/// The same for work that needs a place, which it holds until it ends: a client that does not wait
/// for its answer would otherwise give its place away, and occupy another thread by its next
/// request.
pub async fn beside_in<T: Send + 'static>(
    place: impl Send + 'static,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    beside(move || {
        let done = work();
        drop(place);
        done
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use futures_util::poll;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn background_work_returns_its_outcome_and_survives_a_panic() {
        assert_eq!(beside(|| panic!("a test's panic")).await, None::<()>);
        assert_eq!(beside(|| 7).await, Some(7));
    }

    #[tokio::test]
    async fn a_place_is_held_until_its_work_ends_however_soon_the_caller_leaves() {
        let (place, mut is_free) = oneshot::channel::<()>();
        let (let_go, hold) = mpsc::channel::<()>();
        let mut work = Box::pin(beside_in(place, move || hold.recv()));
        assert!(poll!(&mut work).is_pending());
        drop(work);
        let held = Err(oneshot::error::TryRecvError::Empty);
        assert_eq!(is_free.try_recv(), held);
        drop(let_go);
        assert!(is_free.await.is_err());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn background_work_runs_on_threads_of_low_priority() {
        use rustix::{process::getpriority_process, thread::sched_getaffinity};
        let of_this_thread = || {
            let cores = sched_getaffinity(None).unwrap().count();
            (getpriority_process(None).unwrap(), cores)
        };
        let (priority, cores) = of_this_thread();
        let lower = ((priority + STEPS).min(19), (cores - 1).max(1));
        assert_eq!(beside(of_this_thread).await, Some(lower));
        assert_eq!(of_this_thread(), (priority, cores));
        let kept_off = thread::spawn(move || {
            leave_a_core();
            leave_a_core();
            of_this_thread()
        });
        let once = (priority, (cores - 1).max(1));
        assert_eq!(kept_off.join().unwrap(), once);
    }
}
