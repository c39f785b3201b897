//! The pace at which the body of a request has to arrive: slow enough for a bad line, but not so
//! slow that a client that sends single bytes occupies memory forever.

use std::time::{Duration, Instant};

use crate::limits;

/// The pace of one body.
#[derive(Clone, Copy, Debug)]
pub struct BodyPace {
    began: Instant,
    received: u64,
    grace: Duration,
    bytes_per_second: u64,
    whole: Duration,
}

impl BodyPace {
    /// A body whose first byte may arrive from now on, and which may take `whole` in all.
    pub fn new(now: Instant, whole: Duration) -> Self {
        Self {
            began: now,
            received: 0,
            grace: limits::TRANSFER_GRACE.get(),
            bytes_per_second: limits::TRANSFER_BYTES_PER_SECOND.get() as u64,
            whole,
        }
    }

    /// The pace after `bytes` more bytes.
    pub fn after(self, bytes: usize) -> Self {
        Self {
            received: self.received + bytes as u64,
            ..self
        }
    }

    /// When the next byte has to arrive.
    pub fn deadline(&self) -> Instant {
        let paid = Duration::from_millis(self.received * 1_000 / self.bytes_per_second);
        self.began + self.whole.min(self.grace + paid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_extends_the_deadline_up_to_a_maximum() {
        let now = Instant::now();
        let pace = BodyPace::new(now, Duration::from_secs(100));
        assert_eq!(pace.deadline(), now + limits::TRANSFER_GRACE.get());
        let pace = pace.after(limits::TRANSFER_BYTES_PER_SECOND.get() * 10);
        assert_eq!(
            pace.deadline(),
            now + limits::TRANSFER_GRACE.get() + Duration::from_secs(10)
        );
        let pace = pace.after(limits::TRANSFER_BYTES_PER_SECOND.get() * 1_000);
        assert_eq!(pace.deadline(), now + Duration::from_secs(100));
    }
}
