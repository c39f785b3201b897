//! A websocket of the tests: connects again and again until there is a server, and reports how a
//! connection ended.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use stepwire::{
    model::ids::Time,
    runtime::clock::real_now,
    session::auth::token::{Identity, TokenSettings, Tokens},
};
use tokio::{net::TcpStream, time::sleep};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};
use uuid::Uuid;

use super::server::SECRET;

/// The pause before another attempt to connect.
const AGAIN: Duration = Duration::from_millis(5);

/// A connection that has received its `welcome`.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// An event of the connection.
pub enum SocketEvent {
    /// A frame.
    Frame(Value),
    /// The end, with the close code if there was a Close.
    End(Option<u16>),
}

impl Socket {
    /// Connects as an operator with this name, with any number of attempts; `resume` is sent in the
    /// hello.
    pub async fn connect(port: u16, user: &str, resume: Value) -> Self {
        loop {
            if let Some(socket) = Self::try_connect(port, user, &resume).await {
                return socket;
            }
            sleep(AGAIN).await;
        }
    }

    /// Connects once, as a user with these roles.
    pub async fn connect_as(port: u16, user: &str, roles: &[&str]) -> Self {
        let hello = json!({"type": "hello", "token": token(user, roles)});
        Self::say_hello(port, &hello)
            .await
            .expect("the server runs")
    }

    /// Connects once, with this token.
    pub async fn with_token(port: u16, token: &str) -> Option<Self> {
        Self::say_hello(port, &json!({"type": "hello", "token": token})).await
    }

    async fn try_connect(port: u16, user: &str, resume: &Value) -> Option<Self> {
        Self::say_hello(
            port,
            &json!({"type": "hello", "token": token(user, &["operator"]), "resume": resume}),
        )
        .await
    }

    async fn say_hello(port: u16, hello: &Value) -> Option<Self> {
        let mut request = format!("ws://127.0.0.1:{port}/v1/ws")
            .into_client_request()
            .expect("an address");
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            HeaderValue::from_static("stepwire.v1.json"),
        );
        let (stream, _) = connect_async(request).await.ok()?;
        let mut socket = Self(stream);
        socket.send(hello).await?;
        match socket.receive().await {
            SocketEvent::Frame(frame) if frame["type"] == "welcome" => Some(socket),
            // The server is stopping.
            SocketEvent::Frame(frame) if frame["type"] == "bye" => None,
            SocketEvent::Frame(other) => panic!("expected a welcome, but got {other}"),
            SocketEvent::End(_) => None,
        }
    }

    /// Connects once, with this log in the hello.
    pub async fn resuming(port: u16, user: &str, log: &str, resume: Value) -> Self {
        let hello = json!({"type": "hello", "token": token(user, &["operator"]), "log": log, "resume": resume});
        Self::say_hello(port, &hello)
            .await
            .expect("the server runs")
    }

    /// Sends a frame; `None` when the connection has ended.
    pub async fn send(&mut self, frame: &Value) -> Option<()> {
        self.0.send(Message::text(frame.to_string())).await.ok()
    }

    /// Waits for the next frame or the end. Pings are answered here.
    pub async fn receive(&mut self) -> SocketEvent {
        loop {
            let frame: Value = match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    serde_json::from_str(&text).expect("frames are JSON")
                }
                Some(Ok(Message::Close(close))) => {
                    return SocketEvent::End(close.map(|close| close.code.into()));
                }
                Some(Ok(other)) => panic!("expected text or Close, but got {other:?}"),
                Some(Err(_)) | None => return SocketEvent::End(None),
            };
            if frame["type"] != "ping" {
                return SocketEvent::Frame(frame);
            }
            // A failure is noticed with the next frame.
            let _ = self.send(&json!({"type": "pong"})).await;
        }
    }

    /// Waits for a frame for which `wanted` is true; the connection must not end before.
    pub async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            match self.receive().await {
                SocketEvent::Frame(frame) if wanted(&frame) => return frame,
                SocketEvent::Frame(_) => {}
                SocketEvent::End(code) => {
                    panic!("expected a frame, but the connection ended with {code:?}")
                }
            }
        }
    }
}

/// A token of a user with these roles.
pub fn token(user: &str, roles: &[&str]) -> String {
    token_at(user, roles, real_now(), Duration::from_secs(3600))
}

/// A token of a user with these roles, issued at `now` and valid for `good_for`.
pub fn token_at(user: &str, roles: &[&str], now: Time, good_for: Duration) -> String {
    let tokens = Tokens::new(TokenSettings {
        secret: SECRET.into(),
        issuer: None,
        audience: None,
    });
    let identity = Identity {
        subject: user.into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Identity::anonymous(Uuid::nil())
    };
    tokens
        .mint(&identity, now, good_for)
        .expect("the token can be signed")
}
