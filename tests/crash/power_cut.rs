//! A power failure: of the data that a server has written, the disk has what was synced, and of the
//! rest nothing, all, or torn sectors of some. Everything acknowledged before exists afterwards.
//!
//! A server runs once under `strace`; then its files are reconstructed as of many moments. With a
//! disk that ignores syncs the check fails, which shows that it can.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::json;
use stepwire::{
    journal::{Entity, SqliteStore, Store},
    model::ids::InstanceKey,
};
use uuid::Uuid;

use super::{
    kill::{draw, start_ledgers},
    oracle, rounds,
    server::Installation,
    socket::{Socket, SocketEvent},
    strace,
    syscalls::{self, Event},
};
use crate::support::node::skip;

const SEED: u64 = 0x9043_e2c7;
/// The number of commands, and how many of them are in progress at once.
const COMMANDS: usize = 240;
const AT_ONCE: usize = 6;
/// The unit that a disk writes atomically.
const SECTOR: usize = 512;
/// The recorded system calls: writes, syncs, and sent data.
const RECORDED: &str =
    "trace=pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync,ftruncate,unlink";

/// Which unsynced writes the disk has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unsynced {
    None,
    Some,
    Torn,
}

#[tokio::test]
async fn acknowledged_commands_survive_a_power_cut() {
    if !strace::is_there() {
        return skip(
            "what_was_acknowledged_before_the_power_went",
            "strace is missing",
        );
    }
    let installation = Installation::new();
    let place = tempfile::tempdir().expect("a temporary directory");
    let trace = place.path().join("trace");
    let traced = trace.to_str().expect("UTF-8");
    let options = [
        "strace", "-D", "-f", "-y", "-xx", "-s", "16777216", "-o", traced, "-e", RECORDED,
    ];
    let server = installation.start_under(&options);
    let ledgers = start_ledgers(installation.port).await;
    add_entries(installation.port, &ledgers, COMMANDS).await;
    // An orderly stop empties the write-ahead log, which causes most writes to the database itself.
    let ended = tokio::task::spawn_blocking(move || server.terminate()).await;
    assert!(ended.expect("waiting does not fail").success());
    let events = syscalls::read(&trace, installation.data());
    let acknowledged = events
        .iter()
        .filter(|event| matches!(event, Event::Acknowledges(_)));
    assert!(
        acknowledged.count() >= COMMANDS,
        "replies are seen in the trace"
    );

    let first = events
        .iter()
        .position(|event| matches!(event, Event::Acknowledges(_)));
    let first = first.expect("there are some");
    let mut seed = SEED;
    let mut lost_without_syncs = 0;
    for _ in 0..rounds(30) {
        let moment = first + draw(&mut seed) as usize % (events.len() - first);
        for unsynced in [Unsynced::None, Unsynced::Some, Unsynced::Torn] {
            let lost = lost(&events[..moment], unsynced, true, &ledgers, &mut seed);
            assert_eq!(
                lost, 0,
                "acknowledged before event {moment}, unsynced: {unsynced:?}"
            );
        }
        lost_without_syncs += lost(
            &events[..moment],
            Unsynced::None,
            false,
            &ledgers,
            &mut seed,
        );
    }
    assert!(
        lost_without_syncs > 0,
        "a disk that does not sync loses something"
    );
}

/// Adds entries to the ledgers, some at once, and waits until all are acknowledged.
pub async fn add_entries(port: u16, ledgers: &[String], count: usize) {
    let mut socket = Socket::connect(port, "writer", json!([])).await;
    let mut under_way = 0;
    for number in 0..count {
        let data = json!({"entry": format!("entry-{number}"), "slots": {"text": "x".repeat(number % 7 * 100)}});
        let frame = json!({"type": "run", "id": Uuid::now_v7(), "instance": ledgers[number % ledgers.len()],
            "action": "add", "data": data});
        socket.send(&frame).await.expect("the server runs");
        under_way += 1;
        while under_way == AT_ONCE || (number + 1 == count && under_way > 0) {
            match socket.receive().await {
                SocketEvent::Frame(frame) if frame["type"] == "reply" => under_way -= 1,
                SocketEvent::Frame(frame) => assert_ne!(frame["type"], "error", "{frame}"),
                SocketEvent::End(code) => panic!("the connection ended with {code:?}"),
            }
        }
    }
}

