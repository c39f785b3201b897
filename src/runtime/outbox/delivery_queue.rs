//! The messages of one tree that wait for their turn: a limited number in progress at a time, and a
//! limited number of starts of subprocesses per second.
//!
//! So a tree that grows or ends takes no more than its share of the writer's queue and of the
//! arbiters. Ends and results go before starts. Whenever an instance of the tree has ended other
//! than by finishing, each waiting start has to be checked again (has an instance above it ended?);
//! these checks do not count as starts.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{
    limits::{TREE_START_BYTES, TreeLimits},
    model::ids::InstanceKey,
};

/// Sender and receiver, which identify the first message between them.
pub type Pair = (InstanceKey, InstanceKey);

/// The shortest wait for more starts, so that they come in groups.
const LEAST_WAIT: Duration = Duration::from_millis(10);

/// The waiting deliveries, and the number of those in progress.
#[derive(Debug, Default)]
pub struct DeliveryQueue {
    under_way: usize,
    others: VecDeque<Pair>,
    starts: Starts,
}

#[derive(Debug, Default)]
struct Starts {
    /// Starts that have to be checked.
    unchecked: VecDeque<Pair>,
    /// Starts that may go, according to the check with `checked_at` ends.
    checked: VecDeque<Pair>,
    checked_at: u64,
    /// The number of starts that may go at once, and when it was computed; `None` means all.
    allowance: Option<(f64, Instant)>,
    /// Whether a caller will come back when more starts are allowed.
    waits: bool,
    /// Whether the last row with starts passed large data to its children: then one start goes at a
    /// time, because each may write as much.
    one_by_one: bool,
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Deliver the first message of this pair; for a start, with this number of ends of its tree.
    Deliver(Pair, u64),
    /// Check whether the start of this pair is still allowed.
    Check(Pair),
    /// Come back after this time.
    Wait(Duration),
    /// Nothing, until a delivery ends or a message arrives.
    Nothing,
}

impl DeliveryQueue {
    /// Adds a pair that has a message to deliver.
    pub fn push(&mut self, pair: Pair, is_start: bool) {
        let Starts { unchecked, .. } = &mut self.starts;
        if is_start {
            unchecked.push_back(pair)
        } else {
            self.others.push_back(pair)
        }
    }

    /// Adds a start that was checked at this number of ends, and is allowed.
    pub fn checked(&mut self, pair: Pair, ends: u64) {
        self.under_way = self.under_way.saturating_sub(1);
        if ends == self.starts.checked_at {
            self.starts.checked.push_back(pair);
        } else {
            self.starts.unchecked.push_back(pair);
        }
    }

    /// A step of the tree wrote a row of this length with so many starts. Each [`TREE_START_BYTES`]
    /// count as one more start, so a tree that passes large data to its children grows more slowly;
    /// and its starts go one at a time, because each may write as much.
    pub fn wrote_starts(&mut self, bytes: usize, begun: usize, limits: TreeLimits, now: Instant) {
        let left = self.starts.refill(limits, now);
        let left = left - (bytes / TREE_START_BYTES) as f64;
        self.starts.allowance = Some((left, now));
        self.starts.one_by_one = bytes / begun.max(1) >= TREE_START_BYTES;
    }

    /// A delivery has ended.
    pub fn done(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// The caller that waited is back.
    pub fn woken(&mut self) {
        self.starts.waits = false;
    }

    /// What to do next, given how many instances of the tree have ended other than by finishing.
    pub fn next(&mut self, limits: TreeLimits, ends: u64, now: Instant) -> Next {
        if self.under_way >= limits.deliveries {
            return Next::Nothing;
        }
        let next = match self.others.pop_front() {
            Some(pair) => Next::Deliver(pair, ends),
            None if self.starts.one_by_one && self.under_way > 0 => Next::Nothing,
            None => self.starts.next(limits, ends, now),
        };
        if matches!(next, Next::Deliver(..) | Next::Check(_)) {
            self.under_way += 1;
        }
        next
    }
}

impl Starts {
    fn next(&mut self, limits: TreeLimits, ends: u64, now: Instant) -> Next {
        if self.checked_at != ends {
            self.checked_at = ends;
            self.unchecked.append(&mut self.checked);
        }
        if ends == 0 {
            // No instance has ended, so all of them are allowed.
            self.checked.append(&mut self.unchecked);
        } else if let Some(pair) = self.unchecked.pop_front() {
            return Next::Check(pair);
        }
        if self.checked.is_empty() || self.waits {
            return Next::Nothing;
        }
        let left = self.refill(limits, now);
        if left < 1.0 {
            self.waits = true;
            let missing =
                Duration::from_secs_f64((1.0 - left) / f64::from(limits.starts_per_second.max(1)));
            return Next::Wait(missing.max(LEAST_WAIT));
        }
        self.allowance = Some((left - 1.0, now));
        self.checked
            .pop_front()
            .map_or(Next::Nothing, |pair| Next::Deliver(pair, ends))
    }

