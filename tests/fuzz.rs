//! Input from outside, mutated: whatever comes, readers refuse or accept it in bounded time, and never
//! panic.
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
//! where it is tried first from then on. Where a nightly compiler is at hand, the same functions are
//! targets of `cargo fuzz`: each takes bytes and returns nothing.

mod mutate;
mod run;
mod seeds;
mod targets;

use run::fuzz;

#[test]
fn frames_of_clients() {
    fuzz("frames", targets::frames, seeds::frames());
}

#[test]
fn bytes_of_websockets() {
    fuzz("websocket", targets::websocket, seeds::websocket());
}

#[test]
fn bpmn_xml() {
    fuzz("bpmn", targets::bpmn, seeds::bpmn());
}

#[test]
fn definitions_in_json() {
    fuzz("json", targets::definition_json, seeds::definition_json());
}

#[test]
fn templates() {
    fuzz("templates", targets::template, seeds::templates());
}

#[test]
fn conditions() {
    fuzz("conditions", targets::condition, seeds::conditions());
}

#[test]
fn times() {
    fuzz("times", targets::times, seeds::times());
}

#[test]
fn snapshots() {
    fuzz("snapshots", targets::snapshot, seeds::snapshots());
}

#[test]
fn rows() {
    fuzz("rows", targets::row, seeds::rows());
}

#[test]
fn packed_history() {
    fuzz("history", targets::packed_history, seeds::packed_history());
}
