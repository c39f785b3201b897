//! The server runs on the thread of its simulation, and its only order is that of its own queues.
//! [`settled`] returns when nothing in it can continue by itself: everything further is a choice of
//! the simulation.

use std::{cell::RefCell, future::poll_fn, io, task::Poll, task::Waker};

use tokio::runtime::{Builder, Runtime};

thread_local! {
    /// The task that waits for the thread to be idle.
    static WAITING: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// A runtime of this thread that notices when it is idle.
///
/// # Errors
/// If the system cannot create a runtime.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .on_thread_park(|| {
            if let Some(waker) = WAITING.take() {
                waker.wake();
            }
        })
        .build()
}

/// Waits until no task of this thread can continue.
pub async fn settled() {
    let mut requested = false;
    poll_fn(|context| {
        if requested && WAITING.with_borrow(Option::is_none) {
            return Poll::Ready(());
        }
        requested = true;
        WAITING.set(Some(context.waker().clone()));
        Poll::Pending
    })
    .await;
}
