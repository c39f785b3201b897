//! Loads instances into memory: the state from the store, the definition from memory or, for a
//! version that has left it, by compiling it again. Not here: on which thread the instance then
//! runs (`placement`).

use std::sync::Arc;

use super::{
    Runtime,
    definitions::KnownVersion,
    instance::{Gathered, Remembered},
};
use crate::{
    engine::{InstanceState, record::ProcessRef},
    journal::{
        Entity, StoreError, StoreReader,
        snapshot::{self, Restored},
    },
    limits,
    model::ids::InstanceKey,
};

/// A live instance, and the version that it runs.
type LoadedInstance = (InstanceState, Arc<KnownVersion>);
/// What is remembered of an instance, and the instance itself if it is live.
type RestoredInstance = (Remembered, Option<LoadedInstance>);

/// What a shared reader thread makes of an instance: all of it, unless it is large. Then nothing of
/// it is kept: many that wait for their turn would take as much memory as all of them.
enum FirstRead {
    Restored(Box<RestoredInstance>),
    Large,
}

impl Runtime {
    /// Loads an instance whose slot is `Moving`. No row of it is in flight, so the store is
    /// complete.
    pub(super) fn load(self: &Arc<Self>, key: InstanceKey) {
        if self.fresh.take(key) {
            return self.settle(key, Remembered::default());
        }
        let (runtime, then) = (self.clone(), self.clone());
        let entity = Entity::from(key);
        self.journal.read_then(
            move |reader| {
                let loaded = reader.load(entity)?;
                if loaded.bytes() > limits::LARGE_READ_BYTES {
                    return Ok(FirstRead::Large);
                }
                let restored = snapshot::restore_from(reader, entity, loaded)?;
                let restored = runtime.remember(reader, restored)?;
                Ok(FirstRead::Restored(Box::new(restored)))
            },
            move |read| match read {
                Ok(FirstRead::Large) => then.restore_large(key),
                Ok(FirstRead::Restored(restored)) => then.restored(key, Ok(*restored)),
                Err(error) => then.restored(key, Err(error)),
            },
        );
    }

    fn restore_large(self: &Arc<Self>, key: InstanceKey) {
        let (runtime, then) = (self.clone(), self.clone());
        let entity = Entity::from(key);
        self.journal.read_large_then(
            move |reader| runtime.remember(reader, snapshot::restore(reader, entity)?),
            move |restored| then.restored(key, restored),
        );
    }

    /// Puts a restored instance into memory; a live one once its definition is found.
    fn restored(
        self: &Arc<Self>,
        key: InstanceKey,
        restored: Result<RestoredInstance, StoreError>,
    ) {
        match restored {
            Ok((remembered, None)) => self.settle(key, remembered),
            Ok((remembered, Some((state, known)))) => {
                let runtime = self.clone();
                self.definitions
                    .clone()
                    .fetch_then(known, move |process| match process {
                        Ok(process) => {
                            let memory = Some((state, process));
                            runtime.settle(
                                key,
                                Remembered {
                                    memory,
                                    ..remembered
                                },
                            );
                        }
                        Err(error) => runtime.cannot_load(key, &error),
                    });
            }
            Err(error) => self.cannot_load(key, &error),
        }
    }

    fn cannot_load(self: &Arc<Self>, key: InstanceKey, error: &StoreError) {
        match error {
            StoreError::Unreadable(why) => self.note_damaged_instance(key, why),
            error => log::error!("instance {key} cannot be loaded: {error}"),
        }
        self.registry.abandon(key, error);
    }

    /// The stored data of an instance; for a live one, the definition still has to be found.
    fn remember(
        &self,
        reader: &dyn StoreReader,
        restored: Restored,
    ) -> Result<RestoredInstance, StoreError> {
        let gathered = Gathered {
            rows: restored.rows as u32,
            bytes: restored.row_bytes,
            last_snapshot: restored.snapshot_bytes,
            memory: restored.memory,
        };
        let Some(state) = restored.state else {
            let nothing = Remembered {
                gathered,
                ..Remembered::default()
            };
            return Ok((nothing, None));
        };
        let head = state.head();
        let known = self.definitions.of_instance(&head.tenant, &head.process);
        let known = known.ok_or_else(|| {
            let ProcessRef {
                id,
                version,
                revision,
            } = &state.head().process;
            StoreError::NoDefinition(format!(
                "version {version} of '{id}' with revision {revision}"
            ))
        })?;
        let alone = state.head().parent.is_none() && state.children().is_empty();
        let tree = (!alone)
            .then(|| self.trees.read(reader, state.head().root()))
            .transpose()?;
        let remembered = Remembered {
            memory: None,
            tree,
            gathered,
        };
        Ok((remembered, Some((state, known))))
    }
}
