//! On which thread an instance lives while it is in memory.
//!
//! The user who starts an instance is mostly the one who acts in it. So a thread that serves
//! connections hosts what is brought into memory from there: a command is read, decided and
//! answered on one thread, without a wake-up of another. Everything else (what was passivated,
//! children, what the server starts) lives on the runtime's own arbiters, by partition.
//!
//! Not here: how an instance is found, wherever it lives (`registry`).
//!
//! # Why so
//!
//! **An instance lives on the thread of the connection that started it.** By partition, each
//! command crossed to another thread, which cost a wake-up, cold caches and frees across
//! threads. A connection that starts thousands keeps its thread busy with reading and rendering
//! anyway.

use std::{cell::Cell, sync::Arc};

use actix::Actor;

use super::{
    Runtime,
    instance::{ProcessInstance, Remembered},
};
use crate::model::ids::InstanceKey;

thread_local! {
    /// Whether instances that this thread brings into memory live on it.
    static HOSTS_INSTANCES: Cell<bool> = const { Cell::new(false) };
}

impl Runtime {
    /// From here on instances that this thread, an arbiter, brings into memory live on it.
    pub fn host_instances_here() {
        HOSTS_INSTANCES.set(true);
    }

    /// Puts what was loaded of an instance into memory.
    pub(super) fn settle(self: &Arc<Self>, key: InstanceKey, remembered: Remembered) {
        let generation = self.registry.next_generation();
        let runtime = self.clone();
        if HOSTS_INSTANCES.get() {
            ProcessInstance::new(key, generation, runtime, remembered).start();
            return;
        }
        let arbiter = &self.arbiters[usize::from(key.partition()) % self.arbiters.len()];
        ProcessInstance::start_in_arbiter(arbiter, move |_| {
            ProcessInstance::new(key, generation, runtime, remembered)
        });
    }
}
