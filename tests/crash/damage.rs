//! Data directories of which a part is damaged: the server reports it, serves everything else, and
//! `stepwire doctor` names it without changing anything.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stepwire::journal::DATABASE;

use super::{
    deploys::Designer,
    program,
    server::{Installation, Server},
};

/// The report of `stepwire doctor --json` on the data directory, and its exit status. Checks that
/// the directory is unchanged.
#[track_caller]
fn doctor(installation: &Installation) -> (i32, Value) {
    let before = sums(installation.data());
    let output = Command::new(program())
        .args(["doctor", "--json", "--quiet", "--data"])
        .arg(installation.data())
        .output()
        .expect("the program runs");
    assert_eq!(sums(installation.data()), before, "nothing is changed");
    let said = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("expected a report, but {error}: {said}"));
    (output.status.code().unwrap_or(-1), report)
}

/// The hashes of all files in a directory.
fn sums(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(sums(&path));
        } else if kind.is_file() {
            let sum = Sha256::digest(fs::read(&path).unwrap()).to_vec();
            found.insert(path.display().to_string(), sum);
        }
    }
    found
}

/// The kinds of the findings, each once, except those of the lowest severity.
fn kinds(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings");
    let mut kinds: Vec<String> = findings
        .iter()
        .filter(|finding| finding["severity"] == "fault")
        .map(|finding| finding["kind"].as_str().expect("a kind").to_owned())
        .collect();
    kinds.dedup();
    for finding in findings {
        for text in ["part", "message", "meaning", "advice"] {
            let text = finding[text].as_str().expect("a text");
            assert!(!text.is_empty(), "{finding}");
        }
    }
    kinds
}

/// A data directory with two waiting instances of `p`, whose server has stopped.
async fn installation() -> (Installation, Designer, [String; 2]) {
    let installation = Installation::new();
    let (server, designer) = (installation.start(), Designer::of(&installation));
    designer.deploy(1).await;
    let instances = [designer.start().await, designer.start().await];
    assert!(server.terminate().success());
    (installation, designer, instances)
}

fn change(installation: &Installation, sql: &str) {
    let file = rusqlite::Connection::open(installation.data().join(DATABASE)).unwrap();
    assert!(file.execute(sql, []).unwrap() > 0, "{sql}");
}

