//! One channel per followed instance: the newest committed rows, and the followers to wake.
//!
//! A follower keeps a cursor and pulls; the channel keeps no queue per follower. Rows older than
//! the ring are read from the journal, also when the ring was shortened because its rows take much
//! memory. Frames are rendered once per row, by the first follower that needs them. Not here: what
//! frames look like (`session`).

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytestring::ByteString;
use dashmap::DashMap;
use serde_json::value::RawValue;

use super::{instance_request::Committed, registry::give_back};
use crate::{engine::permissions::Permissions, limits, model::ids::InstanceKey};

/// Committed rows that a channel keeps for followers that are a few rows behind.
const RING_ROWS: usize = 64;
/// Sets of permissions for which a row's frames are kept. Each frame lists every token, so with one
/// set per token the memory would grow with their square.
const STANDPOINTS: usize = 16;
/// Estimated memory, for each stored byte of a row, of the row as it is read and rendered.
const MEMORY_OF_BYTE: usize = 4;
/// Estimated memory of a rendered token or offer.
const MEMORY_OF_ENTRY: usize = 1024;

/// A follower of channels. Waking must be cheap and never block: it runs where releases run.
pub trait Follower: Send + Sync {
    /// The instance's channel has something new.
    fn wake(&self, instance: InstanceKey);
}

/// The rendered frames of a committed row, each rendered at most once.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The frames that are the same for everybody: all but progress.
    pub messages: OnceLock<Vec<SharedFrame>>,
    /// What depends on the receiver's permissions, for the first few sets of them: usually there is
    /// one.
    steps: Mutex<Vec<(Permissions, Arc<RenderedStep>)>>,
}

/// A next step as receivers with the same permissions see it.
#[derive(Debug, Default)]
pub struct RenderedStep {
    /// Tokens and actions, which the other frames contain.
    pub entries: OnceLock<RenderedEntries>,
    /// The progress frame.
    pub progress: OnceLock<SharedFrame>,
    /// The result in replies.
    pub result: OnceLock<Arc<RawValue>>,
    /// The snapshot frame of an observation.
    pub snapshot: OnceLock<ByteString>,
}

/// Tokens and actions of a next step, each a JSON list.
#[derive(Debug)]
pub struct RenderedEntries {
    /// The tokens.
    pub nodes: Box<RawValue>,
    /// The actions.
    pub actions: Box<RawValue>,
    /// How many tokens are not listed.
    pub more_nodes: usize,
    /// How many actions are not listed.
    pub more_actions: usize,
}

impl Rendered {
    /// What receivers with these permissions share. When there are too many sets, later ones share
    /// nothing.
    pub fn step(&self, permissions: &Permissions) -> Arc<RenderedStep> {
        // A poisoned lock is safe: the list is only appended to.
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, step)) = steps.iter().find(|(other, _)| other == permissions) {
            return step.clone();
        }
        let step = Arc::<RenderedStep>::default();
        if steps.len() < STANDPOINTS {
            steps.push((permissions.clone(), step.clone()));
        }
        step
    }
}

/// A rendered frame that many receivers share. They differ only in `prev`, and usually not even
/// there.
#[derive(Clone, Debug)]
pub struct SharedFrame {
    /// Its number.
    pub seq: u64,
    /// The number before it, for receivers that have received everything.
    pub natural_prev: u64,
    /// The child that it announces.
    pub announces: Option<InstanceKey>,
    whole: ByteString,
    prev: Range<usize>,
}

impl SharedFrame {
    /// A frame from its text, and where `prev` is in it.
    pub fn new(seq: u64, natural_prev: u64, whole: ByteString, prev: Range<usize>) -> Self {
        Self {
            seq,
            natural_prev,
            announces: None,
            whole,
            prev,
        }
    }

    /// The frame for a receiver that is at `prev`.
    pub fn for_cursor(&self, prev: u64) -> ByteString {
        if prev == self.natural_prev {
            return self.whole.clone();
        }
        format!(
            "{}{prev}{}",
            &self.whole[..self.prev.start],
            &self.whole[self.prev.end..]
        )
        .into()
    }
}

/// All channels with followers.
#[derive(Default)]
pub struct Hub {
    channels: DashMap<InstanceKey, Weak<InstanceChannel>>,
    /// Estimated memory of the rows of all channels.
    memory: AtomicUsize,
}

impl Hub {
    /// The channel of an instance, created when the instance has no followers yet.
    pub fn follow(self: &Arc<Self>, instance: InstanceKey) -> Arc<InstanceChannel> {
        let mut entry = self.channels.entry(instance).or_default();
        if let Some(channel) = entry.upgrade() {
            return channel;
        }
        let channel = Arc::new(InstanceChannel {
            instance,
            hub: self.clone(),
            inner: Mutex::default(),
        });
        *entry = Arc::downgrade(&channel);
        channel
    }

