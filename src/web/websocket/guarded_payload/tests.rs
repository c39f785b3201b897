//! The guard in a real server on a real socket, with a client that speaks raw bytes.

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle};
use actix_ws::{CloseReason, Message};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

use super::*;
use crate::limits::{Limit, Pot, Taker};

/// Echoes text; at the end of the stream closes with what the verdict says.
async fn echo(request: HttpRequest, body: web::Payload) -> Result<HttpResponse, Error> {
    let (body, verdict) = guard(&request, body, FrameGuard::new(65_536, 65_536), None).await?;
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    actix_web::rt::spawn(async move {
        while let Some(Ok(message)) = messages.recv().await {
            if let Message::Text(text) = message {
                let _ = session.text(text).await;
            }
        }
        let code = match verdict.stop() {
            Some(Stop::TooBig) => 1009,
            Some(Stop::Protocol(_)) => 1002,
            Some(Stop::NoRoom) => 1013,
            Some(Stop::Closed) | None => 1000,
        };
        let _ = session
            .close(Some(CloseReason::from(actix_ws::CloseCode::from(code))))
            .await;
    });
    Ok(response)
}

/// A server and a connection that has been upgraded.
async fn connected() -> (ServerHandle, TcpStream) {
    let server = HttpServer::new(|| App::new().route("/ws", web::get().to(echo)))
        .workers(1)
        .disable_signals();
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);

    let mut client = TcpStream::connect(address).await.unwrap();
    let request = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: \
        Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
        dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(client.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"));
    (handle, client)
}

/// A whole text frame, masked with zeros.
fn text(content: &str) -> Vec<u8> {
    [
        &[0x81, 0x80 | content.len() as u8, 0, 0, 0, 0],
        content.as_bytes(),
    ]
    .concat()
}

/// Everything the server sends until it drops the connection. The time limit only ends a hanging
/// test.
async fn rest(client: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(Duration::from_secs(20), client.read_to_end(&mut bytes))
        .await
        .expect("the server drops the connection")
        .unwrap();
    bytes
}

#[actix_web::test]
async fn a_message_passes_and_a_close_ends_it() {
    let (server, mut client) = connected().await;
    client
        .write_all(&[text("one"), text("two"), vec![0x88, 0x80, 0, 0, 0, 0]].concat())
        .await
        .unwrap();
    assert_eq!(
        rest(&mut client).await,
        b"\x81\x03one\x81\x03two\x88\x02\x03\xe8"
    );
    server.stop(false).await;
}

#[actix_web::test]
async fn a_declared_tebibyte_is_closed_1009_after_what_came_before() {
    let (server, mut client) = connected().await;
    let huge = [0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    client
        .write_all(&[text("one"), huge.to_vec()].concat())
        .await
        .unwrap();
    let (mut reading, mut writing) = client.into_split();
    let flood = actix_web::rt::spawn(async move {
        let chunk = [0; 65_536];
        while writing.write_all(&chunk).await.is_ok() {}
    });
    let mut bytes = [0; 9];
    timeout(Duration::from_secs(20), reading.read_exact(&mut bytes))
        .await
        .expect("a close comes")
        .unwrap();
    assert_eq!(&bytes, b"\x81\x03one\x88\x02\x03\xf1");
    timeout(Duration::from_secs(20), flood)
        .await
        .expect("the server drops the connection")
        .unwrap();
    server.stop(false).await;
}

#[actix_web::test]
async fn an_unmasked_frame_is_closed_1002() {
    let (server, mut client) = connected().await;
    client.write_all(b"\x81\x03one").await.unwrap();
    assert_eq!(rest(&mut client).await, b"\x88\x02\x03\xea");
    server.stop(false).await;
}

#[test]
fn a_long_message_takes_room_until_it_is_whole() {
    let room = Pot::with_part(200_000, 60_000, Limit::BodyMemory);
    let mut message = Unfinished {
        room: Some(room.permit(Taker::Stranger(None))),
        pace: None,
    };
    assert!(message.came(SMALL, 10));
    assert_eq!(room.taken(), 0);
    assert!(message.pace.is_some());
    assert!(message.came(60_000, 10));
    assert_eq!(room.taken(), 60_000);
    assert!(!message.came(60_001, 10));
    assert!(message.came(0, 10));
    assert_eq!(room.taken(), 0);
    assert!(message.pace.is_none());
    assert!(message.came(50_000, 10));
    drop(message);
    assert_eq!(room.taken(), 0);
}
