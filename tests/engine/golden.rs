//! Journals as a release wrote them: rows and a snapshot of some instances, as bytes, with the
//! state to which they lead. All later servers must read the rows of a release with the same
//! meaning.
//!
//! `tests/engine/golden/unreleased.journal` has the present format. A release adds a file under its
//! name, which never changes. As long as nothing is released, `UPDATE_EXPECT=1 cargo test --test
//! main golden` rewrites the one file after a change of the format. Its instances are some of those
//! of the cases, chosen so that every type of record occurs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use stepwire::{
    engine::{InstanceState, Record, RecordBatch},
    journal::{Entity, SnapshotRow, codec, snapshot},
    model::ids::Time,
};

use super::played::{PLAYED, Played};
use crate::support::expected;

/// The file in the present format.
const UNRELEASED: &str = "unreleased.journal";

/// An instance in a file: lines of `row`, `snapshot` and `state` below a title.
struct Kept {
    title: String,
    rows: Vec<Vec<u8>>,
    snapshot: SnapshotRow,
    state: Value,
}

#[test]
fn golden_journals_are_read_with_the_same_meaning() {
    let unreleased = folder().join(UNRELEASED);
    let problems = problems(&unreleased);
    if !problems.is_empty() && std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(folder()).expect("a folder can be made");
        fs::write(&unreleased, written()).expect("what is written can be kept");
    } else {
        assert!(
            problems.is_empty(),
            "expected {UNRELEASED} to be read as it was written, but {}. If the format has changed \
            on purpose and nothing is released yet, UPDATE_EXPECT=1 writes it again; when the state \
            has changed, raise journal::snapshot::VERSION",
            problems.join("; ")
        );
    }
    let all = fs::read_dir(folder()).expect("the folder of the journals is there");
    for path in all.map(|entry| entry.expect("the folder can be read").path()) {
        let found = wrong(&path);
        assert!(found.is_empty(), "{}: {}", path.display(), found.join("; "));
    }
}

/// The problems of a file, and the types of records of the cases that it lacks.
fn problems(path: &Path) -> Vec<String> {
    let mut problems = wrong(path);
    let kept: BTreeSet<String> = read(path)
        .iter()
        .flat_map(|kept| &kept.rows)
        .filter_map(|bytes| codec::decode::<RecordBatch>(bytes).ok())
        .flat_map(|row| types(&row))
        .collect();
    let missing: Vec<String> = PLAYED
        .iter()
        .flat_map(|played| played.rows.iter().flat_map(types))
        .collect::<BTreeSet<String>>()
        .difference(&kept)
        .cloned()
        .collect();
    if !missing.is_empty() {
        problems.push(format!("it lacks records of type {}", missing.join(", ")));
    }
    problems
}

/// The instances of a file that cannot be read, or have another meaning.
fn wrong(path: &Path) -> Vec<String> {
    let wrong = |kept: &Kept| Some(format!("'{}': {}", kept.title, check(kept).err()?));
    read(path).iter().filter_map(wrong).collect()
}

fn check(kept: &Kept) -> Result<(), String> {
    let mut rows = Vec::new();
    for bytes in &kept.rows {
        let row: RecordBatch = codec::decode(bytes).map_err(|error| error.to_string())?;
        let again = codec::encode(&row).map_err(|error| error.to_string())?;
        if again != *bytes {
            return Err(format!("row {} is written otherwise now", row.first_seq));
        }
        rows.push(row);
    }
    let whole = InstanceState::replay(None, &rows).ok_or("it has no beginning")?;
    if meaning(&whole) != kept.state {
        return Err("its rows lead to another state".to_owned());
    }
    let entity = Entity::from(whole.key());
    let state = snapshot::read(entity, &kept.snapshot)
        .map_err(|why| format!("its snapshot is not read, as {why}"))?;
    let seq = state.seq();
    let after = rows.iter().filter(|row| row.first_seq > seq);
    if InstanceState::replay(Some(state), after).as_ref() != Some(&whole) {
        return Err("its snapshot leads to another state".to_owned());
    }
    Ok(())
}

/// The text of the file in the present format, with as few instances as have every type of record.
fn written() -> String {
    let mut text =
        "# Rows and snapshots as bytes, with the state they lead to: see tests/engine/golden.rs.\n"
            .to_owned();
    for played in chosen() {
        let rows = &played.rows;
        let whole = InstanceState::replay(None, rows).expect("an instance has a beginning");
        let half = InstanceState::replay(None, &rows[..rows.len().div_ceil(2)]).expect("it begins");
        let snapshot = snapshot::take(&half).expect("states can be encoded");
        let _ = writeln!(text, "\n## {}", played.case);
        for row in rows {
            let bytes = codec::encode(row).expect("rows can be encoded");
            let _ = writeln!(text, "row {}", hex(&bytes));
        }
        let _ = writeln!(text, "snapshot {} {}", snapshot.seq, hex(&snapshot.body));
        let _ = writeln!(text, "state {}", meaning(&whole));
    }
    text
}

