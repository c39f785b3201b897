//! Copies of a data directory: made while clients write, restored, damaged, and killed half-way.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use stepwire::{
    engine::RecordBatch,
    journal::{Entity, SqliteStore, Store, codec},
    model::ids::InstanceKey,
};

use super::{
    kill::{Load, start_ledgers},
    program,
    server::Installation,
    socket::Socket,
};

/// The number of commands after which the backup starts, so that the server is under load.
const COMMANDS_BEFORE: usize = 60;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .args(["--quiet"])
        .env("RUST_LOG", "error")
        .output()
        .expect("the program runs")
}

#[track_caller]
fn succeeds(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("it speaks UTF-8")
}

#[track_caller]
fn refuses(arguments: &[&str], part: &str) {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.starts_with("stepwire: expected ") && errors.contains(part),
        "{errors}"
    );
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the tests is UTF-8")
}

/// The last number of each ledger in a data directory. Its log must be dense and must not hold a
/// command twice.
fn reached(data: &Path, ledgers: &[String]) -> HashMap<String, u64> {
    let store = SqliteStore::open(data).expect("the store opens");
    let reader = store.reader().expect("the store can be read");
    let (mut commands, mut reached) = (HashSet::new(), HashMap::new());
    for ledger in ledgers {
        let key: InstanceKey = ledger.parse().expect("an instance key");
        let mut last = 0;
        for stored in reader
            .rows(Entity::from(key), 0, usize::MAX >> 1)
            .expect("the log can be read")
        {
            let row: RecordBatch = codec::decode(&stored.row.body).expect("a row can be decoded");
            assert_eq!(stored.row.first_seq, last + 1, "ledger {ledger}");
            last = row.last_seq();
            assert!(
                commands.insert(row.command.expect("every row has a command").id),
                "a command twice"
            );
        }
        reached.insert(ledger.clone(), last);
    }
    reached
}

#[tokio::test]
async fn a_backup_under_load_holds_all_earlier_acknowledged_commands() {
    let installation = Installation::new();
    let server = installation.start();
    let ledgers = start_ledgers(installation.port).await;
    let load = Load::start(installation.port, &ledgers);
    let mut seen: HashMap<String, u64> = HashMap::new();
    let mut watcher = Socket::connect(installation.port, "watcher", json!([])).await;
    for ledger in ledgers.iter() {
        watcher
            .send(&json!({"type": "subscribe", "id": ledger, "channel": format!("instance/{ledger}")}))
            .await
            .expect("it runs");
    }
    for _ in 0..COMMANDS_BEFORE {
        let frame = watcher.wait_for(|frame| frame["type"] == "progress").await;
        let ledger = frame["channel"]
            .as_str()
            .unwrap()
            .trim_start_matches("instance/")
            .to_owned();
        seen.insert(ledger, frame["seq"].as_u64().unwrap());
    }
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    let (from, to) = (installation.data().to_owned(), copy.clone());
    let told = tokio::task::spawn_blocking(move || {
        succeeds(&["backup", text(&to), "--data", text(&from), "--json"])
    })
    .await
    .unwrap();
    let manifest: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(manifest["counts"]["instances"], ledgers.len(), "{manifest}");
    let (done, _) = load.finish().await;
    server.kill();

    let restored = Installation::new();
    succeeds(&["restore", text(&copy), "--check"]);
    succeeds(&["restore", text(&copy), "--data", text(restored.data())]);
    let (there, whole) = (
        reached(restored.data(), &ledgers),
        reached(installation.data(), &ledgers),
    );
    for ledger in ledgers.iter() {
        assert!(
            there[ledger] >= seen.get(ledger).copied().unwrap_or(0),
            "{there:?} {seen:?}"
        );
        assert!(there[ledger] <= whole[ledger]);
    }
    assert!(!done.acknowledged.is_empty());

    // A client whose cursor belongs to the former log gets a resync.
    let _server = restored.start();
    let old = manifest["log"].as_str().expect("a log has an identity");
    let mut client = Socket::resuming(
        restored.port,
        "watcher",
        old,
        json!([{"instance": ledgers[0], "after": 1}]),
    )
    .await;
    let resync = client.wait_for(|frame| frame["type"] == "resync").await;
    assert_eq!(resync["reason"], "restored");
    let snapshot = client.wait_for(|frame| frame["type"] == "snapshot").await;
    assert_eq!(snapshot["seq"], there[&ledgers[0]]);
}

