//! The frames of a stream are those of a websocket.

use serde_json::{Value, json};

use super::reader::{Stream, by_channel, received, without_progress_between};
use crate::wire::{
    Client, Server,
    client::id,
    onboarding::{at_review, details, wait_for_node},
    server::{admin, token, token_with},
};

fn path(instance: &str) -> String {
    format!("/v1/instances/{instance}/stream")
}

fn has_finished(frame: &Value, instance: &str) -> bool {
    frame["status"] == "finished" && frame["channel"] == format!("instance/{instance}")
}

#[tokio::test]
async fn a_stream_sends_the_frames_of_a_websocket() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let channel = format!("instance/{instance}");
    let started = client.cursors[&channel];
    let mut stream = Stream::open(
        &server,
        &token("alice"),
        &format!("{}?after={started}", path(&instance)),
        &[],
    )
    .await;
    stream = stream.after(&received(&client.frames));
    client.frames.clear();
    client.run(&instance, "save", details()).await;
    wait_for_node(&mut client, &instance, "review").await;
    client
        .run(&instance, "confirm", json!({"consent": true}))
        .await;
    let received = stream.rest().await;
    let reported = by_channel(received.iter().map(|event| &event.frame));
    let child = reported
        .keys()
        .find(|other| **other != channel)
        .expect("the credit check is followed, too")
        .clone();
    while !client
        .frames
        .iter()
        .any(|frame| frame["channel"] == child.as_str() && frame["status"] == "finished")
    {
        client.next().await;
    }
    let heard = by_channel(&client.frames);
    assert_eq!(reported[&channel], heard[&channel]);
    // A child is followed from its first record; the number of its live frames depends on timing.
    assert_eq!(
        without_progress_between(&reported[&child]),
        without_progress_between(&heard[&child])
    );
    assert_eq!(
        received.last().unwrap().frame,
        json!({"type": "bye", "reason": "ended"})
    );
}

#[tokio::test]
async fn a_stream_starts_with_a_snapshot_and_follows_the_tree_by_default() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let mut whole = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
    let mut alone = Stream::open(
        &server,
        &token("alice"),
        &format!("{}?tree=false", path(&instance)),
        &[],
    )
    .await;
    client.subscribe(&instance).await;
    let snapshot = client.latest("snapshot").clone();
    let first = alone.next().await.unwrap();
    assert_eq!(
        (&first.frame, first.id.as_deref()),
        (&snapshot, Some(&*snapshot["seq"].to_string()))
    );
    assert_eq!(whole.next().await.unwrap().frame, snapshot);
    client.run(&instance, "save", details()).await;
    wait_for_node(&mut client, &instance, "review").await;
    client
        .run(&instance, "confirm", json!({"consent": true}))
        .await;
    alone.until(|frame| has_finished(frame, &instance)).await;
    assert!(
        alone
            .received
            .iter()
            .all(|event| event.frame["channel"] == first.frame["channel"])
    );
    assert!(
        alone
            .received
            .iter()
            .all(|event| event.id.as_deref() == Some(&*event.frame["seq"].to_string()))
    );
    assert_eq!(
        by_channel(whole.rest().await.iter().map(|event| &event.frame)).len(),
        2
    );
}

#[tokio::test]
async fn each_receiver_gets_its_own_permissions() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = client.start("onboarding", json!({})).await;
    let olga = token_with(
        "olga",
        &["operator"],
        "default",
        std::time::Duration::from_secs(60),
    );
    let mut streams = Vec::new();
    for token in [&token("alice"), &token("alice"), &olga, &admin()] {
        streams.push(Stream::open(&server, token, &path(&instance), &[]).await);
    }
    // One goes away; the others do not notice.
    drop(streams.remove(0));
    client.run(&instance, "save", details()).await;
    wait_for_node(&mut client, &instance, "review").await;
    let there =
        |frame: &Value| frame["type"] == "progress" && frame["nodes"][0]["node"] == "review";
    let (alice, admin) = (
        streams[0].until(there).await.frame,
        streams[2].until(there).await.frame,
    );
    assert_eq!(alice, admin);
    assert_eq!(streams[1].until(there).await.frame["seq"], alice["seq"]);
}

#[tokio::test]
async fn comments_keep_an_idle_stream_open() {
    // Real time passes here: the first comment is sent after five seconds.
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let mut stream = Stream::open(
        &server,
        &token("alice"),
        &path(&instance),
        &["Accept-Encoding: gzip, br"],
    )
    .await;
    stream.next().await;
    assert_eq!(
        stream.connection().chunk().await.unwrap(),
        ": keep-alive\n\n"
    );
    client
        .done(json!({"type": "terminate", "id": id(), "instance": instance}))
        .await;
    stream.until(|frame| frame["status"] == "terminated").await;
}
