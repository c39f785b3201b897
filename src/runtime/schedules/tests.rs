//! Schedules over several lives of the server, with a stopped clock: what is kept,
//! missed, left out and cut off.

mod cuts;
mod keeping;
mod missing;
mod stage;
