//! The whole server except sockets and threads, in simulated time: engine, journal, commit gates,
//! outbox, timers, correlation, sessions and clients, on one thread. A seed decides every next
//! step: which batch is written, which reply released, which frame read, which connection cut, when
//! the server crashes, when the machine's clock is changed. The same seed gives the same run, byte
//! by byte.
//!
//! For more seeds: `STEPWIRE_SEEDS=100000 STEPWIRE_FIRST_SEED=1 cargo test --release --test main
//! simulation::seeds`, or for a time with `STEPWIRE_SIMULATION_MINUTES=60`. A seed that fails
//! prints its shortest history.
//!
//! Not here: real files and sockets (`crash`, `wire`), and single faults in a known order
//! (`runtime::tests`).

mod acts;
mod bug;
mod client;
mod link;
mod oracle;
mod processes;
pub mod random;
mod run;
mod seeds;
mod server;
mod settle;
mod store;
mod violation;
