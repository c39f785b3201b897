//! Durable, then visible: tables of the store that are held in memory, and the only way to change
//! one.
//!
//! A change is decided, handed to the writer and applied to the decided copy under one lock,
//! without waiting in between; so changes are decided one on top of the other and written in that
//! order. Once its row is durable, the commit gate makes the change visible and answers. Nothing of
//! that is in the hands of whoever asked: a request that is cut off drops its wait and nothing
//! else. What a decision says is computed from changes that may not be durable yet, so refusals and
//! decisions to change nothing leave through the gate as well.
//!
//! Used by definitions and schedules (one table: [`catalog`](super::catalog)) and by
//! [`users`](super::users). Not here: instances, whose actors do the same with records (`instance`,
//! `release`).

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{oneshot, watch};

use crate::journal::{Busy, Journal, WriteOp};

/// What a store holds of one kind, by key.
pub trait Table: Clone + Send + Sync + 'static {
    /// Rows that are put or removed together. The same value is written and later made visible.
    type Change: Clone + Send + 'static;

    /// What the store is to write.
    fn write(change: &Self::Change) -> WriteOp;

    /// Takes the change in. Runs on the commit gate, so it must be short; it must not fail.
    fn apply(&mut self, change: Self::Change);
}

/// A table in memory whose readers see exactly what is durable. Clones are the same table.
pub struct DurableTable<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    journal: Journal,
    /// As the table is once all that was handed over is durable: what the next change is decided
    /// on. Held while handing over, so that the order of decisions is the order of the log.
    decided: Mutex<T>,
    /// As the store has it.
    visible: RwLock<T>,
    changed: watch::Sender<()>,
}

/// A decision: what changes, if anything does, and what to answer once that is durable.
pub struct Decision<C, R> {
    /// The change; none when everything stays as it is.
    pub change: Option<C>,
    /// The answer.
    pub answer: R,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The writer's queue is full; nothing was decided.
    Busy,
    /// The server is stopping; the change may or may not be durable.
    Closed,
}

impl<T> Clone for DurableTable<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<T: Table> DurableTable<T> {
    /// A table of which the store holds `stored`.
    pub fn new(journal: Journal, stored: T) -> Self {
        let (decided, visible) = (Mutex::new(stored.clone()), RwLock::new(stored));
        Self {
            inner: Arc::new(Inner {
                journal,
                decided,
                visible,
                changed: watch::Sender::new(()),
            }),
        }
    }

    /// Looks at what is durable. Changes wait meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // A panic while it is held can only come from running out of memory.
        look(
            &self
                .inner
                .visible
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Wakes whenever a change has become visible.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.inner.changed.subscribe()
    }

    /// Decides on top of every change before, and waits until what was decided is durable and
    /// visible. Dropped at any point, it has either done nothing or handed over everything.
    ///
    /// # Errors
    /// [`NoAnswer`]; inside, the refusal of `decide`.
    pub async fn change<R, E>(
        &self,
        decide: impl FnOnce(&T) -> Result<Decision<T::Change, R>, E>,
    ) -> Result<Result<R, E>, NoAnswer>
    where
        R: Send + 'static,
        E: Send + 'static,
    {
        let answered = self.hand_over(decide)?;
        answered.await.map_err(|_| NoAnswer::Closed)
    }

    /// Everything of a change but the wait.
    fn hand_over<R, E>(
        &self,
        decide: impl FnOnce(&T) -> Result<Decision<T::Change, R>, E>,
    ) -> Result<oneshot::Receiver<Result<R, E>>, NoAnswer>
    where
        R: Send + 'static,
        E: Send + 'static,
    {
        let slot = self
            .inner
            .journal
            .reserve()
            .map_err(|Busy| NoAnswer::Busy)?;
        let (sender, answered) = oneshot::channel();
        let mut decided = self
            .inner
            .decided
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (change, answer) = match decide(&decided) {
            Ok(Decision { change, answer }) => (change, Ok(answer)),
            Err(refusal) => (None, Err(refusal)),
        };
        let op = change.as_ref().map(T::write);
        if let Some(change) = &change {
            decided.apply(change.clone());
        }
        let inner = self.inner.clone();
        let after_commit = move || {
            if let Some(change) = change {
                inner
                    .visible
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .apply(change);
                inner.changed.send_replace(());
            }
            // Nobody waits when the request was cut off.
            let _ = sender.send(answer);
        };
        slot.write(op, Box::new(after_commit));
        drop(decided);
        Ok(answered)
    }

    /// Changes the table beside the store: how tests break what is in it.
    #[cfg(test)]
    pub fn tamper(&self, change: impl Fn(&mut T)) {
        change(&mut self.inner.decided.lock().unwrap());
        change(&mut self.inner.visible.write().unwrap());
    }
}

#[cfg(test)]
mod tests;
