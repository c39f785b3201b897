//! Trials: designers try drafts, each in a runtime of its own that keeps everything in memory and
//! whose clock is stopped. Nothing of a trial reaches the server's store, and no call leaves it.
//!
//! Not here: a single trial (`trial`), its requests (`rest::trials`), its websocket
//! (`websocket::socket`).
//!
//! # Rationale
//!
//! **A draft is tried in a second runtime of the same process**, with a store in memory, a virtual
//! clock, its own secret for tokens and its own sessions, on a thread that ends with it. So a trial
//! uses the same engine, frames and SDK as production, and can be recorded as a scenario. A process
//! for each trial would cost more memory and need a proxy for its websocket; the engine alone has
//! no timers, messages and subprocesses. Trials are limited in number, time and bytes; none has the
//! server's secrets or allowed targets, and its connections count as its designer's.

mod trial;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::rt;
use uuid::Uuid;

pub use trial::{BeginError, NotAtRest, Trial, ended};

use crate::{
    config::Config,
    limits::{self, CallerKind, Limit, Pot},
    model::source::SourceFormat,
    session::{auth::principal::Principal, sessions::Sessions},
};

/// How often trials that are over are searched for.
const SWEEP: Duration = Duration::from_secs(1);

/// The trials of a server.
pub struct Trials {
    running: Mutex<HashMap<Uuid, Arc<Trial>>>,
    places: Pot,
}

impl Default for Trials {
    fn default() -> Self {
        Self {
            running: Mutex::default(),
            places: Pot::new(limits::TRIALS.get(), Limit::Trials),
        }
    }
}

impl Trials {
    /// Begins a trial of a draft for a designer. If the designer has too many trials, the oldest
    /// one ends.
    ///
    /// # Errors
    /// [`BeginError`].
    pub async fn begin(
        &self,
        real: &Sessions,
        config: &Config,
        owner: Principal,
        source: Vec<u8>,
        format: SourceFormat,
    ) -> Result<Arc<Trial>, BeginError> {
        self.end_oldest_of(&owner);
        let place = self
            .places
            .take(CallerKind::Staff)
            .ok_or(BeginError::Busy)?;
        let trial = Arc::new(Trial::begin(real, config, owner, (source, format), place).await?);
        self.running().insert(trial.key, trial.clone());
        Ok(trial)
    }

    /// A running trial.
    pub fn get(&self, key: Uuid) -> Option<Arc<Trial>> {
        self.running().get(&key).cloned()
    }

    /// Ends a trial.
    pub fn end(&self, key: Uuid) {
        let ended = self.running().remove(&key);
        if let Some(trial) = ended {
            trial.end();
        }
    }

    /// Ends all trials, and allows no new ones.
    pub fn end_all(&self) {
        let all: Vec<_> = self.running().drain().collect();
        all.iter().for_each(|(_, trial)| trial.end());
    }

    /// Ends trials whose time is over, repeatedly.
    pub async fn sweep(app: actix_web::web::Data<super::http::app::App>) {
        let mut tick = rt::time::interval(SWEEP);
        loop {
            tick.tick().await;
            let now = Instant::now();
            let over: Vec<Uuid> = {
                let running = app.trials.running();
                let over = running.values().filter(|trial| trial.is_over(now));
                over.map(|trial| trial.key).collect()
            };
            over.into_iter().for_each(|key| app.trials.end(key));
        }
    }

    fn end_oldest_of(&self, owner: &Principal) {
        let mut running = self.running();
        let mut own: Vec<_> = running
            .values()
            .filter(|trial| trial.owner.user() == owner.user())
            .map(|trial| (trial.began, trial.key))
            .collect();
        own.sort();
        let too_many = (own.len() + 1).saturating_sub(limits::TRIALS_PER_USER.get());
        let ended: Vec<_> = own[..too_many]
            .iter()
            .filter_map(|(_, key)| running.remove(key))
            .collect();
        drop(running);
        for trial in ended {
            Limit::TrialsPerUser.refused();
            trial.end();
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Trial>>> {
        // Only changed by single calls that cannot panic in the middle.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
