//! The one test binary: a folder per area.

mod browser;
mod session;
mod support;
mod tidy;
mod web;
