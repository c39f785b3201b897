//! What must hold at the end of every crash test.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use stepwire::{
    engine::RecordBatch,
    journal::{Entity, SqliteStore, Store, StoredRow, codec},
    model::ids::InstanceKey,
};
use uuid::Uuid;

use super::{client::Acknowledged, follower::Held, server::Installation, socket::Socket};

/// The command that a row applied.
pub fn command(stored: &StoredRow) -> Option<Uuid> {
    let row: RecordBatch = codec::decode(&stored.row.body).expect("a row can be decoded");
    row.command.map(|tag| tag.id)
}

/// The number that each ledger must have reached, by the replies.
pub fn reached(acknowledged: &[Acknowledged]) -> HashMap<String, u64> {
    let mut reached = HashMap::new();
    for one in acknowledged {
        let seq: &mut u64 = reached.entry(one.instance.clone()).or_default();
        *seq = one.seq.max(*seq);
    }
    reached
}

/// Checks that every command was applied once: by the pushes, by the numbers of the replies, which
/// differ, and by the server's present state.
pub async fn check_pushes(port: u16, acknowledged: &[Acknowledged], held: &HashMap<String, Held>) {
    let mut numbers = HashSet::new();
    for one in acknowledged {
        assert_eq!(
            held[&one.instance].entries.get(&one.entry),
            Some(&1),
            "pushes of entry {}",
            one.entry
        );
        assert!(
            numbers.insert((&one.instance, one.seq)),
            "two commands were answered with number {}",
            one.seq
        );
    }
    let pushed: usize = held.values().map(|held| held.entries.len()).sum();
    assert_eq!(pushed, acknowledged.len());
    let mut socket = Socket::connect(port, "oracle", json!([])).await;
    for (ledger, held) in held {
        let channel = format!("instance/{ledger}");
        socket
            .send(&json!({"type": "subscribe", "id": "look", "channel": channel}))
            .await
            .expect("the server runs");
        let snapshot = socket
            .wait_for(|frame| frame["type"] == "snapshot" && frame["channel"] == channel)
            .await;
        assert_eq!(
            (&snapshot["view"], &snapshot["seq"]),
            (&held.view, &json!(held.cursor))
        );
    }
}

/// Checks the log of a stopped server: dense numbers, no command twice, and all acknowledged
/// commands at their numbers.
pub fn check_at_least(
    installation: &Installation,
    acknowledged: &[Acknowledged],
    ledgers: &[String],
) {
    let store = SqliteStore::open(installation.data()).expect("the store opens");
    let reader = store.reader().expect("the store can be read");
    let (mut commands, mut ends) = (HashSet::new(), HashSet::new());
    for ledger in ledgers {
        let key: InstanceKey = ledger.parse().expect("an instance key");
        let rows = reader.rows(Entity::from(key), 0, usize::MAX >> 1);
        let mut next = 1;
        for stored in rows.expect("the log can be read") {
            assert_eq!(stored.row.first_seq, next, "ledger {ledger}");
            next = stored.row.last_seq + 1;
            ends.insert((ledger.clone(), stored.row.last_seq));
            let command = command(&stored).expect("every row has a command");
            assert!(
                commands.insert(command),
                "command {command} was applied twice"
            );
        }
    }
    for one in acknowledged {
        let place = (one.instance.clone(), one.seq);
        assert!(ends.contains(&place), "{place:?} was acknowledged");
    }
}

/// Checks the log of a stopped server: dense numbers, each command in one row, and no other
/// commands than the acknowledged ones.
pub fn check_log(installation: &Installation, acknowledged: &[Acknowledged], ledgers: &[String]) {
    let store = SqliteStore::open(installation.data()).expect("the store opens");
    let reader = store.reader().expect("the store can be read");
    let mut commands = HashSet::new();
    for ledger in ledgers {
        let key: InstanceKey = ledger.parse().expect("an instance key");
        let mut last = 0;
        for stored in reader
            .rows(Entity::from(key), 0, usize::MAX >> 1)
            .expect("the log can be read")
        {
            let row: RecordBatch = codec::decode(&stored.row.body).expect("a row can be decoded");
            assert_eq!(
                (stored.row.first_seq, stored.row.last_seq),
                (last + 1, row.last_seq()),
                "ledger {ledger}"
            );
            last = row.last_seq();
            let command = row.command.expect("every row has a command").id;
            assert!(
                commands.insert(command),
                "command {command} was applied twice"
            );
        }
    }
    assert_eq!(
        commands.len(),
        acknowledged.len() + ledgers.len(),
        "rows of acknowledged commands and starts"
    );
}
