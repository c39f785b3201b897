//! Tests that run on both stores. The writer's tests: `writer_tests`.

mod call_tests;
mod copy_tests;
pub(super) mod fixtures;
mod in_use_tests;
mod job_tests;
mod listing_tests;
mod log_tests;
mod plan_tests;
mod reading_tests;
mod sqlite_tests;
mod timer_tests;
mod writer_tests;
