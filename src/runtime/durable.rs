//! Durable, then visible: tables of the store that are held in memory, and the only way to change
//! one.
//!
//! A change is decided, handed to the writer and applied to the decided copy under one lock,
//! without waiting in between; so each change is decided on top of the previous one and written in
//! that order. Once its row is durable, the commit gate makes the change visible and answers. None
//! of this depends on the caller: a request that is cut off only stops waiting. A decision may be
//! based on changes that are not durable yet, so refusals and decisions to change nothing leave
//! through the commit gate as well.
//!
//! A change that was not written, and every later one decided on top of it, is taken back and
//! answered so; the next one is decided on what the store has.
//!
//! Used by definitions and schedules (one table: [`catalog`](super::catalog)) and by
//! [`users`](super::users). Not here: instances, whose actors do the same with records (`instance`,
//! `after_commit`).

use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use tokio::sync::{oneshot, watch};

use super::{
    audit,
    instance_request::Refusal,
    lists::{Lists, Topic},
};
use crate::journal::{
    AuditRow, Busy, Chain, Journal, NotWritten, WriteOp, Written, disk_room::DiskRoom,
};

/// A table of the store, by key.
pub trait Table: Clone + Send + Sync + 'static {
    /// Rows that are put or removed together. The same value is written and later made visible.
    type Change: Clone + Send + 'static;

    /// The operation that writes a change.
    fn write(change: &Self::Change) -> WriteOp;

    /// The rows of the audit log for a change, made from the entry of the request.
    fn acts(_change: &Self::Change, request: AuditRow) -> Vec<AuditRow> {
        vec![request]
    }

    /// The tenant and the topic of the lists that the change affects.
    fn topic(_change: &Self::Change) -> Option<(&str, Topic)> {
        None
    }

    /// Applies a change. Runs on the commit gate, so it must be short; it must not fail.
    fn apply(&mut self, change: Self::Change);
}

/// A table in memory whose readers see exactly the durable state. All clones are the same table.
pub struct DurableTable<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    journal: Journal,
    /// Locked while a change is handed over, so that the order of decisions is the order of the
    /// log.
    decided: Mutex<DecidedTable<T>>,
    /// The table as the store has it.
    visible: RwLock<T>,
    changed: watch::Sender<()>,
    lists: OnceLock<Lists>,
}

/// The table as it will be once everything handed over is durable; the next change is decided on
/// it.
struct DecidedTable<T> {
    table: T,
    /// The changes that may not be durable yet, each computed from the one before.
    chain: Chain,
}

/// A decision: the change, if any, and the answer to send once the change is durable.
pub struct TableDecision<C, R> {
    /// The change; `None` when everything stays as it is.
    pub change: Option<C>,
    /// The answer.
    pub answer: R,
}

/// Receives the answer of a change once it is known whether the change is durable.
type PendingAnswer<R, E> = oneshot::Receiver<Result<Result<R, E>, NoAnswer>>;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The writer's queue is full; nothing was decided.
    Busy,
    /// The disk is full; nothing was changed.
    NoRoom,
    /// The server is stopping, or its disk failed; the change may or may not be durable.
    Unknown,
}

impl From<NotWritten> for NoAnswer {
    fn from(why: NotWritten) -> Self {
        match why {
            NotWritten::NoRoom => Self::NoRoom,
            NotWritten::Unknown => Self::Unknown,
        }
    }
}

impl From<NoAnswer> for Refusal {
    fn from(why: NoAnswer) -> Self {
        match why {
            NoAnswer::Busy => Self::Busy,
            NoAnswer::NoRoom => Self::NoRoom(DiskRoom::Full),
            NoAnswer::Unknown => Self::Unknown,
        }
    }
}

