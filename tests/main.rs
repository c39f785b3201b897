//! The only test binary: one folder per area.

mod browser;
mod cli;
mod contract;
mod crash;
mod engine;
mod explorer;
mod fuzz;
mod hostile;
mod jobs;
mod logs;
mod proxies;
mod readme;
mod scenario;
mod sdk;
mod session;
mod simulation;
mod spec;
mod streams;
mod support;
mod tidy;
mod users;
mod web;
mod wire;
