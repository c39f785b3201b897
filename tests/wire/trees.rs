//! Trees: children are followed on the same connection, after the frame that announced them.

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::id,
    onboarding::{at_offer, details, wait_for_node},
    server::token,
};

fn first_of(client: &Client, channel: &str) -> usize {
    client
        .frames
        .iter()
        .position(|frame| frame["channel"] == channel)
        .expect("a frame of the channel")
}

/// A parent with a live child: the card order of a finished onboarding.
async fn with_card(client: &mut Client) -> (String, String) {
    let (parent, offer) = at_offer(client).await;
    let inherit = json!({"instance": parent, "seq": offer["seq"]});
    let reply = client
        .done(json!({"type": "start", "id": id(), "inheritFrom": inherit}))
        .await;
    let child = reply["result"]["instance"].as_str().unwrap().to_owned();
    let announced =
        |frame: &Value| frame["type"] == "child" && frame["child"]["instance"] == child.as_str();
    if !client.frames.iter().any(announced) {
        client.expect_that(announced).await;
    }
    (parent, child)
}

#[tokio::test]
async fn a_childs_frames_follow_its_announcement() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    client.run(&instance, "save", details()).await;
    wait_for_node(&mut client, &instance, "review").await;
    let announced = client
        .frames
        .iter()
        .position(|frame| frame["type"] == "child")
        .unwrap();
    let child = client.frames[announced]["child"]["instance"]
        .as_str()
        .unwrap()
        .to_owned();
    let channel = format!("instance/{child}");
    while !client
        .frames
        .iter()
        .any(|frame| frame["channel"] == channel.as_str() && frame["status"] == "finished")
    {
        client.next().await;
    }
    assert!(first_of(&client, &channel) > announced);
    assert_eq!(
        client.of_channel(&child)[0]["prev"],
        0,
        "from its first record"
    );
    let pushed = client
        .of_channel(&instance)
        .into_iter()
        .find(|frame| frame["body"]["creditCheck"].is_object())
        .unwrap();
    assert_eq!(
        pushed["origin"],
        child.as_str(),
        "a push to the parent names the child"
    );
    assert_eq!(pushed["instance"], instance.as_str());
}

#[tokio::test]
async fn without_tree_only_the_instance_itself_is_followed() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let reply = client
        .done(json!({"type": "start", "id": id(), "process": "onboarding"}))
        .await;
    let instance = reply["result"]["instance"].as_str().unwrap().to_owned();
    let channel = format!("instance/{instance}");
    client
        .done(json!({"type": "subscribe", "id": id(), "channel": channel, "tree": false}))
        .await;
    client.run(&instance, "save", details()).await;
    wait_for_node(&mut client, &instance, "review").await;
    client
        .run(&instance, "confirm", json!({"consent": true}))
        .await;
    assert!(
        client
            .frames
            .iter()
            .all(|frame| frame["channel"].is_null() || frame["channel"] == channel.as_str())
    );
}

#[tokio::test]
async fn a_snapshot_of_a_tree_has_parents_first() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (parent, child) = with_card(&mut client).await;
    let mut late = Client::hello(&server, &token("alice")).await;
    late.subscribe(&parent).await;
    while late
        .frames
        .iter()
        .filter(|frame| frame["type"] == "snapshot")
        .count()
        < 2
    {
        late.next().await;
    }
    let (of_parent, of_child) = (
        first_of(&late, &format!("instance/{parent}")),
        first_of(&late, &format!("instance/{child}")),
    );
    assert!(of_parent < of_child);
    assert_eq!(late.frames[of_parent]["status"], "finished");
    assert_eq!(late.frames[of_child]["view"]["card"]["holder"], "Ada Byron");
}

#[tokio::test]
async fn a_child_missing_in_a_resume_is_sent_from_its_first_record() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (parent, child) = with_card(&mut client).await;
    let after = client.cursors[&format!("instance/{parent}")];
    let mut late = Client::open(&server).await;
    late.cursors.insert(format!("instance/{parent}"), after);
    late.send(json!({"type": "hello", "token": token("alice"), "resume": [{"instance": parent, "after": after}]})).await;
    let first = late
        .expect_that(|frame| frame["channel"] == format!("instance/{child}"))
        .await;
    assert_eq!(
        (&first["type"], &first["prev"]),
        (&json!("data"), &json!(0))
    );
}

#[tokio::test]
async fn an_unsubscribed_tree_sends_no_frames() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (parent, child) = with_card(&mut client).await;
    let mut late = Client::hello(&server, &token("alice")).await;
    late.subscribe(&parent).await;
    late.expect_that(|frame| {
        frame["type"] == "snapshot" && frame["channel"] == format!("instance/{child}")
    })
    .await;
    late.done(json!({"type": "unsubscribe", "id": id(), "channel": format!("instance/{parent}")}))
        .await;
    client
        .run(&child, "choose", json!({"card": {"design": "night"}}))
        .await;
    late.start("onboarding", json!({})).await;
    assert!(
        late.of_channel(&child).is_empty(),
        "a child followed for its parent's sake is let go with it"
    );
}

#[tokio::test]
async fn a_child_subscribed_by_itself_stays_when_its_parent_goes() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (parent, child) = with_card(&mut client).await;
    let mut late = Client::hello(&server, &token("alice")).await;
    late.subscribe(&child).await;
    late.subscribe(&parent).await;
    late.done(json!({"type": "unsubscribe", "id": id(), "channel": format!("instance/{parent}")}))
        .await;
    late.run(&child, "choose", json!({"card": {"design": "night"}}))
        .await;
    assert!(!late.of_channel(&child).is_empty());
}
