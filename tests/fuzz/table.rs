//! All targets, by name: for the tests here and for cargo-fuzz.

use std::{fs, time::Duration};

use rustix::time::{ClockId, clock_gettime};

use super::{SLOWNESS, root, seeds, targets};

/// A reader of bytes from outside.
pub struct Target {
    /// Its name: that of its folder in `tests/fuzz/found`, and of its program for cargo-fuzz.
    pub name: &'static str,
    reads: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
    /// The processor time that it may take, and that for each byte: in an optimised build, with a
    /// wide margin.
    may_take: (Duration, Duration),
}

/// The times of a reader that passes over its input a few times.
const LINEAR: (Duration, Duration) = (Duration::from_secs(1), Duration::from_micros(10));
/// The times of a target that runs a process.
const RUNS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_micros(100));

/// All targets.
pub const ALL: [Target; 11] = [
    Target::new("frames", targets::frames, seeds::frames, LINEAR),
    Target::new("websocket", targets::websocket, seeds::websocket, LINEAR),
    Target::new("bpmn", targets::bpmn, seeds::bpmn, LINEAR),
    Target::new(
        "json",
        targets::definition_json,
        seeds::definition_json,
        LINEAR,
    ),
    Target::new(
        "exploration",
        targets::exploration,
        seeds::exploration,
        RUNS,
    ),
    Target::new("templates", targets::template, seeds::templates, LINEAR),
    Target::new("conditions", targets::condition, seeds::conditions, LINEAR),
    Target::new("times", targets::times, seeds::times, LINEAR),
    Target::new("snapshots", targets::snapshot, seeds::snapshots, LINEAR),
    Target::new("rows", targets::row, seeds::rows, LINEAR),
    Target::new(
        "history",
        targets::packed_history,
        seeds::packed_history,
        LINEAR,
    ),
];

/// The target with this name.
///
/// # Panics
/// If there is none.
pub fn target(name: &str) -> &'static Target {
    let found = ALL.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("no target is called {name}"))
}

impl Target {
    const fn new(
        name: &'static str,
        reads: fn(&[u8]),
        seeds: fn() -> Vec<Vec<u8>>,
        may_take: (Duration, Duration),
    ) -> Self {
        Self {
            name,
            reads,
            seeds,
            may_take,
        }
    }

    /// Reads an input.
    ///
    /// # Panics
    /// If an invariant does not hold, or the processor time is exceeded.
    pub fn read(&self, input: &[u8]) {
        let began = processor_time();
        (self.reads)(input);
        let took = processor_time() - began;
        let (any, byte) = self.may_take;
        let most = SLOWNESS * (any + byte * u32::try_from(input.len()).unwrap_or(u32::MAX));
        assert!(
            took <= most,
            "expected {} bytes to take at most {most:?} of processor time, but it was {took:?}",
            input.len()
        );
    }

    /// Its initial inputs: the seeds, and inputs that have failed before.
    pub fn inputs(&self) -> Vec<Vec<u8>> {
        let mut inputs = (self.seeds)();
        let found = root().join("tests/fuzz/found").join(self.name);
        let mut paths: Vec<_> = fs::read_dir(found)
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("the folder can be read").path())
            .collect();
        paths.sort();
        inputs.extend(
            paths
                .iter()
                .map(|path| fs::read(path).expect("what was found can be read")),
        );
        inputs
    }
}

/// The processor time that this thread has used.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("it is not negative")
}
