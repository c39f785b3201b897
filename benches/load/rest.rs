//! The same action over REST and over a websocket: the cost of each for the server.
//!
//! Both alternate on one server, so that other load of the machine affects both.

use std::{
    io,
    time::{Duration, Instant},
};

use super::{
    Outcome,
    figures::Figures,
    http::RestClient,
    latencies::Latencies,
    server::{self, Place, Server},
    steps,
    wire::{Client, field, unexpected},
};

/// The number of turns of each.
const TURNS: u32 = 3;

/// The result of some turns.
#[derive(Default)]
struct Costs {
    steps: Latencies,
    cpu: f64,
}

impl Costs {
    /// Processor time of the server for each action, in microseconds.
    fn each(&self) -> f64 {
        self.cpu * 1e6 / self.steps.len() as f64
    }
}

/// Measures both and compares them.
pub async fn measure(place: &Place<'_>, connections: usize, length: Duration) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    eprintln!(
        "rest: {connections} connections, server process {}",
        server.pid()
    );
    let (mut rest, mut websocket) = (Costs::default(), Costs::default());
    for _ in 0..TURNS {
        let turn = length / TURNS;
        by_websocket(&server, connections, turn, &mut websocket).await?;
        by_rest(&server, connections, turn, &mut rest).await?;
    }
    let mut figures = Figures::new(format!("REST and websocket: {connections} connections"));
    figures.note_latencies(
        ["websocket p50", "websocket p99", "websocket max"],
        &mut websocket.steps,
    );
    figures.note_latencies(["REST p50", "REST p99", "REST max"], &mut rest.steps);
    figures.note("websocket, server cpu an action", websocket.each(), "us");
    figures.note("REST, server cpu an action", rest.each(), "us");
    figures.note("ratio", rest.each() / websocket.each(), "");
    Ok(figures)
}

async fn by_websocket(
    server: &Server,
    connections: usize,
    turn: Duration,
    costs: &mut Costs,
) -> Outcome<()> {
    let mut clients = Vec::new();
    for number in 0..connections {
        clients.push(Client::connect(server.port, &server::token(number)?).await?);
    }
    let pid = server.pid().to_string();
    let (before, end) = (server::cpu_seconds(&pid)?, Instant::now() + turn);
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| {
            tokio::spawn(steps::step_until(
                client,
                "loadSteps",
                0,
                end,
                Duration::ZERO,
            ))
        })
        .collect();
    for task in tasks {
        costs.steps.join(task.await??);
    }
    costs.cpu += server::cpu_seconds(&pid)? - before;
    Ok(())
}

async fn by_rest(
    server: &Server,
    connections: usize,
    turn: Duration,
    costs: &mut Costs,
) -> Outcome<()> {
    let mut clients = Vec::new();
    for number in 0..connections {
        clients.push(RestClient::connect(server.port, server::token(number)?).await?);
    }
    let pid = server.pid().to_string();
    let (before, end) = (server::cpu_seconds(&pid)?, Instant::now() + turn);
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|client| tokio::spawn(step_until(client, end)))
        .collect();
    for task in tasks {
        costs.steps.join(task.await??);
    }
    costs.cpu += server::cpu_seconds(&pid)? - before;
    Ok(())
}

async fn step_until(mut client: RestClient, end: Instant) -> io::Result<Latencies> {
    let mut latencies = Latencies::default();
    let start = r#"{"process":"loadSteps","data":{"count":0}}"#;
    let started = client.post("/v1/instances", start).await?;
    let instance = field(started, "instance")
        .ok_or_else(|| unexpected("a started instance", started.as_bytes()))?;
    let path = format!("/v1/instances/{instance}/run");
    let mut count = 0_u64;
    while Instant::now() < end {
        count += 1;
        let run = format!(r#"{{"action":"count","data":{{"count":{count}}}}}"#);
        let began = Instant::now();
        let next = client.post(&path, &run).await?;
        if !next.contains(r#""name":"count""#) {
            return Err(unexpected("the next step", next.as_bytes()));
        }
        latencies.note(began.elapsed());
    }
    Ok(latencies)
}
