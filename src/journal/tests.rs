//! One table of tests over both stores. The writer's own tests: `writer_tests`.

mod call_tests;
mod copy_tests;
pub(super) mod fixtures;
mod job_tests;
mod listing_tests;
mod log_tests;
mod reading_tests;
mod sqlite_tests;
mod timer_tests;
mod writer_tests;
