//! Makes requests to entities of messages and signals wait while their stored rows are deleted.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use dashmap::Entry;

use super::{Correlations, EntityState, Slot, remembered};
use crate::{
    journal::{Entity, StoreError, StoreReader},
    model::ids::Time,
    runtime::{Runtime, live_memory::LiveMemoryTotal},
};

/// An entity that is kept out of memory.
pub struct KeptOut {
    /// The entity.
    pub entity: Entity,
    slot: Arc<Slot>,
}

impl Correlations {
    /// Keeps an entity out of memory; `None` when it is there already.
    pub fn keep_out(&self, entity: Entity) -> Option<KeptOut> {
        let Entry::Vacant(vacant) = self.slots.entry(entity) else {
            return None;
        };
        let slot = Arc::new(Slot {
            inner: Mutex::new(EntityState::Loading(VecDeque::new())),
        });
        vacant.insert(slot.clone());
        Some(KeptOut { entity, slot })
    }
}

impl Runtime {
    /// Lets a kept-out entity in again, with the requests that have arrived meanwhile.
    pub(in crate::runtime) fn let_in(self: &Arc<Self>, kept_out: &KeptOut) {
        let KeptOut { entity, slot } = kept_out;
        let state = std::mem::replace(&mut *slot.lock(), EntityState::Gone);
        self.correlations
            .slots
            .remove_if(entity, |_, known| Arc::ptr_eq(known, slot));
        if let EntityState::Loading(waiting) = state {
            waiting
                .into_iter()
                .for_each(|request| self.correlate(request));
        }
    }
}

/// Whether a stored entity is needed, other than to recognise repeats.
///
/// # Errors
/// An entity that cannot be read.
pub fn is_needed(
    reader: &dyn StoreReader,
    entity: Entity,
    now: Time,
    total: &LiveMemoryTotal,
) -> Result<bool, StoreError> {
    let live = remembered(&reader.load(entity)?, total)?;
    Ok(live.state.is_needed(now))
}