#[tokio::test]
async fn one_wrong_byte_is_found_and_located() {
    let installation = Installation::new();
    let server = installation.start();
    start_ledgers(installation.port).await;
    server.kill();
    fs::write(installation.data().join("jwt-secret"), "x".repeat(43)).unwrap();
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    // No server runs on it, and the last one was killed: its write-ahead log is read nevertheless.
    succeeds(&["backup", text(&copy), "--data", text(installation.data())]);
    refuses(
        &["backup", text(&copy), "--data", text(installation.data())],
        "not empty",
    );
    succeeds(&["restore", text(&copy), "--check"]);
    for part in [
        "stepwire.db",
        "jwt-secret",
        "manifest.json",
        "manifest.json.sha256",
    ] {
        let path = copy.join(part);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = if part.ends_with("sha256") {
            3
        } else {
            bad.len() / 2
        };
        bad[middle] ^= 1;
        fs::write(&path, &bad).unwrap();
        refuses(&["restore", text(&copy), "--check"], part);
        let target = place.path().join("never");
        refuses(&["restore", text(&copy), "--data", text(&target)], part);
        assert!(
            !target.exists() && !place.path().join("never.partial").exists(),
            "nothing is left"
        );
        fs::write(&path, &good).unwrap();
    }
    fs::remove_file(copy.join("jwt-secret")).unwrap();
    refuses(&["restore", text(&copy), "--check"], "jwt-secret");
    refuses(&["restore", text(place.path()), "--check"], "manifest.json");
    refuses(
        &[
            "backup",
            text(&place.path().join("other")),
            "--data",
            "/nowhere/at/all",
        ],
        "there is no stepwire.db",
    );
}

#[tokio::test]
async fn the_secret_is_restored_unless_a_new_one_is_requested() {
    let installation = Installation::new();
    let server = installation.start();
    start_ledgers(installation.port).await;
    fs::write(installation.data().join("jwt-secret"), "x".repeat(43)).unwrap();
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("copy");
    succeeds(&["backup", text(&copy), "--data", text(installation.data())]);
    drop(server);
    let [with, without] = ["with", "without"].map(|name| place.path().join(name));
    succeeds(&["restore", text(&copy), "--data", text(&with)]);
    assert_eq!(fs::read(with.join("jwt-secret")).unwrap(), b"x".repeat(43));
    succeeds(&[
        "restore",
        text(&copy),
        "--data",
        text(&without),
        "--new-secret",
    ]);
    assert!(without.join("stepwire.db").exists() && !without.join("jwt-secret").exists());
    // Receivers of webhooks know the signing secret, so it is kept in both cases.
    for restored in [&with, &without] {
        assert_eq!(
            fs::read(restored.join("webhook-secret")).unwrap(),
            fs::read(installation.data().join("webhook-secret")).unwrap()
        );
    }
    refuses(
        &["restore", text(&copy), "--data", text(&with)],
        "not empty",
    );
}

#[tokio::test]
async fn a_killed_backup_leaves_no_complete_looking_copy() {
    let installation = Installation::new();
    let _server = installation.start();
    start_ledgers(installation.port).await;
    let place = tempfile::tempdir().unwrap();
    for round in 0..super::rounds(6) {
        let copy = place.path().join(format!("copy{round}"));
        let mut command = Command::new(program());
        command
            .args([
                "backup",
                text(&copy),
                "--quiet",
                "--data",
                text(installation.data()),
            ])
            .stdout(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let partial = place.path().join(format!("copy{round}.partial"));
        while !partial.exists()
            && !copy.exists()
            && child.try_wait().expect("it can be asked").is_none()
        {
            std::thread::yield_now();
        }
        // Each round kills a little later; a backup that was complete before the kill is valid,
        // too.
        (0..round * 2_000).for_each(|_| std::thread::yield_now());
        child.kill().expect("it can be killed");
        child.wait().expect("it can be waited for");
        if copy.exists() {
            succeeds(&["restore", text(&copy), "--check"]);
            continue;
        }
        succeeds(&["backup", text(&copy), "--data", text(installation.data())]);
        succeeds(&["restore", text(&copy), "--check"]);
        assert!(!partial.exists());
    }
}