    fn refill(&mut self, limits: TreeLimits, now: Instant) -> f64 {
        let burst = f64::from(limits.starts_at_once);
        let left = self.allowance.map_or(burst, |(left, at)| {
            let gained = now.saturating_duration_since(at).as_secs_f64()
                * f64::from(limits.starts_per_second);
            (left + gained).min(burst)
        });
        self.allowance = Some((left, now));
        self.one_by_one &= left < burst;
        left
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const LIMITS: TreeLimits = TreeLimits {
        instances: 100,
        starts_per_second: 10,
        starts_at_once: 3,
        deliveries: 2,
    };

    fn pair(number: u128) -> Pair {
        (
            InstanceKey(Uuid::from_u128(number)),
            InstanceKey(Uuid::from_u128(number + 1_000)),
        )
    }

    #[test]
    fn deliveries_are_bounded_and_ends_precede_starts() {
        let (mut queue, now) = (DeliveryQueue::default(), Instant::now());
        queue.push(pair(1), true);
        queue.push(pair(2), false);
        queue.push(pair(3), true);
        assert_eq!(queue.next(LIMITS, 0, now), Next::Deliver(pair(2), 0));
        assert_eq!(queue.next(LIMITS, 0, now), Next::Deliver(pair(1), 0));
        assert_eq!(
            queue.next(LIMITS, 0, now),
            Next::Nothing,
            "two are under way"
        );
        queue.done();
        assert_eq!(queue.next(LIMITS, 0, now), Next::Deliver(pair(3), 0));
        queue.done();
        queue.done();
        assert_eq!(queue.next(LIMITS, 0, now), Next::Nothing);
    }

    #[test]
    fn starts_over_the_rate_wait_and_are_not_lost() {
        let (mut queue, begin) = (DeliveryQueue::default(), Instant::now());
        (1..=5).for_each(|number| queue.push(pair(number), true));
        for number in 1..=3 {
            assert_eq!(queue.next(LIMITS, 0, begin), Next::Deliver(pair(number), 0));
            queue.done();
        }
        assert_eq!(
            queue.next(LIMITS, 0, begin),
            Next::Wait(Duration::from_millis(100))
        );
        assert_eq!(
            queue.next(LIMITS, 0, begin),
            Next::Nothing,
            "one who waits is enough"
        );
        queue.push(pair(9), false);
        assert_eq!(
            queue.next(LIMITS, 0, begin),
            Next::Deliver(pair(9), 0),
            "only starts wait"
        );
        queue.done();
        queue.woken();
        let later = begin + Duration::from_millis(200);
        assert_eq!(queue.next(LIMITS, 0, later), Next::Deliver(pair(4), 0));
        assert_eq!(queue.next(LIMITS, 0, later), Next::Deliver(pair(5), 0));
    }

    #[test]
    fn large_inherited_data_count_as_several_starts() {
        let (mut queue, begin) = (DeliveryQueue::default(), Instant::now());
        queue.wrote_starts(TREE_START_BYTES - 1, 1, LIMITS, begin);
        queue.wrote_starts(12 * TREE_START_BYTES, 1, LIMITS, begin);
        queue.push(pair(1), true);
        assert_eq!(
            queue.next(LIMITS, 0, begin),
            Next::Wait(Duration::from_secs(1)),
            "9 too many at 10 per second, and itself"
        );
        queue.woken();
        queue.push(pair(2), true);
        let later = begin + Duration::from_secs(1);
        assert_eq!(queue.next(LIMITS, 0, later), Next::Deliver(pair(1), 0));
        assert_eq!(
            queue.next(LIMITS, 0, later),
            Next::Nothing,
            "each may write as much, so one goes at a time"
        );
        queue.done();
        assert_eq!(
            queue.next(LIMITS, 0, later + Duration::from_millis(100)),
            Next::Deliver(pair(2), 0)
        );
    }

    #[test]
    fn after_an_end_waiting_starts_are_checked_once_without_using_the_rate() {
        let (mut queue, now) = (DeliveryQueue::default(), Instant::now());
        (1..=6).for_each(|number| queue.push(pair(number), true));
        for number in 1..=3 {
            assert_eq!(queue.next(LIMITS, 0, now), Next::Deliver(pair(number), 0));
            queue.done();
        }
        for number in 4..=5 {
            assert_eq!(queue.next(LIMITS, 1, now), Next::Check(pair(number)));
            queue.done();
        }
        assert_eq!(queue.next(LIMITS, 1, now), Next::Check(pair(6)));
        queue.checked(pair(6), 1);
        assert!(matches!(queue.next(LIMITS, 1, now), Next::Wait(_)));
        queue.woken();
        let later = now + Duration::from_secs(1);
        assert_eq!(
            queue.next(LIMITS, 2, later),
            Next::Check(pair(6)),
            "another end, another look"
        );
        queue.checked(pair(6), 2);
        assert_eq!(queue.next(LIMITS, 2, later), Next::Deliver(pair(6), 2));
    }
}
