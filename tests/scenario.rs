//! The process model over the real websocket: scripted clients, a whole server, a stopped clock.
//!
//! There is a file of `cases/*.scenario` for each numbered part of the model. [`check`] describes
//! the files, [`command`] the commands of clients, [`transcript`] the notation of frames. Nothing
//! sleeps or polls: after every command the test waits until the server is idle. The engine alone,
//! record by record: `tests/engine`.

mod check;
mod command;
mod documents;
mod lists;
mod names;
mod races;
mod runner;
mod schedules;
mod stage;
mod transcript;

use check::check;

#[test]
fn actions() {
    check("actions");
}

#[test]
fn keys() {
    check("keys");
}

#[test]
fn pushes() {
    check("pushes");
}

#[test]
fn inheriting() {
    check("inheriting");
}

#[test]
fn server_starts() {
    check("server_starts");
}

#[test]
fn files_and_rules() {
    check("files_and_rules");
}

#[test]
fn back() {
    check("back");
}

#[test]
fn subprocesses() {
    check("subprocesses");
}

#[test]
fn multi_instance() {
    check("multi_instance");
}

#[test]
fn errors() {
    check("errors");
}

#[test]
fn at_once() {
    check("at_once");
}

#[test]
fn definitions() {
    check("definitions");
}

#[test]
fn permissions() {
    check("permissions");
}

#[test]
fn instances() {
    check("instances");
}

#[test]
fn schedules() {
    check("schedules");
}

#[test]
fn user_tasks() {
    check("user_tasks");
}

#[test]
fn lanes() {
    check("lanes");
}