/// Waits for a line of `/readyz`, which stays 200.
async fn until_ready_reports(designer: &Designer, words: &str) {
    for _ in 0..600 {
        let (status, text) = designer.get("/readyz").await;
        assert!(status == 200 || status == 429, "{status} {text}");
        if text.contains(words) {
            return;
        }
        // The reading of all stored data has no other sign.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("expected /readyz to say '{words}'");
}

async fn answers(designer: &Designer, instance: &str, wanted: u16) -> String {
    let (status, text) = designer.get(&format!("/v1/instances/{instance}")).await;
    assert_eq!(status, wanted, "{text}");
    text
}

/// Blobs in SQL notation: the key of an instance, and its entity in the log.
fn blob(instance: &str, entity: bool) -> String {
    let hex = instance.replace('-', "");
    format!("X'{}{hex}'", if entity { "01" } else { "" })
}

#[actix_rt::test]
async fn a_sound_directory_is_sound_also_after_a_crash_and_beside_a_server() {
    let (installation, designer, _) = installation().await;
    assert_eq!(doctor(&installation).1["sound"], true);
    let server = installation.start();
    designer.start().await;
    let beside = Command::new(program())
        .args(["doctor", "--json", "--quiet", "--data"])
        .arg(installation.data())
        .output()
        .expect("the program runs");
    let report: Value = serde_json::from_slice(&beside.stdout).unwrap();
    assert_eq!(
        (&report["sound"], &report["running"]),
        (&json!(true), &json!(true)),
        "{report}"
    );
    server.kill();
    let (code, report) = doctor(&installation);
    assert_eq!((code, &report["sound"]), (0, &json!(true)), "{report}");
    assert_eq!(
        report["counts"]["instances"], 3,
        "what is in the write-ahead log alone is seen"
    );
    let _server: Server = installation.start();
}

#[actix_rt::test]
async fn a_damaged_instance_is_reported_and_the_others_continue() {
    let damages: [(&str, &str); 3] = [
        (
            "UPDATE log SET body = X'01FFFF' WHERE entity = {entity}",
            "row with number 1",
        ),
        (
            "UPDATE log SET body = X'' WHERE entity = {entity}",
            "row with number 1",
        ),
        (
            "UPDATE log SET first_seq = first_seq + 1 WHERE entity = {entity}",
            "row with number 1",
        ),
    ];
    for (sql, place) in damages {
        let (installation, designer, [hurt, well]) = installation().await;
        change(&installation, &sql.replace("{entity}", &blob(&hurt, true)));
        let (code, report) = doctor(&installation);
        assert_eq!(code, 1, "{report}");
        let about = report["findings"].to_string();
        assert!(about.contains(&hurt) && !about.contains(&well), "{about}");
        let _server = installation.start();
        until_ready_reports(&designer, "1 instance;").await;
        let problem = answers(&designer, &hurt, 409).await;
        assert!(
            problem.contains(place) && problem.contains("stepwire doctor"),
            "{problem}"
        );
        answers(&designer, &well, 200).await;
        let run = format!("/v1/instances/{hurt}/run");
        let (status, answer) = designer.post(&run, &json!({"action": "complete"})).await;
        assert_eq!(status, 409, "{answer}");
    }
}

#[actix_rt::test]
async fn a_damaged_snapshot_costs_a_replay() {
    for body in ["X''", "X'01C1'", "X'000100000000000000000193'"] {
        let (installation, designer, [hurt, _]) = installation().await;
        let sql =
            "INSERT OR REPLACE INTO snapshot (entity, seq, body) VALUES ({entity}, 1, {body})";
        let sql = sql.replace("{entity}", &blob(&hurt, true));
        change(&installation, &sql.replace("{body}", body));
        assert_eq!(doctor(&installation).0, 0);
        let _server = installation.start();
        answers(&designer, &hurt, 200).await;
        let run = format!("/v1/instances/{hurt}/run");
        let (status, answer) = designer.post(&run, &json!({"action": "complete"})).await;
        assert_eq!(status, 200, "{answer}");
    }
}

#[actix_rt::test]
async fn a_damaged_definition_is_reported_keeps_its_number_and_blocks_its_instances() {
    for sql in [
        "UPDATE definition SET packed_source = X'00' WHERE id = 'p'",
        "UPDATE definition SET packed_source = CAST(substr(packed_source, 1, 40) || X'A7' || substr(packed_source, 42) AS BLOB)
             WHERE id = 'p'",
        "UPDATE definition SET state = 'garbled' WHERE id = 'p'",
        "UPDATE definition SET name = CAST(X'FF' AS TEXT) WHERE id = 'p'",
    ] {
        let (installation, designer, [hurt, _]) = installation().await;
        change(&installation, sql);
        let (code, report) = doctor(&installation);
        let is_named = kinds(&report).contains(&"definition".to_owned());
        assert!(code == 1 && is_named, "{report}");
        let _server = installation.start();
        until_ready_reports(&designer, "1 version of a definition;").await;
        until_ready_reports(&designer, "those of 2 are missing").await;
        let problem = answers(&designer, &hurt, 409).await;
        assert!(problem.contains("stepwire doctor"), "{problem}");
        assert_eq!(designer.deploy(1).await, 2, "{sql}");
        answers(&designer, &hurt, 200).await;
    }
}

#[actix_rt::test]
async fn damaged_table_rows_are_left_out_and_reported() {
    let row_of = |table: &str| match table {
        "schedule" => (
            "UPDATE schedule SET expression = CAST(X'FF' AS TEXT)",
            "1 schedule;",
        ),
        "timer" => (
            "INSERT INTO timer SELECT key, 1, 'garbled', '', 0, 1, tenant, process FROM instance LIMIT 1",
            "1 timer;",
        ),
        "outbox" => (
            "INSERT INTO outbox SELECT X'01' || key, 1, X'01' || key, X'07', NULL FROM instance LIMIT 1",
            "1 message between instances;",
        ),
        "user" => (
            "INSERT INTO user VALUES ('default', 'eve', 'no hash', '', NULL, 0)",
            "1 user;",
        ),
        _ => (
            "INSERT INTO user VALUES ('default', 'eve', NULL, CAST(X'FF' AS TEXT), NULL, 0)",
            "1 user;",
        ),
    };
    for table in ["schedule", "timer", "outbox", "user", "user's roles"] {
        let (sql, words) = row_of(table);
        let (installation, designer, instances) = installation().await;
        change(
            &installation,
            &sql.replace("X'01' || key", "CAST(X'01' || key AS BLOB)"),
        );
        let (code, report) = doctor(&installation);
        assert_eq!((code, kinds(&report).len()), (1, 1), "{table}: {report}");
        let _server = installation.start();
        until_ready_reports(&designer, words).await;
        answers(&designer, &instances[0], 200).await;
    }
}

#[actix_rt::test]
async fn a_damaged_list_row_is_left_out() {
    let (installation, designer, [hurt, well]) = installation().await;
    let sql = format!(
        "UPDATE instance SET process = CAST(X'FF' AS TEXT) WHERE key = {}",
        blob(&hurt, false)
    );
    change(&installation, &sql);
    assert_eq!(doctor(&installation).0, 1);
    let _server = installation.start();
    let (status, list) = designer.get("/v1/instances").await;
    assert!(
        status == 200 && list.contains(&well) && !list.contains(&hurt),
        "{list}"
    );
    until_ready_reports(&designer, "1 line of a list;").await;
}

/// Runs a command of the program, which must succeed.
fn run(arguments: &[&std::ffi::OsStr]) {
    let output = Command::new(program())
        .args(arguments)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

#[actix_rt::test]
async fn wrong_counts_are_reported_and_corrected_in_a_copy() {
    let plants = [
        (
            "UPDATE version_in_use SET instances = 7, stuck = 1",
            "there are 2 live instances, 0 stuck, 0 incidents, but counted are 7 live instances, 1 stuck",
        ),
        (
            "DELETE FROM version_in_use",
            "there are 2 live instances, 0 stuck, 0 incidents, but counted are 0 live instances",
        ),
        (
            "INSERT INTO version_in_use VALUES ('default', 'gone', 3, 'r', 1, 0, 0)",
            "of version 3 of process 'gone' of tenant 'default' there are 0 live instances",
        ),
        (
            "UPDATE started SET instances = 0",
            "tenant 'default' has started",
        ),
    ];
    for (sql, words) in plants {
        let (installation, _, _) = installation().await;
        change(&installation, sql);
        let (code, report) = doctor(&installation);
        assert_eq!((code, kinds(&report)), (1, vec!["count".to_owned()]));
        let finding = &report["findings"].as_array().unwrap().last().unwrap();
        let message = finding["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
        let (copies, restored) = (tempfile::tempdir().unwrap(), Installation::new());
        let copy = copies.path().join("copy");
        let data = |installation: &Installation| installation.data().as_os_str().to_owned();
        run(&[
            "backup".as_ref(),
            "--data".as_ref(),
            &data(&installation),
            copy.as_ref(),
        ]);
        run(&[
            "restore".as_ref(),
            "--data".as_ref(),
            &data(&restored),
            copy.as_ref(),
        ]);
        let (code, report) = doctor(&restored);
        assert_eq!(code, 0, "{report}");
    }
}

#[actix_rt::test]
async fn a_database_that_is_missing_or_empty_beside_its_log_is_refused() {
    for empty in [false, true] {
        let (installation, _, _) = installation().await;
        let file = installation.data().join(DATABASE);
        fs::write(installation.data().join(format!("{DATABASE}-wal")), [7; 64]).unwrap();
        match empty {
            true => fs::write(&file, "").unwrap(),
            false => fs::remove_file(&file).unwrap(),
        }
        let (code, report) = doctor(&installation);
        assert_eq!((code, kinds(&report)), (1, vec!["no_database".to_owned()]));
        let said = installation.start_in_vain();
        assert!(
            said.contains("stepwire.db-wal, which holds what was written last"),
            "{said}"
        );
    }
}

#[actix_rt::test]
async fn a_missing_data_directory_is_reported_by_the_doctor() {
    let output = Command::new(program())
        .args(["doctor", "--data", "/there/is/none"])
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("expected a data directory, but"), "{said}");
}
