//! Connections that keep the server waiting, or busy without result.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout, timeout_at},
};

use super::{
    Outcome,
    field::{ATTACKER, Field, Tally, swarm},
};

/// The declared length of a body whose end is never sent; the maximum of a request.
const BODY: usize = 1_000_000;
/// Acceptable results of such a connection: it waits, is refused, or is closed.
const REFUSALS: &[&str] = &[
    "open",
    "closed",
    "not connected",
    "400",
    "403",
    "404",
    "408",
    "413",
    "429",
    "431",
    "503",
];
/// Further acceptable answers, for valid requests.
const ANSWERS: &[&str] = &["101", "200"];
/// The pause between two bytes of a slow sender.
const SLOW: Duration = Duration::from_millis(100);
/// The handshake of a websocket without the empty line at its end.
const HANDSHAKE: &str = "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: \
    websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: stepwire.v1.json\r\n";

/// The work of one connection until the time is over; the server may stop reading, or close it.
type Play =
    for<'a> fn(&'a mut TcpStream) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;

/// Runs one of these plays on each of so many connections, and counts the server's last answers. A
/// table uses many connections, a test fewer.
async fn besiege(field: &Arc<Field>, table: usize, plays: &'static [Play]) -> Outcome {
    let many = if field.long { table } else { table / 4 };
    let tally = Arc::<Tally>::default();
    let (told, end) = (tally.clone(), field.end());
    swarm(field, many, move |field, index| {
        let told = told.clone();
        async move {
            let Ok(mut stream) = field.connect(ATTACKER).await else {
                return told.add("not connected");
            };
            let play = plays[index % plays.len()];
            let _ = timeout_at(end.into(), play(&mut stream)).await;
            told.add(answer(&mut stream, end).await);
        }
    })
    .await;
    tally.only(&[REFUSALS, ANSWERS].concat());
    Outcome::of(tally)
}

