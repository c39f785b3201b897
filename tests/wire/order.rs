//! The order of frames, and the chain of numbers. `Client` itself checks every frame against the
//! rule of `prev` and `seq`.

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::id,
    onboarding::{at_review, details, wait_for_node},
    server::token,
};

#[tokio::test]
async fn a_welcome_has_the_limits_of_the_server() {
    let server = Server::with(&["--store", "memory"]);
    let client = Client::hello(&server, &token("alice")).await;
    let welcome = &client.frames[0];
    assert_eq!(welcome["user"], "alice");
    assert_eq!(welcome["pingSeconds"], 25);
    assert_eq!(welcome["maxMessageBytes"], 65_536);
    assert_eq!(welcome["rate"], json!({"perSecond": 20, "burst": 60}));
    assert!(welcome["expiresAt"].as_str().unwrap().ends_with('Z'));
    assert!(welcome["log"].is_string() && welcome["connection"].is_string());
}

#[tokio::test]
async fn a_start_pushes_the_first_step_before_its_reply() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let data = json!({"client": {"firstName": "Ada"}, "other": 1});
    let start = json!({"type": "start", "id": id(), "process": "onboarding", "data": data});
    let reply = client.done(start.clone()).await;
    let kinds: Vec<&str> = client
        .frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["welcome", "data", "progress", "reply"]);
    let [_, form, progress, _] = &client.frames[..] else {
        unreachable!()
    };
    assert_eq!(
        (&form["node"], &form["action"], &form["prev"]),
        (&json!("details"), &json!("showForm"), &json!(0))
    );
    assert_eq!(form["body"]["client"]["firstName"], "Ada");
    assert_eq!(
        (&form["origin"], &form["cause"]),
        (&Value::Null, &start["id"])
    );
    assert_eq!(reply["seq"], progress["seq"]);
    assert_eq!(reply["duplicate"], false);
    let result = &reply["result"];
    assert_eq!(
        (&result["nodes"], &result["actions"]),
        (&progress["nodes"], &progress["actions"]),
        "the same shapes"
    );
    assert_eq!(result["status"], "started");
    assert_eq!(result["ignored"], json!(["other"]));
    let action = &result["actions"][0];
    assert_eq!(
        (&action["name"], &action["back"], &action["required"]),
        (&json!("save"), &json!(false), &json!("mandatory"))
    );
    assert_eq!(action["requiredKeys"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_reply_names_the_children_its_instance_waits_for() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let reply = client.run(&instance, "save", details()).await;
    let child = client
        .frames
        .iter()
        .find(|frame| frame["type"] == "child")
        .expect("announced before the reply")["child"]
        .clone();
    let named = &reply["result"]["children"][0];
    assert_eq!(
        (&named["process"], &named["instance"]),
        (&json!("creditCheck"), &child["instance"])
    );
    assert_eq!(named["element"], child["element"]);
    wait_for_node(&mut client, &instance, "review").await;
}

#[tokio::test]
async fn commands_of_a_connection_are_applied_in_order() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    for number in 0..100 {
        let data = json!({"loan": {"amount": number}});
        client
            .send(json!({"type": "run", "id": format!("r{number}"), "instance": instance, "action": "simulate", "data": data}))
            .await;
    }
    for number in 0..100 {
        let reply = client.expect_that(|frame| frame.get("id").is_some()).await;
        assert_eq!(
            (&reply["type"], &reply["id"]),
            (&json!("reply"), &json!(format!("r{number}"))),
            "{reply}"
        );
        let position = client.cursors[&format!("instance/{instance}")];
        assert!(
            position >= reply["seq"].as_u64().unwrap(),
            "the frames of a commit come before its reply"
        );
    }
    let of_simulation = |frame: &Value| frame["body"]["simulation"]["amount"].as_u64();
    let shown: Vec<u64> = client.frames.iter().filter_map(of_simulation).collect();
    assert_eq!(shown, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_receiver_has_an_unbroken_chain_of_frames() {
    let server = Server::start();
    let mut first = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut first).await;
    let mut second = Client::hello(&server, &token("alice")).await;
    let reply = second.subscribe(&instance).await;
    assert_eq!(reply["result"]["mode"], "snapshot");
    first
        .run(&instance, "simulate", json!({"loan": {"amount": 1}}))
        .await;
    let mut third = Client::hello(&server, &token("alice")).await;
    let channel = format!("instance/{instance}");
    let reply = third
        .done(json!({"type": "subscribe", "id": id(), "channel": channel, "after": 0}))
        .await;
    assert_eq!(reply["result"]["mode"], "replay");
    assert_eq!(reply["result"]["channel"], channel.as_str());
    second
        .run(&instance, "simulate", json!({"loan": {"amount": 2}}))
        .await;
    let last = second.cursors[&channel];
    for client in [&mut first, &mut third] {
        if client.cursors[&channel] < last {
            client
                .expect_that(|frame| frame["channel"] == channel.as_str() && frame["seq"] == last)
                .await;
        }
    }
}

#[tokio::test]
async fn two_connections_of_a_user_both_follow() {
    let server = Server::start();
    let mut one = Client::hello(&server, &token("alice")).await;
    let mut two = Client::hello(&server, &token("alice")).await;
    let instance = one.start("onboarding", json!({})).await;
    two.subscribe(&instance).await;
    let snapshot = two
        .frames
        .iter()
        .find(|frame| frame["type"] == "snapshot")
        .unwrap();
    assert_eq!(snapshot["view"]["form"], "details");
    assert_eq!(snapshot["actions"][0]["name"], "save");
    let reply = two.run(&instance, "save", details()).await;
    wait_for_node(&mut one, &instance, "review").await;
    let channel = format!("instance/{instance}");
    let seen = one
        .frames
        .iter()
        .find(|frame| frame["channel"] == channel.as_str() && frame["seq"] == reply["seq"]);
    assert_eq!(
        seen.unwrap()["cause"],
        reply["id"],
        "a commit names the command it followed from"
    );
}
