//! Connections that keep the server waiting.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{timeout, timeout_at},
};

use super::{
    Outcome,
    field::{ATTACKER, Field, Tally, swarm},
};

/// A body as long as a request may have, of which the end never comes.
const BODY: usize = 1_000_000;
/// What may become of such a connection: it waits, or it is refused or closed.
const REFUSALS: &[&str] = &[
    "open",
    "closed",
    "not connected",
    "408",
    "413",
    "429",
    "431",
    "503",
];
/// Between two bytes of a slow sender.
const SLOW: Duration = Duration::from_millis(100);

/// How many connections; as many as it takes for a table, fewer to see that it holds.
fn many(field: &Field, table: usize) -> usize {
    if field.long { table } else { table / 4 }
}

/// Anonymous starts of which all but the last bytes come.
pub async fn unfinished_bodies(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, many(&field.clone(), 1_000), move |field, _| {
        let told = told.clone();
        async move {
            let Ok(mut stream) = field.connect(ATTACKER).await else {
                return told.add("not connected");
            };
            let head = format!(
                "POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {BODY}\r\n\r\n{{\"process\":\"onboarding\",\"data\":{{\"a\":\""
            );
            let filler = "x".repeat(BODY - 1_000);
            let sent = async {
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(filler.as_bytes()).await
            };
            // The server may take no more, or close: both are its right.
            let _ = timeout_at(end.into(), sent).await;
            told.add(answer(&mut stream, end).await);
        }
    })
    .await;
    tally.only(REFUSALS);
    Outcome::of(tally)
}

/// Requests whose head goes on and on.
pub async fn unfinished_heads(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, many(&field.clone(), 1_000), move |field, _| {
        let told = told.clone();
        async move {
            let Ok(mut stream) = field.connect(ATTACKER).await else {
                return told.add("not connected");
            };
            let endless = async {
                stream
                    .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
                    .await?;
                for number in 0u64.. {
                    let line = format!("X-{number}: {}\r\n", "y".repeat(100));
                    stream.write_all(line.as_bytes()).await?;
                    tokio::time::sleep(SLOW).await;
                }
                std::io::Result::Ok(())
            };
            let _ = timeout_at(end.into(), endless).await;
            told.add(answer(&mut stream, end).await);
        }
    })
    .await;
    tally.only(REFUSALS);
    Outcome::of(tally)
}

/// Requests that come byte by byte.
pub async fn byte_by_byte(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, many(&field.clone(), 800), move |field, _| {
        let told = told.clone();
        async move {
            let Ok(mut stream) = field.connect(ATTACKER).await else {
                return told.add("not connected");
            };
            let request = b"POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
            let slowly = async {
                let bytes = request.iter().copied().chain(std::iter::repeat(b' '));
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    tokio::time::sleep(SLOW).await;
                }
                std::io::Result::Ok(())
            };
            let _ = timeout_at(end.into(), slowly).await;
            told.add(answer(&mut stream, end).await);
        }
    })
    .await;
    tally.only(REFUSALS);
    Outcome::of(tally)
}

/// Requests of a large answer in a row, of which none is read.
pub async fn never_read(field: Arc<Field>) -> Outcome {
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(&field, many(&field.clone(), 400), move |field, _| {
        let told = told.clone();
        async move {
            let Ok(mut stream) = field.connect(ATTACKER).await else {
                return told.add("not connected");
            };
            let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
            let asks = async {
                while stream.write_all(request.as_bytes()).await.is_ok() {
                    tokio::time::sleep(SLOW).await;
                }
            };
            let open = timeout_at(end.into(), asks).await.is_err();
            told.add(if open { "open" } else { "closed" });
        }
    })
    .await;
    tally.only(REFUSALS);
    Outcome::of(tally)
}

/// What the server says to a connection: the status of its answer, `closed`, or `open` when nothing has
/// come by the end.
pub async fn answer(stream: &mut TcpStream, end: Instant) -> String {
    let mut head = [0; 12];
    let wait = end.saturating_duration_since(Instant::now());
    match timeout(
        wait.max(Duration::from_millis(200)),
        stream.read_exact(&mut head),
    )
    .await
    {
        Err(_) => "open".to_owned(),
        Ok(Err(_)) => "closed".to_owned(),
        Ok(Ok(_)) => String::from_utf8_lossy(&head[9..]).into_owned(),
    }
}
