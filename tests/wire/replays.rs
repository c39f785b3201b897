//! Resume and replay: a client that was disconnected receives what it missed, and ends with the
//! same content as if it had stayed.

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::id,
    onboarding::{at_offer, at_review, details, wait_for_node},
    server::token,
};

fn without_intermediate_progress(frames: &[Value]) -> Vec<(Value, Value, Value)> {
    let last = frames.last().unwrap()["seq"].clone();
    let reported = frames
        .iter()
        .filter(|frame| frame["type"] != "progress" || frame["seq"] == last);
    reported
        .map(|frame| {
            (
                frame["type"].clone(),
                frame["seq"].clone(),
                frame["body"].clone(),
            )
        })
        .collect()
}

/// Deep merge, as a client folds Data bodies into its view.
fn merge(view: &mut Value, patch: &Value) {
    match (view, patch) {
        (Value::Object(view), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(view.entry(name).or_insert(Value::Null), value);
            }
        }
        (view, patch) => *view = patch.clone(),
    }
}

fn view_of(frames: &[Value]) -> Value {
    let mut view = json!({});
    for frame in frames {
        match frame["type"].as_str() {
            Some("data") => merge(&mut view, &frame["body"]),
            Some("view") => view = frame["body"].clone(),
            _ => {}
        }
    }
    view
}

#[tokio::test]
async fn a_replay_equals_the_live_frames() {
    let server = Server::start();
    let mut live = Client::hello(&server, &token("alice")).await;
    let (instance, _) = at_offer(&mut live).await;
    let mut late = Client::hello(&server, &token("alice")).await;
    late.done(json!({"type": "subscribe", "id": id(), "channel": format!("instance/{instance}"), "after": 0})).await;
    let (live, replayed) = (live.of_channel(&instance), late.of_channel(&instance));
    assert_eq!(
        without_intermediate_progress(&live),
        without_intermediate_progress(&replayed)
    );
    let end = |frames: &[Value]| {
        (
            frames.last().unwrap()["status"].clone(),
            frames.last().unwrap()["actions"].clone(),
        )
    };
    assert_eq!(end(&live), end(&replayed));
}

#[tokio::test]
async fn a_snapshot_equals_the_fold_of_the_frames() {
    let server = Server::start();
    let mut live = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut live).await;
    live.run(
        &instance,
        "simulate",
        json!({"loan": {"amount": 1, "months": 2}}),
    )
    .await;
    live.run(&instance, "save", details()).await;
    wait_for_node(&mut live, &instance, "review").await;
    let mut late = Client::hello(&server, &token("alice")).await;
    late.subscribe(&instance).await;
    let snapshot = late
        .frames
        .iter()
        .find(|frame| frame["type"] == "snapshot")
        .unwrap();
    while live.cursors[&format!("instance/{instance}")] < snapshot["seq"].as_u64().unwrap() {
        live.next().await;
    }
    assert_eq!(snapshot["view"], view_of(&live.of_channel(&instance)));
}

#[tokio::test]
async fn a_resume_within_a_row_gets_the_rest_of_it() {
    let server = Server::start();
    let mut live = Client::hello(&server, &token("alice")).await;
    let (instance, offer) = at_offer(&mut live).await;
    let frames = live.of_channel(&instance);
    for after in frames.iter().map(|frame| frame["seq"].as_u64().unwrap()) {
        let resume = json!([{"instance": instance, "after": after}]);
        let mut late = Client::open(&server).await;
        late.cursors.insert(format!("instance/{instance}"), after);
        late.send(json!({"type": "hello", "token": token("alice"), "resume": resume}))
            .await;
        let end = late.expect("live").await;
        assert_eq!(end["seq"], frames.last().unwrap()["seq"]);
        let missed: Vec<Value> = frames
            .iter()
            .filter(|frame| frame["seq"].as_u64().unwrap() > after)
            .cloned()
            .collect();
        if !missed.is_empty() {
            let got = late.of_channel(&instance);
            assert_eq!(
                without_intermediate_progress(&got),
                without_intermediate_progress(&missed),
                "after {after}"
            );
        }
    }
    assert!(offer["seq"].as_u64().unwrap() < frames.last().unwrap()["seq"].as_u64().unwrap());
}

