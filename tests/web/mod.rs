//! REST and pages, over HTTP against a whole server. One file per resource, as the routes.

mod assets;
mod auth;
mod commands;
mod definitions;
mod files;
mod history;
pub mod http;
mod instances;
mod login;
mod pages;
mod papers;
mod problems;
mod tickets;
mod uploads;
