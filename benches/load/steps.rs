//! B2: each client runs a repeatable action of its own instance, and waits until it holds the next
//! step and its data.

use std::{
    io,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    Outcome,
    figures::Figures,
    latencies::Latencies,
    server::{self, Place},
    sync_latency,
    wire::{Client, field, is_answer, unexpected},
};

/// Runs the load and tells what came of it.
pub async fn measure(
    place: &Place<'_>,
    connections: usize,
    length: Duration,
    pause: Duration,
) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    eprintln!(
        "B2: {connections} connections, server process {}",
        server.pid()
    );
    let mut sync_before = sync_latency::measure(data.path())?;
    let mut clients = Vec::new();
    for number in 0..connections {
        clients.push(Client::connect(server.port, &server::token(number)?).await?);
    }
    let cpu_before = server::cpu_seconds(&server.pid().to_string())?;
    let began = Instant::now();
    let end = began + length;
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| tokio::spawn(step_until(client, end, pause)))
        .collect();
    let mut steps = Latencies::default();
    for task in tasks {
        steps.join(task.await??);
    }
    let seconds = began.elapsed().as_secs_f64();
    let cpu = server::cpu_seconds(&server.pid().to_string())? - cpu_before;
    let mut sync_after = sync_latency::measure(data.path())?;

    let mut figures = Figures::new(format!(
        "B2 action until next step: {connections} connections, pause {pause:?}"
    ));
    let sync = sync_latency::middle(&mut sync_before, &mut sync_after);
    figures.note_time("sync latency", sync);
    figures.note("actions per second", steps.len() as f64 / seconds, "");
    figures.note_latencies(["step p50", "step p99", "step max"], &mut steps);
    figures.note(
        "step p50 per sync",
        steps.at(0.5).as_secs_f64() / sync.as_secs_f64(),
        "",
    );
    figures.note(
        "server cpu per action",
        cpu / steps.len() as f64 * 1e6,
        "us",
    );
    Ok(figures)
}

async fn step_until(mut client: Client, end: Instant, pause: Duration) -> io::Result<Latencies> {
    let mut latencies = Latencies::default();
    let id = Uuid::now_v7();
    client
        .send(&format!(
            r#"{{"type":"start","id":"{id}","process":"loadSteps"}}"#
        ))
        .await?;
    let reply = client.until(is_answer).await?;
    let instance = field(reply, "instance")
        .ok_or_else(|| unexpected("a started instance", reply.as_bytes()))?
        .to_owned();
    let mut count = 0_u64;
    while Instant::now() < end {
        count += 1;
        let began = Instant::now();
        step(&mut client, &instance, count).await?;
        latencies.note(began.elapsed());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    Ok(latencies)
}

/// One step: the reply with the next step counts only when the data has come before it.
async fn step(client: &mut Client, instance: &str, count: u64) -> io::Result<()> {
    let id = Uuid::now_v7();
    let run = r#""action":"count","data":"#;
    client
        .send(&format!(
            r#"{{"type":"run","id":"{id}","instance":"{instance}",{run}{{"count":{count}}}}}"#
        ))
        .await?;
    let body = format!(r#""body":{{"count":{count}}}"#);
    let mut pushed = false;
    let reply = client.until(|frame| {
        pushed |= frame.contains(&body);
        is_answer(frame)
    });
    let reply = reply.await?;
    let next = pushed && reply.contains(r#""name":"count""#);
    if next {
        Ok(())
    } else {
        Err(unexpected(
            "the pushed count and then the next step",
            reply.as_bytes(),
        ))
    }
}
