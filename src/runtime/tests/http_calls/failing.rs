//! Failures: unreadable responses, pauses, restarts between attempts, calls that the settings do
//! not allow.

use std::{
    io,
    net::IpAddr,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use super::{
    receiver::{answer as raw, json as answered},
    *,
};
use crate::{
    engine::{Command, http_call::HttpCallRecord},
    model::{
        evaluator::{EvaluationError, Evaluator, RuleError},
        field_error::FieldError,
        variables::Variables,
    },
    runtime::{
        http_calls::{Lookup, ResolvedAddresses},
        instance_request::{Envelope, InstanceRequest},
    },
};

#[test]
fn a_temporary_failure_is_retried_with_backoff_under_one_key() {
    let receiver = Receiver::start(|number, _| match number {
        0 => answered(503, "{}"),
        // Closed without a response.
        1 => b"\n".to_vec(),
        2 => raw(429, "Retry-After: 60\r\n", ""),
        _ => answered(200, "3"),
    });
    let stage = Stage::new(&[&receiver.target()]);
    let first = stage.play(json!({"method": "POST", "url": receiver.url("/"), "outputKey": "r"}));
    assert!(first.incident.is_none() && first.status == Status::Started);
    for (tries, pause) in [(1, 1_000), (2, 2_000), (3, 60_000)] {
        let call = &stage.calls()[0];
        assert_eq!(
            (call.tried.attempts, call.tried.due),
            (tries, Some(Time(stage.clock.now().0 + pause)))
        );
        assert_eq!(receiver.received().len(), tries as usize);
        assert_eq!(
            stage.after(pause - 1, first.key).status,
            Status::Started,
            "never too early, also after a restart"
        );
        assert_eq!(receiver.received().len(), tries as usize);
        stage.after(1, first.key);
    }
    assert_eq!(stage.after(0, first.key).data["r"], 3);
    let received = receiver.received();
    assert_eq!(received.len(), 4);
    assert!(
        received
            .iter()
            .all(|again| key_of(again) == key_of(&received[0]))
    );
    assert!(stage.calls().is_empty());
}

#[test]
fn attempts_are_counted_across_restarts_and_end_in_an_incident() {
    let receiver = Receiver::start(|number, _| answered(if number < 2 { 500 } else { 200 }, "{}"));
    let stage = Stage::new(&[&receiver.target()]);
    let first = stage.play(json!({"url": receiver.url("/secret-path?q=1"), "retries": 1}));
    let failed = stage.after(1_000, first.key);
    let sentence = failed.failed("http_request_failed");
    assert!(
        sentence.contains("after 2 tries")
            && sentence.contains("500")
            && !sentence.contains("secret-path"),
        "{sentence}"
    );
    assert!(
        stage.calls().is_empty(),
        "what has become an incident is not tried by itself"
    );

    let retried = stage.live(usize::MAX, async |runtime| {
        let element = observe(&runtime, first.key).await.next.tokens[0].element;
        let command = Box::new(Command::Retry { element });
        let request = InstanceRequest::Apply {
            command,
            tag: None,
            if_seq: None,
        };
        applied(
            answer(|reply| {
                runtime.dispatch(
                    first.key,
                    Envelope {
                        caller: Some(alice()),
                        request,
                        reply,
                    },
                )
            })
            .await,
        );
        idle(&runtime).await;
        Outcome::of(&runtime, first.key).await
    });
    assert_eq!(retried.unwrap().status, Status::Finished);
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    assert_eq!(
        key_of(&received[2]),
        key_of(&received[0]),
        "the other side sees the same call"
    );
}

#[test]
fn a_permanent_failure_is_not_retried() {
    let huge = "x".repeat(limits::CALL_ANSWER_BYTES + 1);
    let heads = format!(
        "X-Big: {}\r\n",
        "x".repeat(limits::CALL_ANSWER_HEADER_BYTES)
    );
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (answered(404, "{}"), "404"),
        (answered(422, "{}"), "422"),
        (answered(200, &huge), "1048576"),
        (
            b"HTTP/1.1 200 OK\r\n\r\n"
                .iter()
                .copied()
                .chain(huge.bytes())
                .collect(),
            "1048576",
        ),
        (raw(200, &heads, "{}"), "65536"),
        (raw(200, "Content-Encoding: gzip\r\n", "{}"), "gzip"),
        (
            raw(200, "Content-Type: image/png\r\n", "x")
                .into_iter()
                .map(|byte| if byte == b'x' { 0xff } else { byte })
                .collect(),
            "image",
        ),
        (answered(302, "{}"), "302"),
        (
            answered(200, r#"{"order": {"id": 12345678901234567890123}}"#),
            "`order.id`",
        ),
        (
            answered(200, r#"[0.1000000000000000055]"#),
            "0.1000000000000000055 at `[0]`",
        ),
        (
            answered(200, r#"{"order": {"id": 1, "id": 2}}"#),
            "`id` of `order` is there twice",
        ),
        (raw(200, "", r#"{"id": 1, "id": 2}"#), "`id` is there twice"),
        (
            raw(200, "Content-Type: application/json\r\n", "{\0}\0"),
            "UTF-16",
        ),
        (answered(204, "").into_iter().collect(), ""),
    ];
    for (bytes, expected) in cases {
        let receiver = Receiver::start(move |_, _| bytes.clone());
        let stage = Stage::new(&[&receiver.target()]);
        let outcome = stage.play(json!({"url": receiver.url("/"), "outputKey": "r"}));
        match expected {
            "" => assert_eq!(outcome.status, Status::Finished),
            expected => {
                let sentence = outcome.failed("http_request_failed");
                assert!(sentence.contains(expected), "{sentence}");
            }
        }
        assert_eq!(receiver.received().len(), 1);
    }
}

#[test]
fn a_response_may_have_a_byte_order_mark_and_keeps_its_digits() {
    for (head, body, expected) in [
        (
            "application/json; charset=utf-8",
            "\u{feff}{\"a\":1}",
            json!({"a": 1}),
        ),
        (
            "application/problem+json",
            "\u{feff}7615917337495251231",
            json!(7_615_917_337_495_251_231_i64),
        ),
        ("text/plain", "\u{feff}hello", json!("hello")),
        (
            "application/json",
            "[18446744073709551615, 0.1]",
            json!([u64::MAX, 0.1]),
        ),
    ] {
        let bytes = raw(200, &format!("Content-Type: {head}\r\n"), body);
        let receiver = Receiver::start(move |_, _| bytes.clone());
        let stage = Stage::new(&[&receiver.target()]);
        let outcome = stage.play(json!({"url": receiver.url("/"), "outputKey": "r"}));
        assert_eq!(
            (outcome.status, &outcome.data["r"]),
            (Status::Finished, &expected),
            "{body}"
        );
    }
}

#[test]
fn a_timeout_is_a_temporary_failure() {
    let receiver = Receiver::start(|number, _| match number {
        0 => Vec::new(),
        // A body that never ends counts, too.
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab".to_vec(),
    });
    let stage = Stage::new(&[&receiver.target()]);
    let first = stage.play(
        json!({"url": receiver.url("/"), "timeout": "PT0.3S", "retries": 1, "outputKey": "r"}),
    );
    let problem = stage.calls()[0].tried.problem.clone().unwrap();
    assert!(problem.contains("300 ms"), "{problem}");
    let outcome = stage.after(1_000, first.key);
    let sentence = outcome.failed("http_request_failed");
    assert!(sentence.contains("300 ms"), "{sentence}");
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn requests_are_sent_to_allowed_targets_only() {
    let receiver = Receiver::start(|_, _| answered(200, "{}"));
    for targets in [
        &[][..],
        &["*"],
        &["api.example.com"],
        &["127.0.0.1:1"],
        &["10.0.0.0/8"],
    ] {
        let stage = Stage::new(targets);
        let outcome = stage.play(json!({"url": receiver.url("/")}));
        let sentence = outcome.failed("http_request_refused");
        assert!(sentence.contains("--outbound-targets"), "{sentence}");
        let named = Stage::new(targets)
            .play(json!({"url": format!("http://localhost:{}/", receiver.port)}));
        named.failed("http_request_refused");
    }
    assert!(receiver.received().is_empty());
}

#[test]
fn a_missing_secret_prevents_the_call() {
    let receiver = Receiver::start(|_, _| answered(200, "{}"));
    let stage = Stage::new(&[&receiver.target()]);
    let outcome =
        stage.play(json!({"url": receiver.url("/"), "headers": r#"{"X": "${secret.OTHER}"}"#}));
    assert!(
        outcome
            .failed("http_request_refused")
            .contains("STEPWIRE_SECRET_OTHER")
    );
    assert!(receiver.received().is_empty());
}

#[test]
fn a_deploy_warns_of_targets_that_the_settings_refuse() {
    let warned = |targets: &[&str], params: Value| {
        Stage::new(targets).live(usize::MAX, async |runtime| {
            let source = process(params).to_string();
            let (source, format) = (source.as_bytes(), SourceFormat::Json);
            let deploy = published(source, format);
            let deployed = runtime.definitions.deploy(deploy).await.unwrap();
            deployed[0]
                .problems
                .iter()
                .map(|problem| problem.code)
                .collect::<Vec<_>>()
        })
    };
    let to =
        |url: &str| json!({"url": url, "headers": r#"{"X": "${secret.OTHER} ${secret.TOKEN}"}"#});
    assert_eq!(
        warned(&[], to("https://api.example.com/")).unwrap(),
        ["target_not_allowed", "unknown_secret"]
    );
    assert_eq!(
        warned(&[], to("${url}")).unwrap(),
        ["target_not_allowed", "unknown_secret", "secret_to_anywhere"]
    );
    assert_eq!(
        warned(&["*"], to("https://api.example.com/${a}")).unwrap(),
        ["unknown_secret"]
    );
    assert_eq!(
        warned(&["*"], to("${url}")).unwrap(),
        ["unknown_secret", "secret_to_anywhere"]
    );
    assert_eq!(
        warned(&["*"], json!({"url": "https://[::1]/"})).unwrap(),
        ["target_not_allowed"]
    );
}

/// Names that resolve to other addresses each time.
struct ChangingNames {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
    names: Mutex<Vec<String>>,
}

impl Lookup for ChangingNames {
    fn addresses(&self, name: &str) -> ResolvedAddresses {
        self.names.lock().unwrap().push(name.to_owned());
        let answer =
            self.answers[self.asked.fetch_add(1, Ordering::SeqCst) % self.answers.len()].clone();
        Box::pin(async move {
            if answer.is_empty() {
                Err(io::ErrorKind::NotFound.into())
            } else {
                Ok(answer)
            }
        })
    }
}

#[test]
fn a_host_name_is_resolved_once_and_only_checked_addresses_are_used() {
    let receiver = Receiver::start(|_, _| answered(200, "{}"));
    let addresses = |list: &[&str]| {
        list.iter()
            .map(|text| text.parse().unwrap())
            .collect::<Vec<IpAddr>>()
    };
    let answers = [
        addresses(&["127.0.0.1"]),
        addresses(&["127.0.0.2"]),
        addresses(&["169.254.169.254", "127.0.0.1", "::1"]),
        vec![],
    ];
    let fickle = Arc::new(ChangingNames {
        answers: answers.to_vec(),
        asked: AtomicUsize::new(0),
        names: Mutex::default(),
    });
    let mut stage = Stage::new(&["127.0.0.1/32"]);
    stage.settings.lookup = fickle.clone();
    let outcomes: Vec<Outcome> = stage
        .live(usize::MAX, async |runtime| {
            let url = format!("http://rebind.example:{}/", receiver.port);
            deploy(&runtime, &process(json!({"url": url, "retries": 0}))).await;
            let mut outcomes = Vec::new();
            for command in 1..=4 {
                let key = start(&runtime, command).await;
                idle(&runtime).await;
                outcomes.push(Outcome::of(&runtime, key).await);
            }
            outcomes
        })
        .unwrap();
    assert_eq!(outcomes[0].status, Status::Finished);
    let refused = outcomes[1].failed("http_request_refused");
    assert!(
        refused.contains("rebind.example leads") && !refused.contains("127.0.0.2"),
        "names are the operator's: {refused}"
    );
    assert_eq!(
        outcomes[2].status,
        Status::Finished,
        "of several addresses the allowed one is taken"
    );
    outcomes[3].failed("http_request_failed");
    assert_eq!(
        *fickle.names.lock().unwrap(),
        ["rebind.example"; 4],
        "once for each call"
    );
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn a_response_that_no_element_waits_for_is_dropped() {
    let stage = Stage::new(&["127.0.0.1"]);
    let open = Arc::new(Notify::new());
    let come = open.clone();
    let receiver = Receiver::start(move |_, _| {
        come.notify_one();
        Vec::new()
    });
    let key = stage.live(usize::MAX, async |runtime| {
        deploy(&runtime, &process(json!({"url": receiver.url("/"), "timeout": "PT0.2S", "retries": 0, "outputKey": "r"}))).await;
        let key = start(&runtime, 1).await;
        open.notified().await;
        let request = InstanceRequest::Apply { command: Box::new(Command::Terminate), tag: None, if_seq: None };
        applied(answer(|reply| runtime.dispatch(key, Envelope { caller: Some(alice()), request, reply })).await);
        idle(&runtime).await;
        key
    });
    let records = records(&stage.store, key.unwrap());
    let answered = |record: &&Record| matches!(record, Record::HttpCall(record) if matches!(**record, HttpCallRecord::CallAnswered { .. }));
    assert_eq!(records.iter().filter(answered).count(), 0);
    assert!(matches!(
        records.last(),
        Some(Record::Ended {
            status: Status::Terminated
        })
    ));
    assert!(stage.calls().is_empty());
}

/// Panics on every condition.
struct Broken;

impl Evaluator for Broken {
    fn condition(&self, _: &str, _: &Variables<'_>) -> Result<bool, EvaluationError> {
        panic!("a test's panic")
    }

    fn rule(&self, _: &str, _: &str, _: &Variables<'_>, _: &str) -> Result<Value, RuleError> {
        Ok(Value::Null)
    }

    fn check_schema(&self, _: &Value, _: &Value) -> Result<(), Vec<(String, FieldError)>> {
        Ok(())
    }

    fn may_take_long(&self, _: &Value, _: usize) -> bool {
        false
    }
}

#[test]
fn a_response_whose_step_panics_is_requested_again_later() {
    let receiver = Receiver::start(|_, _| answered(200, "3"));
    let stage = Stage::new(&[&receiver.target()]);
    let mut source = process(json!({"url": receiver.url("/"), "outputKey": "r"}));
    source["nodes"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "choice", "type": "exclusiveGateway"}));
    source["flows"] = json!([
        {"id": "f1", "source": "start", "target": "call"},
        {"id": "f2", "source": "call", "target": "choice"},
        {"id": "f3", "source": "choice", "target": "end", "condition": "r == 3"},
    ]);
    let key = stage.live(usize::MAX, async |runtime| {
        deploy(&runtime, &source).await;
        let broken: Arc<dyn Evaluator> = Arc::new(Broken);
        runtime.definitions.evaluate_with("p", &broken);
        let key = start(&runtime, 1).await;
        idle(&runtime).await;
        key
    });
    let call = &stage.calls()[0];
    assert_eq!(
        (call.tried.attempts, call.tried.due),
        (0, Some(Time(60_000))),
        "it does not count as a try"
    );
    assert!(
        call.tried
            .problem
            .as_ref()
            .is_some_and(|problem| problem.contains("internal error"))
    );
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(stage.after(60_000, key.unwrap()).status, Status::Finished);
    let received = receiver.received();
    assert_eq!(
        (received.len(), key_of(&received[0])),
        (2, key_of(&received[1]))
    );
}