/// The number of acknowledged commands that are lost when the power fails after these events.
fn lost(
    events: &[Event],
    unsynced: Unsynced,
    syncs_count: bool,
    ledgers: &[String],
    seed: &mut u64,
) -> usize {
    let place = tempfile::tempdir().expect("a temporary directory");
    for (name, bytes) in disk_after(events, unsynced, syncs_count, seed) {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("it can be made");
        fs::write(path, bytes).expect("there is room");
    }
    let stored = commands_in(place.path(), ledgers);
    let missing = events.iter().filter(|event| match event {
        Event::Acknowledges(id) => !stored.contains(id),
        _ => false,
    });
    missing.count()
}

/// The files as they are on the disk.
fn disk_after(
    events: &[Event],
    unsynced: Unsynced,
    syncs_count: bool,
    seed: &mut u64,
) -> BTreeMap<String, Vec<u8>> {
    let mut synced: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events {
        if let Event::Synced { file, since } = event {
            let until = synced.entry(file).or_default();
            *until = (*until).max(*since);
        }
    }
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (number, event) in events.iter().enumerate() {
        let is_synced = |file: &String| {
            syncs_count
                && synced
                    .get(file.as_str())
                    .is_some_and(|until| number < *until)
        };
        match event {
            Event::Writes {
                file,
                offset,
                bytes,
            } => {
                let kept = match (is_synced(file), unsynced) {
                    (true, _) => bytes.clone(),
                    (false, Unsynced::None) => continue,
                    (false, Unsynced::Some) if draw(seed).is_multiple_of(2) => continue,
                    (false, Unsynced::Some) => bytes.clone(),
                    (false, Unsynced::Torn) => bytes[..torn(bytes.len(), seed)].to_vec(),
                };
                let whole = files.entry(file.clone()).or_default();
                whole.resize(whole.len().max(offset + kept.len()), 0);
                whole[*offset..offset + kept.len()].copy_from_slice(&kept);
            }
            Event::Cuts { file, length } if is_synced(file) || unsynced != Unsynced::None => {
                files.entry(file.clone()).or_default().resize(*length, 0);
            }
            // A removal is durable once the directory is synced.
            Event::Removes { file } if unsynced != Unsynced::None || is_synced(&String::new()) => {
                drop(files.remove(file));
            }
            Event::Cuts { .. }
            | Event::Removes { .. }
            | Event::Synced { .. }
            | Event::Acknowledges(_) => {}
        }
    }
    files
}

/// The number of bytes of a write that are on the disk: whole sectors from its start.
fn torn(length: usize, seed: &mut u64) -> usize {
    let sectors = length / SECTOR;
    (draw(seed) as usize % (sectors + 1) * SECTOR).min(length)
}

/// The commands in the log of a data directory, whose rows must be dense.
fn commands_in(directory: &Path, ledgers: &[String]) -> Vec<Uuid> {
    let store = SqliteStore::open(directory).expect("the store opens");
    let reader = store.reader().expect("the store can be read");
    let mut commands = Vec::new();
    for ledger in ledgers {
        let key: InstanceKey = ledger.parse().expect("an instance key");
        let mut next = 1;
        for stored in reader
            .rows(Entity::from(key), 0, usize::MAX >> 1)
            .expect("rows are read")
        {
            assert_eq!(stored.row.first_seq, next, "ledger {ledger}");
            next = stored.row.last_seq + 1;
            commands.extend(oracle::command(&stored));
        }
    }
    commands
}
