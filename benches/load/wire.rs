//! A websocket client reduced to the needs of load: text frames out, text frames in, few copies.
//!
//! Frames are masked with the key 0, which the protocol allows and which costs nothing. No
//! fragments: the server sends none. A Close ends a wait with an error, unless the wait is for it.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const MASKED: u8 = 0x80;

/// One open connection.
pub struct Client {
    stream: TcpStream,
    /// The bytes that were read; frames up to `taken` were returned.
    read: Vec<u8>,
    taken: usize,
    write: Vec<u8>,
}

impl Client {
    /// Connects, upgrades, sends the hello and waits for the welcome.
    pub async fn connect(port: u16, token: &str) -> io::Result<Self> {
        Self::resume(port, token, "[]").await
    }

    /// The same with cursors: `resume` is a JSON array of instances and numbers.
    pub async fn resume(port: u16, token: &str, resume: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let request = "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: \
            websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
            AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: stepwire.v1.json\r\n\r\n";
        stream.write_all(request.as_bytes()).await?;
        let mut client = Self {
            stream,
            read: Vec::with_capacity(16 << 10),
            taken: 0,
            write: Vec::with_capacity(1 << 10),
        };
        client.upgraded().await?;
        client
            .send(&format!(
                r#"{{"type":"hello","token":"{token}","client":"load/1","resume":{resume}}}"#
            ))
            .await?;
        client
            .until(|frame| frame.starts_with(r#"{"type":"welcome""#))
            .await?;
        Ok(client)
    }

    async fn upgraded(&mut self) -> io::Result<()> {
        loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                if !self.read.starts_with(b"HTTP/1.1 101") {
                    return Err(unexpected("an upgrade to a websocket", &self.read[..end]));
                }
                self.taken = end + 4;
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Sends one text message.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        self.write.clear();
        self.write.push(TEXT);
        match text.len() {
            0..126 => self.write.push(MASKED | text.len() as u8),
            _ => {
                self.write.push(MASKED | 126);
                let length = u16::try_from(text.len())
                    .map_err(|_| unexpected("a message below 64 KiB", b"a longer one"))?;
                self.write.extend(length.to_be_bytes());
            }
        }
        self.write.extend([0; 4]);
        self.write.extend(text.as_bytes());
        self.stream.write_all(&self.write).await
    }

    /// Reads frames until one is `wanted`, and returns it. `wanted` is called once for each frame.
    pub async fn until(&mut self, mut wanted: impl FnMut(&str) -> bool) -> io::Result<&str> {
        loop {
            let (first, start, end) = self.next_frame().await?;
            match first {
                TEXT if wanted(text(&self.read[start..end])?) => {
                    return text(&self.read[start..end]);
                }
                TEXT => {}
                _ => return Err(unexpected("a text frame", &self.read[start..end])),
            }
        }
    }

    /// Passes every frame to `seen` until the server closes; returns its close code.
    pub async fn until_closed(&mut self, mut seen: impl FnMut(&str)) -> io::Result<u16> {
        loop {
            match self.next_frame().await? {
                (TEXT, start, end) => seen(text(&self.read[start..end])?),
                (CLOSE, start, end) => {
                    let code = self.read[start..end].first_chunk().copied();
                    return Ok(code.map_or(1005, u16::from_be_bytes));
                }
                (_, start, end) => {
                    return Err(unexpected("text or a close", &self.read[start..end]));
                }
            }
        }
    }

    /// Waits for the next whole frame; returns its first byte and the range of its payload.
    async fn next_frame(&mut self) -> io::Result<(u8, usize, usize)> {
        loop {
            if let Some((start, end)) = self.whole_frame() {
                let first = self.read[self.taken];
                self.taken = end;
                return Ok((first, start, end));
            }
            self.fill().await?;
        }
    }

    /// The range of the payload of the next frame, if it was read whole.
    fn whole_frame(&self) -> Option<(usize, usize)> {
        let &[_, second, ref more @ ..] = &self.read[self.taken..] else {
            return None;
        };
        let (header, length) = match (second, more) {
            (0..126, _) => (2, usize::from(second)),
            (126, &[high, low, ..]) => (4, usize::from(u16::from_be_bytes([high, low]))),
            (127, &[a, b, c, d, e, f, g, h, ..]) => {
                (10, u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize)
            }
            _ => return None,
        };
        let start = self.taken + header;
        (self.read.len() >= start + length).then_some((start, start + length))
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.read.drain(..self.taken);
        self.taken = 0;
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The value of the first text field with this name. Enough for keys, which hold no escapes.
pub fn field<'a>(frame: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = frame.split_once(name)?;
    rest.strip_prefix("\":\"")?.split('"').next()
}

/// The value of the first field with this name that is a number.
pub fn number(frame: &str, name: &str) -> Option<u64> {
    let mut rest = frame;
    while let Some((_, after)) = rest.split_once(name) {
        if let Some(value) = after.strip_prefix("\":") {
            let digits = value.find(|it: char| !it.is_ascii_digit());
            return value[..digits.unwrap_or(value.len())].parse().ok();
        }
        rest = after;
    }
    None
}

/// Whether a frame is the reply to a command. An error, too, is one: its message ends the
/// measurement.
pub fn is_answer(frame: &str) -> bool {
    frame.starts_with(r#"{"type":"reply""#) || frame.starts_with(r#"{"type":"error""#)
}

/// An error with the frame that arrived instead of the expected one.
pub fn unexpected(wanted: &str, found: &[u8]) -> io::Error {
    io::Error::other(format!(
        "expected {wanted}, but got {}",
        String::from_utf8_lossy(found)
    ))
}

fn text(bytes: &[u8]) -> io::Result<&str> {
    std::str::from_utf8(bytes).map_err(io::Error::other)
}
