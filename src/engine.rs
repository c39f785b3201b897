//! The pure heart: decides what a command does to a process instance, and remembers it as records.
//!
//! What it is not: no async, no IO, no clock, no randomness, no store. Time, keys and evaluators
//! are arguments of [`step`]. A command is either refused without a trace (a [`Rejection`]) or
//! yields one [`RecordBatch`] of records plus [`Effect`]s; the live state is always the fold of its records
//! ([`InstanceState::replay`]).
//!
//! Where to go next: `step` for the dispatch, `context` for what a step knows, `transition` for the
//! moves of element instances, `elements` for one file per BPMN element kind, `actions`
//! for the action model, `looping` for what runs more than once, `conditions` for conditional events,
//! `back` for back steps, `subprocess` for messages between instances,
//! `open_messages` for what clients answer, `subscription` and `triggering` for what is waited for, `publishing` for messages and signals, `http_call` for calls to other systems, `start` and `end`,
//! `variables` and `mappings` for data by scope,
//! `compensation` for handlers of what is completed,
//! `move_token` and `migration` for repairs by operators, `suspend` for hold and the ends from outside, `access` for who may do what, `assignment` and `due_date` for user tasks, `state` for what is remembered.

pub mod access;
mod actions;
mod assignment;
mod back;
mod cancellation;
pub mod command;
mod compensation;
mod conditions;
mod context;
pub mod correlation;
mod correlation_notes;
mod due_date;
pub mod effect;
mod elements;
mod end;
mod guards;
pub mod http_call;
pub mod instance_message;
pub mod instance_outcome;
pub mod job_status;
mod looping;
mod mappings;
pub mod migration;
mod move_token;
mod multiple;
pub mod next_step;
pub mod open_messages;
mod patch;
pub mod permissions;
mod publishing;
mod quantities;
mod quotas;
pub mod record;
pub mod rejection;
mod start;
pub mod state;
mod status;
mod step;
mod stored_file;
mod subprocess;
mod subscriber;
mod subscription;
mod suspend;
mod task_access;
mod throwing;
pub mod trace;
mod transition;
mod triggering;
mod variables;

pub use command::Command;
pub use context::{StepInput, StepOutcome};
pub use effect::Effect;
pub use migration::{migrate, plan_migration};
pub use record::{Record, batch::RecordBatch};
pub use rejection::Rejection;
pub use start::{may_start, start};
pub use state::InstanceState;
pub use step::{may_upload, may_work, step};
