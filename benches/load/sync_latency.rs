//! How long the disk takes to make 4 KiB durable: the reference for every figure.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use super::{Outcome, latencies::Latencies};

const APPENDS: usize = 200;

/// Repeatedly appends to a file and syncs its data.
pub fn measure(directory: &Path) -> Outcome<Latencies> {
    let path = directory.join("sync-latency");
    let mut file = File::create(&path)?;
    let mut latencies = Latencies::default();
    for _ in 0..APPENDS {
        let began = Instant::now();
        file.write_all(&[0x5a; 4096])?;
        file.sync_data()?;
        latencies.note(began.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(latencies)
}

/// The median of two measurements, before and after the load.
pub fn middle(before: &mut Latencies, after: &mut Latencies) -> Duration {
    (before.at(0.5) + after.at(0.5)) / 2
}
