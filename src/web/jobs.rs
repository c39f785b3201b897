//! Jobs over HTTP, in the wire format of Wexflow's API under `/api/v1`: clients written for that
//! notify their users unchanged.
//!
//! A workflow is a published process with an integer alias, a job is its instance and its id the
//! instance's key. Commands become the same envelopes as those of frames and REST. How bytes must
//! look, as clients depend on it: `docs/jobs.md`. Not here: the route table (`web::routes`).

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
