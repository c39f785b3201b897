//! B8: the time from starting the program to its first successful health check, on an empty and on
//! an existing data directory; and the program's size.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use super::{Outcome, figures::Figures, latencies::Latencies, server::Place};

const STARTS: usize = 10;
const TIMEOUT: Duration = Duration::from_secs(10);

/// Starts the program repeatedly.
pub fn measure(place: &Place<'_>) -> Outcome<Figures> {
    let (mut empty, mut existing) = (Latencies::default(), Latencies::default());
    for _ in 0..STARTS {
        let data = place.data()?;
        empty.note(start(place, data.path())?);
        existing.note(start(place, data.path())?);
    }
    let mut figures = Figures::new("B8 cold start".to_owned());
    figures.note_latencies(
        [
            "empty directory p50",
            "empty directory p99",
            "empty directory max",
        ],
        &mut empty,
    );
    figures.note_latencies(
        [
            "existing directory p50",
            "existing directory p99",
            "existing directory max",
        ],
        &mut existing,
    );
    figures.note(
        "program size",
        std::fs::metadata(place.program)?.len() as f64 / 1e6,
        "MB",
    );
    Ok(figures)
}

fn start(place: &Place<'_>, data: &Path) -> Outcome<Duration> {
    let began = Instant::now();
    let server = place.spawn(data)?;
    while !is_healthy(server.port) {
        if began.elapsed() > TIMEOUT {
            return Err("expected the server to become healthy, but it has not".into());
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    let took = began.elapsed();
    server.stop()?;
    Ok(took)
}

fn is_healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