/// As few instances as have every type of record, small ones before large ones.
fn chosen() -> Vec<&'static Played> {
    let mut open: Vec<(&Played, BTreeSet<String>)> = PLAYED
        .iter()
        .filter(|played| !played.rows.is_empty())
        .map(|played| (played, played.rows.iter().flat_map(types).collect()))
        .collect();
    let mut shown: BTreeSet<String> = BTreeSet::new();
    let mut chosen = Vec::new();
    loop {
        for (_, types) in &mut open {
            types.retain(|name| !shown.contains(name));
        }
        let records = |played: &Played| played.rows.iter().map(|row| row.records.len()).sum();
        let best = open.iter().enumerate().max_by_key(|(nr, (played, types))| {
            let size: usize = records(played);
            (types.len(), std::cmp::Reverse(size), std::cmp::Reverse(*nr))
        });
        let Some((_, (played, types))) = best.filter(|(_, (_, types))| !types.is_empty()) else {
            return chosen;
        };
        shown.extend(types.iter().cloned());
        chosen.push(*played);
    }
}

/// The types of a row's records, with that of a message or call within one: `sent/Start`.
fn types(row: &RecordBatch) -> Vec<String> {
    row.records.iter().map(type_of).collect()
}

fn type_of(record: &Record) -> String {
    let value = serde_json::to_value(record).expect("records can be written as JSON");
    let (name, content) = variant(&value);
    let inner = content.and_then(|content| match content.get("message") {
        Some(message) => Some(variant(message).0),
        None => content
            .as_object()
            .filter(|_| name == "httpCall")
            .map(|_| variant(content).0),
    });
    inner.map_or(name.clone(), |inner| format!("{name}/{inner}"))
}

/// The name of an enum's variant, as serde writes it, and its content.
fn variant(value: &Value) -> (String, Option<&Value>) {
    match value {
        Value::String(name) => (name.clone(), None),
        Value::Object(members) => members
            .iter()
            .next()
            .map_or((String::new(), None), |(name, content)| {
                (name.clone(), Some(content))
            }),
        _ => (String::new(), None),
    }
}

fn read(path: &Path) -> Vec<Kept> {
    let text = expected::read(path);
    text.split("\n## ").skip(1).map(instance).collect()
}

fn instance(text: &str) -> Kept {
    let mut lines = text.lines();
    let mut kept = Kept {
        title: lines.next().unwrap_or_default().to_owned(),
        rows: Vec::new(),
        snapshot: SnapshotRow {
            seq: 0,
            body: Vec::new(),
        },
        state: Value::Null,
    };
    for line in lines {
        match line.split_once(' ') {
            Some(("row", bytes)) => kept.rows.push(unhex(bytes)),
            Some(("state", state)) => {
                kept.state = serde_json::from_str(state).expect("a state is JSON");
            }
            Some(("snapshot", rest)) => {
                let (seq, bytes) = rest.split_once(' ').expect("a number and bytes");
                kept.snapshot.seq = seq.parse().expect("a number");
                kept.snapshot.body = unhex(bytes);
            }
            _ => {}
        }
    }
    kept
}

/// The part of a state that its users see; its layout may change.
fn meaning(state: &InstanceState) -> Value {
    let elements = state.active().chain(state.retained()).map(|(key, element)| {
        let incidents: Vec<&str> = element.incidents().iter().map(|one| &*one.code).collect();
        let timers: Vec<String> = element
            .timers(key)
            .iter()
            .map(|timer| format!("{:?} at {}", timer.key.kind, timer.due))
            .collect();
        json!({
            "key": key.0, "node": **element.node(), "active": element.is_active(),
            "scope": element.scope().map(|scope| scope.0), "entered": element.entered().to_string(),
            "assignee": element.assignee().map(|user| user.to_string()),
            "due": element.due().map(|due| due.to_string()), "incidents": incidents, "timers": timers,
        })
    });
    let elements: Vec<Value> = elements.collect();
    let open: Vec<Value> = state
        .all_open()
        .filter_map(|seq| Some(json!({"seq": seq, "body": state.open_message(seq, Time(0))?.body})))
        .collect();
    let children: BTreeMap<String, &str> = state
        .children()
        .iter()
        .map(|(key, child)| (key.to_string(), child.status.name()))
        .collect();
    json!({
        "status": state.status().name(), "seq": state.seq(), "data": state.data(), "view": state.view(),
        "elements": elements, "open": open, "children": children, "files": state.files().len(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("hexadecimal digits");
        u8::from_str_radix(pair, 16).expect("hexadecimal digits")
    };
    digits.map(byte).collect()
}

fn folder() -> PathBuf {
    expected::path(&["tests", "engine", "golden"])
}
