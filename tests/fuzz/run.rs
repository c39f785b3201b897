//! Runs a target over inputs, and reports the first that fails.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use super::{
    mutate::mutate,
    table::{Target, target},
};
use crate::simulation::random::Random;

/// The number of inputs of a usual run.
const INPUTS: usize = 300;
/// How long each target runs with `STEPWIRE_TEST=all`.
const ALL: Duration = Duration::from_secs(10);
/// The maximum time of one input in a build that is not optimised, with other tests running.
const HANGS: Duration = Duration::from_secs(20);
/// The number of attempts to shorten a failing input.
const SHORTENINGS: usize = 2_000;

/// How long a target runs.
enum Budget {
    Inputs(usize),
    Time(Duration),
}

impl Budget {
    fn chosen() -> Self {
        let variable = |name| std::env::var(name).ok();
        if let Some(text) = variable("STEPWIRE_FUZZ_SECONDS") {
            let seconds = text.parse().expect("STEPWIRE_FUZZ_SECONDS is a number");
            return Self::Time(Duration::from_secs(seconds));
        }
        match variable("STEPWIRE_TEST").as_deref() {
            Some("all") => Self::Time(ALL),
            _ => Self::Inputs(INPUTS),
        }
    }

    fn is_spent(&self, inputs: usize, began: Instant) -> bool {
        match self {
            Self::Inputs(most) => inputs >= *most,
            Self::Time(most) => began.elapsed() >= *most,
        }
    }
}

/// A message of the thread that runs the inputs.
enum RunEvent {
    Begins(Vec<u8>),
    Failed(Vec<u8>),
    Done(usize),
}

/// Runs the target with this name over its seeds, and over changed ones until the time is up.
///
/// # Panics
/// When an input makes the target panic, or takes too long; the message holds the input.
pub fn fuzz(name: &str) {
    let target = target(name);
    let seeds = target.inputs();
    assert!(!seeds.is_empty(), "{name} has inputs to begin with");
    let (sender, events) = mpsc::channel();
    let runner = thread::Builder::new()
        .name(format!("fuzz-{name}"))
        .spawn(move || run(target, &seeds, &sender))
        .expect("a thread can be started");
    let mut last = Vec::new();
    loop {
        match events.recv_timeout(HANGS) {
            Ok(RunEvent::Begins(input)) => last = input,
            Ok(RunEvent::Failed(input)) => {
                let short = shorten(target, input);
                panic!("{name} panics on {}", shown(name, &short));
            }
            Ok(RunEvent::Done(inputs)) => {
                runner.join().expect("it has ended by itself");
                println!("{name}: {inputs} inputs");
                return;
            }
            Err(RecvTimeoutError::Timeout) => {
                panic!(
                    "{name} is not back within {HANGS:?} on {}",
                    shown(name, &last)
                )
            }
            Err(RecvTimeoutError::Disconnected) => panic!("{name} died on {}", shown(name, &last)),
        }
    }
}

fn run(target: &Target, seeds: &[Vec<u8>], events: &Sender<RunEvent>) {
    let seed = std::env::var("STEPWIRE_FUZZ_SEED").ok();
    let seed = seed.map_or(1, |text| text.parse().expect("a number"));
    let (mut random, budget, began) = (Random::new(seed), Budget::chosen(), Instant::now());
    let mut inputs = 0;
    let mut pool = seeds.to_vec();
    while inputs < seeds.len() || !budget.is_spent(inputs, began) {
        let input = match seeds.get(inputs) {
            Some(seed) => seed.clone(),
            None => mutate(&mut random, random_of(&pool, inputs), seeds),
        };
        inputs += 1;
        // The receiver lives until this thread ends.
        let _ = events.send(RunEvent::Begins(input.clone()));
        if catch_unwind(AssertUnwindSafe(|| target.read(&input))).is_err() {
            let _ = events.send(RunEvent::Failed(input));
            return;
        }
        // Some changed inputs are kept and changed further.
        if random.once_in(8) && pool.len() < seeds.len() + 256 {
            pool.push(input);
        }
    }
    let _ = events.send(RunEvent::Done(inputs));
}

/// The input to change next, each in turn.
fn random_of(pool: &[Vec<u8>], turn: usize) -> &[u8] {
    &pool[turn % pool.len()]
}

/// Removes pieces of an input as long as it still fails.
fn shorten(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let fails = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| target.read(input))).is_err();
    let mut piece = input.len() / 2;
    let mut tries = 0;
    while piece > 0 && tries < SHORTENINGS {
        let mut at = 0;
        while at < input.len() && tries < SHORTENINGS {
            tries += 1;
            let mut shorter = input.clone();
            shorter.drain(at..(at + piece).min(input.len()));
            if fails(&shorter) {
                input = shorter;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    input
}

/// The input in printable form, and where it was stored.
fn shown(name: &str, input: &[u8]) -> String {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
    let kept = match fs::write(&place, input) {
        Ok(()) => format!("kept in {}", place.display()),
        Err(error) => format!("not kept: {error}"),
    };
    let text = String::from_utf8_lossy(&input[..input.len().min(2_000)]);
    format!("{} bytes, {kept}: {text:?}", input.len())
}
