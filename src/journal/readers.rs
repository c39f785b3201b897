//! The readers: a few threads, each with its own [`StoreReader`], so that queries wait neither for
//! the writer nor for each other. One of them runs no list queries, so that instances, timers and
//! messages never wait behind lists that clients ask for. One is of low priority and decodes what is
//! large, so that no other work waits for that.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, never, select};

use super::store::{Store, StoreError, StoreReader};
use crate::thread_priority;

/// The purpose of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The server's own work: instances, timers, messages.
    Work,
    /// Something that users read: lists, histories, pages.
    List,
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
}

impl Readers {
    pub fn start(store: &dyn Store) -> Result<Self, StoreError> {
        let (work, work_asked) = crossbeam_channel::unbounded();
        let (lists, lists_asked) = crossbeam_channel::unbounded();
        let (large, large_asked) = crossbeam_channel::unbounded();
        let mut threads = Vec::new();
        for (work_asked, lists_asked, prepare) in [
            (work_asked.clone(), None, (|| ()) as fn()),
            (work_asked, Some(lists_asked), || ()),
            (large_asked, None, thread_priority::step_back),
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
            questions: Mutex::new(Some(Lanes { work, lists, large })),
            threads: Mutex::new(threads),
        })
    }

    /// Readers without threads: the holder of the receiver runs the queries.
    pub fn without_threads() -> (Self, Receiver<StoreQuery>) {
        let (work, receiver) = crossbeam_channel::unbounded();
        let (lists, large) = (work.clone(), work.clone());
        let readers = Self {
            questions: Mutex::new(Some(Lanes { work, lists, large })),
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
            let lane = match purpose {
                Purpose::Work => &questions.work,
                Purpose::List => &questions.lists,
                Purpose::Large => &questions.large,
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
        let (question, of) = select! {
            recv(work) -> question => (question, Purpose::Work),
            recv(lists) -> question => (question, Purpose::List),
        };
        match (question, of) {
            (Ok(question), _) => answer(reader, question),
            (Err(_), Purpose::Work) => (work, open[0]) = (never(), false),
            (Err(_), _) => (lists, open[1]) = (never(), false),
        }
    }
}

/// Runs one query.
pub(super) fn answer(reader: &dyn StoreReader, question: StoreQuery) {
    if catch_unwind(AssertUnwindSafe(|| question(reader))).is_err() {
        log::error!("expected the receiver of an answer to run to its end, but it panicked");
    }
}
