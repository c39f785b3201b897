//! Plans one turn of retention: what it compresses and deletes. Reads beside the lists, within
//! limits of rows, bytes and time.

use std::time::{Duration, Instant};

use super::Bounds;
use crate::{
    journal::{
        AgedCursor, AgedInstance, DroppedInstance, Entity, HistorySegment, StoreError, StoreReader,
        snapshot,
    },
    limits,
    model::ids::InstanceKey,
};

/// Instances checked in a turn.
const CHECKED_PER_TURN: usize = 500;
/// Instances deleted in a turn.
const DROPPED: usize = 64;
/// A turn ends after this long.
const TIME: Duration = Duration::from_millis(20);

/// The work of a turn.
#[derive(Default)]
pub(super) struct RetentionPlan {
    /// Rows to compress.
    pub segments: Vec<HistorySegment>,
    /// Snapshots to delete, because all rows of their instances are compressed.
    pub snapshots: Vec<Entity>,
    /// Instances to delete.
    pub drop: Vec<DroppedInstance>,
    /// The instance after which the next turn continues; `None` begins a new pass.
    pub seen: Option<AgedCursor>,
    /// Whether the pass is over.
    pub is_last: bool,
    rows: usize,
    bytes: usize,
}

/// Plans a turn, beginning after the last instance that was seen.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn make(
    reader: &dyn StoreReader,
    bounds: Bounds,
    after: Option<AgedCursor>,
) -> Result<RetentionPlan, StoreError> {
    let began = Instant::now();
    let mut plan = RetentionPlan {
        seen: after.clone(),
        ..RetentionPlan::default()
    };
    let Some(until) = bounds.archive.into_iter().chain(bounds.drop).max() else {
        plan.is_last = true;
        return Ok(plan);
    };
    let page = reader.aged_instances(until, after, CHECKED_PER_TURN)?;
    let is_last_page = page.len() < CHECKED_PER_TURN;
    for instance in page {
        let cursor = instance.cursor();
        // If more remains to be done for this instance, the next turn begins with it.
        if plan.is_full() || began.elapsed() >= TIME || !plan.take(reader, bounds, instance)? {
            return Ok(plan);
        }
        plan.seen = Some(cursor);
    }
    plan.is_last = is_last_page;
    Ok(plan)
}

impl RetentionPlan {
    fn is_full(&self) -> bool {
        self.rows >= limits::RETENTION_ROWS
            || self.bytes >= limits::RETENTION_BYTES
            || self.drop.len() >= DROPPED
    }

    /// Adds the work for an instance; `false` when more remains for the next turn.
    fn take(
        &mut self,
        reader: &dyn StoreReader,
        bounds: Bounds,
        instance: AgedInstance,
    ) -> Result<bool, StoreError> {
        let Some(ended) = instance.ended_at else {
            return Ok(true);
        };
        let is_due = |bound: Option<_>| bound.is_some_and(|bound| ended <= bound);
        if let Some(bound) = bounds.drop
            && instance.is_root
            && is_due(bounds.drop)
            && !reader.is_tree_recent(instance.key, bound)?
        {
            return self.drop_tree(reader, instance.key);
        }
        if instance.is_logged && is_due(bounds.archive) {
            return self.pack(reader, instance.key);
        }
        Ok(true)
    }

    /// Called instances are deleted before their callers, so that after a crash the tree is still
    /// found by its root.
    fn drop_tree(
        &mut self,
        reader: &dyn StoreReader,
        root: InstanceKey,
    ) -> Result<bool, StoreError> {
        if reader.is_in_use(root)? {
            return Ok(true);
        }
        let places = DROPPED.saturating_sub(self.drop.len());
        let below = reader.below(root, places + 1)?;
        let (all_fit, mut is_clear) = (below.len() <= places, true);
        for key in below.into_iter().take(places) {
            is_clear &= !reader.is_in_use(key)? && self.drop_one(reader, key)?;
        }
        if all_fit && is_clear && self.drop.len() < DROPPED {
            self.drop_one(reader, root)?;
            return Ok(true);
        }
        // A tree with an instance in use is left to the next pass.
        Ok(!is_clear)
    }

    /// `false` for an instance that stays, because it cannot be read or has to be compressed first.
    fn drop_one(&mut self, reader: &dyn StoreReader, key: InstanceKey) -> Result<bool, StoreError> {
        let entity = Entity::from(key);
        let few = limits::RETENTION_ROWS;
        if reader.unpacked_rows(entity, few + 1, usize::MAX)?.len() > few {
            self.pack(reader, key)?;
            return Ok(false);
        }
        let restored = match snapshot::restore(reader, entity) {
            Ok(restored) => restored,
            Err(StoreError::Unreadable(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let files = restored
            .state
            .map(|state| state.files().keys().copied().collect());
        self.drop.push(DroppedInstance {
            key,
            files: files.unwrap_or_default(),
        });
        Ok(true)
    }

    fn pack(&mut self, reader: &dyn StoreReader, key: InstanceKey) -> Result<bool, StoreError> {
        let entity = Entity::from(key);
        // The last row of the log marks its end.
        if reader.is_in_use(key)? {
            return Ok(true);
        }
        let rows = reader.unpacked_rows(entity, limits::RETENTION_ROWS, limits::RETENTION_BYTES)?;
        let bytes: usize = rows.iter().map(|stored| stored.row.body.len()).sum();
        let is_rest = rows.len() < limits::RETENTION_ROWS && bytes < limits::RETENTION_BYTES;
        let first = rows.first().map(|stored| stored.row.first_seq);
        self.rows += rows.len();
        self.bytes += bytes;
        // An instance with many rows keeps its snapshot, so that reading it stays cheap.
        if is_rest && first == Some(1) {
            self.snapshots.push(entity);
        }
        self.segments.extend(HistorySegment::pack(rows)?);
        Ok(is_rest)
    }
}
