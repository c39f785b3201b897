//! How long refusals are delayed: the more refusals of one address are delayed at the same time,
//! the longer. So the number of refusals per second that an address can cause is bounded, however
//! many connections it has, and a client that waits for the announced time is not delayed further.
//!
//! Not here: what is refused (`shared_rates`, `rate_limit`), who waits (`web`).
//!
//! # Rationale
//!
//! **The more refusals of one address are delayed, the longer the delay.** A fixed delay bounds the
//! cost of one connection, but not of a thousand; a client that waits for the announced time is
//! never one of many.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::limits;

/// The number of delayed refusals, by address or user.
#[derive(Clone, Default)]
pub(super) struct DelayedRefusals(Arc<Mutex<HashMap<u64, u32>>>);

/// A refusal that is delayed.
pub struct HeldBack {
    delayed: DelayedRefusals,
    whose: u64,
    /// The number of delayed refusals, including this one.
    together: u32,
}

impl DelayedRefusals {
    pub fn enter(&self, whose: u64) -> HeldBack {
        let mut delayed = self.lock();
        let together = delayed.entry(whose).or_default();
        *together += 1;
        HeldBack {
            delayed: self.clone(),
            whose,
            together: *together,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldBack {
    /// The delay of a refusal over REST, if a repeat may succeed after `after`.
    pub fn of_request(&self, after: Duration) -> Duration {
        match self.delayed() {
            0 => after.min(limits::HELD_BACK),
            more => (limits::HELD_BACK * (1 + more)).min(limits::HELD_BACK_LONGEST),
        }
    }

    /// How long not to read from the websocket.
    pub fn of_message(&self) -> Duration {
        (limits::AFTER_REFUSED * (1 + self.delayed())).min(limits::AFTER_REFUSED_LONGEST)
    }

    /// By which factor there are more than a few.
    fn delayed(&self) -> u32 {
        (self.together - 1) / limits::HELD_AT_ONCE
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        let mut delayed = self.delayed.lock();
        if let Some(together) = delayed.get_mut(&self.whose) {
            *together -= 1;
            if *together == 0 {
                delayed.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_of_one_client_are_delayed_longer() {
        let (delayed, soon) = (DelayedRefusals::default(), Duration::from_millis(7));
        let mut held: Vec<HeldBack> = (0..1_000).map(|_| delayed.enter(1)).collect();
        let request = |index: usize| held[index].of_request(soon);
        assert_eq!(request(15), soon);
        assert_eq!(request(16), 2 * limits::HELD_BACK);
        assert_eq!(request(999), limits::HELD_BACK_LONGEST);
        assert_eq!(held[15].of_message(), limits::AFTER_REFUSED);
        assert!(held[999].of_message() > 60 * limits::AFTER_REFUSED);
        let other = delayed.enter(2);
        assert_eq!(other.of_request(Duration::from_secs(9)), limits::HELD_BACK);
        held.truncate(3);
        assert_eq!(delayed.enter(1).of_request(soon), soon);
        drop((held, other));
        assert!(delayed.lock().is_empty());
    }
}
