//! The id of a command is its idempotency key.

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::id,
    onboarding::{at_review, details},
    server::token,
};

#[tokio::test]
async fn a_repeated_command_gets_the_first_reply() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let mut data = details();
    data["more"] = json!({"ignored": true});
    let run =
        json!({"type": "run", "id": id(), "instance": instance, "action": "save", "data": data});
    let first = client.done(run.clone()).await;
    super::onboarding::wait_for_node(&mut client, &instance, "review").await;
    client
        .run(&instance, "confirm", json!({"consent": true}))
        .await;
    let mut other = Client::hello(&server, &token("alice")).await;
    for client in [&mut client, &mut other] {
        let again = client.done(run.clone()).await;
        assert_eq!(again["duplicate"], true);
        assert_eq!(
            (&again["seq"], &again["result"]),
            (&first["seq"], &first["result"])
        );
    }
    assert_eq!(first["result"]["ignored"], json!(["more"]));
}

#[tokio::test]
async fn a_reply_survives_a_crash() {
    let mut server = Server::with(&["--rate-per-second", "0"]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let start = json!({"type": "start", "id": id(), "process": "onboarding"});
    let started = client.done(start.clone()).await;
    let run = json!({"type": "run", "id": id(), "instance": started["result"]["instance"], "action": "save", "data": details()});
    let ran = client.done(run.clone()).await;
    server.crash_and_restart();
    let mut client = Client::hello(&server, &token("alice")).await;
    for (command, first) in [(start, started), (run, ran)] {
        let again = client.done(command).await;
        assert_eq!(
            (&again["duplicate"], &again["seq"], &again["result"]),
            (&json!(true), &first["seq"], &first["result"])
        );
    }
}

#[tokio::test]
async fn an_id_with_another_body_is_refused() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let run = json!({"type": "run", "id": id(), "instance": instance, "action": "simulate", "data": {"loan": {"amount": 1}}});
    let seq = client.done(run.clone()).await["seq"].clone();
    let mut changed = run.clone();
    changed["data"]["loan"]["amount"] = json!(2);
    client.refused(changed, "id_reused").await;
    let mut changed = run.clone();
    changed["action"] = json!("confirm");
    client.refused(changed, "id_reused").await;
    client
        .refused(
            json!({"type": "terminate", "id": run["id"], "instance": instance}),
            "id_reused",
        )
        .await;
    assert_eq!(client.done(run).await["seq"], seq);
    let start = json!({"type": "start", "id": id(), "process": "onboarding", "data": {}});
    client.done(start.clone()).await;
    let mut changed = start;
    changed["process"] = json!("orderApproval");
    client.refused(changed, "id_reused").await;
}

#[tokio::test]
async fn members_in_another_order_are_the_same_body() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let id = id();
    let run = |data: &str| {
        format!(
            r#"{{"type":"run","id":"{id}","instance":"{instance}","action":"simulate","data":{data}}}"#
        )
    };
    client
        .send_text(&run(r#"{"loan":{"amount":1,"months":2}}"#))
        .await;
    assert_eq!(client.answer(&id).await["duplicate"], false);
    client
        .send_text(&run(r#"{ "loan": { "months":2, "amount":1 } }"#))
        .await;
    assert_eq!(client.answer(&id).await["duplicate"], true);
}

#[tokio::test]
async fn an_id_of_another_user_is_unknown() {
    let server = Server::start();
    let mut alice = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut alice).await;
    let run = json!({"type": "run", "id": id(), "instance": instance, "action": "simulate", "data": {"loan": {"amount": 1}}});
    let first = alice.done(run.clone()).await;
    let mut root = Client::hello(&server, &super::server::admin()).await;
    let second = root.done(run).await;
    assert_eq!(second["duplicate"], false);
    assert!(second["seq"].as_u64() > first["seq"].as_u64());
    let start = json!({"type": "start", "id": id(), "process": "onboarding"});
    let mine = alice.done(start.clone()).await["result"]["instance"].clone();
    let theirs = root.done(start).await;
    assert_eq!(theirs["duplicate"], false);
    assert_ne!(theirs["result"]["instance"], mine);
}

#[tokio::test]
async fn a_refused_command_leaves_no_id_behind() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let mut run =
        json!({"type": "run", "id": id(), "instance": instance, "action": "save", "data": {}});
    client.refused(run.clone(), "invalid_data").await;
    run["data"] = details();
    assert_eq!(client.done(run).await["duplicate"], false);
}

#[tokio::test]
async fn other_ids_only_correlate() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let run = json!({"type": "run", "id": "not a uuid", "instance": instance, "action": "simulate", "data": {"loan": {"amount": 1}}});
    let first = client.done(run.clone()).await;
    let second = client.done(run).await;
    assert_eq!(second["duplicate"], false);
    assert!(second["seq"].as_u64() > first["seq"].as_u64());
}

#[tokio::test]
async fn a_start_repeated_on_a_new_connection_is_followed_from_its_first_record() {
    let server = Server::start();
    let start = json!({"type": "start", "id": id(), "process": "onboarding"});
    let mut client = Client::hello(&server, &token("alice")).await;
    let first = client.done(start.clone()).await;
    let mut again = Client::hello(&server, &token("alice")).await;
    let second = again.done(start).await;
    assert_eq!(
        (&second["duplicate"], &second["result"]),
        (&json!(true), &first["result"])
    );
    let kinds: Vec<&Value> = again.frames.iter().map(|frame| &frame["type"]).collect();
    assert_eq!(kinds, ["welcome", "data", "progress", "reply"]);
    let instance = second["result"]["instance"].as_str().unwrap();
    assert_eq!(
        client.of_channel(instance)[0],
        again.of_channel(instance)[0]
    );
}

#[tokio::test]
async fn two_concurrent_subscribes_are_both_answered() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client
        .done(json!({"type": "start", "id": id(), "process": "onboarding"}))
        .await["result"]["instance"]
        .clone();
    let channel = format!("instance/{}", instance.as_str().unwrap());
    for id in ["a", "b", "c"] {
        client
            .send(json!({"type": "subscribe", "id": id, "channel": channel}))
            .await;
    }
    client
        .send(json!({"type": "unsubscribe", "id": "d", "channel": channel}))
        .await;
    let mut open = vec!["a", "b", "c", "d"];
    while !open.is_empty() {
        let answer = client.expect_that(|frame| frame.get("id").is_some()).await;
        open.retain(|id| answer["id"] != *id);
    }
}
