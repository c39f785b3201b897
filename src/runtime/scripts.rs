//! Threads for steps whose definition has scripts: no script runs on an arbiter.
//!
//! Time and memory of a script are bounded by `expression`; here only the place it runs at.

use std::thread;

use crossbeam_channel::Sender;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// A small pool of script threads.
pub struct Scripts {
    jobs: Sender<Job>,
}

impl Scripts {
    /// Starts `threads` threads; they end when the pool is dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(threads: usize) -> std::io::Result<Self> {
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        for number in 0..threads {
            let queue = queue.clone();
            let work = move || queue.iter().for_each(|job| job());
            thread::Builder::new().name(format!("scripts-{number}")).spawn(work)?;
        }
        Ok(Self { jobs })
    }

    /// Runs `step` on a script thread. The receiver fails when the step panicked.
    pub fn run<T: Send + 'static>(&self, step: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
        let (done, receiver) = oneshot::channel();
        let job = move || {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step));
            if let Ok(outcome) = outcome {
                // Nobody waits when the actor is gone with its arbiter.
                let _ = done.send(outcome);
            }
        };
        // The threads outlive every sender, so the job arrives.
        let _ = self.jobs.send(Box::new(job));
        receiver
    }
}
