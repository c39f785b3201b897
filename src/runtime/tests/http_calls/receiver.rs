//! A small HTTP server that keeps its requests and answers as the test says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A received request.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The server. It lives as long as the test's process.
#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Receiver {
    /// Answers the request with this number, from 0, with these bytes. The connection stays open
    /// unless they say that it is closed.
    pub fn start(answer: impl Fn(usize, &Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            port: socket.local_addr().unwrap().port(),
            received: Arc::default(),
        };
        let (kept, answer) = (receiver.received.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in socket.incoming().map_while(Result::ok) {
                let (kept, answer) = (kept.clone(), answer.clone());
                thread::spawn(move || serve(stream, &kept, &*answer));
            }
        });
        receiver
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The target, as an operator names it.
    pub fn target(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// A header after which the connection is closed.
const CLOSE: &[u8] = b"Connection: close";

fn serve(
    stream: TcpStream,
    kept: &Mutex<Vec<Received>>,
    answer: &(dyn Fn(usize, &Received) -> Vec<u8> + Send + Sync),
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    let mut received = Received::default();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        let text = std::mem::take(&mut line).trim_end().to_owned();
        match text.split_once(": ") {
            _ if received.line.is_empty() => received.line = text,
            Some((name, value)) => received
                .headers
                .push((name.to_ascii_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let length = received
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    received.body = vec![0; length];
    if received.line.is_empty() || reader.read_exact(&mut received.body).is_err() {
        return;
    }
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(received.clone());
        kept.len() - 1
    };
    let bytes = answer(number, &received);
    // The client may have disconnected.
    let _ = (&stream).write_all(&bytes);
    if !bytes.windows(CLOSE.len()).any(|window| window == CLOSE) {
        // Until the client disconnects.
        let _ = reader.read(&mut [0]);
    }
}

/// A response with a body.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: \
        close\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// A response of JSON.
pub fn json(status: u16, body: &str) -> Vec<u8> {
    answer(status, "Content-Type: application/json\r\n", body)
}
