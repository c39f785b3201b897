//! Broken websocket frames and upgrades: the documented close code or status, and a server that
//! continues.

use serde_json::{Value, json};

use super::{
    Client, Server,
    client::check_error,
    raw::{Raw, frame, header},
    server::token,
};

/// Sends hello, then these bytes; the connection must end with this code.
async fn closes(bytes: &[u8], code: u16) {
    let server = Server::start();
    let mut raw = Raw::connect(&server).await;
    let hello = json!({"type": "hello", "token": token("alice")}).to_string();
    raw.send(&frame(0x81, hello.as_bytes())).await;
    raw.send(bytes).await;
    assert_eq!(raw.closed().await, code);
    Client::assert_healthy(&server).await;
}

#[tokio::test]
async fn a_binary_message_closes_1003() {
    closes(&frame(0x82, b"{}"), 1003).await;
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_1007() {
    closes(&frame(0x81, b"\xff\xfe"), 1007).await;
}

#[tokio::test]
async fn an_unmasked_frame_closes_1002() {
    closes(b"\x81\x02{}", 1002).await;
}

#[tokio::test]
async fn a_reserved_bit_closes_1002() {
    closes(&frame(0xc1, b"{}"), 1002).await;
}

#[tokio::test]
async fn a_message_over_the_limit_closes_1009() {
    closes(&frame(0x81, &[b' '; 65_537]), 1009).await;
}

#[tokio::test]
async fn a_first_message_may_be_longer_and_has_a_limit() {
    let server = Server::start();
    let hello = |bytes: usize| {
        let mut hello = json!({"type": "hello", "token": token("alice")}).to_string();
        hello.insert_str(1, &" ".repeat(bytes - hello.len()));
        hello
    };
    let mut client = Client::open(&server).await;
    client.send_text(&hello(131_072)).await;
    assert_eq!(client.next().await["type"], "welcome");
    let mut client = Client::open(&server).await;
    client.send_text(&hello(131_073)).await;
    assert_eq!(client.closed().await, 1009);
}

#[tokio::test]
async fn a_close_is_answered() {
    closes(&frame(0x88, &1000_u16.to_be_bytes()), 1000).await;
}

#[tokio::test]
async fn a_message_of_the_limit_passes() {
    let server = Server::start();
    let mut client = Client::hello(&server, &token("alice")).await;
    let mut frame =
        json!({"type": "unsubscribe", "id": "1", "channel": "tasks", "zzz": ""}).to_string();
    let padding = " ".repeat(65_536 - frame.len());
    frame.insert_str(frame.len() - 2, &padding);
    client.send_text(&frame).await;
    assert_eq!(client.answer("1").await["type"], "reply");
}

#[tokio::test]
async fn a_declared_huge_frame_uses_no_memory_and_is_dropped() {
    let server = Server::start();
    Client::assert_healthy(&server).await;
    let before = server.memory();
    let mut raws = Vec::new();
    for _ in 0..8 {
        let mut raw = Raw::connect(&server).await;
        raw.send(&header(0x81, 1 << 40)).await;
        raws.push(raw);
    }
    for raw in &mut raws {
        // The peer keeps sending the declared bytes; they are discarded.
        raw.try_send(&vec![b' '; 1 << 20]).await;
        raw.dropped().await;
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 16 * 1024, "grown by {grown} KiB");
    Client::assert_healthy(&server).await;
}

#[tokio::test]
async fn a_huge_header_closes_1009() {
    closes(&header(0x81, 1 << 40), 1009).await;
}

#[tokio::test]
async fn without_the_subprotocol_there_is_no_upgrade() {
    let server = Server::start();
    for headers in ["", "Sec-WebSocket-Protocol: stepwire.v2.json, chat\r\n"] {
        let (_, answer) = Raw::upgrade(&server, headers).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("supported: stepwire.v1.json"), "{answer}");
    }
}

#[tokio::test]
async fn a_foreign_page_is_closed_4403_with_the_reason() {
    let server = Server::start();
    let lines = |origin: &str, agent: &str| {
        format!(
            "Sec-WebSocket-Protocol: stepwire.v1.json\r\nOrigin: {origin}\r\nUser-Agent: \
            {agent}\r\n"
        )
    };
    let upgrade =
        async |origin: &str, agent: &str| Raw::upgrade(&server, &lines(origin, agent)).await;
    let evil = "https://evil.example";
    // A client that can read the answer gets one.
    let (_, answer) = upgrade(evil, "curl/8.5.0").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(
        answer.contains("--allowed-origins https://evil.example"),
        "{answer}"
    );
    // A browser's page can read frames and codes only.
    let (mut raw, answer) = upgrade(evil, "Mozilla/5.0 (X11; Linux x86_64)").await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    let frame: Value = serde_json::from_str(&raw.text().await).unwrap();
    check_error(&frame, "forbidden");
    assert!(
        frame["message"]
            .as_str()
            .unwrap()
            .contains("--allowed-origins https://evil.example"),
        "{frame}"
    );
    let (code, reason) = raw.closed_because().await;
    assert!(
        code == 4403
            && reason.contains("https://evil.example")
            && reason.contains("--allowed-origins"),
        "{code} {reason}"
    );
    // A client that cannot be listed is not counted as listed.
    let (mut raw, _) = upgrade("null", "Mozilla/5.0").await;
    assert!(raw.text().await.contains("sandboxed frame"));
    let (code, reason) = raw.closed_because().await;
    assert!(
        code == 4403 && !reason.contains("--allowed-origins"),
        "{code} {reason}"
    );
    for own in [
        format!("http://127.0.0.1:{}", server.port),
        "http://localhost:5173".to_owned(),
        "http://[::1]:4200".to_owned(),
    ] {
        assert!(
            upgrade(&own, "Mozilla/5.0")
                .await
                .1
                .starts_with("HTTP/1.1 101"),
            "{own}"
        );
    }
}

#[tokio::test]
async fn a_foreign_host_header_is_refused() {
    let server = Server::start();
    let status = async |host: &str, origin: &str| {
        let lines = format!(
            "Sec-WebSocket-Protocol: stepwire.v1.json\r\nOrigin: {origin}\r\nUser-Agent: \
            Mozilla/5.0\r\n"
        );
        Raw::upgrade_at(&server, host, &lines).await.1
    };
    let evil = format!("evil.example:{}", server.port);
    let answer = status(&evil, &format!("http://{evil}")).await;
    assert!(
        answer.starts_with("HTTP/1.1 403") && answer.contains("localhost"),
        "{answer}"
    );
    assert!(
        status(
            &format!("localhost:{}", server.port),
            "http://localhost:5173"
        )
        .await
        .starts_with("HTTP/1.1 101")
    );
}