    /// Publishes a durable row, which takes `bytes` in the store, to its followers.
    pub fn publish(&self, committed: &Arc<Committed>, bytes: usize) {
        let channel = self
            .channels
            .get(&committed.instance)
            .and_then(|entry| entry.upgrade());
        if let Some(channel) = channel {
            channel.publish(committed, bytes);
        }
    }

    /// Wakes the followers of an instance because something other than its rows has changed.
    pub fn wake(&self, instance: InstanceKey) {
        let channel = self
            .channels
            .get(&instance)
            .and_then(|entry| entry.upgrade());
        if let Some(channel) = channel {
            let inner = channel.lock();
            for follower in &inner.followers {
                follower.wake(instance);
            }
        }
    }

    /// Whether an instance has followers.
    pub fn is_followed(&self, instance: InstanceKey) -> bool {
        let channel = self.channels.get(&instance);
        channel.is_some_and(|entry| entry.strong_count() > 0)
    }

    /// The number of followers of all instances.
    pub fn followers(&self) -> usize {
        let channels: Vec<_> = self
            .channels
            .iter()
            .filter_map(|entry| entry.upgrade())
            .collect();
        channels
            .iter()
            .map(|channel| channel.lock().followers.len())
            .sum()
    }

    /// Shrinks the map when it has far more room than it needs.
    pub fn sweep(&self) {
        give_back(&self.channels);
    }

    /// The number of followed instances.
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    /// Whether nothing is followed.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }
}

/// The followed rows of one instance.
pub struct InstanceChannel {
    instance: InstanceKey,
    hub: Arc<Hub>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The newest rows, each with its estimated memory.
    rows: VecDeque<(Arc<Committed>, usize)>,
    memory: usize,
    /// The number of the newest published record.
    newest: u64,
    followers: Vec<Arc<dyn Follower>>,
}

/// The rows of a channel for a cursor.
pub enum RowsAfter {
    /// No newer row, or none known yet.
    Nothing,
    /// These rows, without a gap.
    Rows(Vec<Arc<Committed>>),
    /// The cursor is older than the ring: the rows have to be read from the journal.
    Behind,
}

impl InstanceChannel {
    /// Wakes `follower` from now on.
    pub fn join(&self, follower: Arc<dyn Follower>) {
        self.lock().followers.push(follower);
    }

    /// No longer wakes `follower`.
    pub fn leave(&self, follower: &Arc<dyn Follower>) {
        self.lock()
            .followers
            .retain(|other| !std::ptr::addr_eq(Arc::as_ptr(other), Arc::as_ptr(follower)));
    }

    /// The committed rows after a cursor, at most `limit`.
    pub fn after(&self, cursor: u64, limit: usize) -> RowsAfter {
        let inner = self.lock();
        if inner.newest <= cursor {
            return RowsAfter::Nothing;
        }
        match inner.rows.front() {
            Some((first, _)) if first.row.first_seq <= cursor + 1 => {}
            _ => return RowsAfter::Behind,
        }
        RowsAfter::Rows(
            inner
                .rows
                .iter()
                .map(|(row, _)| row)
                .filter(|row| row.row.last_seq() > cursor)
                .take(limit)
                .cloned()
                .collect(),
        )
    }

    fn publish(&self, committed: &Arc<Committed>, bytes: usize) {
        let entries = committed.next.tokens.len() + committed.next.offers.len();
        let memory = bytes * MEMORY_OF_BYTE + entries * MEMORY_OF_ENTRY;
        let mut inner = self.lock();
        inner.rows.push_back((committed.clone(), memory));
        inner.memory += memory;
        inner.newest = committed.row.last_seq();
        let mut of_all = self.hub.memory.fetch_add(memory, Ordering::Relaxed) + memory;
        while inner.has_too_much(of_all)
            && let Some((_, memory)) = inner.rows.pop_front()
        {
            inner.memory -= memory;
            of_all = of_all.saturating_sub(memory);
            self.hub.memory.fetch_sub(memory, Ordering::Relaxed);
        }
        for follower in &inner.followers {
            follower.wake(self.instance);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Code under this lock cannot panic in the middle of a change, so a poisoned lock is safe.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether the oldest row has to be removed, given the memory of the rows of all channels.
    fn has_too_much(&self, of_all: usize) -> bool {
        self.rows.len() > RING_ROWS
            || (self.rows.len() > 1 && self.memory > limits::FOLLOWED_BYTES)
            || (of_all > limits::FOLLOWED_BYTES_IN_ALL.get()
                && self.memory > limits::FOLLOWED_SMALL)
    }
}

impl Drop for InstanceChannel {
    fn drop(&mut self) {
        let memory = self.lock().memory;
        self.hub.memory.fetch_sub(memory, Ordering::Relaxed);
        self.hub
            .channels
            .remove_if(&self.instance, |_, channel| channel.strong_count() == 0);
    }
}
