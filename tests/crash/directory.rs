//! Data directories that a server must not, or cannot, use.

use std::fs;

use super::server::Site;

/// A server does not come up on the site, and says why in these words.
#[track_caller]
fn check_refused(site: &Site, words: &str) {
    let said = site.start_in_vain();
    assert!(
        said.starts_with("stepwire: expected ") && said.contains(words),
        "expected '{words}' in: {said}"
    );
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let site = Site::new();
    let _server = site.start();
    check_refused(&site, "another server already uses");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let site = Site::new();
    fs::write(site.data().join("stepwire.db"), "garbage ".repeat(1_000)).unwrap();
    check_refused(&site, "file is not a database");
}

#[test]
fn a_torn_database_is_refused() {
    let site = Site::new();
    assert!(site.start().terminate().success());
    let file = site.data().join("stepwire.db");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2 + 100]).unwrap();
    check_refused(&site, "malformed");
}
