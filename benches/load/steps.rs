//! B2: each client runs a repeatable action of its own instance, and waits until it holds the next
//! step and its data.

use std::{
    io,
    path::PathBuf,
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

/// The instance that takes the steps.
#[derive(Default)]
pub struct Stepped {
    /// The number of nodes of its process; 0 for the process of the other measurements.
    pub nodes: usize,
    /// The bytes of its other data.
    pub bytes: usize,
}

/// Runs the load and returns its figures.
pub async fn measure(
    place: &Place<'_>,
    stepped: &Stepped,
    connections: usize,
    length: Duration,
    pause: Duration,
) -> Outcome<Figures> {
    let data = place.data()?;
    let (process, file) = match stepped.nodes {
        0 => ("loadSteps", None),
        nodes => ("loadChain", Some(chain(place, nodes)?)),
    };
    let server = place.start_with(data.path(), file.as_deref())?;
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
        .map(|client| tokio::spawn(step_until(client, process, stepped.bytes, end, pause)))
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

/// A process of so many nodes: the user task of the steps, and service tasks behind it.
fn chain(place: &Place<'_>, nodes: usize) -> Outcome<PathBuf> {
    let source = include_str!("load.bpmn").replace("loadSteps", "loadChain");
    let (_, rest) = source
        .split_once("<bpmn:process id=\"loadChain\"")
        .ok_or("expected the process of the steps, but it is missing")?;
    let (process, _) = rest
        .split_once("<bpmn:sequenceFlow id=\"stepsToEnd\"")
        .ok_or("expected its last flow, but it is missing")?;
    let (definitions, _) = source
        .split_once("<bpmn:process")
        .ok_or("expected a process")?;
    let mut xml = format!("{definitions}<bpmn:process id=\"loadChain\"{process}");
    let mut last = "steps".to_owned();
    for number in 0..nodes.saturating_sub(3) {
        let next = format!("n{number}");
        xml.push_str(&format!(
            "<bpmn:serviceTask id=\"{next}\" />\
            <bpmn:sequenceFlow id=\"f{number}\" sourceRef=\"{last}\" targetRef=\"{next}\" />\n"
        ));
        last = next;
    }
    xml.push_str(&format!(
        "<bpmn:sequenceFlow id=\"last\" sourceRef=\"{last}\" targetRef=\"stepsEnd\" />\
        </bpmn:process></bpmn:definitions>"
    ));
    let path = place.directory.join(format!("chain-{nodes}.bpmn"));
    std::fs::write(&path, xml)?;
    Ok(path)
}

/// The maximum bytes of one message, with room for the rest of the frame.
const OF_A_MESSAGE: usize = 50_000;

async fn start(client: &mut Client, process: &str, bytes: usize) -> io::Result<String> {
    let id = Uuid::now_v7();
    let part = |bytes: usize| "x".repeat(bytes);
    let first = bytes.min(OF_A_MESSAGE);
    let data = format!(r#"{{"count":0,"first":"{}"}}"#, part(first));
    let start = format!(r#"{{"type":"start","id":"{id}","process":"{process}","data":{data}}}"#);
    client.send(&start).await?;
    let reply = client.until(is_answer).await?;
    let instance = field(reply, "instance")
        .ok_or_else(|| unexpected("a started instance", reply.as_bytes()))?
        .to_owned();
    let mut left = bytes - first;
    while left > 0 {
        let next = left.min(OF_A_MESSAGE);
        let id = Uuid::now_v7();
        let data = format!(r#"{{"count":0,"more":{{"{left}":"{}"}}}}"#, part(next));
        let run = format!(r#""instance":"{instance}","action":"count","data":{data}"#);
        client
            .send(&format!(r#"{{"type":"run","id":"{id}",{run}}}"#))
            .await?;
        let reply = client.until(is_answer).await?;
        if !reply.starts_with(r#"{"type":"reply""#) {
            return Err(unexpected("a reply", reply.as_bytes()));
        }
        left -= next;
    }
    Ok(instance)
}

/// Starts an instance and runs steps until the given time; returns the duration of each step.
pub async fn step_until(
    mut client: Client,
    process: &str,
    bytes: usize,
    end: Instant,
    pause: Duration,
) -> io::Result<Latencies> {
    let mut latencies = Latencies::default();
    let instance = start(&mut client, process, bytes).await?;
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

/// Runs one step. The reply with the next step counts only when the data were received before it.
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
