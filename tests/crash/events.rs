//! Messages, signals, loops and event subprocesses of a server that is killed repeatedly: each
//! receiver gets a publication once, whoever sends it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Mutex,
    time::Duration,
};

use serde_json::{Value, json};
use stepwire::{
    engine::{InstanceState, RecordBatch},
    journal::{Entity, InstanceFilter, SqliteStore, Store, StoreReader, codec},
    session::auth::token::DEFAULT_TENANT,
};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    calls::receiver::{Receiver, json as answered},
    kill::draw,
    rounds,
    server::Installation,
    socket::{Socket, SocketEvent},
};

/// Orders per round of killing.
const ORDERS: usize = 4;
const SEED: u64 = 0x0e7e_2757;
/// Far longer than they take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A receiver that sends the number of reported ends to `reported`.
fn hook(reported: watch::Sender<usize>) -> Receiver {
    let ended: Mutex<BTreeSet<String>> = Mutex::default();
    Receiver::start(move |_, received| {
        let id = received.header("webhook-id").expect("a webhook has an id");
        let mut ended = ended.lock().expect("no test's panic");
        ended.insert(id.to_owned());
        reported.send_replace(ended.len());
        answered(204, "")
    })
}

/// Publishes one message after the other, each once the previous one is answered; returns the
/// replies.
async fn publish_all(port: u16, user: String, frames: Vec<Value>) -> Vec<Value> {
    let mut answers = Vec::new();
    let mut frames = frames.into_iter();
    let mut next = frames.next();
    while next.is_some() {
        let mut socket = Socket::connect(port, &user, json!([])).await;
        while let Some(frame) = &next {
            // A failure is noticed when receiving.
            let _ = socket.send(frame).await;
            match answer(&mut socket, frame).await {
                None => break,
                Some(reply) if reply["code"] == "busy" => {}
                Some(reply) => {
                    assert_eq!(reply["type"], "reply", "{reply}");
                    answers.push(reply["result"].clone());
                    next = frames.next();
                }
            }
        }
    }
    answers
}

/// The reply to a frame; `None` when the connection ends before it.
async fn answer(socket: &mut Socket, frame: &Value) -> Option<Value> {
    loop {
        match socket.receive().await {
            SocketEvent::End(_) => return None,
            SocketEvent::Frame(reply) if reply["id"] == frame["id"] => return Some(reply),
            SocketEvent::Frame(_) => {}
        }
    }
}

fn message(name: &str, order: usize, data: Value) -> Value {
    json!({"type": "publish", "id": Uuid::now_v7(), "name": name, "correlationKey": format!("{order}"),
        "ttl": "PT1H", "data": data})
}

/// The second message that starts a pair, from another user.
fn second(order: usize) -> Vec<Value> {
    vec![message(
        "second",
        order,
        json!({"order": order.to_string()}),
    )]
}

/// All publications of one order, in an order in which many must be buffered.
fn publications_of(order: usize) -> Vec<Value> {
    let part = |nr: usize| message("part", order, json!({"part": nr}));
    let begin = json!({"order": order.to_string(), "items": [1, 2, 3]});
    let tick =
        || json!({"type": "publish", "id": Uuid::now_v7(), "kind": "signal", "name": "tick"});
    vec![
        part(1),
        message("order", order, begin),
        tick(),
        part(2),
        tick(),
        message("go", order, json!({})),
        tick(),
        part(3),
        message("first", order, json!({"order": order.to_string()})),
        message("left", order, json!({})),
    ]
}

