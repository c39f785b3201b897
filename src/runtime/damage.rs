//! Stored instances that cannot be loaded. They are found when one is loaded, and searched for in
//! the background after a start, so that `/readyz` reports them before anybody uses them.
//!
//! Not here: rows of other tables (`journal`, which leaves damaged ones out), missing definitions
//! (`definitions::damage`), checking a whole data directory while the server is stopped
//! (`backup::doctor`).

use std::{sync::Arc, time::Instant};

use uuid::Uuid;

use super::Runtime;
use crate::{
    journal::{Entity, InstanceRow, StoreError, StoreReader, StoredKind, snapshot},
    model::ids::InstanceKey,
};

/// Instances checked with one query.
const PART: usize = 64;

impl Runtime {
    /// Checks every live instance and the files it names once, a part at a time with a pause of the
    /// same length after each; records what is damaged.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) async fn check_all(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut after = InstanceKey(Uuid::nil());
        loop {
            let began = Instant::now();
            let runtime = self.clone();
            let part = self.journal.read(move |reader| {
                let part = reader.live_instances(after, PART)?;
                for row in &part {
                    runtime.check(reader, row)?;
                }
                let is_last = part.len() < PART;
                Ok(part.last().map(|row| row.key).filter(|_| !is_last))
            });
            // The server is stopping.
            let Ok(part) = part.await else { return Ok(()) };
            let Some(last) = part? else { return Ok(()) };
            after = last;
            tokio::time::sleep(began.elapsed()).await;
        }
    }

    fn check(&self, reader: &dyn StoreReader, row: &InstanceRow) -> Result<(), StoreError> {
        let restored = snapshot::restore(reader, Entity::from(row.key));
        match restored.map(|restored| restored.state) {
            Ok(Some(state)) => {
                for file in state.files().values() {
                    self.files.check_file(row.key, file, &self.damaged);
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
