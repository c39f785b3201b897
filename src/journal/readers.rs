//! The readers: a few threads, each with its own [`StoreReader`], so that reads wait neither for
//! the writer nor for each other.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender};

use super::store::{Store, StoreError, StoreReader};

/// Enough to keep one long list from holding up activations.
const THREADS: usize = 2;

pub(super) type Question = Box<dyn FnOnce(&dyn StoreReader) + Send>;

/// The pool's handle.
pub(super) struct Readers {
    questions: Mutex<Option<Sender<Question>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    pub fn start(store: &dyn Store) -> Result<Self, StoreError> {
        let (questions, receiver) = crossbeam_channel::unbounded();
        let mut threads = Vec::with_capacity(THREADS);
        for _ in 0..THREADS {
            let (reader, receiver) = (store.reader()?, receiver.clone());
            let thread = thread::Builder::new()
                .name("journal-reader".into())
                .spawn(move || run(reader.as_ref(), &receiver))
                .map_err(|cause| StoreError::Failed("start a reader thread", Box::new(cause)))?;
            threads.push(thread);
        }
        Ok(Self {
            questions: Mutex::new(Some(questions)),
            threads: Mutex::new(threads),
        })
    }

    /// Readers without threads: the questions are for whoever holds the receiver.
    pub fn without_threads() -> (Self, Receiver<Question>) {
        let (questions, receiver) = crossbeam_channel::unbounded();
        let readers = Self {
            questions: Mutex::new(Some(questions)),
            threads: Mutex::default(),
        };
        (readers, receiver)
    }

    /// Runs `question` on one of the threads, then `done` with its answer on the same thread. After
    /// [`Readers::stop`] neither runs.
    pub fn ask<T: 'static>(
        &self,
        question: impl FnOnce(&dyn StoreReader) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        let question: Question = Box::new(move |reader| {
            let answer = catch_unwind(AssertUnwindSafe(|| question(reader)));
            done(answer.unwrap_or(Err(StoreError::Panicked)));
        });
        if let Some(questions) = self
            .questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            // The threads outlive the sender, so this cannot fail.
            let _ = questions.send(question);
        }
    }

    /// Answers what was asked, then ends the threads.
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

fn run(reader: &dyn StoreReader, questions: &Receiver<Question>) {
    for question in questions {
        answer(reader, question);
    }
}

/// Answers one question.
pub(super) fn answer(reader: &dyn StoreReader, question: Question) {
    if catch_unwind(AssertUnwindSafe(|| question(reader))).is_err() {
        log::error!("expected the receiver of an answer to run to its end, but it panicked");
    }
}
