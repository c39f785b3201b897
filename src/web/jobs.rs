//! Jobs over HTTP, in the wire format of Wexflow's API under `/api/v1`: clients written for that
//! API work unchanged.
//!
//! A workflow is a published process with an integer alias; a job is an instance of it, and the
//! job's id is the instance's key. Commands become the same envelopes as those of frames and REST.
//! The exact bytes that clients depend on: `docs/jobs.md`. Not here: the route table
//! (`web::routes`).

mod ascii;
pub mod commands;
pub mod counts;
pub mod dashboard;
pub mod enable;
pub mod entries;
pub mod job_subscriber;
mod launch;
pub mod logs;
pub mod notifications;
pub mod refused;
pub mod sign_in;
pub mod start;
pub mod stream;
pub mod workflow;
