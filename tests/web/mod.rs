//! REST and pages, over HTTP against a whole server. One file per resource, as the routes.

mod assets;
mod auth;
mod backups;
mod commands;
mod cors;
mod definitions;
mod files;
mod history;
pub mod http;
mod instances;
mod login;
mod metrics;
mod mistyped;
mod numbers;
mod outside_calls;
mod overviews;
mod pages;
mod papers;
mod problems;
mod processes;
mod proxies;
mod schedules;
mod searching;
mod tickets;
mod types;
mod uploads;
mod users;
