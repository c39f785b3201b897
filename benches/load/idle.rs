//! Connections that follow an instance and do nothing: the memory and processor time that each
//! costs.

use std::time::{Duration, Instant};

use super::{
    Outcome,
    figures::Figures,
    server::{self, Place},
    wire::Client,
};

/// Opens the connections, waits until they are idle, and measures for a while.
pub async fn measure(place: &Place<'_>, connections: usize, length: Duration) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    let pid = server.pid().to_string();
    let empty = server.memory()?;
    let mut clients = Vec::new();
    for number in 0..connections {
        clients.push(Client::connect(server.port, &server::token(number)?).await?);
    }
    tokio::time::sleep(length / 2).await;
    let (memory, cpu) = (server.memory()?, server::cpu_seconds(&pid)?);
    let began = Instant::now();
    tokio::time::sleep(length).await;
    let (cpu, seconds) = (
        server::cpu_seconds(&pid)? - cpu,
        began.elapsed().as_secs_f64(),
    );
    let mut figures = Figures::new(format!("Idle connections: {connections}"));
    let each = 1.0 / connections as f64;
    figures.note("server memory", memory as f64 / 1e6, "MB");
    let grown = memory.saturating_sub(empty) as f64;
    figures.note("memory per connection", grown * each / 1e3, "KB");
    figures.note(
        "server cpu per connection and second",
        cpu / seconds * each * 1e6,
        "us",
    );
    Ok(figures)
}
