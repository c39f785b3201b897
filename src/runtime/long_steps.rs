//! Steps of instances that take long: only so many of them go on at once, so that they never have all
//! of the processor, and whose they are.
//!
//! A short step, an answer and the writer find a core that no long step holds. Which steps are long
//! shows afterwards: by the last ones of the instance, and of an instance that begins by the last
//! starts of its process. One alone says little, as a thread may have lost its core meanwhile. Not here: how long steps keep a thread (`thread_turns`), steps that may take long
//! for themselves (`scripts`).

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::journal::DefinitionRow;

/// From here on a step counts as long.
const LONG_STEP: Duration = Duration::from_micros(250);
/// So many long ones in a row, and the next is taken for long.
const IN_A_ROW: u8 = 3;

/// How many steps in a row took long, up to [`IN_A_ROW`].
#[derive(Clone, Copy, Default)]
pub(super) struct LongInARow(u8);

impl LongInARow {
    /// With one more that took so long.
    pub fn and(self, took: Duration) -> Self {
        Self(if took < LONG_STEP {
            0
        } else {
            (self.0 + 1).min(IN_A_ROW)
        })
    }

    /// Whether the next one is taken for long.
    pub fn is_long(self) -> bool {
        self.0 == IN_A_ROW
    }
}

/// The places of long steps.
pub(super) struct LongSteps {
    places: Arc<Semaphore>,
    /// Processes whose last start took long, by a hash of their names.
    starts: DashMap<u64, LongInARow>,
    /// How many those are: mostly none.
    count: AtomicUsize,
    hasher: RandomState,
}

impl LongSteps {
    /// Half of so many threads may be busy with them.
    pub fn of_threads(threads: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new((threads / 2).max(1))),
            starts: DashMap::new(),
            count: AtomicUsize::new(0),
            hasher: RandomState::new(),
        }
    }

    /// A place, if there is one just now; dropped, another may.
    pub fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// A place, in the order in which they were asked for.
    pub fn enter(&self) -> impl Future<Output = Option<OwnedSemaphorePermit>> + use<> {
        let places = self.places.clone();
        // It is never closed.
        async move { places.acquire_owned().await.ok() }
    }

    /// Whether the last starts of a process took long.
    pub fn is_long_start(&self, of: &DefinitionRow) -> bool {
        let is_known = self.count.load(Ordering::Relaxed) > 0;
        is_known
            && self
                .starts
                .get(&self.key(of))
                .is_some_and(|it| it.is_long())
    }

    /// An instance of this process has begun.
    pub fn started(&self, of: &DefinitionRow, took: Duration) {
        if took >= LONG_STEP {
            let mut start = self.starts.entry(self.key(of)).or_default();
            *start = start.and(took);
        } else if self.count.load(Ordering::Relaxed) > 0 {
            self.starts.remove(&self.key(of));
        } else {
            return;
        }
        self.count.store(self.starts.len(), Ordering::Relaxed);
    }

    fn key(&self, of: &DefinitionRow) -> u64 {
        self.hasher.hash_one((&of.tenant, &of.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::{DefinitionFormat, DefinitionState},
        model::ids::Time,
    };

    fn process(id: &str) -> DefinitionRow {
        DefinitionRow {
            tenant: "t".to_owned(),
            id: id.to_owned(),
            version: 1,
            revision: String::new(),
            state: DefinitionState::Published,
            alias: None,
            name: String::new(),
            format: DefinitionFormat::Json,
            source: None,
            created_at: Time(0),
            created_by: String::new(),
        }
    }

    #[test]
    fn a_start_is_as_long_as_the_last_ones_of_its_process() {
        let steps = LongSteps::of_threads(4);
        let (long, short) = (process("long"), process("short"));
        assert!(!steps.is_long_start(&long));
        for _ in 0..IN_A_ROW {
            assert!(!steps.is_long_start(&long));
            steps.started(&long, LONG_STEP);
            steps.started(&short, LONG_STEP / 2);
        }
        assert!(steps.is_long_start(&long) && !steps.is_long_start(&short));
        steps.started(&long, LONG_STEP / 2);
        assert!(!steps.is_long_start(&long) && steps.starts.is_empty());
    }

    #[tokio::test]
    async fn half_of_the_threads_have_long_steps_at_most() {
        for (threads, most) in [(0, 1), (1, 1), (2, 1), (5, 2)] {
            let steps = LongSteps::of_threads(threads);
            let places: Vec<_> = (0..most).filter_map(|_| steps.try_enter()).collect();
            assert_eq!(places.len(), most);
            assert!(steps.try_enter().is_none());
            drop(places);
            assert!(steps.enter().await.is_some());
        }
    }
}
