//! The pure engine against the process model page: text cases ([`check`]), random processes
//! ([`properties`]), hostile input.
//!
//! One case per sentence of the page that this version claims; `cases/*.case` are read top to
//! bottom.

mod check;
mod coverage;
mod golden;
mod hostile;
mod invariants;
mod played;
mod properties;
mod random_process;
mod script;
pub mod sketch;
mod subject;
mod tokens;
mod transcript;

use check::check;

#[test]
fn triggers() {
    check("triggers");
}

#[test]
fn actions() {
    check("actions");
}

#[test]
fn ad_hoc() {
    check("ad_hoc");
}

#[test]
fn timers() {
    check("timers");
}

#[test]
fn children() {
    check("children");
}

#[test]
fn keys() {
    check("keys");
}

#[test]
fn starting() {
    check("starting");
}

#[test]
fn gateways() {
    check("gateways");
}

#[test]
fn subprocesses() {
    check("subprocesses");
}

#[test]
fn http_calls() {
    check("http_calls");
}

#[test]
fn variables() {
    check("variables");
}

#[test]
fn webhooks() {
    check("webhooks");
}

#[test]
fn peers() {
    check("peers");
}

#[test]
fn incidents() {
    check("incidents");
}

#[test]
fn refusals() {
    check("refusals");
}

#[test]
fn files() {
    check("files");
}

#[test]
fn rules() {
    check("rules");
}

#[test]
fn back() {
    check("back");
}

#[test]
fn back_branches() {
    check("back_branches");
}

#[test]
fn files_of_others() {
    check("files_of_others");
}

#[test]
fn holding() {
    check("holding");
}

#[test]
fn skipping() {
    check("skipping");
}

#[test]
fn outcomes() {
    check("outcomes");
}

#[test]
fn task_settings() {
    check("task_settings");
}

#[test]
fn approvals() {
    check("approvals");
}

#[test]
fn lanes() {
    check("lanes");
}

#[test]
fn back_data() {
    check("back_data");
}

#[test]
fn back_messages() {
    check("back_messages");
}

#[test]
fn migrating() {
    check("migrating");
}

#[test]
fn moving() {
    check("moving");
}

#[test]
fn patching() {
    check("patching");
}

#[test]
fn messages() {
    check("messages");
}

#[test]
fn compensation_data() {
    check("compensation_data");
}

#[test]
fn script_errors() {
    check("script_errors");
}

#[test]
fn signals() {
    check("signals");
}

#[test]
fn limits() {
    check("limits");
}

#[test]
fn spec_gaps() {
    check("spec_gaps");
}

#[test]
fn multiple() {
    check("multiple");
}

#[test]
fn quantities() {
    check("quantities");
}

#[test]
fn multi_instance() {
    check("multi_instance");
}

#[test]
fn standard_loop() {
    check("standard_loop");
}

#[test]
fn inclusive() {
    check("inclusive");
}

#[test]
fn escalation() {
    check("escalation");
}

#[test]
fn compensation() {
    check("compensation");
}

#[test]
fn compensation_start() {
    check("compensation_start");
}

#[test]
fn transaction() {
    check("transaction");
}

#[test]
fn link() {
    check("link");
}

#[test]
fn scopes() {
    check("scopes");
}

#[test]
fn conditional() {
    check("conditional");
}

#[test]
fn receive() {
    check("receive");
}

#[test]
fn complex() {
    check("complex");
}

#[test]
fn event_gateway() {
    check("event_gateway");
}

#[test]
fn event_subprocess() {
    check("event_subprocess");
}

#[test]
fn errors() {
    check("errors");
}

#[test]
fn caught_data() {
    check("caught_data");
}

#[test]
fn server_starts() {
    check("server_starts");
}

#[test]
fn interactions() {
    check("interactions");
}

#[test]
fn combinations() {
    check("combinations");
}

#[test]
fn patterns() {
    check("patterns");
}
