//! What one turn of retention packs and drops: read beside the lists, within bounds of rows, bytes
//! and time.

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

/// Instances looked at in a turn.
const LOOKED_AT: usize = 500;
/// Instances dropped in a turn.
const DROPPED: usize = 64;
/// A turn ends after this long.
const TIME: Duration = Duration::from_millis(20);

/// What a turn does.
#[derive(Default)]
pub(super) struct RetentionPlan {
    /// Rows that are packed.
    pub segments: Vec<HistorySegment>,
    /// Snapshots that go, as all rows of their instances are packed.
    pub snapshots: Vec<Entity>,
    /// Instances that go.
    pub drop: Vec<DroppedInstance>,
    /// The instance behind which the next turn continues; without one it begins anew.
    pub seen: Option<AgedCursor>,
    /// Whether the pass is over.
    pub is_last: bool,
    rows: usize,
    bytes: usize,
}

/// Plans a turn behind the last instance that was seen.
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
    let page = reader.aged_instances(until, after, LOOKED_AT)?;
    let is_last_page = page.len() < LOOKED_AT;
    for instance in page {
        let cursor = instance.cursor();
        // Where there is more to do for the same instance, the next turn begins with it.
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

    /// Takes an instance in; `false` when there is more to do for it in the next turn.
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

    /// Those called go before those that called them, so that a tree is found again by its root.
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
        // A tree that is not clear is left to the next pass.
        Ok(!is_clear)
    }

    /// `false` for one that is left, as it cannot be read, or has to be packed first.
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
        // The log's last row tells where the log ends.
        if reader.is_in_use(key)? {
            return Ok(true);
        }
        let rows = reader.unpacked_rows(entity, limits::RETENTION_ROWS, limits::RETENTION_BYTES)?;
        let bytes: usize = rows.iter().map(|stored| stored.row.body.len()).sum();
        let is_rest = rows.len() < limits::RETENTION_ROWS && bytes < limits::RETENTION_BYTES;
        let first = rows.first().map(|stored| stored.row.first_seq);
        self.rows += rows.len();
        self.bytes += bytes;
        // One that holds many rows keeps its snapshot, so that reading it stays cheap.
        if is_rest && first == Some(1) {
            self.snapshots.push(entity);
        }
        self.segments.extend(HistorySegment::pack(rows)?);
        Ok(is_rest)
    }
}