impl<T> Clone for DurableTable<T> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<T: Table> DurableTable<T> {
    /// Makes a table with the stored content.
    pub fn new(journal: Journal, stored: T) -> Self {
        let decided = DecidedTable {
            table: stored.clone(),
            chain: Chain::default(),
        };
        let (decided, visible) = (Mutex::new(decided), RwLock::new(stored));
        Self {
            inner: Arc::new(Inner {
                journal,
                decided,
                visible,
                changed: watch::Sender::new(()),
                lists: OnceLock::new(),
            }),
        }
    }

    /// Reads the durable table. Changes wait meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // Only a lack of memory can cause a panic while the lock is held.
        look(
            &self
                .inner
                .visible
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Announces every change from now on to the followers of lists.
    pub fn announce_to(&self, lists: &Lists) {
        // If one was set before, it stays.
        let _ = self.inner.lists.set(lists.clone());
    }

    /// Wakes whenever a change has become visible.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.inner.changed.subscribe()
    }

    /// Decides on top of every earlier change, and waits until the decision is durable and visible.
    /// If the future is dropped, the change has either not begun or is handed over completely.
    ///
    /// # Errors
    /// [`NoAnswer`]; inside, the refusal of `decide`.
    pub async fn change<R, E>(
        &self,
        decide: impl FnOnce(&T) -> Result<TableDecision<T::Change, R>, E>,
    ) -> Result<Result<R, E>, NoAnswer>
    where
        R: Send + 'static,
        E: Send + 'static,
    {
        let answered = self.hand_over(decide)?;
        answered.await.map_err(|_| NoAnswer::Unknown)?
    }

    /// Decides a change and hands it over, without waiting for it.
    fn hand_over<R, E>(
        &self,
        decide: impl FnOnce(&T) -> Result<TableDecision<T::Change, R>, E>,
    ) -> Result<PendingAnswer<R, E>, NoAnswer>
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
        let (change, answer) = match decide(&decided.table) {
            Ok(TableDecision { change, answer }) => (change, Ok(answer)),
            Err(refusal) => (None, Err(refusal)),
        };
        let op = change.as_ref().map(|change| {
            let rows = audit::rows_of(|request| T::acts(change, request));
            T::write(change).audited(rows)
        });
        if let Some(change) = &change {
            decided.table.apply(change.clone());
        }
        let (inner, chain) = (self.inner.clone(), decided.chain.clone());
        let after_commit = move |written: Written| {
            let answer = match written {
                Ok(()) => {
                    change.into_iter().for_each(|change| inner.show(change));
                    Ok(answer)
                }
                Err(why) => {
                    inner.take_back(&chain);
                    Err(NoAnswer::from(why))
                }
            };
            // The receiver is gone when the request was cut off.
            let _ = sender.send(answer);
        };
        let slot = slot.on(&decided.chain);
        slot.write(op, Box::new(after_commit));
        drop(decided);
        Ok(answered)
    }

    /// Changes the table but not the store: tests use it to break the content.
    #[cfg(test)]
    pub fn tamper(&self, change: impl Fn(&mut T)) {
        change(&mut self.inner.decided.lock().unwrap().table);
        change(&mut self.inner.visible.write().unwrap());
    }
}

impl<T: Table> Inner<T> {
    /// Makes a durable change visible.
    fn show(&self, change: T::Change) {
        let topic = T::topic(&change).map(|(tenant, topic)| (tenant.to_owned(), topic));
        self.visible
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .apply(change);
        self.changed.send_replace(());
        if let (Some(lists), Some((tenant, topic))) = (self.lists.get(), topic) {
            lists.announce(&tenant, topic);
        }
    }

    /// A change of this chain was not written: later ones fail, too, and the next one is decided on
    /// what the store has. That is the visible table, because releases run in order.
    fn take_back(&self, chain: &Chain) {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        if decided.chain.is(chain) {
            let visible = self.visible.read().unwrap_or_else(PoisonError::into_inner);
            *decided = DecidedTable {
                table: visible.clone(),
                chain: Chain::default(),
            };
        }
    }
}

#[cfg(test)]
mod tests;
