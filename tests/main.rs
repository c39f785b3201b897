//! The one test binary: a folder per area.

mod session;
mod tidy;
