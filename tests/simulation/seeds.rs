//! Many seeds, and the report of a failure.

use std::{
    collections::BTreeSet,
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    bug::Bug,
    run::{Run, TROUBLES},
    violation::{Invariant, Violation},
};

/// The number of seeds of every test run.
const SEEDS: u64 = 60;
/// The number of seeds with `STEPWIRE_TEST=all`.
const ALL_SEEDS: u64 = 1_000;
/// Threads, each with simulations of its own.
const THREADS: usize = 2;
/// After this time a seed counts as hanging.
const ENDLESS: Duration = Duration::from_secs(60);
/// Lines of a history that are printed.
const LINES: usize = 120;

fn play(seed: u64, troubles: usize, bug: Option<Bug>) -> (Result<(), Violation>, Vec<String>) {
    let mut run = Run::new(seed, troubles, bug);
    let held = run.play();
    (held, run.log)
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("expected {name} to be a number, but it is {text}")))
}

/// The shortest history of a seed that fails: with as few steps of troubles as possible.
fn shortest(seed: u64) -> String {
    let (mut fails, mut holds) = (TROUBLES, 0);
    while fails - holds > 1 {
        let middle = (fails + holds) / 2;
        if play(seed, middle, None).0.is_err() {
            fails = middle;
        } else {
            holds = middle;
        }
    }
    let (held, log) = play(seed, fails, None);
    let why = held.map_or_else(|it| it.to_string(), |()| "it holds this time".to_owned());
    let from = log.len().saturating_sub(LINES);
    format!(
        "seed {seed} with {fails} steps of troubles: {why}\n{}",
        log[from..].join("\n")
    )
}

#[test]
fn every_seed_satisfies_the_properties() {
    let all = env::var("STEPWIRE_TEST").is_ok_and(|which| which == "all");
    let first = number("STEPWIRE_FIRST_SEED").unwrap_or(1);
    let minutes = number("STEPWIRE_SIMULATION_MINUTES");
    let seeds = number("STEPWIRE_SEEDS").unwrap_or(if all { ALL_SEEDS } else { SEEDS });
    let (next, began) = (Arc::new(AtomicU64::new(first)), Instant::now());
    let goes_on = move |seed: u64| match minutes {
        Some(minutes) => began.elapsed() < Duration::from_secs(60 * minutes),
        None => seed < first + seeds,
    };
    let (sender, played) = mpsc::channel();
    for _ in 0..THREADS {
        let (sender, next) = (sender.clone(), next.clone());
        thread::spawn(move || {
            loop {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                // Each worker stops after a failure.
                if !goes_on(seed) || sender.send((seed, None)).is_err() {
                    return;
                }
                let held = play(seed, TROUBLES, None).0;
                if sender.send((seed, Some(held))).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut under_way = BTreeSet::new();
    let mut count = 0;
    loop {
        match played.recv_timeout(ENDLESS) {
            Ok((seed, None)) => drop(under_way.insert(seed)),
            Ok((seed, Some(held))) => {
                under_way.remove(&seed);
                count += 1;
                assert!(held.is_ok(), "{}", shortest(seed));
            }
            Err(RecvTimeoutError::Timeout) => panic!("seeds {under_way:?} do not end"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    assert_eq!(under_way, BTreeSet::new(), "a seed panicked");
    println!("{count} seeds in {:?}", began.elapsed());
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 1..=5 {
        let (first, second) = (play(seed, TROUBLES, None).1, play(seed, TROUBLES, None).1);
        let differs = first
            .iter()
            .zip(&second)
            .position(|(one, other)| one != other);
        if let Some(line) = differs {
            let before = &first[line.saturating_sub(6)..=line];
            panic!("seed {seed}: {before:#?}, the second time {}", second[line]);
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

/// Checks that some seed shows the bug, as a violation of this invariant.
fn is_found(bug: Bug, invariant: Invariant) {
    let mut others = Vec::new();
    for seed in 1..=300 {
        match play(seed, TROUBLES, Some(bug)).0 {
            Err(found) if found.invariant == invariant => return,
            Err(other) => others.push(other.to_string()),
            Ok(()) => {}
        }
    }
    panic!("{bug:?} was not found as {invariant:?}, but {others:?}");
}

#[test]
fn planted_bugs_are_found() {
    is_found(Bug::LostTail, Invariant::Acknowledged);
    is_found(Bug::AnotherId, Invariant::Acknowledged);
    is_found(Bug::LostFrame, Invariant::View);
    is_found(Bug::ChangedFrame, Invariant::View);
    is_found(Bug::EarlyTimer, Invariant::Timers);
    is_found(Bug::TimeGoesBack, Invariant::Clock);
    is_found(Bug::TimeHeldUp, Invariant::Clock);
    is_found(Bug::UnknownAct, Invariant::Audit);
    is_found(Bug::Gap, Invariant::Dense);
    is_found(Bug::LostMessage, Invariant::Children);
    is_found(Bug::ForgottenReceipt, Invariant::Children);
    is_found(Bug::ForgottenDelivery, Invariant::Messages);
    is_found(Bug::Silence, Invariant::Liveness);
}
