//! The invariants at the end of a run, checked against the log and the frames that clients
//! received.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use stepwire::{
    engine::{RecordBatch, record::Record},
    journal::{Entity, StoreReader, codec},
    model::ids::{InstanceKey, Time},
};
use uuid::Uuid;

use super::{
    acts,
    client::{Answered, Client, Held},
    store::{SimulatedStore, is_timer},
    violation::{Invariant, Violation, hold},
};

/// The rows of every instance.
pub type Logs = BTreeMap<InstanceKey, Vec<RecordBatch>>;

/// Checks all invariants. `seen` is the state of each instance as sent to a new client.
///
/// # Errors
/// The first violation.
pub fn check(
    store: &SimulatedStore,
    clients: &[Client],
    seen: &BTreeMap<String, Held>,
    now: Time,
) -> Result<(), Violation> {
    let logs = store.read(logs)?;
    let answered: Vec<&Answered> = clients.iter().flat_map(|it| &it.answered).collect();
    commands(&logs, &answered)?;
    timers(&logs)?;
    times(&logs)?;
    children(&logs)?;
    messages(&logs, &answered)?;
    signals(&logs, &answered)?;
    store.read(|reader| orders(reader, &logs))?;
    pairs(&logs, &answered)?;
    hails(&logs)?;
    store.read(|reader| acts::check(reader, &logs))?;
    for client in clients {
        views(client, seen)?;
    }
    store.read(|reader| nothing_left(reader, now))
}

fn logs(reader: &dyn StoreReader) -> Result<Logs, Violation> {
    let mut logs = Logs::new();
    let everyone = reader.instance_keys(InstanceKey(Uuid::nil()), usize::MAX);
    for key in everyone.expect("memory can be read") {
        let rows = reader.rows(Entity::from(key), 0, usize::MAX);
        let mut last = 0;
        let log = logs.entry(key).or_default();
        for stored in rows.expect("memory can be read") {
            let row: RecordBatch = codec::decode(&stored.row.body).expect("a row can be decoded");
            let is_dense = (stored.row.first_seq, row.first_seq) == (last + 1, last + 1)
                && stored.row.last_seq == row.last_seq();
            hold(Invariant::Dense, is_dense, || {
                format!("behind {last} of {key} comes {}", row.first_seq)
            })?;
            last = row.last_seq();
            log.push(row);
        }
    }
    Ok(logs)
}

/// Every acknowledged command has one row, a refused one none, and no entry occurs twice.
fn commands(logs: &Logs, answered: &[&Answered]) -> Result<(), Violation> {
    let mut rows: HashMap<Uuid, Vec<u64>> = HashMap::new();
    let mut entries = HashSet::new();
    for (key, row) in all_rows(logs) {
        if let Some(tag) = &row.command {
            rows.entry(tag.id).or_default().push(row.last_seq());
        }
        for record in &row.records {
            let Record::DataMerged { patch, .. } = record else {
                continue;
            };
            if let Some(entry) = patch["entry"].as_str() {
                hold(Invariant::Acknowledged, entries.insert(entry), || {
                    format!("entry {entry} was made twice, the second time in {key}")
                })?;
            }
        }
    }
    for answered in answered {
        let frame = &answered.command.frame;
        if frame["type"] == "publish" {
            continue;
        }
        let found = rows
            .get(&answered.command.id)
            .map_or(&[][..], Vec::as_slice);
        let expected = usize::from(answered.is_done());
        hold(Invariant::Acknowledged, found.len() == expected, || {
            format!(
                "{} rows of {frame}, answered {}",
                found.len(),
                answered.answer
            )
        })?;
        let seq = answered.answer["seq"].as_u64();
        let is_run = answered.is_done() && frame["type"] == "run";
        hold(
            Invariant::Acknowledged,
            !is_run || found.first().copied() == seq,
            || format!("{frame} was answered with {seq:?}, and its row is {found:?}"),
        )?;
    }
    Ok(())
}

