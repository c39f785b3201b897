//! Schedules, delayed calls and webhooks of a server that is killed repeatedly: each due time
//! starts one instance, each call gets one answer, and no key is sent again with different content.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::Mutex,
    time::Duration,
};

use serde_json::{Value, json};
use stepwire::{
    engine::{Record, RecordBatch, http_call::HttpCallRecord},
    journal::{Entity, InstanceFilter, SqliteStore, Store, StoreReader, codec},
    session::auth::token::DEFAULT_TENANT,
};
use tokio::sync::watch;

use super::{kill::draw, rounds, server::Installation};

#[path = "../../src/runtime/tests/http_calls/receiver.rs"]
pub mod receiver;

use receiver::{Receiver, json as answered};

/// Due times of the schedule.
const TIMES: usize = 6;
const SEED: u64 = 0xca11_ab1e;
/// Far longer than the six times take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A process that starts by schedule each second, makes one call at once and another a little
/// later, and reports its end by a webhook.
fn definition(receiver: &Receiver) -> String {
    let call = |id: &str, timer: &str, body: Value| {
        let url = receiver.url(&format!("/{id}"));
        format!(
            r#"<bpmn:serviceTask id="{id}"><bpmn:extensionElements><stepwire:actions>
              <stepwire:action name="call" order="1" type="httpRequest" {timer}>
                <stepwire:param name="method">POST</stepwire:param><stepwire:param name="url">{url}</stepwire:param>
                <stepwire:param name="body">{body}</stepwire:param><stepwire:param name="outputKey">{id}</stepwire:param>
                <stepwire:param name="backoff">PT0.05S</stepwire:param><stepwire:param name="retries">10</stepwire:param>
              </stepwire:action></stepwire:actions></bpmn:extensionElements></bpmn:serviceTask>"#
        )
    };
    let one = call("one", "", json!({"for": "${scheduledFor}"}));
    let two = call(
        "two",
        r#"timer="PT0.3S""#,
        json!({"of": "${processInstanceId}"}),
    );
    let hook = receiver.url("/hook");
    format!(
        r#"<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
            xmlns:stepwire="https://stepwire.dev/schema/bpmn/1.0" id="tickDefinitions" targetNamespace="https://stepwire.dev/tests">
          <bpmn:process id="tick" isExecutable="true">
            <bpmn:extensionElements><stepwire:webhook url="{hook}" include="data"/></bpmn:extensionElements>
            <bpmn:startEvent id="start" stepwire:missed="all">
              <bpmn:timerEventDefinition><bpmn:timeCycle>R{TIMES}/PT1S</bpmn:timeCycle></bpmn:timerEventDefinition>
            </bpmn:startEvent>
            {one}{two}<bpmn:endEvent id="end"/>
            <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="one"/><bpmn:sequenceFlow id="b" sourceRef="one" targetRef="two"/>
            <bpmn:sequenceFlow id="c" sourceRef="two" targetRef="end"/>
          </bpmn:process></bpmn:definitions>"#
    )
}

/// A receiver that has each effect once per idempotency key, and fails every fourth request; it
/// sends the number of reported ends to `reported`.
fn careful(reported: watch::Sender<usize>) -> Receiver {
    let done: Mutex<Vec<String>> = Mutex::default();
    let ended: Mutex<BTreeSet<String>> = Mutex::default();
    Receiver::start(move |number, received| {
        if let Some(id) = received.header("webhook-id") {
            let mut ended = ended.lock().expect("no test's panic");
            ended.insert(id.to_owned());
            reported.send_replace(ended.len());
            return answered(204, "");
        }
        if number % 4 == 1 {
            return answered(503, "");
        }
        let key = received
            .header("idempotency-key")
            .expect("every call has a key")
            .to_owned();
        let mut done = done.lock().expect("no test's panic");
        let place = done
            .iter()
            .position(|known| *known == key)
            .unwrap_or_else(|| {
                done.push(key);
                done.len() - 1
            });
        answered(200, &place.to_string())
    })
}

#[tokio::test]
async fn a_killed_server_keeps_call_timers_and_takes_each_response_once() {
    let (reported, mut reports) = watch::channel(0);
    let receiver = careful(reported);
    let place = tempfile::tempdir().expect("a temporary directory");
    let file = place.path().join("tick.bpmn");
    fs::write(&file, definition(&receiver)).expect("a file can be written");
    let file = file
        .to_str()
        .expect("a path of the tests is UTF-8")
        .to_owned();
    let installation = Installation::with(vec![
        "--deploy".into(),
        file,
        "--outbound-targets".into(),
        receiver.target(),
    ]);
    let mut server = installation.start();
    let mut seed = SEED;
    for _ in 0..rounds(6) {
        // The moment of the kill is the subject of the test, so it is random.
        tokio::time::sleep(Duration::from_millis(30 + draw(&mut seed) % 500)).await;
        server.kill();
        server = installation.start();
    }
    let ends = tokio::time::timeout(TIMEOUT, reports.wait_for(|ends| *ends >= TIMES)).await;
    assert!(
        ends.is_ok_and(|ends| ends.is_ok()),
        "some instance did not end"
    );
    server.kill();
    check_keys(&receiver);
    let store = SqliteStore::open(installation.data()).expect("the store opens");
    check_instances(&*store.reader().expect("the store can be read"));
}

/// Requests under one key are equal; each due time, call and end has one key.
fn check_keys(receiver: &Receiver) {
    let mut sent: BTreeMap<String, (String, Vec<u8>)> = BTreeMap::new();
    for received in receiver.received() {
        let key = received
            .header("idempotency-key")
            .or(received.header("webhook-id"))
            .expect("a key")
            .to_owned();
        let what = (received.line, received.body);
        assert_eq!(
            sent.entry(key).or_insert_with(|| what.clone()),
            &what,
            "one key for two things"
        );
    }
    let bodies: BTreeSet<_> = sent.values().collect();
    assert_eq!(
        (sent.len(), bodies.len()),
        (3 * TIMES, 3 * TIMES),
        "two keys for one thing"
    );
}

fn check_instances(reader: &dyn StoreReader) {
    let of_tenant = InstanceFilter {
        tenant: Some(DEFAULT_TENANT.to_owned()),
        ..InstanceFilter::default()
    };
    let rows = reader
        .instances(&of_tenant, None, 1_000)
        .expect("instances can be read");
    let mut times = BTreeSet::new();
    for instance in &rows {
        assert_eq!(instance.status, "finished");
        let rows = reader
            .rows(Entity::from(instance.key), 0, 1_000)
            .expect("the log can be read");
        let rows = rows.iter().map(|stored| {
            codec::decode::<RecordBatch>(&stored.row.body).expect("a row can be decoded")
        });
        let records: Vec<Record> = rows.flat_map(|row| row.records).collect();
        times.extend(records.iter().filter_map(|record| match record {
            Record::Created(created) => created.scheduled_for,
            _ => None,
        }));
        let answers = records.iter().filter(|record| match record {
            Record::HttpCall(record) => matches!(**record, HttpCallRecord::CallAnswered { .. }),
            _ => false,
        });
        assert_eq!(answers.count(), 2, "each call is answered once");
    }
    assert_eq!(
        (rows.len(), times.len()),
        (TIMES, TIMES),
        "each time has one instance"
    );
    let calls = reader
        .http_calls("default", None, 100)
        .expect("calls can be read");
    assert!(
        calls.iter().all(|call| call.action.is_none()),
        "no call is left"
    );
}
