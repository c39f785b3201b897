//! Schedules over several runs of the server, with a stopped clock: which times are started,
//! missed, left out and cut off.

mod cuts;
mod keeping;
mod missing;
mod stage;
