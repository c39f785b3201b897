//! `stepwire test`: scenario files on servers of their own and on a running one.

use std::fs;

use super::server::served;
use crate::users::program::Installation;

fn examples() -> String {
    format!("{}/examples", env!("CARGO_MANIFEST_DIR"))
}

/// A scenario over the example of an approval.
fn scenario(steps: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("order.yaml");
    let deploy = format!("{}/order-approval.bpmn", examples());
    let text = format!("name: An order\ndeploy: ['{deploy}']\nsteps:\n{steps}\n");
    fs::write(&path, text).expect("a file");
    (folder, path.to_str().expect("UTF-8").to_owned())
}

const ORDER: &str = "  - start: orderApproval\n    data: {order: {item: desk, amount: 2500}}\n";

#[test]
fn the_example_scenarios_pass() {
    let installation = Installation::new();
    let folder = format!("{}/scenarios", examples());
    let (text, _) = installation.run(&["test", &folder], "").ends(0);
    assert!(
        text.starts_with("good    ") && text.contains("(17 steps"),
        "{text}"
    );
}

#[test]
fn a_difference_is_reported_with_line_and_path_as_text_and_junit() {
    let (folder, path) = scenario(&format!(
        "{ORDER}  - expect:\n      nodes: [nowhere]\n      data: {{order: {{amount: 3}}}}"
    ));
    let installation = Installation::new();
    let report = folder.path().join("report.xml");
    let (text, _) = installation
        .run(&["test", &path, "--junit", report.to_str().unwrap()], "")
        .ends(1);
    let reported = "  line 6: expect\n    nodes\n      - nowhere\n      + approve\n    data.order.amount\n      - 3\n      + 2500\n";
    assert!(text.contains(reported), "{text}");
    let xml = fs::read_to_string(report).unwrap();
    assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
}

#[test]
fn any_other_frame_is_sent_with_an_id() {
    let (_folder, path) = scenario(&format!(
        "{ORDER}  - send: {{type: hold, instance: orderApproval}}\n  - expect: {{status: onHold}}"
    ));
    Installation::new().run(&["test", &path], "").ends(0);
}

#[test]
fn an_unexpected_refusal_ends_the_scenario() {
    let installation = Installation::new();
    let start = "  - start: orderApproval\n    data: {order: {item: desk}}\n";
    let (_folder, path) = scenario(&format!(
        "{start}    refused: {{code: invalid_data, fields: {{order.amount: required}}}}"
    ));
    installation.run(&["test", &path], "").ends(0);
    let (_folder, path) = scenario(start);
    let (text, _) = installation.run(&["test", &path], "").ends(1);
    assert!(text.contains("+ invalid_data: expected "), "{text}");
    let (_folder, path) = scenario(&format!("{ORDER}    refused: invalid_data"));
    let (text, _) = installation.run(&["test", &path], "").ends(1);
    assert!(text.contains("- invalid_data\n      + done"), "{text}");
}

#[test]
fn an_invalid_scenario_is_reported_with_its_position() {
    let installation = Installation::new();
    for (steps, part) in [
        (
            "  - strat: orderApproval",
            "at line 4 column 5 `strat` is unknown: write `start`",
        ),
        (
            "  - run: approve",
            "the step in line 4, but none was started yet",
        ),
        (
            "  - {start: orderApproval, instance: other}",
            "none is called 'other'",
        ),
        ("  - deploy: missing.bpmn", "missing.bpmn, but: "),
    ] {
        let (_folder, path) = scenario(steps);
        let (_, errors) = installation.run(&["test", &path], "").ends(2);
        assert!(errors.contains(part), "{errors}");
    }
    let empty = tempfile::tempdir().unwrap();
    let (_, errors) = installation
        .run(&["test", empty.path().to_str().unwrap()], "")
        .ends(2);
    assert!(errors.contains("but there is none"), "{errors}");
}

#[test]
fn scenarios_run_on_a_running_server_too() {
    let installation = served();
    let token = |user: &str| {
        let command = [
            "token", "--sub", user, "--role", "admin", "--role", "operator",
        ];
        installation.run(&command, "").ends(0).0.trim().to_owned()
    };
    let (amy, bob) = (token("amy"), format!("bob={}", token("bob")));
    let server = format!("http://127.0.0.1:{}", installation.port);
    let play = |steps: &str| {
        let (_folder, path) = scenario(&format!("{ORDER}{steps}"));
        let command = [
            "test", &path, "--server", &server, "--token", &amy, "--user", &bob,
        ];
        installation.run(&command, "")
    };
    play("  - expect: {nodes: [approve]}\n  - as: bob\n    expect: {status: started}").ends(0);
    let (_, errors) = play("  - advance: P2D").ends(2);
    assert!(errors.contains("whose clock can be set"), "{errors}");
}
