//! Raw bytes against a websocket that echoes texts.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{Duration, timeout},
};

use super::*;
use crate::limits::{Limit, Pot, Taker};

/// A client of a websocket that echoes texts, and at the end closes with its error.
fn connected() -> DuplexStream {
    let (client, server) = duplex(1024);
    let guard = FrameGuard::new(65_536, 65_536);
    let mut messages = MessageStream::new(server, [127, 0, 0, 1].into(), 65_536, guard, None);
    actix_web::rt::spawn(async move {
        let over = loop {
            match messages.message().await {
                Ok(ClientMessage::Text(text)) => messages.send(text),
                Ok(_) => {}
                Err(over) => break over,
            }
            messages.flush().await.unwrap();
        };
        if let StreamEnd::Close(code) = over {
            messages.close(code.into());
            let _ = messages.flush().await;
        }
    });
    client
}

/// A whole text frame, masked with zeros.
fn text(content: &str) -> Vec<u8> {
    [
        &[0x81, 0x80 | content.len() as u8, 0, 0, 0, 0],
        content.as_bytes(),
    ]
    .concat()
}

/// Everything that the server sends until it drops the connection. The time limit only ends a
/// hanging test.
async fn rest(client: &mut DuplexStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(Duration::from_secs(20), client.read_to_end(&mut bytes))
        .await
        .expect("the server drops the connection")
        .unwrap();
    bytes
}

#[actix_web::test]
async fn a_message_passes_and_a_close_ends_it() {
    let mut client = connected();
    client
        .write_all(&[text("one"), text("two"), vec![0x88, 0x80, 0, 0, 0, 0]].concat())
        .await
        .unwrap();
    let rest = rest(&mut client).await;
    assert_eq!(&rest[..11], b"\x81\x03one\x81\x03two\x88");
    assert_eq!(&rest[12..14], b"\x03\xe8");
}

#[actix_web::test]
async fn a_declared_tebibyte_is_closed_1009_after_the_earlier_messages() {
    let mut client = connected();
    let huge = [0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    client
        .write_all(&[text("one"), huge.to_vec()].concat())
        .await
        .unwrap();
    let (mut reading, mut writing) = tokio::io::split(client);
    let flood = actix_web::rt::spawn(async move {
        let chunk = [0; 65_536];
        while writing.write_all(&chunk).await.is_ok() {}
    });
    let mut bytes = [0; 9];
    timeout(Duration::from_secs(20), reading.read_exact(&mut bytes))
        .await
        .expect("a close comes")
        .unwrap();
    assert_eq!(&bytes[..6], b"\x81\x03one\x88");
    assert_eq!(&bytes[7..], b"\x03\xf1");
    timeout(Duration::from_secs(20), flood)
        .await
        .expect("the server drops the connection")
        .unwrap();
}

#[actix_web::test]
async fn an_unmasked_frame_is_closed_1002() {
    let mut client = connected();
    client.write_all(b"\x81\x03one").await.unwrap();
    let rest = rest(&mut client).await;
    assert_eq!((rest[0], &rest[2..4]), (0x88, &b"\x03\xea"[..]));
}

#[actix_web::test]
async fn fragments_are_one_message_with_a_ping_between_them() {
    let mut client = connected();
    let fragments = [
        &[0x01, 0x82, 0, 0, 0, 0, b'o', b'n'][..],
        &[0x89, 0x80, 0, 0, 0, 0],
        &[0x80, 0x81, 0, 0, 0, 0, b'e'],
        &[0x88, 0x80, 0, 0, 0, 0],
    ];
    // Byte by byte, as on a slow line.
    for byte in fragments.concat() {
        client.write_u8(byte).await.unwrap();
    }
    assert_eq!(&rest(&mut client).await[..6], b"\x81\x03one\x88");
}

#[actix_web::test]
async fn long_texts_go_out_whole_and_in_their_order() {
    let (client, server) = duplex(1024);
    let guard = FrameGuard::new(65_536, 65_536);
    let mut messages = MessageStream::new(server, [127, 0, 0, 1].into(), 65_536, guard, None);
    let lengths = [3, LONG, 200_000, LONG - 1];
    for length in lengths {
        messages.send("x".repeat(length).into());
    }
    assert!(messages.is_full() && messages.is_unwritten());
    let writing = actix_web::rt::spawn(async move { messages.flush().await });
    let (mut reading, _) = tokio::io::split(client);
    for length in lengths {
        assert_eq!(reading.read_u8().await.unwrap(), LAST_TEXT);
        let declared = match reading.read_u8().await.unwrap() {
            LENGTH_FOLLOWS => reading.read_u64().await.unwrap() as usize,
            126 => reading.read_u16().await.unwrap().into(),
            short => short.into(),
        };
        assert_eq!(declared, length);
        let mut text = vec![0; length];
        reading.read_exact(&mut text).await.unwrap();
        assert!(text.iter().all(|byte| *byte == b'x'));
    }
    writing.await.unwrap().unwrap();
}

#[actix_web::test]
async fn invalid_utf8_is_closed_1007() {
    let mut client = connected();
    let broken = [0x81, 0x81, 0, 0, 0, 0, 0xff];
    client.write_all(&broken).await.unwrap();
    let rest = rest(&mut client).await;
    assert_eq!((rest[0], &rest[2..4]), (0x88, &b"\x03\xef"[..]));
}

#[test]
fn a_long_message_takes_room_until_it_is_whole() {
    let room = Pot::with_part(200_000, 60_000, Limit::BodyMemory);
    let mut message = Unfinished {
        room: Some(room.permit(Taker::Stranger(None))),
        pace: None,
    };
    assert!(message.received(SMALL, 10));
    assert_eq!(room.taken(), 0);
    assert!(message.pace.is_some());
    assert!(message.received(60_000, 10));
    assert_eq!(room.taken(), 60_000);
    assert!(!message.received(60_001, 10));
    assert!(message.received(0, 10));
    assert_eq!(room.taken(), 0);
    assert!(message.pace.is_none());
    assert!(message.received(50_000, 10));
    drop(message);
    assert_eq!(room.taken(), 0);
}
