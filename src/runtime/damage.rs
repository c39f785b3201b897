//! Stored instances that do not come back into memory: found when one is loaded, and looked for in
//! the background after a start, so that `/readyz` tells of them before anybody asks.
//!
//! Not here: rows of the other tables (`journal`, which leaves damaged ones out), definitions that
//! are missing (`definitions::damage`), a whole data directory with the server stopped
//! (`backup::doctor`).

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use super::Runtime;
use crate::{
    engine::{InstanceState, RecordBatch, record::Status},
    journal::{
        Entity, InstanceCursor, InstanceFilter, InstanceRow, Loaded, StoreError, StoreReader,
        StoredKind, codec,
    },
    model::ids::InstanceKey,
};

/// Instances looked at in one question to the store.
const PART: usize = 64;

/// Brings an instance back from its snapshot and the rows after it; `None` when there is neither.
///
/// # Errors
/// [`StoreError::Unreadable`], with the row that is damaged or missing.
pub fn restore(loaded: &Loaded) -> Result<Option<InstanceState>, StoreError> {
    let snapshot: Option<InstanceState> = loaded
        .snapshot
        .as_ref()
        .map(|row| codec::decode(&row.body).map_err(|error| within("its snapshot", error)))
        .transpose()?;
    let mut next = snapshot.as_ref().map_or(1, |state| state.seq() + 1);
    let mut rows: Vec<RecordBatch> = Vec::with_capacity(loaded.rows.len());
    for stored in &loaded.rows {
        let first = stored.row.first_seq;
        if first != next {
            return Err(StoreError::Unreadable(format!(
                "its row with number {next}: it is missing"
            )));
        }
        let place = format!("its row with number {first}");
        let row: RecordBatch =
            codec::decode(&stored.row.body).map_err(|error| within(&place, error))?;
        if (row.first_seq, row.last_seq()) != (first, stored.row.last_seq) {
            return Err(StoreError::Unreadable(format!(
                "{place}: it holds records of other numbers"
            )));
        }
        next = stored.row.last_seq + 1;
        rows.push(row);
    }
    let replay = || InstanceState::replay(snapshot, &rows);
    let state = catch_unwind(AssertUnwindSafe(replay)).map_err(|_| {
        StoreError::Unreadable("one of its records: they do not fit together".to_owned())
    })?;
    if state.is_none() && !rows.is_empty() {
        return Err(StoreError::Unreadable(
            "its first row: it is no beginning".to_owned(),
        ));
    }
    Ok(state)
}

fn within(place: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Unreadable(why) => StoreError::Unreadable(format!("{place}: {why}")),
        other => other,
    }
}

impl Runtime {
    /// Looks once at every live instance and the files it names, a part at a time with as long a
    /// pause between; what is damaged is noted.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) async fn look_for_damage(self: &Arc<Self>) -> Result<(), StoreError> {
        let live = Status::ALL.into_iter().filter(|status| status.is_live());
        let filter = InstanceFilter {
            statuses: live.map(|status| status.name().to_owned()).collect(),
            ..InstanceFilter::default()
        };
        let mut after: Option<InstanceCursor> = None;
        loop {
            let began = Instant::now();
            let (runtime, filter) = (self.clone(), filter.clone());
            let part = self.journal.read(move |reader| {
                let part = reader.instances(&filter, after, PART)?;
                for row in &part {
                    runtime.look_at(reader, row)?;
                }
                Ok(part.last().map(InstanceRow::cursor))
            });
            // Nobody reads any more when the server ends.
            let Ok(part) = part.await else { return Ok(()) };
            let Some(last) = part? else { return Ok(()) };
            after = Some(last);
            tokio::time::sleep(began.elapsed()).await;
        }
    }

    fn look_at(&self, reader: &dyn StoreReader, row: &InstanceRow) -> Result<(), StoreError> {
        let loaded = reader.load(Entity::from(row.key));
        match loaded.and_then(|loaded| restore(&loaded)) {
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