/// Anonymous starts without their last bytes.
pub async fn unfinished_bodies(field: Arc<Field>) -> Outcome {
    let play: Play = |stream| {
        Box::pin(async move {
            let head = format!(
                "POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {BODY}\r\n\r\n{{\"process\":\"onboarding\",\"data\":{{\"a\":\""
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all("x".repeat(BODY - 1_000).as_bytes()).await
        })
    };
    besiege(&field, 1_000, Box::leak(Box::new([play]))).await
}

/// Requests whose head never ends.
pub async fn unfinished_heads(field: Arc<Field>) -> Outcome {
    besiege(
        &field,
        1_000,
        &[|stream| {
            Box::pin(async move {
                let head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
                stream.write_all(head).await?;
                for number in 0u64.. {
                    let line = format!("X-{number}: {}\r\n", "y".repeat(100));
                    stream.write_all(line.as_bytes()).await?;
                    sleep(SLOW).await;
                }
                Ok(())
            })
        }],
    )
    .await
}

/// Requests sent byte by byte.
pub async fn byte_by_byte(field: Arc<Field>) -> Outcome {
    besiege(&field, 800, &[|stream| {
        Box::pin(async move {
            let request = b"POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
            for byte in request.iter().copied().chain(std::iter::repeat(b' ')) {
                stream.write_all(&[byte]).await?;
                sleep(SLOW).await;
            }
            Ok(())
        })
    }])
    .await
}

/// Requests for a large response in a row, none of which is read.
pub async fn never_read(field: Arc<Field>) -> Outcome {
    besiege(
        &field,
        400,
        &[|stream| {
            Box::pin(async move {
                let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
                loop {
                    stream.write_all(request.as_bytes()).await?;
                    sleep(SLOW).await;
                }
            })
        }],
    )
    .await
}

/// Requests with heads of the maximum length, pipelined.
pub async fn long_heads(field: Arc<Field>) -> Outcome {
    besiege(
        &field,
        400,
        &[|stream| {
            Box::pin(async move {
                let lines: String = (0..90)
                    .map(|number| format!("X-{number}: {}\r\n", "y".repeat(330)))
                    .collect();
                let request =
                    format!("GET /docs/limits HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
                pipeline(stream, request.as_bytes()).await
            })
        }],
    )
    .await
}

/// Health checks, pipelined on each of many connections.
pub async fn health_checks(field: Arc<Field>) -> Outcome {
    besiege(&field, 1_000, &[
        |stream| {
            let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
            Box::pin(async move { pipeline(stream, request.as_bytes()).await })
        },
        |stream| {
            let request = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
            Box::pin(async move { pipeline(stream, request.as_bytes()).await })
        },
        // These are answered before the rate is checked.
        |stream| {
            let request = "GET /healthz HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n".repeat(100);
            Box::pin(async move { pipeline(stream, request.as_bytes()).await })
        },
        |stream| {
            let request = "OPTIONS /v1/instances HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nAccess-Control-Request-Method: POST\r\n\r\n".repeat(100);
            Box::pin(async move { pipeline(stream, request.as_bytes()).await })
        },
    ])
    .await
}

/// Handshakes that stop half-way: of TLS, which the server does not speak, and of websockets,
/// before the upgrade and before `hello`.
pub async fn half_handshakes(field: Arc<Field>) -> Outcome {
    besiege(
        &field,
        1_000,
        &[
            |stream| {
                // The record header announces 512 bytes; the first of them are those of a
                // ClientHello.
                Box::pin(async move {
                    let hello = [
                        0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03,
                    ];
                    stream.write_all(&hello).await
                })
            },
            |stream| Box::pin(async move { stream.write_all(HANDSHAKE.as_bytes()).await }),
            |stream| {
                Box::pin(async move {
                    stream.write_all(HANDSHAKE.as_bytes()).await?;
                    stream.write_all(b"\r\n").await
                })
            },
        ],
    )
    .await
}

/// Websocket messages whose last fragment is never sent: large ones, and endless empty ones.
pub async fn fragments(field: Arc<Field>) -> Outcome {
    besiege(
        &field,
        400,
        &[
            |stream| {
                Box::pin(async move {
                    open_websocket(stream).await?;
                    // A text frame without FIN, masked, of 60,000 bytes.
                    stream
                        .write_all(&[0x01, 0xfe, 0xea, 0x60, 0, 0, 0, 0])
                        .await?;
                    stream.write_all(&[b'x'; 60_000]).await
                })
            },
            |stream| {
                Box::pin(async move {
                    open_websocket(stream).await?;
                    stream.write_all(&[0x01, 0x80, 0, 0, 0, 0]).await?;
                    let empty = [0x00, 0x80, 0, 0, 0, 0].repeat(100);
                    loop {
                        stream.write_all(&empty).await?;
                    }
                })
            },
            |stream| {
                Box::pin(async move {
                    open_websocket(stream).await?;
                    let pings = [0x89, 0x80, 0, 0, 0, 0].repeat(100);
                    pipeline(stream, &pings).await
                })
            },
        ],
    )
    .await
}

/// Chunked bodies that continue after the answer 404.
pub async fn chunks_behind_a_refusal(field: Arc<Field>) -> Outcome {
    besiege(&field, 400, &[|stream| {
        Box::pin(async move {
            let head = b"POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).await?;
            let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        })
    }])
    .await
}

async fn open_websocket(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(HANDSHAKE.as_bytes()).await?;
    stream.write_all(b"\r\n").await
}

/// Sends the same bytes repeatedly as fast as they are accepted, and reads the answers.
async fn pipeline(stream: &mut TcpStream, request: &[u8]) -> io::Result<()> {
    let (mut read, mut write) = stream.split();
    let mut sink = tokio::io::sink();
    tokio::select! {
        sent = async {
            loop {
                write.write_all(request).await?;
            }
        } => sent,
        read = tokio::io::copy(&mut read, &mut sink) => read.map(drop),
    }
}

/// The last answer of the server on a connection: its status, `closed`, or `open` when no complete
/// answer has arrived by the end.
pub async fn answer(stream: &mut TcpStream, end: Instant) -> String {
    let mut head = [0; 12];
    let wait = end.saturating_duration_since(Instant::now());
    match timeout(
        wait.max(Duration::from_millis(200)),
        stream.read_exact(&mut head),
    )
    .await
    {
        Ok(Err(_)) => "closed".to_owned(),
        Ok(Ok(_)) if head.starts_with(b"HTTP/") => String::from_utf8_lossy(&head[9..]).into_owned(),
        Err(_) | Ok(Ok(_)) => "open".to_owned(),
    }
}
