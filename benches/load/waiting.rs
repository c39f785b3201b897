//! B3: many instances that wait for their user: memory, disk, and the time until a restarted server
//! answers for one of them.

use std::{io, time::Instant};

use uuid::Uuid;

use super::{
    Outcome,
    figures::Figures,
    server::{self, Place},
    wire::{Client, field, is_answer, unexpected},
};

const CLIENTS: usize = 64;

/// Starts the instances, then stops and starts the server.
pub async fn measure(place: &Place<'_>, instances: usize) -> Outcome<Figures> {
    let data = place.data()?;
    let server = place.start(data.path())?;
    eprintln!("B3: {instances} instances, server process {}", server.pid());
    let (empty, began) = (server.memory()?, Instant::now());
    let mut tasks = Vec::new();
    for number in 0..CLIENTS {
        let client = Client::connect(server.port, &server::token(number)?).await?;
        tasks.push(tokio::spawn(start_many(client, instances / CLIENTS)));
    }
    let mut last = String::new();
    for task in tasks {
        last = task.await??;
    }
    let mut figures = Figures::new(format!("B3 waiting instances: {instances}"));
    figures.note(
        "starts per second",
        instances as f64 / began.elapsed().as_secs_f64(),
        "",
    );
    figures.note("memory without instances", empty as f64 / 1e6, "MB");
    figures.note("memory with all live", server.memory()? as f64 / 1e6, "MB");
    server.stop()?;
    figures.note(
        "data directory per instance",
        server::bytes_in(data.path())? as f64 / instances as f64,
        "bytes",
    );

    let began = Instant::now();
    let server = place.start(data.path())?;
    figures.note_time("restart to ready", began.elapsed());
    let mut client = Client::connect(server.port, &server::token(CLIENTS - 1)?).await?;
    let run = format!(
        r#"{{"type":"run","id":"{}","instance":"{last}","action":"decide","#,
        Uuid::now_v7()
    );
    client
        .send(&(run + r#""data":{"decision":"approved"}}"#))
        .await?;
    let reply = client.until(is_answer).await?;
    if !reply.contains(r#""status":"finished""#) {
        return Err(unexpected("the waiting instance to finish", reply.as_bytes()).into());
    }
    figures.note_time("restart to first reply", began.elapsed());
    figures.note(
        "memory with all at rest",
        server.memory()? as f64 / 1e6,
        "MB",
    );
    Ok(figures)
}

async fn start_many(mut client: Client, count: usize) -> io::Result<String> {
    let mut instance = String::new();
    for _ in 0..count {
        let start = format!(
            r#"{{"type":"start","id":"{}","process":"loadApproval","subscribe":false,"#,
            Uuid::now_v7()
        );
        client
            .send(&(start + r#""data":{"order":{"item":"desk","amount":1200}}}"#))
            .await?;
        let reply = client.until(is_answer).await?;
        let started = field(reply, "instance")
            .ok_or_else(|| unexpected("a started instance", reply.as_bytes()))?;
        instance.clear();
        instance.push_str(started);
    }
    Ok(instance)
}
