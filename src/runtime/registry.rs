//! The instances in memory, and the only way to reach an instance: [`Registry::dispatch`].
//!
//! A slot is either `Live` (an actor takes envelopes) or `Moving` (the instance is being loaded or
//! is leaving; envelopes wait in order). In both states readers wait in the slot's own queue:
//! [`Registry::read`]. An instance without a slot is not in memory and has no row in flight, so the
//! store is complete. An actor only removes the slot of its own generation. Nothing is lost: an
//! envelope that reaches an actor that is leaving is routed again.
//!
//! # Rationale
//!
//! **Loading does not pass the writer's queue**, except after a crash of the actor: invariant 7
//! makes a plain read complete, and a start does not wait for the commit in flight.

use std::{
    collections::VecDeque,
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix::{Addr, dev::SendError};
use dashmap::{DashMap, Entry};

use super::{
    instance::{Passivate, ProcessInstance, ServeReaders},
    instance_request::{Envelope, Refusal},
    read_queue::{Read, ReadQueue},
};
use crate::{
    journal::StoreError,
    limits::{self, Limit, Pot},
    model::ids::InstanceKey,
};

/// The capacity up to which a map is not shrunk.
const LARGE_MAP: usize = 4_096;

/// Distinguishes successive actors of one instance.
pub type Generation = u64;

/// The instances in memory.
#[derive(Default)]
pub struct Registry {
    slots: DashMap<InstanceKey, RegistryEntry>,
    generations: AtomicU64,
}

struct RegistryEntry {
    state: SlotState,
    readers: Arc<ReadQueue>,
    /// The pot of places for commands that wait at the instance.
    mailbox: Pot,
}

enum SlotState {
    Moving {
        waiting: VecDeque<Envelope>,
    },
    Live {
        generation: Generation,
        addr: Addr<ProcessInstance>,
        used: Instant,
    },
}

impl RegistryEntry {
    /// A slot of an instance that is being loaded for these envelopes.
    fn moving(waiting: impl Into<VecDeque<Envelope>>) -> Self {
        Self {
            state: SlotState::Moving {
                waiting: waiting.into(),
            },
            readers: Arc::default(),
            mailbox: Pot::new(limits::INSTANCE_MAILBOX.get(), Limit::InstanceMailbox),
        }
    }
}

/// The next step for the caller of [`Registry::dispatch`].
#[must_use]
pub enum Dispatched {
    /// Nothing: the envelope is on its way.
    Sent,
    /// Load the instance from the store, then call [`Registry::settle`].
    Load,
    /// The actor died with rows in flight: pass through the writer's queue, then load.
    Recover,
}

impl Registry {
    /// Routes an envelope to its instance, in order per sender.
    pub fn dispatch(&self, key: InstanceKey, mut envelope: Envelope) -> Dispatched {
        let (mut slot, is_new) = match self.slots.entry(key) {
            Entry::Vacant(vacant) => (vacant.insert(RegistryEntry::moving([])), true),
            Entry::Occupied(occupied) => (occupied.into_ref(), false),
        };
        match slot.mailbox.take(envelope.kind()) {
            Some(place) => envelope.reply.waits_at(place),
            None => {
                envelope.reply.refuse(Refusal::Busy);
                return Dispatched::Sent;
            }
        }
        match &mut slot.state {
            SlotState::Moving { waiting } => {
                waiting.push_back(envelope);
                if is_new {
                    Dispatched::Load
                } else {
                    Dispatched::Sent
                }
            }
            SlotState::Live { addr, used, .. } => {
                *used = Instant::now();
                match addr.try_send(envelope) {
                    Ok(()) => Dispatched::Sent,
                    // Commands take places before, so only the actor's own messages can fill the
                    // mailbox.
                    Err(SendError::Full(envelope)) => {
                        Limit::InstanceMailbox.refused();
                        envelope.reply.refuse(Refusal::Busy);
                        Dispatched::Sent
                    }
                    Err(SendError::Closed(envelope)) => {
                        slot.state = SlotState::Moving {
                            waiting: VecDeque::from([envelope]),
                        };
                        Dispatched::Recover
                    }
                }
            }
        }
    }

    /// Brings a reader to an instance. A full mailbox does not refuse it: it waits beside the
    /// mailbox, and the actor answers all waiting readers after each message.
    pub fn read(&self, key: InstanceKey, read: Read) -> Dispatched {
        let mut slot = match self.slots.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(RegistryEntry::moving([])).readers.push(read);
                return Dispatched::Load;
            }
            Entry::Occupied(occupied) => occupied.into_ref(),
        };
        let first = slot.readers.push(read);
        if let SlotState::Live { addr, used, .. } = &mut slot.state {
            *used = Instant::now();
            // If the mailbox is full, its messages will be handled, and readers are answered after
            // the next one.
            let closed = first && matches!(addr.try_send(ServeReaders), Err(SendError::Closed(_)));
            if closed || !addr.connected() {
                slot.state = SlotState::Moving {
                    waiting: VecDeque::new(),
                };
                return Dispatched::Recover;
            }
        }
        Dispatched::Sent
    }

    /// Makes an actor check the outcome of its rows.
    pub fn wake(&self, key: InstanceKey) {
        if let Some(slot) = self.slots.get(&key)
            && let SlotState::Live { addr, .. } = &slot.state
        {
            // If the mailbox is full, the actor checks before the next message; a closed mailbox is
            // noticed by the next dispatch.
            let _ = addr.try_send(ServeReaders);
        }
    }

    /// The generation of a new actor.
    pub fn next_generation(&self) -> Generation {
        self.generations.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes a loaded instance live. Its actor receives the waiting envelopes and handles them
    /// before its mailbox.
    pub fn settle(
        &self,
        key: InstanceKey,
        generation: Generation,
        addr: Addr<ProcessInstance>,
    ) -> (VecDeque<Envelope>, Arc<ReadQueue>) {
        let Some(mut slot) = self.slots.get_mut(&key) else {
            return Default::default();
        };
        let readers = slot.readers.clone();
        let live = SlotState::Live {
            generation,
            addr,
            used: Instant::now(),
        };
        match std::mem::replace(&mut slot.state, live) {
            SlotState::Moving { waiting } => (waiting, readers),
            SlotState::Live { .. } => (VecDeque::new(), readers),
        }
    }

    /// Gives up an instance that cannot be loaded: everything that waits is refused with the name
    /// of what is damaged; messages of the server stay undelivered, to be tried again.
    pub fn abandon(&self, key: InstanceKey, why: &StoreError) {
        let Some((_, slot)) = self.slots.remove(&key) else {
            return;
        };
        let refusal = match why {
            StoreError::NoDefinition(_) => Refusal::Damaged(Arc::from(
                "expected an instance whose definition is deployed, but the definition that this \
                one was started with is not: the server's log, and 'stepwire doctor', tell the \
                operator what to deploy again",
            )),
            // The text after the place may quote stored data.
            StoreError::Unreadable(what) => Refusal::Damaged(Arc::from(format!(
                "expected an instance that can be read, but {} is damaged: 'stepwire doctor' tells \
                the operator what is wrong in the data directory and what to do",
                what.split(": ").next().unwrap_or("a row")
            ))),
            _ => Refusal::Internal,
        };
        for read in slot.readers.take() {
            read.reply.refuse(refusal.clone());
        }
        if let SlotState::Moving { waiting } = slot.state {
            for envelope in waiting {
                envelope.reply.refuse(refusal.clone());
            }
        }
    }

    /// The actor begins to leave: from now on envelopes wait. `false` when the slot belongs to
    /// another generation.
    pub fn close(&self, key: InstanceKey, generation: Generation) -> bool {
        let Some(mut slot) = self.slots.get_mut(&key) else {
            return false;
        };
        let own = matches!(slot.state, SlotState::Live { generation: current, .. } if current == generation);
        if own {
            slot.state = SlotState::Moving {
                waiting: VecDeque::new(),
            };
        }
        own
    }

    /// The actor has left. Envelopes from its mailbox precede those that have arrived meanwhile;
    /// `true` when there are any, or readers, so that the instance has to be loaded again.
    pub fn reopen(&self, key: InstanceKey, leftover: Vec<Envelope>) -> bool {
        let Entry::Occupied(mut slot) = self.slots.entry(key) else {
            return false;
        };
        let RegistryEntry {
            state: SlotState::Moving { waiting },
            readers,
            ..
        } = slot.get_mut()
        else {
            return false;
        };
        for envelope in leftover.into_iter().rev() {
            waiting.push_front(envelope);
        }
        let wanted = !waiting.is_empty() || !readers.is_empty();
        if !wanted {
            slot.remove();
        }
        wanted
    }

    /// Keeps an instance out of memory until [`Self::reopen`]: its envelopes wait. `false` when it
    /// is in memory.
    pub fn keep_out(&self, key: InstanceKey) -> bool {
        match self.slots.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(RegistryEntry::moving([]));
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Asks live instances that have not been used for `idle` to leave.
    pub fn sweep(&self, idle: Duration) {
        let now = Instant::now();
        for slot in &self.slots {
            if let SlotState::Live { addr, used, .. } = &slot.state
                && now.duration_since(*used) >= idle
            {
                // An actor with a full mailbox is not idle; a closed mailbox is noticed by the next
                // dispatch.
                let _ = addr.try_send(Passivate);
            }
        }
        give_back(&self.slots);
    }

    /// Asks an instance to leave memory, which it does if nothing is in progress.
    pub fn passivate(&self, key: InstanceKey) {
        if let Some(slot) = self.slots.get(&key)
            && let SlotState::Live { addr, .. } = &slot.state
        {
            // With a full mailbox it is in use.
            let _ = addr.try_send(Passivate);
        }
    }

    /// The number of instances in memory or moving.
    pub fn len(&self) -> usize {
        self.slots.len()
    }
}

/// Shrinks a map that was far larger: maps do not shrink on their own.
pub(super) fn give_back<K: Eq + Hash, V>(map: &DashMap<K, V>) {
    if map.capacity() > LARGE_MAP && map.capacity() / 8 > map.len() {
        map.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use uuid::Uuid;

    use super::*;
    use crate::{
        engine::access::Caller,
        runtime::instance_request::{InstanceRequest, ReplyTo},
    };

    #[test]
    fn strangers_leave_mailbox_places_to_users_and_users_to_the_server() {
        let (registry, key) = (Registry::default(), InstanceKey(Uuid::from_u128(1)));
        let user = Caller {
            subject: "alice".into(),
            tenant: "default".into(),
            roles: [].into(),
            operator: false,
            trees: None,
            address: None,
            trace: None,
        };
        let stranger = Caller {
            trees: Some([key].into()),
            ..user.clone()
        };
        let finds_room = |caller: &Option<Caller>| {
            let refused = Arc::<AtomicBool>::default();
            let noted = refused.clone();
            let envelope = Envelope {
                caller: caller.clone(),
                request: InstanceRequest::Observe,
                reply: ReplyTo::to(move |_| noted.store(true, Ordering::Relaxed)),
            };
            let _ = registry.dispatch(key, envelope);
            !refused.load(Ordering::Relaxed)
        };
        let taken = |caller: Option<Caller>| {
            (0..=limits::INSTANCE_MAILBOX.get())
                .take_while(|_| finds_room(&caller))
                .count()
        };
        assert_eq!(taken(Some(stranger)), limits::UNANSWERED_COMMANDS.get());
        assert_eq!(taken(Some(user)), limits::INSTANCE_MAILBOX.get() * 3 / 8);
        assert_eq!(taken(None), limits::INSTANCE_MAILBOX.get() / 8);
    }

    #[test]
    fn a_map_shrinks_after_a_peak() {
        let map: DashMap<u32, u64> = (0..100_000).map(|n| (n, 0)).collect();
        map.retain(|n, _| *n < 90_000);
        give_back(&map);
        assert!(map.capacity() > 90_000, "most of it is in use");
        map.retain(|n, _| *n < 10);
        give_back(&map);
        assert!(map.capacity() < LARGE_MAP, "{}", map.capacity());
        assert_eq!(map.len(), 10);
    }
}
