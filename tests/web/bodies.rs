//! Bodies that are sent slowly or never end, and how much of the shared memory they may take.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::http::User;
use crate::support;

const TIMEOUT: Duration = Duration::from_secs(30);

/// A stranger that has announced a body of a megabyte and sent half of it.
async fn half_a_megabyte(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = "POST /v1/instances HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: \
        application/json\r\nContent-Length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; 500_000]).await.unwrap();
    stream
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let read = timeout(TIMEOUT, stream.read(&mut bytes)).await;
    bytes.truncate(read.expect("an answer in time").unwrap());
    String::from_utf8(bytes).unwrap()
}

#[actix_web::test]
async fn strangers_of_one_address_use_only_their_share_of_memory() {
    // A stranger's part is 2 MiB.
    let server = support::start(support::config(&["--max-body-memory", "16"])).await;
    let port = server.addresses()[0].port();
    // The server makes room when it has seen the head: their order is open, that one is too much is
    // not.
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(half_a_megabyte(port).await);
    }
    let refused = async {
        let (first, rest) = open.split_at_mut(1);
        let (second, third) = rest.split_at_mut(1);
        tokio::select! {
            reported = answer(&mut first[0]) => reported,
            reported = answer(&mut second[0]) => reported,
            reported = answer(&mut third[0]) => reported,
        }
    };
    let reported = refused.await;
    assert!(reported.starts_with("HTTP/1.1 503 "), "{reported}");
    assert!(reported.contains("\r\nretry-after: 1\r\n"), "{reported}");
    assert!(
        reported.contains("expected memory for the body"),
        "{reported}"
    );
    // A user has a share of its own, independent of the address.
    User::new(&server, "alice", &[]).start_onboarding().await;
    let metrics = User::new(&server, "op", &["server-operator"])
        .get("/metrics")
        .await;
    let refusals = metrics
        .text
        .lines()
        .find(|line| line.starts_with("stepwire_refused_total{limit=\"body_memory\"}"));
    assert!(
        refusals.is_some_and(|line| !line.ends_with(" 0")),
        "{refusals:?}"
    );
    drop(open);
    server.stop().await;
}

#[actix_web::test]
async fn a_websocket_message_over_its_senders_share_gets_a_retry_time() {
    let server = support::start(support::config(&["--max-body-memory", "16"])).await;
    let port = server.addresses()[0].port();
    let mut messages = Vec::new();
    for _ in 0..17 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let head = "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: \
            Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
            dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: stepwire.v1.json\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 101 "));
        // A first message of 128 KiB that remains incomplete.
        let declared = 128_u64 * 1024;
        let frame = [
            &[0x81, 0xff][..],
            &declared.to_be_bytes(),
            &[0; 4],
            &[b' '; 100],
        ]
        .concat();
        stream.write_all(&frame).await.unwrap();
        messages.push(stream);
    }
    let closed = messages.iter_mut().map(|stream| {
        Box::pin(async move {
            let mut bytes = vec![0; 4];
            stream.read_exact(&mut bytes).await.unwrap();
            bytes
        })
    });
    let (close, _, _) = timeout(TIMEOUT, futures_util::future::select_all(closed))
        .await
        .expect("one is closed");
    assert_eq!(
        (close[0], u16::from_be_bytes([close[2], close[3]])),
        (0x88, 1013)
    );
    server.stop().await;
}

#[actix_web::test]
async fn strangers_with_unread_large_responses_are_refused_more() {
    let server = support::start(support::config(&["--max-body-memory", "16"])).await;
    let port = server.addresses()[0].port();
    let ask = async || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        // The system buffers some bytes; the rest of many answers waits in the server.
        let request = "GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(100);
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    };
    let mut open = Vec::new();
    let reported = loop {
        open.push(ask().await);
        let nobody = User::with_token(&server, None);
        let answer = nobody.get("/openapi.json").await;
        if answer.status != 200 {
            break answer;
        }
        assert!(open.len() < 200, "strangers hold everything");
    };
    reported.is_problem(503, "busy", "memory for the answer");
    let alice = User::new(&server, "alice", &[]);
    assert_eq!(alice.get("/openapi.json").await.status, 200);
    server.stop().await;
}
