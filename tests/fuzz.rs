//! Mutated external input: readers refuse or accept it in bounded time, do not panic, and keep the
//! invariants of `targets`.
//!
//! Each target starts with inputs of the examples, the cases and `tests/fuzz/found`, and changes
//! them at random: bits, bytes, numbers, pieces of other inputs, words of a dictionary. A few
//! hundred inputs run with every `cargo test`; with `STEPWIRE_TEST=all` each target runs for some
//! seconds. To run longer, or from another seed:
//!
//! ```sh
//! STEPWIRE_FUZZ_SECONDS=3600 STEPWIRE_FUZZ_SEED=7 cargo test --test main fuzz::
//! ```
//!
//! A failing input is shortened and printed: put it into `tests/fuzz/found/TARGET`, so that every
//! later run starts with it.
//!
//! The same targets run under cargo-fuzz, which keeps the inputs that reach new code and changes
//! them further. That finds far more, and needs a build with its own counters
//! (`tests/fuzz/coverage`):
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

/// The factor by which a target may be slower than in an optimised build without counters.
const SLOWNESS: u32 = if cfg!(debug_assertions) { 20 } else { 1 };

/// The root of the project.
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
