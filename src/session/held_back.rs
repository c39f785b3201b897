//! How long refusals are held back: the longer, the more of one address are at the same time. So
//! what an address can make the server refuse per second has a bound, however many connections it
//! has, and a client that waits for its time does not wait longer.
//!
//! Not here: what is refused (`shared_rates`, `rate_limit`), who waits (`web`).
//!
//! # Why so
//!
//! **Refusals of one address wait the longer, the more of them wait.** A fixed wait bounds what
//! one connection costs, not what a thousand do; a client that waits for its time is never one of
//! many.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::limits;

/// How many refusals are held back now, by whose.
#[derive(Clone, Default)]
pub(super) struct Crowds(Arc<Mutex<HashMap<u64, u32>>>);

/// A refusal that is held back.
pub struct HeldBack {
    crowds: Crowds,
    whose: u64,
    /// With this one.
    together: u32,
}

impl Crowds {
    pub fn enter(&self, whose: u64) -> HeldBack {
        let mut crowds = self.lock();
        let together = crowds.entry(whose).or_default();
        *together += 1;
        HeldBack {
            crowds: self.clone(),
            whose,
            together: *together,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldBack {
    /// For how long, where another try is worth something after `after`.
    pub fn of_request(&self, after: Duration) -> Duration {
        match self.crowds() {
            0 => after.min(limits::HELD_BACK),
            more => (limits::HELD_BACK * (1 + more)).min(limits::HELD_BACK_LONGEST),
        }
    }

    /// How long the websocket is not read.
    pub fn of_message(&self) -> Duration {
        (limits::AFTER_REFUSED * (1 + self.crowds())).min(limits::AFTER_REFUSED_LONGEST)
    }

    /// How many times more than few they are.
    fn crowds(&self) -> u32 {
        (self.together - 1) / limits::HELD_AT_ONCE
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        let mut crowds = self.crowds.lock();
        if let Some(together) = crowds.get_mut(&self.whose) {
            *together -= 1;
            if *together == 0 {
                crowds.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_of_one_wait_longer_than_few_and_others_do_not() {
        let (crowds, soon) = (Crowds::default(), Duration::from_millis(7));
        let mut held: Vec<HeldBack> = (0..1_000).map(|_| crowds.enter(1)).collect();
        let request = |index: usize| held[index].of_request(soon);
        assert_eq!(request(15), soon);
        assert_eq!(request(16), 2 * limits::HELD_BACK);
        assert_eq!(request(999), limits::HELD_BACK_LONGEST);
        assert_eq!(held[15].of_message(), limits::AFTER_REFUSED);
        assert!(held[999].of_message() > 60 * limits::AFTER_REFUSED);
        let other = crowds.enter(2);
        assert_eq!(other.of_request(Duration::from_secs(9)), limits::HELD_BACK);
        held.truncate(3);
        assert_eq!(crowds.enter(1).of_request(soon), soon);
        drop((held, other));
        assert!(crowds.lock().is_empty());
    }
}
