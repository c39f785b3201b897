//! Threads that step back: what they do is done beside all other work, and a thread that somebody waits
//! for at a connection takes the core from them at once.
//!
//! Deploys, long bodies, passwords and long steps belong there: work of milliseconds, of which a server
//! with few cores must not let anybody else wait.
//!
//! # Why so
//!
//! **Bounding how many continue at once is not enough.** A start passes four threads, and each of
//! them may have to wait for a core as long as the system lets another one run on, some
//! milliseconds. One that has stepped back loses its core at once.

use std::{sync::LazyLock, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

use crate::limits;

/// How far they step back, of the 19 steps there are: in competition with one other thread such a
/// thread has a tenth of a core.
const STEPS: i32 = 10;
/// Threads of [`beside`]: for each kind of work as many as continue at once (one deploy), and one
/// more for diagrams.
const THREADS: usize = 1 + limits::LARGE_BODIES_AT_ONCE + limits::HASHES + limits::PAST_FOLDS + 1;

/// Lets all other threads go before this one, from here on. Elsewhere than on Linux, where this is
/// the business of whole processes, nothing changes.
pub(super) fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(STEPS) {
        log::warn!("a thread could not step back, so its work may keep others waiting: {error}");
    }
}

/// How long this thread has worked: waiting for a core does not count.
pub(super) fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Work that is done beside all other; dropped, what has begun still ends. `None` when it panicked.
pub async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    /// Its callers bound how many there are of each kind.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_beside_gives_its_outcome_and_a_panic_loses_nothing() {
        assert_eq!(beside(|| panic!("a test's panic")).await, None::<()>);
        assert_eq!(beside(|| 7).await, Some(7));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn it_is_done_by_threads_that_step_back() {
        use rustix::process::getpriority_process;
        let of_this_thread = || getpriority_process(None).unwrap();
        let before = of_this_thread();
        assert_eq!(beside(of_this_thread).await, Some((before + STEPS).min(19)));
        assert_eq!(of_this_thread(), before);
    }
}
