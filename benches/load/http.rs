//! A REST client reduced to what load needs: one connection, one JSON request at a time, few copies.
//!
//! It reads only responses with a Content-Length, which the server sends to such requests.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::wire::unexpected;

/// One connection, which is kept open.
pub struct RestClient {
    stream: TcpStream,
    token: String,
    read: Vec<u8>,
    write: Vec<u8>,
}

impl RestClient {
    /// Connects; requests carry this token.
    pub async fn connect(port: u16, token: String) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            token,
            read: Vec::with_capacity(16 << 10),
            write: Vec::with_capacity(2 << 10),
        })
    }

    /// Posts JSON, and returns the body of the response.
    ///
    /// # Errors
    /// A response that is no success.
    pub async fn post(&mut self, path: &str, json: &str) -> io::Result<&str> {
        let length = json.len();
        let head = format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n");
        self.ask("POST", path, &[&head, json]).await
    }

    /// Gets JSON, and returns the body of the response.
    ///
    /// # Errors
    /// A response that is no success.
    pub async fn get(&mut self, path: &str) -> io::Result<&str> {
        self.ask("GET", path, &["\r\n"]).await
    }

    async fn ask(&mut self, method: &str, path: &str, rest: &[&str]) -> io::Result<&str> {
        self.write.clear();
        let token = &self.token;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
        );
        self.write.extend(head.as_bytes());
        rest.iter()
            .for_each(|part| self.write.extend(part.as_bytes()));
        self.stream.write_all(&self.write).await?;
        self.read.clear();
        let (start, end) = loop {
            if let Some(body) = self.whole_answer()? {
                break body;
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        if !self.read.starts_with(b"HTTP/1.1 2") {
            return Err(unexpected("a success", &self.read));
        }
        std::str::from_utf8(&self.read[start..end]).map_err(io::Error::other)
    }

    /// The range of the body, if the response was read whole.
    fn whole_answer(&self) -> io::Result<Option<(usize, usize)>> {
        let is_end = |bytes: &[u8]| bytes == b"\r\n\r\n";
        let Some(head) = self.read.windows(4).position(is_end) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&self.read[..head]).map_err(io::Error::other)?;
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().ok())?
        });
        let length =
            length.ok_or_else(|| unexpected("an answer with its length", text.as_bytes()))?;
        let start = head + 4;
        Ok((self.read.len() >= start + length).then_some((start, start + length)))
    }
}
