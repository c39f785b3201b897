//! A store with a brake: a commit that has begun waits until it is released, so that a test can act
//! in between.

use std::sync::{Arc, Condvar, Mutex};

use tokio::sync::Notify;

use crate::journal::{MemoryStore, Store, StoreError, StoreReader, WriteOp};

/// The brake of a store. All clones are the same brake.
#[derive(Clone, Default)]
pub struct Brake {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    pulled: Mutex<bool>,
    released: Condvar,
    reached: Notify,
}

/// The store.
pub struct Braked {
    pub store: MemoryStore,
    pub brake: Brake,
}

impl Brake {
    /// Makes commits wait from now on.
    pub fn pull(&self) {
        *self.shared.pulled.lock().unwrap() = true;
    }

    /// Lets commits continue.
    pub fn release(&self) {
        *self.shared.pulled.lock().unwrap() = false;
        self.shared.released.notify_all();
    }

    /// Called by a commit: waits while the brake is pulled.
    pub fn pass(&self) {
        let shared = &self.shared;
        let mut pulled = shared.pulled.lock().unwrap();
        if *pulled {
            shared.reached.notify_one();
        }
        while *pulled {
            pulled = shared.released.wait(pulled).unwrap();
        }
    }

    /// Waits until a commit waits; each is reported once.
    pub async fn reached(&self) {
        self.shared.reached.notified().await;
    }
}

impl Store for Braked {
    fn commit(&mut self, batch: &[WriteOp]) -> Result<(), StoreError> {
        self.brake.pass();
        self.store.commit(batch)
    }

    fn reader(&self) -> Result<Box<dyn StoreReader>, StoreError> {
        self.store.reader()
    }
}
