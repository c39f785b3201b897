//! Data directories that a server must not, or cannot, use.

use std::fs;

use super::server::Installation;

/// Checks that a server does not start on the data directory, and that its error contains these
/// words.
#[track_caller]
fn check_refused(installation: &Installation, words: &str) {
    let said = installation.start_in_vain();
    assert!(
        said.starts_with("stepwire: expected ") && said.contains(words),
        "expected '{words}' in: {said}"
    );
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let installation = Installation::new();
    let _server = installation.start();
    check_refused(&installation, "another server already uses");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let installation = Installation::new();
    fs::write(
        installation.data().join("stepwire.db"),
        "garbage ".repeat(1_000),
    )
    .unwrap();
    check_refused(&installation, "file is not a database");
}

#[test]
fn a_torn_database_is_refused() {
    let installation = Installation::new();
    assert!(installation.start().terminate().success());
    let file = installation.data().join("stepwire.db");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2 + 100]).unwrap();
    check_refused(&installation, "malformed");
}
