//! Limits how long a thread handles input of connections in one turn: after a few milliseconds it
//! polls for other events before it continues.
//!
//! A thread polls for input of its connections only between its tasks, and on its own only after
//! about sixty of them. If hundreds of connections all have input at once, everybody else would
//! wait for all of them. So `poll` is called before each read of a connection, and before the
//! beginning of a subscription is written. Connections that have to wait for a later turn continue
//! one of each address in rotation: however many connections of one address have input, those of
//! others are not behind them.
//!
//! Not here: steps that take long (`runtime::long_steps`).

use std::{
    cell::RefCell,
    collections::HashSet,
    net::IpAddr,
    task::{Context, Poll, RawWakerVTable, Waker},
    time::{Duration, Instant},
};

use crate::{limits, turns::Turns};

/// Longer than any turn.
const LOST: Duration = Duration::from_secs(10);

/// A turn of this thread.
#[derive(Default)]
struct ThreadTurn {
    began: Option<Instant>,
    /// Whether a task reports when it ends (`end`). There is none before it has taken long, because
    /// that would cost every message of a quiet thread a round of the runtime.
    is_watched: bool,
    /// Tasks that continue in later turns, by address.
    waiting: Turns<Waker, IpAddr>,
    /// The tasks among them: each waits once, however often it is polled meanwhile.
    tasks: HashSet<Task>,
    /// The task that continues next, however long the turn has taken: at least one continues in
    /// each turn.
    called: Option<Waker>,
}

/// A task, as two wakers are compared by `Waker::will_wake`.
type Task = (usize, usize);

fn task(waker: &Waker) -> Task {
    let functions: *const RawWakerVTable = waker.vtable();
    (waker.data() as usize, functions as usize)
}

thread_local! {
    static TURN: RefCell<ThreadTurn> = RefCell::default();
}

impl ThreadTurn {
    fn is_over(&mut self) -> bool {
        let Some(began) = self.began else {
            self.began = Some(Instant::now());
            return false;
        };
        let taken = began.elapsed();
        // A turn that never ends belongs to a runtime that has ended.
        let is_lost = self.is_watched && taken > LOST;
        if is_lost || (!self.is_watched && taken >= limits::THREAD_TURN) {
            // It may have ended long ago: from here on its end is reported.
            (self.began, self.is_watched) = (Some(Instant::now()), true);
            tokio::spawn(end());
            return false;
        }
        self.is_watched && taken >= limits::THREAD_TURN
    }

    fn call_next(&mut self) {
        let next = self.waiting.next(|_, _| true);
        self.called = next.map(|(_, waker)| waker);
        if let Some(called) = &self.called {
            self.tasks.remove(&task(called));
        }
        if let Some(called) = &self.called {
            called.wake_by_ref();
        }
    }
}

/// Returns pending if this turn is over, and wakes the task in a later turn. `from` is the address
/// of the peer.
pub fn poll(from: IpAddr, cx: &Context<'_>) -> Poll<()> {
    TURN.with_borrow_mut(|turn| {
        let is_this = |waker: &Waker| waker.will_wake(cx.waker());
        let is_over = turn.is_over();
        if turn.called.as_ref().is_some_and(is_this) {
            turn.called = None;
            if !is_over {
                turn.call_next();
            }
            return Poll::Ready(());
        }
        if !is_over {
            return Poll::Ready(());
        }
        if turn.tasks.insert(task(cx.waker())) {
            turn.waiting.enter(&from, cx.waker().clone());
        }
        Poll::Pending
    })
}

/// The runtime resumes a task that has yielded after it has polled its connections.
async fn end() {
    loop {
        tokio::task::yield_now().await;
        let goes_on = TURN.with_borrow_mut(|turn| {
            turn.call_next();
            turn.began = turn.called.as_ref().map(|_| Instant::now());
            turn.is_watched = turn.called.is_some();
            turn.is_watched
        });
        if !goes_on {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, rc::Rc};

    use super::*;

    /// The turn of a connection from this address.
    async fn next(from: u8) {
        poll_fn(|cx| poll([127, 0, 0, from].into(), cx)).await;
    }

    #[actix_web::test]
    async fn long_work_yields_to_others_and_none_starves() {
        let order = Rc::new(RefCell::new(String::new()));
        let step = |name: char, from: u8, times: usize| {
            let order = order.clone();
            actix_rt::spawn(async move {
                for _ in 0..times {
                    next(from).await;
                    order.borrow_mut().push(name);
                    let since = Instant::now();
                    while since.elapsed() < limits::THREAD_TURN {
                        std::hint::spin_loop();
                    }
                }
            })
        };
        let all = [
            step('a', 1, 4),
            step('b', 1, 2),
            step('c', 1, 2),
            step('d', 2, 2),
        ];
        for one in all {
            one.await.unwrap();
        }
        // The first turn is watched once it has taken long; from then on tasks that have had a turn
        // come after those of their address that wait for theirs, and addresses alternate.
        assert_eq!(*order.borrow(), "aaadbdcabc");
        TURN.with_borrow(|turn| {
            assert!(turn.waiting.is_empty() && turn.tasks.is_empty() && turn.called.is_none())
        });
    }

    #[actix_web::test]
    async fn an_aborted_waiter_blocks_no_turn() {
        while !TURN.with_borrow_mut(ThreadTurn::is_over) {}
        let gone = actix_rt::spawn(next(1));
        let stays = actix_rt::spawn(next(1));
        tokio::task::yield_now().await;
        gone.abort();
        stays.await.unwrap();
    }
}
