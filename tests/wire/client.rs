//! A scripted client: sends JSON, waits for frames with a deadline, keeps cursors and views like a
//! frontend.

use std::{collections::HashMap, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::Server;

/// How long a frame may take on a busy machine; nothing waits as long when all is well.
const DEADLINE: Duration = Duration::from_secs(30);

/// A connection.
pub struct Client {
    socket: WebSocketStream<TcpStream>,
    /// Every frame received, in order.
    pub frames: Vec<Value>,
    /// The cursor of each channel.
    pub cursors: HashMap<String, u64>,
    /// The words of the server's Close.
    pub close_reason: String,
}

/// An event of the socket.
enum SocketEvent {
    Frame(Value),
    Close(u16),
    End,
}

impl Client {
    /// Opens a connection without saying hello.
    pub async fn open(server: &Server) -> Self {
        Self::open_at(server.port).await
    }

    /// As [`Client::open`], to whatever server listens on this port.
    pub async fn open_at(port: u16) -> Self {
        let mut request = format!("ws://127.0.0.1:{port}/v1/ws")
            .into_client_request()
            .unwrap();
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            HeaderValue::from_static("stepwire.v1.json"),
        );
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (socket, response) = client_async(request, stream).await.unwrap();
        assert_eq!(
            response.headers()["Sec-WebSocket-Protocol"],
            "stepwire.v1.json"
        );
        Self {
            socket,
            frames: Vec::new(),
            cursors: HashMap::new(),
            close_reason: String::new(),
        }
    }

    /// Opens a connection and says hello with a token.
    pub async fn hello(server: &Server, token: &str) -> Self {
        Self::hello_with(server, json!({"token": token})).await
    }

    /// Opens a connection and says hello with these fields; the welcome is the first of `frames`.
    pub async fn hello_with(server: &Server, mut hello: Value) -> Self {
        let mut client = Self::open(server).await;
        hello["type"] = "hello".into();
        // Replayed frames continue from the cursor that the client sent.
        for point in hello["resume"].as_array().into_iter().flatten() {
            if let (Some(instance), Some(after)) =
                (point["instance"].as_str(), point["after"].as_u64())
            {
                let channel = format!("instance/{instance}");
                client.cursors.insert(channel, after);
            }
        }
        client.send(hello).await;
        assert_eq!(client.next().await["type"], "welcome");
        client
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    pub async fn send_message(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends many frames in one piece.
    pub async fn send_at_once(&mut self, frames: impl Iterator<Item = Value>) {
        for frame in frames {
            self.socket
                .feed(Message::text(frame.to_string()))
                .await
                .unwrap();
        }
        self.socket.flush().await.unwrap();
    }

    /// Sends a frame again and again until the server has enough; its close code, if it could be
    /// read.
    pub async fn flood_until_closed(&mut self, frame: Value) -> Option<u16> {
        let text = frame.to_string();
        loop {
            if self.socket.send(Message::text(text.clone())).await.is_err() {
                return self.closed_or_dropped().await;
            }
            while let Ok(heard) = timeout(Duration::from_millis(5), self.receive()).await {
                match heard {
                    SocketEvent::Frame(_) => {}
                    SocketEvent::Close(code) => return Some(code),
                    SocketEvent::End => return None,
                }
            }
        }
    }

    async fn receive(&mut self) -> SocketEvent {
        loop {
            match timeout(DEADLINE, self.socket.next())
                .await
                .expect("expected a frame in time")
            {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    self.check(&frame);
                    self.frames.push(frame.clone());
                    return SocketEvent::Frame(frame);
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    self.close_reason = close.reason.to_string();
                    return SocketEvent::Close(close.code.into());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return SocketEvent::End,
            }
        }
    }

    /// Holds every frame against the rule of numbers: `prev` is where the channel stood, `seq` is
    /// beyond it.
    fn check(&mut self, frame: &Value) {
        let (Some(channel), Some(seq)) = (frame["channel"].as_str(), frame["seq"].as_u64()) else {
            return;
        };
        let cursor = self.cursors.entry(channel.to_owned()).or_default();
        match frame["type"].as_str().unwrap() {
            "snapshot" => *cursor = seq,
            "live" => assert_eq!(*cursor, seq, "live stands elsewhere: {frame}"),
            "data" | "action" | "view" | "child" | "progress" => {
                assert_eq!(
                    frame["prev"].as_u64(),
                    Some(*cursor),
                    "a gap or a double: {frame}"
                );
                assert!(seq > *cursor, "{frame}");
                *cursor = seq;
            }
            _ => {}
        }
    }

    /// The next frame, whatever it is.
    pub async fn next(&mut self) -> Value {
        match self.receive().await {
            SocketEvent::Frame(frame) => frame,
            SocketEvent::Close(code) => {
                panic!("closed {code} instead of a frame; had {:#?}", self.frames)
            }
            SocketEvent::End => panic!("ended instead of a frame; had {:#?}", self.frames),
        }
    }

    /// The next frame of this type; others before it are kept in `frames` only.
    pub async fn expect(&mut self, kind: &str) -> Value {
        self.expect_that(|frame| frame["type"] == kind).await
    }

    /// The next frame that fits.
    pub async fn expect_that(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await;
            if fits(&frame) {
                return frame;
            }
        }
    }

    /// The reply or error to this id.
    pub async fn answer(&mut self, id: &str) -> Value {
        self.expect_that(|frame| frame["id"] == id).await
    }

    /// Sends a command and waits for its answer.
    pub async fn ask(&mut self, frame: Value) -> Value {
        let id = frame["id"]
            .as_str()
            .expect("a command has an id")
            .to_owned();
        self.send(frame).await;
        self.answer(&id).await
    }

    /// Sends a command that must be done; its reply.
    pub async fn done(&mut self, frame: Value) -> Value {
        let answer = self.ask(frame).await;
        assert_eq!(answer["type"], "reply", "{answer}");
        answer
    }

    /// Sends a command that must be refused with this code and a sentence that helps; the error.
    pub async fn refused(&mut self, frame: Value, code: &str) -> Value {
        let answer = self.ask(frame).await;
        check_error(&answer, code);
        answer
    }

    /// Starts an instance; its key.
    pub async fn start(&mut self, process: &str, data: Value) -> String {
        let reply = self
            .done(json!({"type": "start", "id": id(), "process": process, "data": data}))
            .await;
        reply["result"]["instance"].as_str().unwrap().to_owned()
    }

    /// Runs an action that must be done; the reply.
    pub async fn run(&mut self, instance: &str, action: &str, data: Value) -> Value {
        self.done(json!({"type": "run", "id": id(), "instance": instance, "action": action, "data": data})).await
    }

    /// Subscribes; the reply.
    pub async fn subscribe(&mut self, instance: &str) -> Value {
        self.done(
            json!({"type": "subscribe", "id": id(), "channel": format!("instance/{instance}")}),
        )
        .await
    }

    /// The close code the server ends the connection with; frames before it are kept in `frames`.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.receive().await {
                SocketEvent::Frame(_) => {}
                SocketEvent::Close(code) => return code,
                SocketEvent::End => panic!(
                    "the connection ended without a close frame; had {:#?}",
                    self.frames
                ),
            }
        }
    }

    /// The close code, or nothing when the connection ended without one that could be read.
    pub async fn closed_or_dropped(&mut self) -> Option<u16> {
        loop {
            match self.receive().await {
                SocketEvent::Frame(_) => {}
                SocketEvent::Close(code) => return Some(code),
                SocketEvent::End => return None,
            }
        }
    }

    /// Waits in real time; nothing but pings may arrive meanwhile.
    pub async fn expect_nothing_for(&mut self, time: Duration) {
        let heard = timeout(time, self.expect_that(|frame| frame["type"] != "ping")).await;
        assert!(heard.is_err(), "{heard:?}");
    }

    /// The latest frame of this type among those received.
    pub fn latest(&self, kind: &str) -> &Value {
        self.frames
            .iter()
            .rfind(|frame| frame["type"] == kind)
            .unwrap_or_else(|| panic!("expected a {kind} frame before"))
    }

    /// The frames of one channel, in order.
    pub fn of_channel(&self, instance: &str) -> Vec<Value> {
        let channel = format!("instance/{instance}");
        let pushed =
            |frame: &&Value| frame["channel"] == channel.as_str() && frame.get("prev").is_some();
        self.frames.iter().filter(pushed).cloned().collect()
    }

    /// Whether the server still does everything: a new instance starts and answers.
    pub async fn assert_healthy(server: &Server) {
        let mut client = Self::hello(server, &super::server::token("health")).await;
        client.start("onboarding", json!({})).await;
    }
}

/// A fresh command id.
pub fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// An error frame has the code, and a sentence that says what was expected.
#[track_caller]
pub fn check_error(frame: &Value, code: &str) {
    assert_eq!(frame["type"], "error", "{frame}");
    assert_eq!(frame["code"], code, "{frame}");
    assert!(
        frame["message"].as_str().unwrap().starts_with("expected "),
        "{frame}"
    );
    assert_eq!(
        frame["retryable"],
        matches!(code, "rate_limited" | "busy" | "internal"),
        "{frame}"
    );
}
