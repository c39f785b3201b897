//! Chooses the thread on which an instance lives while it is in memory.
//!
//! The user who starts an instance is usually the one who acts in it. So an instance that is loaded
//! by a thread that serves connections lives on that thread: a command is read, decided and
//! answered there, without waking another thread. All others (instances that were passivated,
//! children, instances started by the server) live on the runtime's own arbiters, by partition.
//!
//! Not here: how an instance is found on its thread (`registry`).
//!
//! # Rationale
//!
//! **An instance lives on the thread of the connection that started it.** When the thread was
//! chosen by partition, each command crossed to another thread, which cost a wake-up, cold caches,
//! and memory freed on another thread. A connection that starts thousands keeps its thread busy
//! with reading and rendering anyway.

use std::{cell::Cell, sync::Arc};

use actix::Actor;

use super::{
    Runtime,
    instance::{ProcessInstance, Remembered},
};
use crate::model::ids::InstanceKey;

thread_local! {
    /// Whether instances that this thread loads live on it.
    static HOSTS_INSTANCES: Cell<bool> = const { Cell::new(false) };
}

impl Runtime {
    /// Lets the instances that this thread, an arbiter, loads live on it from now on.
    pub fn host_instances_here() {
        HOSTS_INSTANCES.set(true);
    }

    /// Puts a loaded instance into memory.
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
