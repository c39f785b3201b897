//! A strict reader of a stream: each chunk is one event or one comment, and each frame follows the
//! previous one.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    jobs::http::{Answer, Connection, bearer, request},
    wire::Server,
};

const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// An open stream.
pub struct Stream {
    connection: Connection,
    cursors: HashMap<String, u64>,
    /// The bytes received so far.
    pub received: Vec<Event>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// The id that it sends after a cut.
    pub id: Option<String>,
    /// The delay before the reconnect, in milliseconds.
    pub retry: Option<u64>,
    /// The frame.
    pub frame: Value,
}

impl Stream {
    /// Opens a stream as the bearer of a token; `lines` are further header lines.
    pub async fn open(server: &Server, token: &str, path: &str, lines: &[&str]) -> Self {
        let token = bearer(token);
        Self::ask(server.port, path, &[&[&*token], lines].concat())
            .await
            .unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    /// Requests a stream with these header lines; returns any other response.
    pub async fn ask(port: u16, path: &str, lines: &[&str]) -> Result<Self, Answer> {
        let mut connection = Connection::open_at(port).await;
        connection
            .send(&request(&format!("GET {path}"), lines, ""))
            .await;
        let head = connection.head().await;
        if !head.status.starts_with("HTTP/1.1 200 ") {
            return Err(connection.body(head).await);
        }
        assert_eq!(head.get("content-type"), Some("text/event-stream"));
        assert_eq!(head.get("cache-control"), Some("no-cache, no-transform"));
        assert_eq!(
            (head.get("x-accel-buffering"), head.get("content-encoding")),
            (Some("no"), None)
        );
        assert_eq!(
            (head.get("transfer-encoding"), head.get("content-length")),
            (Some("chunked"), None)
        );
        Ok(Self {
            connection,
            cursors: HashMap::new(),
            received: Vec::new(),
        })
    }

    /// Continues where another stream was cut: the ids continue from its last one.
    pub fn after(mut self, received: &[Event]) -> Self {
        for event in received {
            self.check(&event.frame);
        }
        self
    }

    /// The next event; `None` at the end of the answer.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let chunk = self.connection.chunk().await?;
            if chunk == KEEP_ALIVE {
                continue;
            }
            let event = parse(&chunk);
            self.check(&event.frame);
            self.received.push(event.clone());
            return Some(event);
        }
    }

    /// Reads to the frame that fits.
    pub async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Event {
        loop {
            let event = self
                .next()
                .await
                .unwrap_or_else(|| panic!("an end; had {:#?}", self.received));
            if fits(&event.frame) {
                return event;
            }
        }
    }

    /// Reads to the end of the answer: the events from here on.
    pub async fn rest(&mut self) -> Vec<Event> {
        let from = self.received.len();
        while self.next().await.is_some() {}
        self.received[from..].to_vec()
    }

    /// The connection under it.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Holds a frame against the rule of numbers, as a frontend would.
    fn check(&mut self, frame: &Value) {
        let (Some(channel), Some(seq)) = (frame["channel"].as_str(), frame["seq"].as_u64()) else {
            return;
        };
        let cursor = self.cursors.entry(channel.to_owned()).or_default();
        if frame["type"] != "snapshot" {
            assert_eq!(
                frame["prev"].as_u64(),
                Some(*cursor),
                "a gap or a double: {frame}"
            );
        }
        *cursor = seq;
    }
}

/// One event is one chunk: perhaps `retry`, perhaps `id`, then `data` on one line, LF LF, and no
/// name.
fn parse(chunk: &str) -> Event {
    let lines = chunk
        .strip_suffix("\n\n")
        .unwrap_or_else(|| panic!("expected LF LF at the end: {chunk:?}"));
    let mut event = Event {
        id: None,
        retry: None,
        frame: Value::Null,
    };
    for line in lines.split('\n') {
        assert!(
            event.frame.is_null() && !line.contains('\r'),
            "expected the data last: {chunk:?}"
        );
        match line.split_once(": ") {
            Some(("id", id)) => event.id = Some(id.to_owned()),
            Some(("retry", after)) => event.retry = Some(after.parse().expect("a number")),
            Some(("data", frame)) => {
                event.frame = serde_json::from_str(frame).expect("JSON on one line")
            }
            _ => panic!("expected no such line: {chunk:?}"),
        }
    }
    assert!(event.frame.is_object(), "expected data: {chunk:?}");
    assert_eq!(
        event.id.is_some(),
        event.frame.get("seq").is_some(),
        "an id where the client then stands elsewhere: {chunk:?}"
    );
    event
}

/// The frames of each channel, in order.
pub fn by_channel<'a>(frames: impl IntoIterator<Item = &'a Value>) -> HashMap<String, Vec<Value>> {
    let mut channels: HashMap<String, Vec<Value>> = HashMap::new();
    for frame in frames
        .into_iter()
        .filter(|frame| frame.get("prev").is_some() || frame["type"] == "snapshot")
    {
        channels
            .entry(frame["channel"].as_str().unwrap().to_owned())
            .or_default()
            .push(frame.clone());
    }
    channels
}

/// Type, number and body of a frame.
pub type Essence = (Value, Value, Value);

/// Frames without their ids.
pub fn received(frames: &[Value]) -> Vec<Event> {
    frames
        .iter()
        .map(|frame| Event {
            id: None,
            retry: None,
            frame: frame.clone(),
        })
        .collect()
}

/// The frames of a channel without the repetitions of `progress`, whose number may vary.
pub fn without_progress_between(frames: &[Value]) -> Vec<Essence> {
    let last = &frames.last().expect("a frame")["seq"];
    let kept = frames
        .iter()
        .filter(|frame| frame["type"] != "progress" || frame["seq"] == *last);
    kept.map(|frame| {
        (
            frame["type"].clone(),
            frame["seq"].clone(),
            frame["body"].clone(),
        )
    })
    .collect()
}
