//! Webhooks: signed, retried for more than a day, and listed for operators when given up.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{receiver::json as answered, *};
use crate::model::webhook::Webhook;

fn notifying(receiver: &Receiver, include: Option<&str>) -> Value {
    let webhook = Webhook {
        url: receiver.url("/hook"),
        on: None,
        include: include.map(str::to_owned),
    };
    json!({"id": "p", "webhooks": [webhook], "nodes": [{"id": "start", "type": "startEvent"}, {"id": "end", "type": "endEvent"}],
        "flows": [{"id": "f1", "source": "start", "target": "end"}]})
}

fn end(stage: &Stage, source: &Value) -> InstanceKey {
    let key = stage.live(usize::MAX, async |runtime| {
        deploy(&runtime, source).await;
        let key = start(&runtime, 1).await;
        idle(&runtime).await;
        key
    });
    key.unwrap()
}

#[test]
fn a_webhook_is_signed_for_its_receiver() {
    let receiver = Receiver::start(|_, _| answered(204, ""));
    let stage = Stage::new(&[&receiver.target()]);
    let key = end(&stage, &notifying(&receiver, Some("data")));
    let received = &receiver.received()[..];
    let [received] = received else {
        panic!("{received:?}")
    };
    let header = |name| received.header(name).unwrap();
    // Computed by another implementation than the server's.
    let content = [
        format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes(),
        &received.body,
    ]
    .concat();
    let signed = aws_lc_rs::hmac::sign(
        &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, KEY),
        &content,
    );
    assert_eq!(
        header("webhook-signature"),
        format!("v1,{}", BASE64_STANDARD.encode(signed))
    );
    let timestamp: i64 = header("webhook-timestamp").parse().unwrap();
    assert!(
        timestamp > 1_700_000_000,
        "receivers compare it with their own clock: {timestamp}"
    );
    let body: Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(body["type"], "instance.ended");
    assert_eq!(
        (&body["instance"], &body["status"], &body["businessKey"]),
        (&json!(key), &json!("finished"), &json!("b1"))
    );
    assert_eq!(body["data"], json!({"name": "Ada"}));
    assert!(stage.calls().is_empty());
}

#[test]
fn a_webhook_is_retried_under_one_id_and_then_given_up() {
    let receiver = Receiver::start(|_, _| answered(500, ""));
    let stage = Stage::new(&[&receiver.target()]);
    let key = end(&stage, &notifying(&receiver, None));
    for (tries, pause) in (1..).zip([5, 60, 300, 1_800, 7_200, 21_600, 86_400]) {
        assert_eq!(
            stage.calls()[0].tried.due,
            Some(Time(stage.clock.now().0 + pause * 1_000)),
            "after {tries} tries"
        );
        stage.after(pause * 1_000 - 1, key);
        assert_eq!(receiver.received().len(), tries);
        stage.after(1, key);
    }
    let received = receiver.received();
    assert_eq!(received.len(), 8);
    assert!(
        received
            .iter()
            .all(|again| again.header("webhook-id") == received[0].header("webhook-id"))
    );
    let given_up = &stage.calls()[0].tried;
    assert_eq!((given_up.attempts, given_up.due), (8, None));
    assert!(
        given_up
            .problem
            .as_ref()
            .is_some_and(|problem| problem.contains("500"))
    );
    stage.after(1_000_000_000, key);
    assert_eq!(receiver.received().len(), 8);
}

#[test]
fn a_webhook_answered_410_is_not_retried() {
    let receiver = Receiver::start(|_, _| answered(410, ""));
    let stage = Stage::new(&[&receiver.target()]);
    end(&stage, &notifying(&receiver, None));
    assert_eq!(stage.calls()[0].tried.due, None);
}

#[test]
fn a_refused_webhook_is_sent_once_the_settings_allow_it() {
    let receiver = Receiver::start(|_, _| answered(204, ""));
    let mut stage = Stage::new(&[]);
    let key = end(&stage, &notifying(&receiver, None));
    assert!(receiver.received().is_empty());
    stage.settings = Stage::new(&[&receiver.target()]).settings;
    stage.after(5_000, key);
    assert_eq!(receiver.received().len(), 1);
}

#[test]
fn data_that_are_too_large_are_left_out() {
    let receiver = Receiver::start(|_, _| answered(204, ""));
    let stage = Stage::new(&[&receiver.target()]);
    stage.live(usize::MAX, async |runtime| {
        deploy(&runtime, &notifying(&receiver, Some("data"))).await;
        let large = json!({"x": "x".repeat(limits::WEBHOOK_DATA_BYTES)});
        let request = StartRequest {
            data: large,
            ..request(1)
        };
        applied(answer(|reply| runtime.start_instance(request, reply)).await);
        idle(&runtime).await;
    });
    let body: Value = serde_json::from_slice(&receiver.received()[0].body).unwrap();
    assert_eq!(
        (&body["data"], &body["dataOmitted"]),
        (&Value::Null, &json!(true))
    );
}
