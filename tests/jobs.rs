//! Jobs under `/api/v1` as the published clients of this interface see them: byte by byte, against
//! the real program.
//!
//! `http` is HTTP without a library, so that every byte of a request is chosen and every byte of an
//! answer is visible. `clients` are readers of the stream, each as strict as the client of its
//! language.

mod clients;
mod commands;
mod counts;
mod dashboard;
mod entries;
pub mod http;
mod matrix;
mod notifications;
mod power_shell;
mod restarts;
mod sign_in;
mod start;
mod stream;
