//! The only module that reads the clock. Process time may be virtual (`--test-clock`). Tokens use
//! the machine's clock; limits and pings use a steady clock, which is never set.
//!
//! Process time never goes back: when the machine's clock is set back, process time continues a
//! little slower until the machine's clock has caught up. So a timer set for ten minutes fires
//! after about ten minutes, however the clock is set.

use std::{
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

use crate::{limits::CLOCK_AHEAD, model::ids::Time};

/// The longest sleep before the machine's clock is read again: it may be set forward, or continue
/// while the machine sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// While process time is ahead of the machine's clock, it loses one of each `SLOWER_BY`
/// milliseconds.
const SLOWER_BY: u32 = 10;
/// The smallest step back of the machine's clock that the log reports.
const REPORTED_FROM: Duration = Duration::from_secs(2);

/// Process time: the real one, or one that is stopped until it is set.
#[derive(Clone, Debug)]
pub struct Clock {
    source: TimeSource,
    moved: Arc<Notify>,
}

#[derive(Clone, Debug)]
enum TimeSource {
    Real(Arc<Mutex<MonotonicTime>>),
    Virtual(Arc<AtomicI64>),
    /// Real time by the clocks of a simulated machine.
    Simulated(Arc<Mutex<SimulatedMachine>>),
}

/// A machine's clock, which may be set, and a steady one.
#[derive(Debug)]
struct SimulatedMachine {
    wall: Duration,
    steady: Duration,
    onward: MonotonicTime,
}

impl SimulatedMachine {
    fn read(&mut self) -> Duration {
        self.onward.read(self.wall, self.steady).0
    }
}

/// Time that never goes back, computed from a clock that may be set and a steady one. Each of the
/// two counts from a moment of its own.
#[derive(Debug)]
struct MonotonicTime {
    shown: Duration,
    /// The steady clock when `shown` was computed.
    steady: Duration,
    is_behind_reported: bool,
}

impl MonotonicTime {
    fn new(wall: Duration, steady: Duration) -> Self {
        Self {
            shown: wall,
            steady,
            is_behind_reported: false,
        }
    }

    /// The current time; and by how much the machine's clock was set back, if that was just
    /// noticed.
    fn read(&mut self, wall: Duration, steady: Duration) -> (Duration, Option<Duration>) {
        let passed = steady.saturating_sub(self.steady);
        let behind = (self.shown + passed).saturating_sub(wall);
        self.shown = wall.max(self.shown + passed - passed / SLOWER_BY);
        self.steady = steady;
        let is_news = behind >= REPORTED_FROM && !self.is_behind_reported;
        self.is_behind_reported = behind >= REPORTED_FROM;
        (self.shown, is_news.then_some(behind))
    }
}

impl Clock {
    /// Real time.
    pub fn real() -> Self {
        let onward = MonotonicTime::new(since_epoch(), since_start());
        Self {
            source: TimeSource::Real(Arc::new(Mutex::new(onward))),
            moved: Arc::new(Notify::new()),
        }
    }

    /// Virtual time, stopped at `start`.
    pub fn stopped_at(start: Time) -> Self {
        Self {
            source: TimeSource::Virtual(Arc::new(AtomicI64::new(start.0))),
            moved: Arc::new(Notify::new()),
        }
    }

    /// Real time of a simulated machine: its clock shows `wall`, and only [`Clock::pass`] moves it.
    pub fn simulated(wall: Time) -> Self {
        let wall = Duration::from_millis(wall.0.max(0).unsigned_abs());
        let machine = SimulatedMachine {
            wall,
            steady: Duration::ZERO,
            onward: MonotonicTime::new(wall, Duration::ZERO),
        };
        Self {
            source: TimeSource::Simulated(Arc::new(Mutex::new(machine))),
            moved: Arc::new(Notify::new()),
        }
    }

    /// Lets time pass on a simulated machine, then moves its clock by `set_by` milliseconds.
    pub fn pass(&self, time: Duration, set_by: i64) {
        if let TimeSource::Simulated(machine) = &self.source {
            let mut machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
            machine.wall += time;
            machine.steady += time;
            machine.read();
            let by = Duration::from_millis(set_by.unsigned_abs());
            machine.wall = match set_by < 0 {
                true => machine.wall.saturating_sub(by),
                false => machine.wall + by,
            };
        }
        self.moved.notify_waiters();
        self.moved.notify_one();
    }

    /// The current process time.
    pub fn now(&self) -> Time {
        match &self.source {
            TimeSource::Virtual(now) => Time(now.load(Ordering::SeqCst)),
            TimeSource::Simulated(machine) => {
                let mut machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
                Time(machine.read().as_millis() as i64)
            }
            TimeSource::Real(onward) => {
                let mut onward = onward.lock().unwrap_or_else(PoisonError::into_inner);
                let (now, set_back) = onward.read(since_epoch(), since_start());
                drop(onward);
                if let Some(behind) = set_back {
                    log::warn!(
                        "the machine's clock is {} s behind the process time: that goes on, a \
                        tenth slower until the clock has caught up",
                        behind.as_secs()
                    );
                }
                Time(now.as_millis() as i64)
            }
        }
    }

    /// Continues after the newest recorded time, because the machine's clock may have been set back
    /// while the server was down. A recorded time that is ahead by more than [`CLOCK_AHEAD`] is
    /// taken for a mistake and ignored.
    pub fn continue_after(&self, newest: Time) {
        let newest = Duration::from_millis(newest.0.max(0).unsigned_abs());
        let goes_on = |wall: Duration| newest > wall && newest - wall <= CLOCK_AHEAD;
        match &self.source {
            TimeSource::Virtual(_) => {}
            TimeSource::Real(onward) if goes_on(since_epoch()) => {
                let mut onward = onward.lock().unwrap_or_else(PoisonError::into_inner);
                *onward = MonotonicTime::new(newest, since_start());
            }
            TimeSource::Real(_) => {}
            TimeSource::Simulated(machine) => {
                let mut machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
                if goes_on(machine.wall) {
                    machine.onward = MonotonicTime::new(newest, machine.steady);
                }
            }
        }
    }

    /// Sets virtual time; it never goes back. `None` when the clock is real.
    pub fn set(&self, to: Time) -> Option<Time> {
        let TimeSource::Virtual(now) = &self.source else {
            return None;
        };
        now.fetch_max(to.0, Ordering::SeqCst);
        self.moved.notify_waiters();
        self.moved.notify_one();
        Some(self.now())
    }

    /// Whether process time moves only when it is set.
    pub fn is_virtual(&self) -> bool {
        matches!(
            self.source,
            TimeSource::Virtual(_) | TimeSource::Simulated(_)
        )
    }

    /// Waits until process time may have reached `due`; may return early.
    pub async fn near(&self, due: Time) {
        // Registered before the clock is read, so that no move in between is missed.
        let moved = self.moved.notified();
        let wait = due.0.saturating_sub(self.now().0);
        if wait <= 0 {
            return;
        }
        match &self.source {
            TimeSource::Virtual(_) | TimeSource::Simulated(_) => moved.await,
            TimeSource::Real(_) => {
                tokio::time::sleep(Duration::from_millis(wait as u64).min(LONGEST_SLEEP)).await
            }
        }
    }
}

/// Real time, for everything other than process time.
pub fn real_now() -> Time {
    Time(since_epoch().as_millis() as i64)
}

/// The machine's clock, for values that other systems compare with their clocks.
pub fn machine_now() -> SystemTime {
    SystemTime::now()
}

/// Steady time since the server's start, unaffected when the machine's clock is set. For waits and
/// rates, which compare it only with itself.
pub fn steady_now() -> Time {
    Time(since_start().as_millis() as i64)
}

fn since_epoch() -> Duration {
    machine_now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn since_start() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_clock_that_is_right_is_followed() {
        let mut onward = MonotonicTime::new(at(100_000), at(0));
        assert_eq!(onward.read(at(100_010), at(10)), (at(100_010), None));
        assert_eq!(
            onward.read(at(100_010 + HOUR), at(11)),
            (at(100_010 + HOUR), None),
            "set forward: what is due by then is due"
        );
    }

    #[test]
    fn a_clock_set_back_delays_no_timer() {
        let mut onward = MonotonicTime::new(at(100_000), at(0));
        let set_back = at(100_000 - 3 * HOUR);
        assert_eq!(
            onward.read(set_back, at(0)),
            (at(100_000), Some(at(3 * HOUR)))
        );
        let (ten_minutes_later, reported) = onward.read(set_back + at(600), at(600));
        assert_eq!(ten_minutes_later, at(100_000 + 540), "a tenth slower");
        assert_eq!(reported, None, "reported once");
    }

    #[test]
    fn time_rejoins_a_clock_that_was_set_back() {
        let mut onward = MonotonicTime::new(at(100_000), at(0));
        let mut last = at(100_000);
        for minute in 0..=11 * 60 {
            let passed = at(minute * 60);
            let (now, _) = onward.read(at(100_000 - HOUR) + passed, passed);
            assert!(now >= last, "it never goes back");
            last = now;
        }
        assert_eq!(last, at(100_000 + 10 * HOUR), "after ten times as long");
        let news = onward.read(at(100_000), at(11 * HOUR)).1;
        assert!(news.is_some(), "and the next time is reported again");
    }

    #[test]
    fn time_continues_after_the_latest_recorded_time() {
        let clock = Clock::real();
        let ahead = |span: Duration| Time(real_now().0 + span.as_millis() as i64);
        clock.continue_after(ahead(2 * CLOCK_AHEAD));
        assert!(clock.now() < ahead(at(60)));
        let newest = ahead(at(2 * HOUR));
        clock.continue_after(newest);
        assert!(clock.now() >= newest && clock.now() < ahead(at(3 * HOUR)));
    }
}
