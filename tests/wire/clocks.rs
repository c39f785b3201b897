//! Process time under `--test-clock`: `clock` moves it, `idle` waits until everything it caused is
//! done.

use serde_json::json;

use super::{
    Client, Server,
    client::id,
    onboarding::at_review,
    server::{admin, token},
};

#[tokio::test]
async fn a_timer_fires_at_its_due_time_and_not_before() {
    let server = Server::with_clock();
    let mut client = Client::hello(&server, &token("alice")).await;
    let mut root = Client::hello(&server, &admin()).await;
    let instance = client.start("Workflow_Wait", json!({})).await;
    let first = root
        .done(json!({"type": "clock", "id": id(), "advance": "PT9.999S"}))
        .await;
    root.done(json!({"type": "idle", "id": id()})).await;
    client.subscribe(&instance).await;
    assert_eq!(client.latest("snapshot")["status"], "started");
    let second = root
        .done(json!({"type": "clock", "id": id(), "advance": "PT0.001S"}))
        .await;
    assert!(first["result"]["now"].as_str().unwrap() < second["result"]["now"].as_str().unwrap());
    let waited = client.expect("data").await;
    assert_eq!(waited["body"], json!({"waited": "PT10S"}));
    assert_eq!(client.expect("progress").await["status"], "finished");
}

#[tokio::test]
async fn after_idle_all_due_work_is_done() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let mut instances = Vec::new();
    for _ in 0..100 {
        instances.push(root.start("Workflow_Wait", json!({})).await);
    }
    root.done(json!({"type": "clock", "id": id(), "advance": "PT10S"}))
        .await;
    root.done(json!({"type": "idle", "id": id()})).await;
    for instance in &instances {
        assert_eq!(
            root.of_channel(instance).last().unwrap()["status"],
            "finished"
        );
    }
}

#[tokio::test]
async fn idle_waits_for_children() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let instance = root.start("onboarding", json!({})).await;
    root.run(&instance, "save", super::onboarding::details())
        .await;
    root.done(json!({"type": "idle", "id": id()})).await;
    let last = root.of_channel(&instance).last().unwrap().clone();
    assert_eq!(last["nodes"][0]["node"], "review", "{last}");
}

#[tokio::test]
async fn a_reminder_is_sent_and_the_token_stays() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let instance = at_review(&mut root).await;
    root.done(json!({"type": "clock", "id": id(), "advance": "P1D"}))
        .await;
    root.done(json!({"type": "idle", "id": id()})).await;
    assert!(
        root.frames
            .iter()
            .any(|frame| frame["body"]["reminder"].is_string())
    );
    root.run(&instance, "confirm", json!({"consent": true}))
        .await;
}

#[tokio::test]
async fn an_overdue_timer_fires_after_a_crash() {
    let mut server = Server::with(&["--test-clock", "--rate-per-second", "0"]);
    let mut root = Client::hello(&server, &admin()).await;
    let instance = root.start("Workflow_Wait", json!({})).await;
    server.crash_and_restart();
    let mut root = Client::hello(&server, &admin()).await;
    root.done(json!({"type": "clock", "id": id(), "advance": "PT1H"}))
        .await;
    root.done(json!({"type": "idle", "id": id()})).await;
    root.subscribe(&instance).await;
    assert_eq!(root.latest("snapshot")["status"], "finished");
}

#[tokio::test]
async fn the_clock_is_set_to_a_moment_and_never_goes_back() {
    let server = Server::with_clock();
    let mut root = Client::hello(&server, &admin()).await;
    let set = |to: &str| json!({"type": "clock", "id": id(), "set": to});
    let reply = root.done(set("2100-01-01T00:00:00Z")).await;
    assert_eq!(reply["result"]["now"], "2100-01-01T00:00:00.000Z");
    let reply = root.done(set("2090-01-01T00:00:00Z")).await;
    assert_eq!(reply["result"]["now"], "2100-01-01T00:00:00.000Z");
    let reply = root
        .done(json!({"type": "clock", "id": id(), "advance": "PT30S"}))
        .await;
    assert_eq!(reply["result"]["now"], "2100-01-01T00:00:30.000Z");
    for bad in [
        json!({}),
        json!({"advance": "30s"}),
        json!({"advance": "-PT1S"}),
        json!({"advance": 5}),
        json!({"set": "soon"}),
        json!({"advance": "PT1S", "set": "2100-01-01T00:00:00Z"}),
        json!({"advance": "P9000Y"}),
    ] {
        let mut frame = bad;
        frame["type"] = json!("clock");
        frame["id"] = json!(id());
        root.refused(frame, "bad_request").await;
    }
}

#[tokio::test]
async fn the_clock_is_for_administrators_of_a_test_server_only() {
    let server = Server::with_clock();
    let mut client = Client::hello(&server, &token("alice")).await;
    let frames = [
        json!({"type": "clock", "id": "1", "advance": "PT30S"}),
        json!({"type": "idle", "id": "1"}),
    ];
    for frame in &frames {
        client.refused(frame.clone(), "forbidden").await;
    }
    let server = Server::start();
    let mut root = Client::hello(&server, &admin()).await;
    for frame in &frames {
        root.refused(frame.clone(), "unsupported").await;
    }
}
