//! The one reader of the clock. Process time may be virtual (`--test-clock`); tokens, pings, limits
//! and syncs use real time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

use crate::model::ids::Time;

/// The longest sleep before the real clock is looked at again.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Process time: the real one, or one that stands still until it is set.
#[derive(Clone, Debug)]
pub struct Clock {
    virtual_now: Option<Arc<AtomicI64>>,
    moved: Arc<Notify>,
}

impl Clock {
    /// Real time.
    pub fn real() -> Self {
        Self {
            virtual_now: None,
            moved: Arc::new(Notify::new()),
        }
    }

    /// Virtual time, standing at `start`.
    pub fn standing_at(start: Time) -> Self {
        Self {
            virtual_now: Some(Arc::new(AtomicI64::new(start.0))),
            moved: Arc::new(Notify::new()),
        }
    }

    /// Process time now.
    pub fn now(&self) -> Time {
        match &self.virtual_now {
            Some(now) => Time(now.load(Ordering::SeqCst)),
            None => real_now(),
        }
    }

    /// Sets virtual time; it never goes back. `None` when the clock is real.
    pub fn set(&self, to: Time) -> Option<Time> {
        let now = self.virtual_now.as_ref()?;
        now.fetch_max(to.0, Ordering::SeqCst);
        self.moved.notify_waiters();
        self.moved.notify_one();
        Some(self.now())
    }

    /// Whether process time is virtual.
    pub fn is_virtual(&self) -> bool {
        self.virtual_now.is_some()
    }

    /// Waits until process time may have reached `due`; may return early.
    pub async fn near(&self, due: Time) {
        // Begun before the look at the clock, so that no move between the two is lost, whoever else
        // waits.
        let moved = self.moved.notified();
        let wait = due.0.saturating_sub(self.now().0);
        if wait <= 0 {
            return;
        }
        match self.virtual_now {
            Some(_) => moved.await,
            // The clock of the machine may be set, or go on while the machine sleeps.
            None => tokio::time::sleep(Duration::from_millis(wait as u64).min(LONGEST_SLEEP)).await,
        }
    }
}

/// Real time, for everything that is not process time.
pub fn real_now() -> Time {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time(since_epoch.as_millis() as i64)
}
