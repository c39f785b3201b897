//! Deletes entities of messages and signals that are no longer needed, once their ids need not be
//! recognised as repeats any more.
//!
//! An entity that is in memory, or has something in progress, is left to the next pass. Requests
//! that arrive while its rows are deleted wait.

use std::{sync::Arc, time::Instant};

use tokio::sync::oneshot;

use super::{DUTY, LEAST_REST};
use crate::{
    journal::{Entity, HistoryChange, StoreError},
    limits,
    model::ids::Time,
    runtime::{
        Runtime,
        correlations::keep_out::{KeptOut, is_needed},
    },
};

/// Entities checked in a turn.
const CHECKED_PER_TURN: usize = 200;

impl Runtime {
    /// Goes through all entities once; returns the number of deleted ones.
    pub(super) async fn drop_correlations(self: &Arc<Self>) -> Result<u64, StoreError> {
        let (mut after, mut dropped) = (None, 0);
        loop {
            self.users_first().await;
            let began = Instant::now();
            let keep = limits::CORRELATION_KEEP.as_millis() as i64;
            let until = Time(self.clock.now().0.saturating_sub(keep));
            let page = self.journal.list(None, move |reader| {
                reader.aged_correlations(after, CHECKED_PER_TURN)
            });
            let page = page.await.map_err(|_| StoreError::Stopped)??;
            let is_last = page.len() < CHECKED_PER_TURN;
            after = page.last().map(|aged| aged.entity);
            let old = page
                .into_iter()
                .filter(|aged| aged.last <= until && !aged.is_in_use);
            let old: Vec<Entity> = old.map(|aged| aged.entity).collect();
            if !old.is_empty() {
                dropped += self.drop_unneeded(&old).await?;
            }
            if is_last {
                return Ok(dropped);
            }
            tokio::time::sleep((began.elapsed() * (DUTY - 1)).max(LEAST_REST)).await;
        }
    }

    /// Deletes those that are not needed and not in memory.
    async fn drop_unneeded(self: &Arc<Self>, old: &[Entity]) -> Result<u64, StoreError> {
        let keep_out = |entity: &Entity| self.correlations.keep_out(*entity);
        let kept_out: Vec<KeptOut> = old.iter().filter_map(keep_out).collect();
        let dropped = self.drop_kept_out(&kept_out).await;
        for one in &kept_out {
            self.let_in(one);
        }
        dropped
    }

    async fn drop_kept_out(self: &Arc<Self>, kept_out: &[KeptOut]) -> Result<u64, StoreError> {
        // Behind everything handed over before.
        let (passed, has_passed) = oneshot::channel();
        self.pass_the_queue(move || {
            // When the server stops, nobody waits for this.
            let _ = passed.send(());
        });
        has_passed.await.map_err(|_| StoreError::Stopped)?;
        let entities: Vec<Entity> = kept_out.iter().map(|one| one.entity).collect();
        let (now, total) = (self.clock.now(), self.live_memory.clone());
        let unneeded = self.journal.list(None, move |reader| {
            let mut unneeded = Vec::new();
            for entity in entities {
                match is_needed(reader, entity, now, &total) {
                    Ok(false) => unneeded.push(entity),
                    // An entity that cannot be read stays: the search for damage reports it.
                    Ok(true) | Err(StoreError::Unreadable(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(unneeded)
        });
        let unneeded = unneeded.await.map_err(|_| StoreError::Stopped)??;
        let count = unneeded.len() as u64;
        if count > 0 {
            self.write_history(HistoryChange::DropCorrelations(unneeded), || ())
                .await?;
        }
        Ok(count)
    }
}
