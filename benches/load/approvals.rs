//! B1: each client starts an instance, receives its form, runs the action, sees the end, and starts
//! again.

use std::{
    io,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    Outcome,
    figures::Figures,
    latencies::Latencies,
    server::{self, Place, Server},
    sync_latency,
    wire::{Client, field, is_answer, unexpected},
};

/// The load.
pub struct Load {
    /// The process that is started.
    pub process: &'static str,
    /// The number of clients.
    pub connections: usize,
    /// The duration of the measurement.
    pub length: Duration,
    /// The pause of a client between a reply and its next command.
    pub pause: Duration,
}

/// The measurements of clients.
#[derive(Default)]
pub struct Seen {
    /// Times from a start to its reply.
    pub starts: Latencies,
    /// Times from an action to its reply.
    pub runs: Latencies,
}

impl Seen {
    /// Adds the measurements of another client.
    pub fn join(&mut self, other: Self) {
        self.starts.join(other.starts);
        self.runs.join(other.runs);
    }
}

/// Runs the load and returns its figures.
pub async fn measure(
    place: &Place<'_>,
    connections: usize,
    length: Duration,
    pause: Duration,
) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    eprintln!(
        "B1: {connections} connections, server process {}",
        server.pid()
    );
    let mut sync_before = sync_latency::measure(data.path())?;
    let of = Load {
        process: "loadApproval",
        connections,
        length,
        pause,
    };
    let (mut seen, costs) = load(&server, &of).await?;
    let bytes = server::bytes_in(data.path())?;
    let mut sync_after = sync_latency::measure(data.path())?;

    let instances = seen.runs.len() as f64;
    let mut figures = Figures::new(format!(
        "B1 start, push, action, end: {connections} connections"
    ));
    figures.note_time(
        "sync latency",
        sync_latency::middle(&mut sync_before, &mut sync_after),
    );
    figures.note("instances per second", instances / costs.seconds, "");
    figures.note("commands per second", 2.0 * instances / costs.seconds, "");
    figures.note_latencies(["start p50", "start p99", "start max"], &mut seen.starts);
    figures.note_latencies(["run p50", "run p99", "run max"], &mut seen.runs);
    figures.note("server cpu", costs.server_cpu, "s");
    figures.note("generator cpu", costs.generator_cpu, "s");
    figures.note(
        "server cpu per instance",
        costs.server_cpu / instances * 1e6,
        "us",
    );
    figures.note("server memory", server.memory()? as f64 / 1e6, "MB");
    figures.note(
        "data directory per instance",
        bytes as f64 / instances,
        "bytes",
    );
    Ok(figures)
}

/// The cost, in seconds.
pub struct Costs {
    seconds: f64,
    /// Processor time of the server.
    pub server_cpu: f64,
    generator_cpu: f64,
}

/// Runs a load.
pub async fn load(server: &Server, load: &Load) -> Outcome<(Seen, Costs)> {
    let mut clients = Vec::new();
    for number in 0..load.connections {
        clients.push(Client::connect(server.port, &server::token(number)?).await?);
    }
    let pid = server.pid().to_string();
    let (server_before, generator_before) =
        (server::cpu_seconds(&pid)?, server::cpu_seconds("self")?);
    let began = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| {
            let end = began + load.length;
            tokio::spawn(approve_until(client, load.process, end, load.pause))
        })
        .collect();
    let mut seen = Seen::default();
    for task in tasks {
        seen.join(task.await??);
    }
    let costs = Costs {
        seconds: began.elapsed().as_secs_f64(),
        server_cpu: server::cpu_seconds(&pid)? - server_before,
        generator_cpu: server::cpu_seconds("self")? - generator_before,
    };
    Ok((seen, costs))
}

async fn approve_until(
    mut client: Client,
    process: &str,
    end: Instant,
    pause: Duration,
) -> io::Result<Seen> {
    let mut seen = Seen::default();
    while Instant::now() < end {
        let began = Instant::now();
        let instance = start(&mut client, process).await?;
        seen.starts.note(began.elapsed());
        rest(pause).await;
        let began = Instant::now();
        decide(&mut client, &instance).await?;
        seen.runs.note(began.elapsed());
        rest(pause).await;
    }
    Ok(seen)
}

/// Without a pause the task continues at once: a timer would add a millisecond.
async fn rest(pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
}

async fn start(client: &mut Client, process: &str) -> io::Result<String> {
    let id = Uuid::now_v7();
    let order = r#"{"order":{"item":"desk","amount":1200}}"#;
    client
        .send(&format!(
            r#"{{"type":"start","id":"{id}","process":"{process}","data":{order}}}"#
        ))
        .await?;
    let mut pushed = false;
    let reply = client.until(|frame| {
        pushed |= frame.starts_with(r#"{"type":"data""#);
        is_answer(frame)
    });
    let reply = reply.await?;
    let instance = field(reply, "instance").filter(|_| pushed);
    instance
        .map(str::to_owned)
        .ok_or_else(|| unexpected("a push and then a started instance", reply.as_bytes()))
}

async fn decide(client: &mut Client, instance: &str) -> io::Result<()> {
    let id = Uuid::now_v7();
    let decision = r#"{"decision":"approved","comment":"fits the budget"}"#;
    let run = format!(
        r#"{{"type":"run","id":"{id}","instance":"{instance}","action":"decide","data":{decision}}}"#
    );
    client.send(&run).await?;
    let reply = client.until(is_answer).await?;
    if reply.contains(r#""status":"finished""#) {
        Ok(())
    } else {
        Err(unexpected("a finished instance", reply.as_bytes()))
    }
}
