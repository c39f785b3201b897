//! B4: many connections follow one instance; each of its steps is pushed to all of them.

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use uuid::Uuid;

use super::{
    Outcome,
    figures::Figures,
    latencies::Latencies,
    server::{self, Place},
    storm, sync_latency,
    wire::{Client, is_answer, unexpected},
};

/// The number of measured pushes, one after another.
const PUSHES: usize = 20;

/// Pushes to all followers, and measures when the last one has received each push.
pub async fn measure(place: &Place<'_>, followers: usize) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    eprintln!("B4: {followers} followers, server process {}", server.pid());
    let mut sync = sync_latency::measure(data.path())?;
    let empty = server.memory()?;
    // All are one user, so that all may see it.
    let token = server::token(0)?;
    let mut acting = Client::connect(server.port, &token).await?;
    let instance = storm::start(&mut acting).await?;
    let (seen, mut arrivals) = unbounded_channel();
    for _ in 0..followers {
        let mut client = Client::connect(server.port, &token).await?;
        follow(&mut client, &instance).await?;
        tokio::spawn(watch(client, seen.clone()));
    }
    let memory = server.memory()?.saturating_sub(empty);
    let pid = server.pid().to_string();
    let before = (server::cpu_seconds(&pid)?, server::cpu_seconds("self")?);
    let mut last = Latencies::default();
    for count in 1..=PUSHES {
        last.note(push(&mut acting, &instance, count, followers, &mut arrivals).await?);
    }
    let server_cpu = server::cpu_seconds(&pid)? - before.0;
    let generator_cpu = server::cpu_seconds("self")? - before.1;
    let each = 1e6 / (followers * PUSHES) as f64;
    let mut figures = Figures::new(format!("B4 one push to {followers} followers"));
    figures.note_time("sync latency", sync.at(0.5));
    figures.note_latencies(
        ["last frame p50", "last frame p99", "last frame max"],
        &mut last,
    );
    figures.note("server cpu per frame", server_cpu * each, "us");
    figures.note("generator cpu per frame", generator_cpu * each, "us");
    let of_each = memory as f64 / followers as f64 / 1e3;
    figures.note("memory per follower", of_each, "KB");
    Ok(figures)
}

/// Follows an instance, and waits for its snapshot.
pub async fn follow(client: &mut Client, instance: &str) -> io::Result<()> {
    let channel = format!(r#""channel":"instance/{instance}""#);
    let frame = format!(r#"{{"type":"subscribe","id":"1",{channel}}}"#);
    client.send(&frame).await?;
    let is_error = |frame: &str| frame.starts_with(r#"{"type":"error""#);
    let is_snapshot = |frame: &str| frame.starts_with(r#"{"type":"snapshot""#);
    let first = client.until(|frame| is_snapshot(frame) || is_error(frame));
    let first = first.await?;
    match is_error(first) {
        true => Err(unexpected("a followed instance", first.as_bytes())),
        false => Ok(()),
    }
}

/// Reports the time at which each pushed count was received.
async fn watch(mut client: Client, seen: UnboundedSender<Instant>) -> io::Result<()> {
    loop {
        let is_pushed = |frame: &str| frame.starts_with(r#"{"type":"data""#);
        client.until(is_pushed).await?;
        // The receiver is dropped at the end of the measurement.
        let _ = seen.send(Instant::now());
    }
}

/// The time from the action until the last follower has received the push.
async fn push(
    client: &mut Client,
    instance: &str,
    count: usize,
    followers: usize,
    arrivals: &mut UnboundedReceiver<Instant>,
) -> Outcome<Duration> {
    let id = Uuid::now_v7();
    let run = format!(r#""instance":"{instance}","action":"count","data":{{"count":{count}}}"#);
    let frame = format!(r#"{{"type":"run","id":"{id}",{run}}}"#);
    let began = Instant::now();
    client.send(&frame).await?;
    let reply = client.until(is_answer).await?;
    if !reply.starts_with(r#"{"type":"reply""#) {
        return Err(unexpected("a reply", reply.as_bytes()).into());
    }
    let mut last = began;
    for _ in 0..followers {
        let arrived = arrivals
            .recv()
            .await
            .ok_or("expected followers that stay")?;
        last = last.max(arrived);
    }
    Ok(last - began)
}
