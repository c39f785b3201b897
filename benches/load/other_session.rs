//! The time from a user's action until another session of the same user has received the push.

use std::{
    io,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    Outcome, fanout,
    figures::Figures,
    latencies::Latencies,
    server::{self, Place},
    storm, sync_latency,
    wire::{Client, is_answer},
};

/// Runs pairs of sessions, of which one acts and the other one waits for the push.
pub async fn measure(place: &Place<'_>, pairs: usize, length: Duration) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    eprintln!("session: {pairs} pairs, server process {}", server.pid());
    let mut sync_before = sync_latency::measure(data.path())?;
    let mut ready = Vec::new();
    for number in 0..pairs {
        let token = server::token(number)?;
        let mut acting = Client::connect(server.port, &token).await?;
        let instance = storm::start(&mut acting).await?;
        let mut watching = Client::connect(server.port, &token).await?;
        fanout::follow(&mut watching, &instance).await?;
        ready.push((acting, watching, instance));
    }
    let end = Instant::now() + length;
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|(acting, watching, instance)| {
            tokio::spawn(act_until(acting, watching, instance, end))
        })
        .collect();
    let mut frames = Latencies::default();
    for task in tasks {
        frames.join(task.await??);
    }
    let mut sync_after = sync_latency::measure(data.path())?;
    let mut figures = Figures::new(format!(
        "Action until another session's frame: {pairs} pairs"
    ));
    let sync = sync_latency::middle(&mut sync_before, &mut sync_after);
    figures.note_time("sync latency", sync);
    figures.note_latencies(["frame p50", "frame p99", "frame max"], &mut frames);
    let beyond = frames.at(0.5).saturating_sub(sync);
    figures.note_time("frame p50 beyond a sync", beyond);
    Ok(figures)
}

async fn act_until(
    mut acting: Client,
    mut watching: Client,
    instance: String,
    end: Instant,
) -> io::Result<Latencies> {
    let mut latencies = Latencies::default();
    let mut count = 0_u64;
    while Instant::now() < end {
        count += 1;
        let id = Uuid::now_v7();
        let data = format!(r#""action":"count","data":{{"count":{count}}}"#);
        let frame = format!(r#"{{"type":"run","id":"{id}","instance":"{instance}",{data}}}"#);
        let body = format!(r#""body":{{"count":{count}}}"#);
        let began = Instant::now();
        acting.send(&frame).await?;
        watching.until(|frame| frame.contains(&body)).await?;
        latencies.note(began.elapsed());
        acting.until(is_answer).await?;
    }
    Ok(latencies)
}