/// A timer event is triggered at most as often as it is opened, and never before it is due.
fn timers(logs: &Logs) -> Result<(), Violation> {
    for (key, log) in logs {
        let mut due = HashMap::new();
        for row in log {
            for record in &row.records {
                match record {
                    Record::SubscriptionsOpened { by, subscriptions } => {
                        let timers = subscriptions
                            .iter()
                            .filter_map(|(event, it)| Some(((*by, event.clone()), it.due()?)));
                        due.extend(timers);
                    }
                    Record::SubscriptionsRenewed { by, subscriptions } => {
                        due.retain(|(waits, _), _| waits != by);
                        let timers = subscriptions.iter().filter_map(|it| {
                            Some(((*by, it.event.clone()), it.subscription.due()?))
                        });
                        due.extend(timers);
                    }
                    Record::SubscriptionTriggered { by, event, .. } if is_timer(&event.node) => {
                        let was = due.remove(&(*by, event.clone()));
                        let is_in_time = was.is_some_and(|due| due <= row.time);
                        hold(Invariant::Timers, is_in_time, || {
                            format!("{event} of {key}, due {was:?}, fired at {:?}", row.time)
                        })?;
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// Of two rows of an instance the later one has no earlier time.
fn times(logs: &Logs) -> Result<(), Violation> {
    for (key, log) in logs {
        for rows in log.windows(2) {
            hold(Invariant::Clock, rows[0].time <= rows[1].time, || {
                format!(
                    "time went back in {key}, from {:?} to {:?}",
                    rows[0].time, rows[1].time
                )
            })?;
        }
    }
    Ok(())
}

/// Each subprocess exists once; its parent has received each of its messages and its end once.
fn children(logs: &Logs) -> Result<(), Violation> {
    for (key, log) in logs {
        let (mut received, mut ended) = (HashSet::new(), HashSet::new());
        let is_live = !is_over(log);
        let mut children = Vec::new();
        for record in log.iter().flat_map(|row| &row.records) {
            match record {
                Record::ChildStarted(child) => children.push(child.child),
                Record::MessageReceived { from, number } => {
                    hold(
                        Invariant::Children,
                        received.insert((*from, *number)),
                        || format!("{key} took message {number} of {from} twice"),
                    )?;
                }
                Record::ChildEnded { child, .. } => {
                    hold(Invariant::Children, ended.insert(*child), || {
                        format!("{key} was told twice that {child} has ended")
                    })?;
                }
                _ => {}
            }
        }
        for child in children {
            // A subprocess that was ended before its start may have no rows.
            let Some(of_child) = logs.get(&child).filter(|log| !log.is_empty()) else {
                hold(Invariant::Children, !is_live, || {
                    format!("{child}, a subprocess of {key}, is not there")
                })?;
                continue;
            };
            let agrees = if is_live {
                is_over(of_child) == ended.contains(&child)
            } else {
                is_over(of_child)
            };
            hold(Invariant::Liveness, agrees, || {
                format!("{child} and its parent {key} do not agree on whether it has ended")
            })?;
            let records = of_child.iter().flat_map(|row| &row.records);
            let begins = records.filter(|it| matches!(it, Record::Created(_)));
            hold(Invariant::Children, begins.count() == 1, || {
                format!("{child} began more than once")
            })?;
        }
    }
    Ok(())
}

fn is_over(log: &[RecordBatch]) -> bool {
    let mut records = log.iter().flat_map(|row| &row.records);
    records.any(|it| matches!(it, Record::Ended { .. }))
}

/// A publication reaches at most one instance, which is the one in the reply.
fn messages(logs: &Logs, answered: &[&Answered]) -> Result<(), Violation> {
    let delivered = merged(logs, "paid");
    for (id, to) in &delivered {
        hold(Invariant::Messages, to.len() == 1, || {
            format!("message {id} was delivered to {to:?}")
        })?;
    }
    for answered in answered {
        if answered.command.frame["name"] != "paid" || !answered.is_done() {
            continue;
        }
        let id = answered.command.frame["data"]["paid"].as_object();
        let id = id.and_then(|ids| ids.keys().next()).expect("it has an id");
        let reported = answered.answer["result"]["instances"].as_array();
        let reported: Vec<String> = reported
            .into_iter()
            .flatten()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect();
        let to = delivered.get(id).map_or(&[][..], Vec::as_slice);
        let agrees = reported
            .iter()
            .all(|it| to.iter().any(|key| key.to_string() == *it));
        hold(Invariant::Messages, agrees, || {
            format!("message {id} went to {reported:?}, says its answer, and to {to:?}")
        })?;
        let is_kept = answered.answer["result"]["bufferedUntil"].is_string();
        hold(
            Invariant::Messages,
            is_kept || !reported.is_empty() || to.is_empty(),
            || format!("message {id} went to nobody, says its answer, but to {to:?}"),
        )?;
        let key = &answered.command.frame["correlationKey"];
        hold(
            Invariant::Liveness,
            !is_kept || !to.is_empty() || !is_waited_for(logs, key),
            || format!("message {id} is kept though somebody waits for {key}"),
        )?;
    }
    Ok(())
}

/// The instances into which data were merged: for each id below `name`, once per merge.
fn merged(logs: &Logs, name: &str) -> HashMap<String, Vec<InstanceKey>> {
    let mut found: HashMap<String, Vec<InstanceKey>> = HashMap::new();
    for (key, row) in all_rows(logs) {
        for record in &row.records {
            if let Record::DataMerged { patch, .. } = record
                && let Some(ids) = patch[name].as_object()
            {
                for id in ids.keys() {
                    found.entry(id.clone()).or_default().push(key);
                }
            }
        }
    }
    found
}

/// A signal reaches each instance at most once, and all that the reply names.
fn signals(logs: &Logs, answered: &[&Answered]) -> Result<(), Violation> {
    let mut merged = merged(logs, "signalled");
    for (id, to) in &mut merged {
        let count = to.len();
        to.sort();
        to.dedup();
        hold(Invariant::Messages, to.len() == count, || {
            format!("signal {id} came twice to one of {to:?}")
        })?;
    }
    for answered in answered {
        if answered.command.frame["kind"] != "signal" || !answered.is_done() {
            continue;
        }
        let id = answered.command.id.to_string();
        let to = merged.get(&id).map_or(&[][..], Vec::as_slice);
        let reported = answered.answer["result"]["instances"].as_array();
        for instance in reported.into_iter().flatten() {
            let got_it = to.iter().any(|key| instance == &key.to_string());
            hold(Invariant::Messages, got_it, || {
                format!("signal {id} went to {instance}, says its answer, and to {to:?}")
            })?;
        }
    }
    Ok(())
}

/// A message starts at most one instance, and none while another of its key is live.
fn orders(reader: &dyn StoreReader, logs: &Logs) -> Result<(), Violation> {
    let (mut begun, mut moments) = (HashSet::new(), BTreeMap::new());
    for (key, log) in logs {
        let Some(Record::Created(head)) = log.first().and_then(|row| row.records.first()) else {
            continue;
        };
        let Some(ids) = head.data["ordered"].as_object() else {
            continue;
        };
        for id in ids.keys() {
            hold(Invariant::Messages, begun.insert(id.clone()), || {
                format!("message {id} started a second instance, {key}")
            })?;
        }
        let correlation = format!("{:?}", head.correlation);
        let rows = reader.rows(Entity::from(*key), 0, usize::MAX);
        for (stored, row) in rows.expect("memory can be read").iter().zip(log) {
            if row.first_seq == 1 {
                moments.insert(stored.pos, (correlation.clone(), true));
            } else if is_over(std::slice::from_ref(row)) {
                moments.insert(stored.pos, (correlation.clone(), false));
            }
        }
    }
    let mut live = HashSet::new();
    for (correlation, begins) in moments.into_values() {
        let is_alone = if begins {
            live.insert(correlation.clone())
        } else {
            live.remove(&correlation)
        };
        hold(Invariant::Messages, is_alone, || {
            format!("two instances of {correlation} were live at a time")
        })?;
    }
    Ok(())
}

/// Of two messages with one key the second joins the instance that the first has started, if that
/// waits for it: at the end no two instances wait for the message that started the other.
fn pairs(logs: &Logs, answered: &[&Answered]) -> Result<(), Violation> {
    let mut taken = merged(logs, "sided");
    let mut waits: HashMap<(String, &str), InstanceKey> = HashMap::new();
    for (key, log) in logs {
        let mut left = HashSet::new();
        let mut correlation_key = None;
        for record in log.iter().flat_map(|row| &row.records) {
            match record {
                Record::Created(head) if head.process.id == "pair" => {
                    let ids = head.data["sided"].as_object().into_iter().flatten();
                    ids.for_each(|(id, _)| taken.entry(id.clone()).or_default().push(*key));
                    correlation_key = Some(format!(
                        "{:?}",
                        head.correlation.as_ref().and_then(|it| it.key())
                    ));
                }
                Record::ElementActivated { node, .. } => drop(left.insert(node.to_string())),
                Record::SubscriptionTriggered { event, .. } => drop(left.remove(&*event.node)),
                Record::Ended { .. } => left.clear(),
                _ => {}
            }
        }
        let Some(correlation_key) = correlation_key else {
            continue;
        };
        for side in ["left", "right"]
            .into_iter()
            .filter(|side| left.contains(*side))
        {
            waits.insert((correlation_key.clone(), side), *key);
        }
    }
    for ((key, side), instance) in &waits {
        let other = if *side == "left" { "right" } else { "left" };
        let other = waits.get(&(key.clone(), other));
        hold(Invariant::Messages, other.is_none(), || {
            format!("{instance} and {other:?} wait for what started the other, with {key}")
        })?;
    }
    for (id, to) in &taken {
        hold(Invariant::Messages, to.len() == 1, || {
            format!("message {id} was taken by {to:?}")
        })?;
    }
    for answered in answered {
        let Some(ids) = answered.command.frame["data"]["sided"].as_object() else {
            continue;
        };
        let result = &answered.answer["result"];
        let reported = ["instances", "started"].map(|part| result[part].as_array());
        let to = ids.keys().find_map(|id| taken.get(id));
        for reported in reported.into_iter().flatten().flatten() {
            let is_there = to.is_some_and(|to| to.iter().any(|key| reported == &key.to_string()));
            hold(Invariant::Messages, is_there, || {
                format!("{ids:?} went to {reported}, says its answer, and to {to:?}")
            })?;
        }
    }
    Ok(())
}

/// The last throw of a subprocess ends the call that waits for it.
fn hails(logs: &Logs) -> Result<(), Violation> {
    for (key, row) in all_rows(logs) {
        let missed = row.records.iter().any(
            |record| matches!(record, Record::ElementActivated { node, .. } if &**node == "missed"),
        );
        hold(Invariant::Children, !missed, || {
            format!("the call of {key} ended before it took the signal of its subprocess")
        })?;
    }
    Ok(())
}

/// Whether an instance waits for a message with this key.
fn is_waited_for(logs: &Logs, key: &Value) -> bool {
    logs.values().any(|log| {
        let (mut waits, mut live) = (false, true);
        for record in log.iter().flat_map(|row| &row.records) {
            match record {
                Record::Created(head) => {
                    waits = head.process.id == "waiter" && head.data["k"] == *key;
                }
                Record::SubscriptionTriggered { event, .. } if &*event.node == "c" => waits = false,
                Record::Ended { .. } => live = false,
                _ => {}
            }
        }
        waits && live
    })
}

/// A client has the same state as a new client.
fn views(client: &Client, seen: &BTreeMap<String, Held>) -> Result<(), Violation> {
    for (instance, held) in &client.held {
        let Some(seen) = seen.get(instance) else {
            let text = format!("{} holds {instance}, which nobody else sees", client.name);
            return hold(Invariant::View, false, || text);
        };
        let agrees =
            (held.cursor, &held.view, &held.status) == (seen.cursor, &seen.view, &seen.status);
        hold(Invariant::View, agrees, || {
            format!(
                "{} holds of {instance} {held:?}, but it is {seen:?}",
                client.name
            )
        })?;
        hold(Invariant::View, held.elements() == seen.elements(), || {
            format!("{} sees {instance} at {:?}", client.name, held.nodes)
        })?;
    }
    Ok(())
}

/// No timer is due, and no work is in progress.
fn nothing_left(reader: &dyn StoreReader, now: Time) -> Result<(), Violation> {
    let outbox = reader.outbox().expect("memory can be read");
    hold(Invariant::Liveness, outbox.is_empty(), || {
        format!("messages are still under way: {outbox:?}")
    })?;
    let owners = reader.timer_owners().expect("memory can be read");
    let due = owners.iter().flat_map(|owner| {
        let due = reader.due_timers(owner, now, usize::MAX);
        due.expect("memory can be read")
    });
    let due: Vec<_> = due.collect();
    hold(Invariant::Liveness, due.is_empty(), || {
        format!("timers are due and did not fire: {due:?}")
    })
}

/// The rows of all instances.
pub fn all_rows(logs: &Logs) -> impl Iterator<Item = (InstanceKey, &RecordBatch)> {
    logs.iter()
        .flat_map(|(key, log)| log.iter().map(|row| (*key, row)))
}
