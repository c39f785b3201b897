//! Stored instances that do not come back into memory: found when one is loaded, and looked for in
//! the background after a start, so that `/readyz` reports them before anybody asks.
//!
//! Not here: rows of the other tables (`journal`, which leaves damaged ones out), definitions that
//! are missing (`definitions::damage`), a whole data directory with the server stopped
//! (`backup::doctor`).

use std::{sync::Arc, time::Instant};

use uuid::Uuid;

use super::Runtime;
use crate::{
    journal::{Entity, InstanceRow, StoreError, StoreReader, StoredKind, snapshot},
    model::ids::InstanceKey,
};

/// Instances looked at in one question to the store.
const PART: usize = 64;

impl Runtime {
    /// Looks once at every live instance and the files it names, a part at a time with as long a
    /// pause between; what is damaged is noted.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) async fn look_for_damage(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut after = InstanceKey(Uuid::nil());
        loop {
            let began = Instant::now();
            let runtime = self.clone();
            let part = self.journal.read(move |reader| {
                let part = reader.live_instances(after, PART)?;
                for row in &part {
                    runtime.look_at(reader, row)?;
                }
                let is_last = part.len() < PART;
                Ok(part.last().map(|row| row.key).filter(|_| !is_last))
            });
            // Nobody reads any more when the server ends.
            let Ok(part) = part.await else { return Ok(()) };
            let Some(last) = part? else { return Ok(()) };
            after = last;
            tokio::time::sleep(began.elapsed()).await;
        }
    }

    fn look_at(&self, reader: &dyn StoreReader, row: &InstanceRow) -> Result<(), StoreError> {
        let restored = snapshot::restore(reader, Entity::from(row.key));
        match restored.map(|restored| restored.state) {
            Ok(Some(state)) => {
                for file in state.files().values() {
                    self.files.look_at(row.key, file, &self.damaged);
                }
            }
            Ok(None) => self.note_damaged_instance(row.key, "its rows are missing"),
            Err(StoreError::Unreadable(why)) => self.note_damaged_instance(row.key, &why),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    pub(super) fn note_damaged_instance(&self, key: InstanceKey, why: &str) {
        self.damaged
            .note(StoredKind::Instance, &key.to_string(), why);
    }
}
