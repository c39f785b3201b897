//! The server is killed in the middle of something: while it makes the tables of a new data directory,
//! while it moves the write-ahead log into the database, and while a backup is made beside it. Where
//! `strace` can be had, it kills at the write with a drawn number.
//!
//! Not here: kills at any moment (`kill`), and while it packs and drops (`retention`).

use std::{path::Path, process::Command, time::Duration};

use serde_json::json;

use super::{
    kill::{Load, draw, start_ledgers},
    oracle,
    power_cut::add_entries,
    program, rounds,
    server::Installation,
    socket::Socket,
    strace::{self, injecting},
};
use crate::support::node::skip;

const SEED: u64 = 0x0b5e_55ed;
/// The approximate number of writes of a start on an empty directory: the tables, and the deployed
/// examples.
const WRITES_OF_A_START: u64 = 90;
/// The approximate number of writes to the database during a stop after this load.
const WRITES_OF_A_STOP: u64 = 60;

#[tokio::test]
async fn a_server_killed_while_creating_its_schema_starts_again() {
    if !strace::is_there() {
        return skip(
            "a_server_killed_while_it_makes_its_tables",
            "strace is missing",
        );
    }
    let mut seed = SEED;
    let mut killed = 0;
    for _ in 0..rounds(6) {
        let installation = Installation::new();
        let at = 1 + draw(&mut seed) % WRITES_OF_A_START;
        let wrapper = injecting("pwrite64", &format!("signal=SIGKILL:when={at}"), None);
        killed += u32::from(installation.ends_at_start(&wrapper));
        let server = installation.start();
        let ledgers = start_ledgers(installation.port).await;
        add_entries(installation.port, &ledgers, 6).await;
        server.kill();
        oracle::check_at_least(&installation, &[], &ledgers);
    }
    println!("killed within {killed} starts");
    assert!(killed > 0, "no start was long enough to be killed");
}

#[tokio::test]
async fn a_server_killed_while_rewriting_its_log_keeps_all_acknowledged_commands() {
    if !strace::is_there() {
        return skip(
            "a_server_killed_while_it_moves_its_log",
            "strace is missing",
        );
    }
    let installation = Installation::new();
    let mut server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    let load = Load::start(installation.port, &ledgers);
    let (mut seed, mut killed) = (SEED, 0);
    let database = installation
        .data()
        .canonicalize()
        .expect("it is there")
        .join("stepwire.db");
    for _ in 0..rounds(6) {
        drop(server);
        let at = 1 + draw(&mut seed) % WRITES_OF_A_STOP;
        let killing = format!("signal=SIGKILL:when={at}");
        let traced = installation.start_under(&injecting("pwrite64", &killing, Some(&database)));
        // The moment of the kill is the subject of the test, so it is random.
        tokio::time::sleep(Duration::from_millis(100 + draw(&mut seed) % 300)).await;
        // A stop moves the whole write-ahead log into the database.
        let ended = tokio::task::spawn_blocking(move || traced.terminate()).await;
        killed += u32::from(!ended.expect("waiting does not fail").success());
        server = installation.start();
    }
    let (done, held) = load.finish().await;
    println!("killed within {killed} moves of the log");
    assert!(killed > 0, "no stop wrote enough to be killed");
    oracle::check_pushes(installation.port, &done.acknowledged, &held).await;
    server.kill();
    oracle::check_log(&installation, &done.acknowledged, &ledgers);
}

/// Whether the copy exists; then it must be complete.
fn check_copy(copy: &Path) -> bool {
    let is_there = copy.exists();
    if is_there {
        let checked = Command::new(program())
            .arg("restore")
            .arg(copy)
            .arg("--check")
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.success(), "{said}");
    }
    is_there
}

#[tokio::test]
async fn a_server_killed_during_a_backup_recovers_and_the_copy_is_complete_or_absent() {
    let installation = Installation::new();
    let mut server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    let load = Load::start(installation.port, &ledgers);
    let place = tempfile::tempdir().expect("a temporary directory");
    let (mut seed, mut whole) = (SEED, 0);
    for round in 0..rounds(4) {
        let copy = place.path().join(format!("copy{round}"));
        let mut backup = Command::new(program())
            .args(["backup", "--quiet", "--data"])
            .arg(installation.data())
            .arg(&copy)
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        tokio::time::sleep(Duration::from_millis(draw(&mut seed) % 250)).await;
        server.kill();
        server = installation.start();
        let ended = tokio::task::spawn_blocking(move || backup.wait()).await;
        let ended = ended.expect("waiting does not fail").expect("it ends");
        let is_whole = check_copy(&copy);
        assert_eq!(is_whole, ended.success(), "it says what it has done");
        whole += u32::from(is_whole);
    }
    let (done, held) = load.finish().await;
    println!("{whole} copies were whole");
    oracle::check_pushes(installation.port, &done.acknowledged, &held).await;
    // Its remains do not prevent a start.
    Socket::connect(installation.port, "last", json!([])).await;
    server.kill();
    oracle::check_log(&installation, &done.acknowledged, &ledgers);
}