#[tokio::test]
async fn a_killed_server_delivers_each_message_and_signal_once() {
    let (reported, mut reports) = watch::channel(0);
    let receiver = hook(reported);
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("events.bpmn");
    let source = include_str!("events.bpmn").replace("HOOK", &receiver.url("/hook"));
    fs::write(&file, source).expect("a file can be written");
    let installation = Installation::with(vec![
        "--deploy".into(),
        file.to_str().expect("a path of the tests is UTF-8").into(),
        "--outbound-targets".into(),
        receiver.target(),
    ]);
    let mut server = installation.start();
    let mut seed = SEED;
    let (mut ordered, mut ticks) = (0, BTreeMap::new());
    for _ in 0..rounds(2) {
        let clients: Vec<_> = (ordered..ordered + ORDERS)
            .map(|order| {
                let frames = publications_of(order);
                tokio::spawn(publish_all(
                    installation.port,
                    format!("client{order}"),
                    frames,
                ))
            })
            .collect();
        let others: Vec<_> = (ordered..ordered + ORDERS)
            .map(|order| {
                let user = format!("other{order}");
                tokio::spawn(publish_all(installation.port, user, second(order)))
            })
            .collect();
        ordered += ORDERS;
        for _ in 0..2 {
            // The moment of the kill is the subject of the test, so it is random.
            tokio::time::sleep(Duration::from_millis(20 + draw(&mut seed) % 250)).await;
            server.kill();
            server = installation.start();
        }
        for client in clients {
            let answers = client.await.expect("a client does not fail");
            count_ticks(&answers, &mut ticks);
        }
        for other in others {
            other.await.expect("a client does not fail");
        }
        let receipts = tokio::time::timeout(TIMEOUT, reports.wait_for(|ends| *ends >= ordered));
        assert!(
            receipts.await.is_ok_and(|ends| ends.is_ok()),
            "some order has no receipt"
        );
    }
    server.kill();
    let store = SqliteStore::open(installation.data()).expect("the store opens");
    check(
        &*store.reader().expect("the store can be read"),
        ordered,
        &ticks,
    );
}

/// Counts the ticks of each instance, by the replies to the publishers.
fn count_ticks(answers: &[Value], ticks: &mut BTreeMap<String, u64>) {
    for signal in [2, 4, 6] {
        let taken = answers[signal]["instances"]
            .as_array()
            .into_iter()
            .flatten();
        for instance in taken.filter_map(Value::as_str) {
            *ticks.entry(instance.to_owned()).or_default() += 1;
        }
    }
}

fn check(reader: &dyn StoreReader, ordered: usize, ticks: &BTreeMap<String, u64>) {
    let of_tenant = InstanceFilter {
        tenant: Some(DEFAULT_TENANT.to_owned()),
        ..InstanceFilter::default()
    };
    let rows = reader
        .instances(&of_tenant, None, 10_000)
        .expect("instances can be read");
    let mut orders: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for instance in &rows {
        assert_eq!(instance.status, "finished", "{instance:?}");
        let state = state(reader, Entity::from(instance.key));
        let data = state.data();
        let order = data["order"].as_str().expect("an order").to_owned();
        // Two tokens start two called instances.
        let is_new = orders.entry(&instance.process).or_default().insert(order);
        *all.entry(&instance.process).or_insert(0) += 1;
        assert!(
            is_new || instance.process == "rate",
            "two instances of {} for {data}",
            instance.process
        );
        if instance.process == "relay" {
            let mut seen: Vec<u64> = data["seen"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_u64)
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, [1, 2, 3], "each part comes once: {data}");
            assert_eq!(
                data["results"],
                json!([1, 2, 3]),
                "each item has one iteration"
            );
            assert_eq!(data["passes"], 3, "each iteration passes once: {data}");
            assert_eq!(
                data["rated"]["rate"],
                json!(format!("{}!", data["order"].as_str().unwrap_or_default()))
            );
            let delivered = ticks.get(&instance.key.to_string()).copied().unwrap_or(0);
            assert_eq!(
                data["ticks"].as_u64().unwrap_or(0),
                delivered,
                "each tick counts once in the instances that its reply names: {data}"
            );
        }
    }
    let count = |process: &str| all.get(process).copied().unwrap_or(0);
    assert_eq!((count("relay"), count("receipt")), (ordered, ordered));
    assert_eq!((count("pair"), count("rate")), (ordered, 2 * ordered));
}

fn state(reader: &dyn StoreReader, entity: Entity) -> InstanceState {
    let rows = reader.rows(entity, 0, 1_000).expect("the log can be read");
    let rows: Vec<RecordBatch> = rows
        .iter()
        .map(|stored| codec::decode(&stored.row.body).expect("a row can be decoded"))
        .collect();
    InstanceState::replay(None, &rows).expect("an instance has rows")
}
