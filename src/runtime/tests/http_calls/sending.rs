//! What is sent and received when nothing fails, and how many calls run at once.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{receiver::json as answered, *};

#[test]
fn a_call_is_sent_as_recorded_and_its_response_merged() {
    let receiver = Receiver::start(|_, _| answered(201, r#"{"id": 7}"#));
    let stage = Stage::new(&[&receiver.target()]);
    let outcome = stage.play(json!({"method": "POST", "url": receiver.url("/users/${name}?q=${name}"),
        "headers": r#"{"Authorization": "Bearer ${secret.TOKEN}", "X-Name": "${name} é"}"#,
        "body": r#"{"name": "${name}"}"#, "outputKey": "made", "output": r#"{"id": ${body.id}, "status": ${status}}"#}));
    assert_eq!((outcome.status, outcome.incident), (Status::Finished, None));
    assert_eq!(outcome.data["made"], json!({"id": 7, "status": 201}));
    let received = &receiver.received()[..];
    let [received] = received else {
        panic!("{received:?}")
    };
    assert_eq!(received.line, "POST /users/Ada?q=Ada HTTP/1.1");
    assert_eq!(received.body, br#"{"name":"Ada"}"#);
    assert_eq!(received.header("authorization"), Some("Bearer hush"));
    assert_eq!(received.header("x-name"), Some("Ada é"));
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(
        (
            received.header("accept-encoding"),
            received.header("cookie")
        ),
        (None, None)
    );
    assert!(
        key_of(received).starts_with(&outcome.key.to_string()),
        "{}",
        key_of(received)
    );
    assert!(
        stage.calls().is_empty(),
        "an answered call leaves the table"
    );
}

#[test]
fn a_secret_is_in_no_record_and_no_table() {
    let receiver = Receiver::start(|_, _| answered(500, "{}"));
    let stage = Stage::new(&[&receiver.target()]);
    let outcome = stage.play(
        json!({"url": receiver.url("/"), "headers": r#"{"Authorization": "${secret.TOKEN}"}"#}),
    );
    assert_eq!(receiver.received()[0].header("authorization"), Some("hush"));
    let rows = stage.store.rows(Entity::from(outcome.key), 0, 99).unwrap();
    let calls = stage.calls();
    assert_eq!(calls.len(), 1);
    let bytes = rows
        .iter()
        .map(|row| &row.row.body)
        .chain(calls.iter().map(|call| &call.body));
    for body in bytes {
        assert!(!body.windows(4).any(|window| window == b"hush"));
    }
}

#[test]
fn bodies_are_json_or_text() {
    let cases: [(&str, &str, Option<Value>); 9] = [
        ("application/json", r#"{"a": 1}"#, Some(json!({"a": 1}))),
        (
            "application/problem+json; charset=utf-8",
            "[1]",
            Some(json!([1])),
        ),
        ("text/plain", "12", Some(json!("12"))),
        ("text/html", "<p>", Some(json!("<p>"))),
        ("", r#"{"a": 1}"#, Some(json!({"a": 1}))),
        ("", "plain", Some(json!("plain"))),
        ("application/json", "", Some(Value::Null)),
        ("application/json", "{", None),
        ("application/json", "<html>", None),
    ];
    for (media_type, body, value) in cases {
        let receiver = Receiver::start(move |_, _| {
            let header = if media_type.is_empty() {
                String::new()
            } else {
                format!("Content-Type: {media_type}\r\n")
            };
            receiver::answer(200, &header, body)
        });
        let stage = Stage::new(&[&receiver.target()]);
        let outcome = stage.play(json!({"url": receiver.url("/"), "outputKey": "got"}));
        match value {
            Some(value) => assert_eq!(outcome.data["got"], value, "{media_type} {body}"),
            None => assert!(
                outcome.failed("http_request_failed").contains("JSON"),
                "{media_type} {body}"
            ),
        }
    }
}

/// Requests that wait until the test releases them.
#[derive(Default)]
struct HeldRequests {
    open: Mutex<bool>,
    opened: Condvar,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl HeldRequests {
    fn pass(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        drop(
            self.opened
                .wait_timeout_while(open, Duration::from_secs(30), |open| !*open)
                .unwrap(),
        );
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

#[test]
fn one_slow_host_delays_no_other() {
    const CALLS: usize = 40;
    let dam = Arc::new(HeldRequests::default());
    let slow = Receiver::start({
        let dam = dam.clone();
        move |_, _| {
            dam.pass();
            answered(200, "{}")
        }
    });
    let quick = Receiver::start({
        let dam = dam.clone();
        // Arrives while the slow host has all its calls, although it was placed last.
        move |_, _| {
            dam.open();
            answered(200, "{}")
        }
    });
    let stage = Stage::new(&["127.0.0.1"]);
    let finished = stage.live(usize::MAX, async |runtime| {
        deploy(
            &runtime,
            &process(json!({"url": "${url}", "outputKey": "r", "timeout": "PT60S"})),
        )
        .await;
        let mut keys = Vec::new();
        for index in 0..=CALLS {
            let to = if index == CALLS { &quick } else { &slow };
            let mut request = request(index as u128 + 1);
            request.data = json!({"url": to.url("/")});
            keys.push(
                applied(answer(|reply| runtime.start_instance(request, reply)).await).instance,
            );
        }
        idle(&runtime).await;
        let mut finished = 0;
        for key in keys {
            finished += usize::from(Outcome::of(&runtime, key).await.status == Status::Finished);
        }
        finished
    });
    assert_eq!(finished, Some(CALLS + 1));
    assert_eq!((slow.received().len(), quick.received().len()), (CALLS, 1));
    let most = dam.most.load(Ordering::SeqCst);
    assert!(most <= limits::CALLS_PER_HOST.get(), "{most} at once");
}

#[test]
fn one_definition_with_slow_targets_delays_no_other() {
    let hosts = limits::CALLS_AT_ONCE.get() / limits::CALLS_PER_HOST.get() + 1;
    let dam = Arc::new(HeldRequests::default());
    let held = dam.clone();
    let slow: Vec<Receiver> = (0..hosts)
        .map(|_| {
            let dam = held.clone();
            Receiver::start(move |_, _| {
                dam.pass();
                answered(200, "{}")
            })
        })
        .collect();
    let opening = dam.clone();
    let quick = Receiver::start(move |_, _| {
        opening.open();
        answered(200, "{}")
    });
    let stage = Stage::new(&["127.0.0.1"]);
    let params = json!({"url": "${url}", "outputKey": "r", "timeout": "PT60S"});
    stage.live(usize::MAX, async |runtime| {
        let mut other = process(params.clone());
        other["id"] = json!("q");
        deploy(&runtime, &process(params)).await;
        deploy(&runtime, &other).await;
        let slow = slow
            .iter()
            .flat_map(|slow| vec![("p", slow.url("/")); limits::CALLS_PER_HOST.get()]);
        for (index, (id, url)) in slow.chain([("q", quick.url("/"))]).enumerate() {
            let mut request = request(index as u128 + 1);
            request.process = Some(id.into());
            request.data = json!({"url": url});
            applied(answer(|reply| runtime.start_instance(request, reply)).await);
        }
        idle(&runtime).await;
    });
    assert_eq!(quick.received().len(), 1);
    let all: usize = slow.iter().map(|slow| slow.received().len()).sum();
    assert_eq!(all, hosts * limits::CALLS_PER_HOST.get());
    let most = dam.most.load(Ordering::SeqCst);
    assert!(most <= limits::CALLS_PER_DEFINITION.get(), "{most} at once");
}
