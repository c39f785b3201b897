//! A client that speaks the websocket protocol byte by byte, so that it can break it.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::Server;

const DEADLINE: Duration = Duration::from_secs(30);

/// A raw connection.
pub struct Raw {
    stream: TcpStream,
}

impl Raw {
    /// Sends an upgrade request with these additional header lines; the status line of the answer.
    pub async fn upgrade(server: &Server, headers: &str) -> (Self, String) {
        Self::upgrade_at(server, &format!("127.0.0.1:{}", server.port), headers).await
    }

    /// As [`Raw::upgrade`], to the server by this name.
    pub async fn upgrade_at(server: &Server, host: &str, headers: &str) -> (Self, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port))
            .await
            .unwrap();
        let request = format!(
            "GET /v1/ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: \
            Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
            dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut raw = Self { stream };
        let head = raw.head().await;
        (raw, head)
    }

    /// An upgraded connection.
    pub async fn connect(server: &Server) -> Self {
        let (raw, head) =
            Self::upgrade(server, "Sec-WebSocket-Protocol: stepwire.v1.json\r\n").await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        raw
    }

    /// The answer's head, and the body of one that is not 101.
    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(
                timeout(DEADLINE, self.stream.read_u8())
                    .await
                    .expect("an answer in time")
                    .expect("an answer"),
            );
        }
        let mut head = String::from_utf8(head).unwrap();
        let length = head
            .to_ascii_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
        if let Some(length) = length.and_then(|length| length.parse::<usize>().ok()) {
            let mut body = vec![0; length];
            timeout(DEADLINE, self.stream.read_exact(&mut body))
                .await
                .expect("a body in time")
                .unwrap();
            head.push_str(&String::from_utf8(body).unwrap());
        }
        head
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends bytes to a peer that may have disconnected.
    pub async fn try_send(&mut self, bytes: &[u8]) {
        let _ = timeout(Duration::from_secs(2), self.stream.write_all(bytes)).await;
    }

    /// The close code the server sends, and then its end of the connection.
    pub async fn closed(&mut self) -> u16 {
        self.closed_because().await.0
    }

    /// The same with the reason.
    pub async fn closed_because(&mut self) -> (u16, String) {
        let close = loop {
            let (opcode, payload) = self.frame().await;
            if opcode == 8 {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                break (code, String::from_utf8_lossy(&payload[2..]).into_owned());
            }
        };
        self.dropped().await;
        close
    }

    /// The next text message.
    pub async fn text(&mut self) -> String {
        loop {
            let (opcode, payload) = self.frame().await;
            if opcode == 1 {
                return String::from_utf8(payload).unwrap();
            }
        }
    }

    /// Waits for the end of the connection without answering a Close. Nothing that comes before it
    /// is looked at.
    pub async fn dropped(&mut self) {
        let mut rest = [0; 4096];
        while timeout(DEADLINE, self.stream.read(&mut rest))
            .await
            .expect("an end in time")
            .is_ok_and(|count| count > 0)
        {}
    }

    async fn frame(&mut self) -> (u8, Vec<u8>) {
        let first = self.byte().await;
        let length = match self.byte().await {
            126 => usize::from(self.byte().await) << 8 | usize::from(self.byte().await),
            127 => panic!("no frame of the server is that long here"),
            length => usize::from(length),
        };
        let mut payload = vec![0; length];
        timeout(DEADLINE, self.stream.read_exact(&mut payload))
            .await
            .expect("a frame in time")
            .expect("a whole frame");
        (first & 0x0f, payload)
    }

    async fn byte(&mut self) -> u8 {
        timeout(DEADLINE, self.stream.read_u8())
            .await
            .expect("a frame in time")
            .expect("a frame before the end")
    }
}

/// A masked frame, with a mask of zeros.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(first, payload.len() as u64);
    bytes.extend(payload);
    bytes
}

/// The header of a masked frame that declares this length.
pub fn header(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes
}
