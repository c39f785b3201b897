//! The journal step by step, without threads: anyone who holds the [`Steps`] says when a batch is
//! written, a release runs, a question is answered. For simulations, in which the order of
//! everything follows from a seed.
//!
//! Not here: what each step does. It is what the threads of [`writer`](super::writer),
//! [`commit gate`](super::commit_gate) and [`readers`](super::readers) do.
//!
//! # Why so
//!
//! **A simulation takes the journal's steps itself** (`journal::steps`), instead of the three
//! kinds of threads that take them otherwise; all else runs on one thread, which says when
//! nothing can continue by itself. So the production code is what is simulated, without a second
//! scheduler or runtime.

use std::collections::VecDeque;

use crossbeam_channel::Receiver;

use super::{
    commit_gate::Free,
    handle::OnFatal,
    readers::{self, StoreQuery},
    store::StoreReader,
    writer::{Batch, Writer},
};

/// What a journal without threads has still to do.
pub struct Steps {
    writer: Writer,
    batch: Batch,
    /// Gone once it was called: nothing is written any more then.
    on_fatal: Option<OnFatal>,
    freed: Receiver<Vec<Free>>,
    free: VecDeque<Free>,
    reader: Box<dyn StoreReader>,
    questions: Receiver<StoreQuery>,
}

/// How much of each is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Writes, and releases that wait for the writes before them.
    pub writes: usize,
    /// Releases that may run.
    pub releases: usize,
    /// Questions to the store.
    pub questions: usize,
}

impl Steps {
    pub(super) fn new(
        writer: Writer,
        on_fatal: OnFatal,
        freed: Receiver<Vec<Free>>,
        reader: Box<dyn StoreReader>,
        questions: Receiver<StoreQuery>,
    ) -> Self {
        Self {
            writer,
            batch: Batch::default(),
            on_fatal: Some(on_fatal),
            freed,
            free: VecDeque::new(),
            reader,
            questions,
        }
    }

    /// What is to be done.
    pub fn undone(&self) -> Undone {
        Undone {
            writes: self.writer.queue.len() + self.writer.long.len(),
            releases: self.free.len(),
            questions: self.questions.len(),
        }
    }

    /// Writes the oldest of what is queued as one batch, at most so many entries. A commit of which
    /// nobody knows what became of it is the last one, as with threads.
    pub fn write(&mut self, most: usize) {
        for _ in 0..most {
            let Ok(entry) = self.writer.queue.try_recv() else {
                break;
            };
            self.writer.take(&mut self.batch, entry);
        }
        self.writer.take_long(&mut self.batch);
        self.batch.hurry();
        if self.on_fatal.is_none() {
            self.writer.refuse(&mut self.batch);
        } else if let Err(error) = self.writer.write(&mut self.batch) {
            self.writer.room.failed();
            if let Some(on_fatal) = self.on_fatal.take() {
                on_fatal(error);
            }
            self.writer.refuse(&mut self.batch);
        }
        self.free.extend(self.freed.try_iter().flatten());
    }

    /// Runs the next release.
    pub fn release(&mut self) {
        if let Some(free) = self.free.pop_front() {
            free.run();
        }
    }

    /// Answers the oldest question.
    pub fn answer(&mut self) {
        if let Ok(question) = self.questions.try_recv() {
            readers::answer(self.reader.as_ref(), question);
        }
    }
}
