//! Input from outside, mutated: readers refuse or accept it in bounded time, never panic, and hold
//! what `targets` says of each.
//!
//! Each target begins with inputs of the examples, the cases and `tests/fuzz/found`, and changes them
//! at random: bits, bytes, numbers, pieces of other inputs, words of a dictionary. A few hundred
//! inputs run with every `cargo test`; with `STEPWIRE_TEST=all` each target runs for some seconds; by
//! hand for as long as you like, from another seed:
//!
//! ```sh
//! STEPWIRE_FUZZ_SECONDS=3600 STEPWIRE_FUZZ_SEED=7 cargo test --test main fuzz::
//! ```
//!
//! An input that fails is made as short as it can be and printed: put it into `tests/fuzz/found/TARGET`,
//! where it is tried first from then on.
//!
//! The same targets run under cargo-fuzz, which keeps the inputs that reach new code and goes on from
//! them. That finds far more, and needs a build with counters of its own (`tests/fuzz/coverage`):
//!
//! ```sh
//! tests/fuzz/coverage/run 3600 bpmn      # an hour of one target; without names, all in turn
//! ```

mod coverage;
mod mutate;
mod run;
mod seeds;
mod table;
mod targets;

use std::path::PathBuf;

use run::fuzz;

/// How many times longer than in an optimised build without counters a target may take.
const SLOWNESS: u32 = if cfg!(debug_assertions) { 20 } else { 1 };

/// Where the project is.
fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// The program that runs scripts.
fn script_worker() -> PathBuf {
    env!("CARGO_BIN_EXE_stepwire").into()
}

#[test]
fn frames_of_clients() {
    fuzz("frames");
}

#[test]
fn bytes_of_websockets() {
    fuzz("websocket");
}

#[test]
fn bpmn_xml() {
    fuzz("bpmn");
}

#[test]
fn definitions_in_json() {
    fuzz("json");
}

#[test]
fn explored_control_flow() {
    fuzz("exploration");
}

#[test]
fn templates() {
    fuzz("templates");
}

#[test]
fn conditions() {
    fuzz("conditions");
}

#[test]
fn times() {
    fuzz("times");
}

#[test]
fn snapshots() {
    fuzz("snapshots");
}

#[test]
fn rows() {
    fuzz("rows");
}

#[test]
fn packed_history() {
    fuzz("history");
}
