//! The server is cut off after every single write, in turn: also between a response and its commit.
//! Whatever is sent twice is sent under one key, and its response is taken once.

use std::sync::Mutex;

use super::{receiver::json as answered, *};
use crate::engine::http_call::HttpCallRecord;

/// Two calls, of which the second fails at first, and a webhook.
fn source(receiver: &Receiver) -> Value {
    let call = |path: &str, key: &str| json!([{"name": "call", "type": "httpRequest", "params": {"method": "POST", "url": receiver.url(path), "outputKey": key}}]);
    json!({"id": "p", "webhooks": [{"url": receiver.url("/hook")}], "nodes": [
        {"id": "start", "type": "startEvent"},
        {"id": "one", "type": "serviceTask", "actions": call("/one", "one")},
        {"id": "two", "type": "serviceTask", "actions": call("/two", "two")},
        {"id": "end", "type": "endEvent"},
    ], "flows": [{"id": "f1", "source": "start", "target": "one"}, {"id": "f2", "source": "one", "target": "two"},
        {"id": "f3", "source": "two", "target": "end"}]})
}

/// A receiver that does each thing once, however often it is asked, thanks to the key; it counts
/// what it does.
fn careful() -> Receiver {
    let done: Mutex<Vec<String>> = Mutex::default();
    let failed = Mutex::new(false);
    Receiver::start(move |_, received| {
        if received.line.contains("/hook") {
            return answered(204, "");
        }
        if received.line.contains("/two") && !std::mem::replace(&mut *failed.lock().unwrap(), true)
        {
            return answered(503, "");
        }
        let mut done = done.lock().unwrap();
        let key = key_of(received).to_owned();
        let number = done
            .iter()
            .position(|known| *known == key)
            .unwrap_or_else(|| {
                done.push(key);
                done.len() - 1
            });
        answered(200, &number.to_string())
    })
}

/// The client's commands; it resends its start in each run of the server.
fn life(stage: &Stage, receiver: &Receiver, writes: usize) -> Option<Outcome> {
    stage.live(writes, async |runtime| {
        deploy(&runtime, &source(receiver)).await;
        let request = request(1);
        let key = request.key();
        // A client without an answer waits: the server was cut off.
        if let crate::runtime::instance_request::InstanceResponse::Refused(_) =
            answer(|reply| runtime.start_instance(request, reply)).await
        {
            std::future::pending::<()>().await;
        }
        idle(&runtime).await;
        runtime.clock.set(Time(60_000));
        idle(&runtime).await;
        Outcome::of(&runtime, key).await
    })
}

#[test]
fn a_response_is_taken_once_across_cuts() {
    let mut repeated = 0;
    let whole = (1..).find(|&writes| {
        let (receiver, stage) = (careful(), Stage::new(&["127.0.0.1"]));
        let first = life(&stage, &receiver, writes);
        let end = life(&stage, &receiver, usize::MAX).unwrap();
        assert_eq!(
            (end.status, &end.incident),
            (Status::Finished, &None),
            "cut off after {writes} writes"
        );
        assert_eq!(
            (&end.data["one"], &end.data["two"]),
            (&json!(0), &json!(1)),
            "cut off after {writes} writes"
        );
        let answers = records(&stage.store, end.key);
        let answers = answers.iter().filter(|record| match record {
            Record::HttpCall(record) => matches!(**record, HttpCallRecord::CallAnswered { .. }),
            _ => false,
        });
        assert_eq!(answers.count(), 2, "cut off after {writes} writes");
        assert!(stage.calls().is_empty(), "cut off after {writes} writes");
        let received = receiver.received();
        for path in ["/one", "/two", "/hook"] {
            let to = || {
                received
                    .iter()
                    .filter(|received| received.line.contains(path))
            };
            let mut keys: Vec<_> = to()
                .map(|received| {
                    (
                        received.header("idempotency-key"),
                        received.header("webhook-id"),
                    )
                })
                .collect();
            let sent = keys.len();
            keys.dedup();
            assert_eq!(keys.len(), 1, "one key for {path} after {writes} writes");
            repeated += usize::from(sent > if path == "/two" { 2 } else { 1 });
        }
        first.is_some()
    });
    assert!(whole.unwrap() > 5, "the instance takes some writes");
    assert!(
        repeated >= 2,
        "some cut fell between an answer and its commit"
    );
}
