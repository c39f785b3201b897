//! Durations and their quantiles.

use std::time::Duration;

/// Measured durations, in whole microseconds.
#[derive(Default)]
pub struct Latencies {
    micros: Vec<u32>,
    sorted: bool,
}

impl Latencies {
    /// Adds a duration.
    pub fn note(&mut self, latency: Duration) {
        self.micros
            .push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        self.sorted = false;
    }

    /// Adds the durations of another client.
    pub fn join(&mut self, other: Self) {
        self.micros.extend(other.micros);
        self.sorted = false;
    }

    /// The number of durations.
    pub fn len(&self) -> usize {
        self.micros.len()
    }

    /// The quantile: the duration that this fraction of all does not exceed; zero without any.
    pub fn at(&mut self, quantile: f64) -> Duration {
        if !self.sorted {
            self.micros.sort_unstable();
            self.sorted = true;
        }
        let index = (quantile * self.micros.len() as f64) as usize;
        let last = self.micros.len().saturating_sub(1);
        Duration::from_micros(
            self.micros
                .get(index.min(last))
                .copied()
                .unwrap_or_default()
                .into(),
        )
    }
}
