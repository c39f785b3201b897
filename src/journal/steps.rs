//! The journal step by step, without threads: the holder of the [`Steps`] says when a batch is
//! written, a release runs, or a query is answered. For simulations, in which a seed decides the
//! order of everything.
//!
//! Not here: what each step does; that is the same as on the threads of [`writer`](super::writer),
//! [`commit gate`](super::commit_gate) and [`readers`](super::readers).
//!
//! # Rationale
//!
//! **A simulation takes the journal's steps itself**, in place of its three kinds of threads;
//! everything else runs on one thread, which notices when nothing else can continue. So the
//! simulated code is that of production, without a second scheduler or runtime.

use std::collections::VecDeque;

use crossbeam_channel::Receiver;

use super::{
    commit_gate::Free,
    handle::OnFatal,
    readers::{self, StoreQuery},
    store::StoreReader,
    writer::{Batch, Writer},
};

/// The unfinished work of a journal without threads.
pub struct Steps {
    writer: Writer,
    batch: Batch,
    /// `None` once it was called: nothing is written after that.
    on_fatal: Option<OnFatal>,
    freed: Receiver<Vec<Free>>,
    free: VecDeque<Free>,
    reader: Box<dyn StoreReader>,
    questions: Receiver<StoreQuery>,
}

/// The amount of unfinished work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnfinishedWork {
    /// Writes, and releases that wait for the writes before them.
    pub writes: usize,
    /// Releases that may run.
    pub releases: usize,
    /// Queries to the store.
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

    /// The pending work.
    pub fn unfinished(&self) -> UnfinishedWork {
        UnfinishedWork {
            writes: self.writer.queue.len() + self.writer.long.len(),
            releases: self.free.len(),
            questions: self.questions.len(),
        }
    }

    /// Writes the oldest queued entries as one batch, at most `maximum`. After a commit with an
    /// unknown outcome nothing is written any more, as with threads.
    pub fn write(&mut self, maximum: usize) {
        for _ in 0..maximum {
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

    /// Answers the oldest query.
    pub fn answer(&mut self) {
        if let Ok(question) = self.questions.try_recv() {
            readers::answer(self.reader.as_ref(), question);
        }
    }
}
