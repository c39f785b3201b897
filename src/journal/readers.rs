//! The readers: a few threads, each with its own [`StoreReader`], so that queries wait neither for
//! the writer nor for each other. One of them runs no list queries, so that instances, timers and
//! messages never wait behind lists that clients ask for. One is of low priority and decodes what is
//! large, so that no other work waits for that. All of them keep off one core, which is left to those
//! that serve connections and write.
//!
//! List queries are run in rotation of those who ask: however many one user sends, another one waits
//! for one query of each.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, never, select};

use super::store::{Store, StoreError, StoreReader};
use crate::{limits::Taker, thread_priority, turns::Turns};

/// The purpose of a query.
pub(super) enum Purpose {
    /// The server's own work: instances, timers, messages.
    Work,
    /// Something that a user reads: lists, histories, pages. Without a user it is something long of
    /// the server itself.
    List(Option<Taker>),
    /// What was found to be large.
    Large,
}

pub(super) type StoreQuery = Box<dyn FnOnce(&dyn StoreReader) + Send>;

/// The handle of the pool.
pub(super) struct Readers {
    questions: Mutex<Option<Lanes>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Lanes {
    work: Sender<StoreQuery>,
    lists: Sender<StoreQuery>,
    large: Sender<StoreQuery>,
    waiting: Arc<WaitingLists>,
}

/// The list queries that wait. For each of them the lane has one that runs the next of these.
#[derive(Default)]
struct WaitingLists(Mutex<Turns<StoreQuery, Option<Taker>>>);

impl WaitingLists {
    /// Adds a query; returns the one for the lane.
    fn enter(self: &Arc<Self>, whose: &Option<Taker>, question: StoreQuery) -> StoreQuery {
        self.lock().enter(whose, question);
        let waiting = self.clone();
        Box::new(move |reader| {
            let next = waiting.lock().next(|_, _| true);
            if let Some((_, question)) = next {
                question(reader);
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Turns<StoreQuery, Option<Taker>>> {
        // Changes under it cannot panic in the middle.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readers {
    pub fn start(store: &dyn Store) -> Result<Self, StoreError> {
        let (work, work_asked) = crossbeam_channel::unbounded();
        let (lists, lists_asked) = crossbeam_channel::unbounded();
        let (large, large_asked) = crossbeam_channel::unbounded();
        let mut threads = Vec::new();
        let (leave_a_core, step_back) = (thread_priority::leave_a_core, thread_priority::step_back);
        for (work_asked, lists_asked, prepare) in [
            (work_asked.clone(), None, leave_a_core as fn()),
            (work_asked, Some(lists_asked), leave_a_core),
            (large_asked, None, step_back),
        ] {
            let reader = store.reader()?;
            let thread = thread::Builder::new()
                .name("journal-reader".into())
                .spawn(move || {
                    prepare();
                    run(reader.as_ref(), work_asked, lists_asked);
                })
                .map_err(|cause| StoreError::Failed("start a reader thread", Box::new(cause)))?;
            threads.push(thread);
        }
        Ok(Self {
            questions: Mutex::new(Some(Lanes {
                work,
                lists,
                large,
                waiting: Arc::default(),
            })),
            threads: Mutex::new(threads),
        })
    }

    /// Readers without threads: the holder of the receiver runs the queries.
    pub fn without_threads() -> (Self, Receiver<StoreQuery>) {
        let (work, receiver) = crossbeam_channel::unbounded();
        let (lists, large) = (work.clone(), work.clone());
        let readers = Self {
            questions: Mutex::new(Some(Lanes {
                work,
                lists,
                large,
                waiting: Arc::default(),
            })),
            threads: Mutex::default(),
        };
        (readers, receiver)
    }

    /// Runs `question` on one of the threads, then `done` with its answer on the same thread. After
    /// [`Readers::stop`] neither runs.
    pub fn run<T: 'static>(
        &self,
        purpose: Purpose,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        let question: StoreQuery = Box::new(move |reader| {
            let answer = catch_unwind(AssertUnwindSafe(|| question(reader)));
            done(answer.unwrap_or(Err(StoreError::Panicked)));
        });
        if let Some(questions) = self
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            let (lane, question) = match purpose {
                Purpose::Work => (&questions.work, question),
                Purpose::List(whose) => {
                    let next = questions.waiting.enter(&whose, question);
                    (&questions.lists, next)
                }
                Purpose::Large => (&questions.large, question),
            };
            // The threads outlive the sender, so this cannot fail.
            let _ = lane.send(question);
        }
    }

    /// Runs the queries that were sent, then ends the threads.
    pub fn stop(&self) {
        self.questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        for thread in self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            if thread.join().is_err() {
                log::error!("expected a reader thread to end, but it had panicked");
            }
        }
    }
}

fn run(
    reader: &dyn StoreReader,
    mut work: Receiver<StoreQuery>,
    lists: Option<Receiver<StoreQuery>>,
) {
    let mut open = [true, lists.is_some()];
    let mut lists = lists.unwrap_or_else(never);
    while open[0] || open[1] {
        let (question, is_list) = select! {
            recv(work) -> question => (question, false),
            recv(lists) -> question => (question, true),
        };
        match (question, is_list) {
            (Ok(question), _) => answer(reader, question),
            (Err(_), false) => (work, open[0]) = (never(), false),
            (Err(_), true) => (lists, open[1]) = (never(), false),
        }
    }
}

/// Runs one query.
pub(super) fn answer(reader: &dyn StoreReader, question: StoreQuery) {
    if catch_unwind(AssertUnwindSafe(|| question(reader))).is_err() {
        log::error!("expected the receiver of an answer to run to its end, but it panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::MemoryStore;

    #[test]
    fn those_who_ask_for_lists_take_turns() {
        let (readers, questions) = Readers::without_threads();
        let order: Arc<Mutex<String>> = Arc::default();
        for who in "aaab aac".chars() {
            let whose = (who != ' ').then(|| Taker::User(who.into()));
            let order = order.clone();
            let ask = move |_: &dyn StoreReader| {
                order.lock().unwrap().push(who);
                Ok(())
            };
            readers.run(Purpose::List(whose), ask, |_| ());
        }
        let store = MemoryStore::default();
        let reader = store.reader().unwrap();
        for question in questions.try_iter() {
            answer(reader.as_ref(), question);
        }
        assert_eq!(*order.lock().unwrap(), "ab caaaa");
    }
}
