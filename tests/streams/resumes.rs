//! A cut anywhere: nothing is lost, nothing arrives twice, and a client that has everything does
//! not wait.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::reader::{Essence, Event, Stream, by_channel, without_progress_between};
use crate::wire::{
    Client, Server,
    onboarding::{at_offer, at_review},
    server::token,
    subprocesses::GRADING,
};

fn path(instance: &str) -> String {
    format!("/v1/instances/{instance}/stream")
}

/// The frames without the repetitions of `progress`, whose number may vary.
fn essence(events: &[Event]) -> BTreeMap<String, Vec<Essence>> {
    let channels = by_channel(events.iter().map(|event| &event.frame)).into_iter();
    channels
        .map(|(channel, frames)| (channel, without_progress_between(&frames)))
        .collect()
}

/// Cuts a stream of an ended tree after each of its frames, and continues once by the header and
/// once by the address.
async fn survives_a_cut_at_every_frame(server: &Server, instance: &str) {
    let whole = Stream::open(
        server,
        &token("alice"),
        &format!("{}?after=0", path(instance)),
        &[],
    )
    .await
    .rest()
    .await;
    let (bye, frames) = whole.split_last().unwrap();
    assert_eq!(bye.frame, json!({"type": "bye", "reason": "ended"}));
    for (index, cut) in frames.iter().enumerate() {
        let (before, id) = (
            &frames[..=index],
            cut.id.as_deref().expect("each frame has an id"),
        );
        let by_header = format!("Last-Event-ID: {id}");
        let by_address = format!("{}?after={id}", path(instance));
        for (path, lines) in [(path(instance), vec![&*by_header]), (by_address, vec![])] {
            let token = format!("Authorization: Bearer {}", token("alice"));
            match Stream::ask(server.port, &path, &[&[&*token], &lines[..]].concat()).await {
                Ok(stream) => {
                    let after = stream.after(before).rest().await;
                    assert!(
                        index + 1 < frames.len(),
                        "nothing was missed, but there came {after:?}"
                    );
                    assert_eq!(after.last().unwrap().frame, bye.frame);
                    assert_eq!(
                        essence(&[before, &after[..]].concat()),
                        essence(frames),
                        "cut after {id}"
                    );
                }
                Err(answer) => {
                    assert_eq!(answer.head.status, "HTTP/1.1 204 No Content", "{answer:?}");
                    assert_eq!(index + 1, frames.len(), "cut after {id}, but nothing came");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_stream_of_a_parent_resumes_after_a_cut_at_every_frame() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let (instance, _) = at_offer(&mut client).await;
    survives_a_cut_at_every_frame(&server, &instance).await;
}

#[tokio::test]
async fn a_stream_of_a_tree_resumes_after_a_cut_at_every_frame() {
    let server = Server::with_process(GRADING);
    let mut client = Client::hello(&server, &token("alice")).await;
    let people: Vec<Value> = (0..5)
        .map(|number| json!({"name": format!("p{number}")}))
        .collect();
    let instance = client.start("grading", json!({"people": people})).await;
    let shown = |frame: &Value| frame["nodes"][0]["node"] == "show";
    if !client.frames.iter().any(shown) {
        client.expect_that(shown).await;
    }
    client.run(&instance, "go", json!({})).await;
    survives_a_cut_at_every_frame(&server, &instance).await;
}

#[tokio::test]
async fn a_stream_cut_during_activity_resumes_live() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let mut first = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
    let snapshot = first.next().await.unwrap();
    drop(first);
    client
        .run(&instance, "simulate", json!({"loan": {"amount": 1}}))
        .await;
    let last = format!("Last-Event-ID: {}", snapshot.id.as_deref().unwrap());
    // The header takes precedence over the address, which a browser cannot change when it
    // reconnects.
    let again = format!("{}?after=0", path(&instance));
    let mut second = Stream::open(&server, &token("alice"), &again, &[&last])
        .await
        .after(&[snapshot]);
    assert_eq!(
        second.next().await.unwrap().frame["type"],
        "data",
        "what was missed"
    );
    client
        .run(&instance, "confirm", json!({"consent": true}))
        .await;
    second.until(|frame| frame["type"] == "bye").await;
}

#[tokio::test]
async fn unknown_cursors_resync() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let mut former = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
    let good = former.next().await.unwrap().id.unwrap();
    let (_, numbers) = good.split_once(':').expect("a log and numbers");
    let ahead = format!("{}99999", numbers.split('.').next().unwrap());
    for (after, reason) in [
        (format!("00000000:{numbers}"), "restored"),
        (ahead, "ahead"),
        (format!("{good}~"), "lag"),
    ] {
        let after = if reason == "lag" {
            good.split('.')
                .next()
                .map(|root| format!("{root}~"))
                .unwrap()
        } else {
            after
        };
        let mut stream = Stream::open(
            &server,
            &token("alice"),
            &format!("{}?after={after}", path(&instance)),
            &[],
        )
        .await;
        let resync = stream.next().await.unwrap().frame;
        assert_eq!(
            (&resync["type"], &resync["reason"]),
            (&json!("resync"), &json!(reason))
        );
        let snapshot = stream.next().await.unwrap();
        assert_eq!(
            (&snapshot.frame["type"], snapshot.id.as_deref()),
            (&json!("snapshot"), Some(&*good)),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn frames_missed_during_a_restart_are_replayed() {
    let mut server = Server::with(&["--rate-per-second", "0"]);
    let mut client = Client::hello(&server, &token("alice")).await;
    let instance = at_review(&mut client).await;
    let mut stream = Stream::open(&server, &token("alice"), &path(&instance), &[]).await;
    let snapshot = stream.next().await.unwrap();
    client
        .run(&instance, "simulate", json!({"loan": {"amount": 1}}))
        .await;
    server.crash_and_restart();
    let last = format!("Last-Event-ID: {}", snapshot.id.as_deref().unwrap());
    let mut again = Stream::open(&server, &token("alice"), &path(&instance), &[&last])
        .await
        .after(&[snapshot]);
    assert_eq!(
        again.next().await.unwrap().frame["type"],
        "data",
        "the same log goes on"
    );
}