#[tokio::test]
async fn every_resumed_channel_ends_with_live() {
    let server = Server::start();
    let mut former = Client::hello(&server, &token("alice")).await;
    let one = former.start("onboarding", json!({})).await;
    let two = former.start("onboarding", json!({})).await;
    former.run(&one, "save", details()).await;
    let mut other = Client::hello(&server, &token("alice")).await;
    other.run(&two, "save", details()).await;
    let mut late = Client::open(&server).await;
    late.cursors = former.cursors.clone();
    let point =
        |key: &str| json!({"instance": key, "after": former.cursors[&format!("instance/{key}")]});
    late.send(
        json!({"type": "hello", "token": token("alice"), "resume": [point(&one), point(&two)]}),
    )
    .await;
    let first = late.expect("live").await;
    let second = late.expect("live").await;
    assert_eq!(first["channel"], format!("instance/{one}"));
    assert_eq!(second["channel"], format!("instance/{two}"));
}

/// Resumes with a number or a log that means nothing here: `resync`, then a snapshot, then `live`.
async fn resyncs(server: &Server, instance: &str, hello: Value, reason: &str) {
    let mut late = Client::hello_with(server, hello).await;
    let resync = late.next().await;
    assert_eq!(
        (&resync["type"], &resync["reason"]),
        (&json!("resync"), &json!(reason))
    );
    assert_eq!(resync["channel"], format!("instance/{instance}"));
    let snapshot = late.next().await;
    assert_eq!(
        (&snapshot["type"], &snapshot["channel"]),
        (&json!("snapshot"), &resync["channel"])
    );
    assert_eq!(late.next().await["type"], "live");
}

#[tokio::test]
async fn unknown_cursors_resync() {
    let server = Server::with(&["--rate-per-second", "0"]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let log = client.frames[0]["log"].clone();
    let hello = |log: &Value, after: u64| json!({"token": token("alice"), "log": log, "resume": [{"instance": instance, "after": after}]});
    resyncs(&server, &instance, hello(&json!("another"), 1), "restored").await;
    resyncs(&server, &instance, hello(&log, 10_000), "ahead").await;
    resyncs(&server, &instance, hello(&log, u64::MAX), "ahead").await;
}

#[tokio::test]
async fn too_many_missed_frames_resync() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let channel = format!("instance/{instance}");
    let before = client.cursors[&channel];
    // Five hundred runs of two frames each would do; one frame each but the progress needs a
    // thousand and one.
    for _ in 0..11 {
        for number in 0..100 {
            let data = json!({"loan": {"amount": number}});
            client
                .send(
                    json!({"type": "run", "id": format!("r{number}"), "instance": instance, "action": "simulate", "data": data}),
                )
                .await;
        }
        client.answer("r99").await;
    }
    resyncs(
        &server,
        &instance,
        json!({"token": token("alice"), "resume": [{"instance": instance, "after": before}]}),
        "lag",
    )
    .await;
    let near = client.cursors[&channel] - 100;
    let mut late = Client::open(&server).await;
    late.cursors.insert(channel, near);
    late.send(json!({"type": "hello", "token": token("alice"), "resume": [{"instance": instance, "after": near}]})).await;
    late.expect("live").await;
    assert!(late.frames.iter().all(|frame| frame["type"] != "resync"));
}

#[tokio::test]
async fn a_resume_continues_after_a_crash() {
    let mut server = Server::with(&["--rate-per-second", "0"]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    server.crash_and_restart();
    let mut late = Client::open(&server).await;
    late.cursors = client.cursors.clone();
    let point =
        json!({"instance": instance, "after": client.cursors[&format!("instance/{instance}")]});
    late.send(json!({"type": "hello", "token": token("alice"), "log": client.frames[0]["log"], "resume": [point]})).await;
    late.expect("live").await;
    assert!(
        late.frames.iter().all(|frame| frame["type"] != "resync"),
        "the same log goes on"
    );
    late.run(&instance, "simulate", json!({"loan": {"amount": 1}}))
        .await;
}

#[tokio::test]
async fn a_resume_of_a_foreign_instance_is_an_error_with_its_channel() {
    let server = Server::start();
    let mut alice = Client::hello(&server, &token("alice")).await;
    let instance = alice.start("onboarding", json!({})).await;
    let resume = json!([{"instance": instance, "after": 1}]);
    let mut bob =
        Client::hello_with(&server, json!({"token": token("bob"), "resume": resume})).await;
    let error = bob.next().await;
    super::client::check_error(&error, "not_found");
    assert_eq!(error["channel"], format!("instance/{instance}"));
    alice.run(&instance, "save", details()).await;
    bob.start("onboarding", json!({})).await;
    assert!(bob.of_channel(&instance).is_empty());
}
