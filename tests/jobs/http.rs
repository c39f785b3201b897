//! HTTP/1.1 over a socket, without a library.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    engine::sketch,
    wire::{Server, server::admin},
};

const DEADLINE: Duration = Duration::from_secs(30);

/// One connection.
pub struct Connection(TcpStream);

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    /// The first line.
    pub status: String,
    headers: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its head.
    pub head: Head,
    /// Its body, of the length announced.
    pub body: String,
}

impl Connection {
    /// A new connection to the server.
    pub async fn open(server: &Server) -> Self {
        Self::open_at(server.port).await
    }

    /// As [`Connection::open`], to whatever server listens on this port.
    pub async fn open_at(port: u16) -> Self {
        Self(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
    }

    /// Says that nothing more will be sent.
    pub async fn close_half(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Sends text as it is, with its line ends.
    pub async fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes()).await;
    }

    /// Sends bytes as they are.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Reads the head of an answer.
    pub async fn head(&mut self) -> Head {
        let head = self.until(b"\r\n\r\n").await;
        let mut lines = head
            .split("\r\n")
            .filter(|line| !line.is_empty())
            .map(str::to_owned);
        let status = lines.next().unwrap();
        let header = |line: String| {
            line.split_once(": ")
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        };
        Head {
            status,
            headers: lines.filter_map(header).collect(),
        }
    }

    /// Reads an answer whose length is announced.
    pub async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        self.body(head).await
    }

    /// Reads the rest of an answer whose head was read. Without content there is no length.
    pub async fn body(&mut self, head: Head) -> Answer {
        let has_none = head.status.starts_with("HTTP/1.1 204 ");
        let length = if has_none {
            0
        } else {
            head.get("content-length")
                .expect("a length")
                .parse()
                .unwrap()
        };
        let body = self.exactly(length).await;
        Answer { head, body }
    }

    /// Reads the next chunk of a body; `None` for the last, empty one.
    pub async fn chunk(&mut self) -> Option<String> {
        let size = self.until(b"\r\n").await;
        let size = usize::from_str_radix(size.trim_end(), 16).expect("the size of a chunk");
        let chunk = self.exactly(size).await;
        assert_eq!(self.exactly(2).await, "\r\n");
        (size > 0).then_some(chunk)
    }

    /// Reads all chunks to the end of the answer.
    pub async fn chunks(&mut self) -> Vec<String> {
        let mut chunks = Vec::new();
        while let Some(chunk) = self.chunk().await {
            chunks.push(chunk);
        }
        chunks
    }

    /// Waits for the end of the connection; returns the bytes before it.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        // A connection that is reset has ended too.
        let _ = timeout(DEADLINE, self.0.read_to_end(&mut rest))
            .await
            .expect("an end in time");
        String::from_utf8(rest).unwrap()
    }

    async fn until(&mut self, end: &[u8]) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end) {
            read.push(
                timeout(DEADLINE, self.0.read_u8())
                    .await
                    .expect("a byte in time")
                    .expect("a byte before the end"),
            );
        }
        String::from_utf8(read).unwrap()
    }

    async fn exactly(&mut self, count: usize) -> String {
        let mut read = vec![0; count];
        timeout(DEADLINE, self.0.read_exact(&mut read))
            .await
            .expect("bytes in time")
            .expect("as many bytes as announced");
        String::from_utf8(read).unwrap()
    }
}

impl Head {
    /// The only header of this name, in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(other, _)| other == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "expected {name} once: {self:?}");
        value
    }
}

impl Answer {
    /// Asserts a refusal in JSON with this status.
    #[track_caller]
    pub fn is_problem(&self, status: u16) {
        assert!(
            self.head.status.starts_with(&format!("HTTP/1.1 {status} ")),
            "{self:?}"
        );
        let body: Value = serde_json::from_str(&self.body).expect("JSON");
        assert_eq!(body["status"], status, "{self:?}");
        assert!(
            body["detail"]
                .as_str()
                .is_some_and(|detail| detail.starts_with("expected ")),
            "{self:?}"
        );
    }

    /// Asserts the refusal of a request without sign-in.
    #[track_caller]
    pub fn is_unauthorized(&self) {
        assert_eq!(
            (self.head.status.as_str(), self.body.as_str()),
            ("HTTP/1.1 401 Unauthorized", "Unauthorized")
        );
        assert!(
            self.head
                .get("www-authenticate")
                .is_some_and(|value| value.starts_with("Bearer")),
            "{self:?}"
        );
    }
}

/// A request with these lines after the first, each ended here, and this body.
pub fn request(first: &str, lines: &[&str], body: &str) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{first} HTTP/1.1\r\nHost: localhost:8000\r\n{lines}\r\n{body}")
}

/// The header line that shows a token.
pub fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

/// Sends a request on a connection of its own and reads its answer.
pub async fn ask(server: &Server, request: &str) -> Answer {
    let mut connection = Connection::open(server).await;
    connection.send(request).await;
    connection.answer().await
}

/// Starts a job of workflow 41.
pub async fn start(server: &Server, token: &str) -> String {
    start_of(server, token, 41).await
}

/// Requests the stream of a job of workflow 41, and reads its head.
pub async fn follow(server: &Server, token: &str, job: &str) -> Connection {
    let mut connection = Connection::open(server).await;
    connection
        .send(&request(
            &format!("GET /api/v1/sse/41/{job}"),
            &[&bearer(token)],
            "",
        ))
        .await;
    let head = connection.head().await;
    assert_eq!(head.status, "HTTP/1.1 200 OK", "{head:?}");
    connection
}

/// Posts an empty body and reads the answer.
pub async fn post(server: &Server, token: &str, path: &str) -> Answer {
    ask(
        server,
        &request(&format!("POST {path}"), &[&bearer(token)], ""),
    )
    .await
}

/// Gets an answer in JSON.
pub async fn get(server: &Server, token: &str, path: &str) -> Value {
    let answer = ask(
        server,
        &request(&format!("GET {path}"), &[&bearer(token)], ""),
    )
    .await;
    assert_eq!(answer.head.status, "HTTP/1.1 200 OK", "{answer:?}");
    assert_eq!(answer.head.get("content-type"), Some("application/json"));
    serde_json::from_str(&answer.body).expect("JSON")
}

/// Publishes a sketch of a process under a number.
pub async fn deploy(server: &Server, number: i64, sketch: &str) {
    let definition = sketch::definition(sketch);
    let name = definition.name.clone();
    deploy_named(server, number, name, sketch).await;
}

/// As [`deploy`], with a name.
pub async fn deploy_named(server: &Server, number: i64, name: Option<String>, sketch: &str) {
    let mut definition = sketch::definition(sketch);
    (definition.alias, definition.name) = (Some(number), name);
    let body = serde_json::to_string(&definition).unwrap();
    let length = format!("Content-Length: {}", body.len());
    let lines = [
        bearer(&admin()),
        "Content-Type: application/json".to_owned(),
        length,
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answer = ask(
        server,
        &request("POST /v1/definitions?publish=true", &lines, &body),
    )
    .await;
    assert_eq!(answer.head.status, "HTTP/1.1 201 Created", "{answer:?}");
}

/// Starts a job of any workflow.
pub async fn start_of(server: &Server, token: &str, number: i64) -> String {
    let answer = post(server, token, &format!("/api/v1/start?w={number}")).await;
    assert_eq!(answer.head.status, "HTTP/1.1 200 OK", "{answer:?}");
    serde_json::from_str(&answer.body).expect("a bare string")
}
