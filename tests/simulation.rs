//! The whole server but sockets and threads, in simulated time: engine, journal, commit gates,
//! outbox, timers, correlation, sessions and clients, on one thread. A seed decides what happens
//! next, at every step: which batch is written, which answer released, which frame read, who is cut,
//! when the server crashes, when the machine's clock is set. The same seed is the same run, to the byte.
//!
//! By hand, as many as you like: `STEPWIRE_SEEDS=100000 STEPWIRE_FIRST_SEED=1 cargo test --release
//! --test main simulation::seeds`, or for so long with `STEPWIRE_SIMULATION_MINUTES=60`. A seed that
//! fails prints its shortest history.
//!
//! Not here: what needs real files or sockets (`crash`, `wire`), and single faults in a known order
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
