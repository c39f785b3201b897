//! One websocket: connected, welcomed, alive. Not here: what happens when it is lost (`client`).

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};

/// The longest time until the `welcome`.
const WELCOME: Duration = Duration::from_secs(10);
/// The code that stands for a connection that ended without a close code.
pub const NO_CODE: u16 = 1006;
/// The code of a connection on which nothing is received any more.
const SILENT: u16 = 4000;

/// An open connection.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// A connection on which nothing is received for this long is dropped: some networks never
    /// report a loss.
    silence_limit: Duration,
    received: Instant,
}

/// An event of a connection.
pub enum SocketEvent {
    /// A frame of the protocol other than a ping.
    Frame(Value),
    /// The end of the connection.
    Closed(End),
}

/// How a connection ended.
#[derive(Clone, Debug)]
pub struct End {
    /// The close code.
    pub code: u16,
    /// The close reason.
    pub reason: String,
}

impl End {
    fn without_code(reason: impl ToString) -> Self {
        Self {
            code: NO_CODE,
            reason: reason.to_string(),
        }
    }
}

/// Why there is no connection.
pub enum NotOpen {
    /// The server or the network between cannot be reached.
    Unreachable(String),
    /// Closed before the welcome.
    Closed(End),
}

impl Socket {
    /// Connects, sends `hello` and waits for `welcome`.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn open(address: &str, hello: &Value) -> Result<(Self, Value), NotOpen> {
        let opening = async {
            let stream = connect(address).await?;
            let mut socket = Self {
                stream,
                silence_limit: WELCOME,
                received: Instant::now(),
            };
            socket.send(hello).await.map_err(NotOpen::Closed)?;
            match socket.next_event().await {
                SocketEvent::Frame(frame) if frame["type"] == "welcome" => Ok((socket, frame)),
                SocketEvent::Frame(frame) => Err(NotOpen::Unreachable(format!(
                    "it does not speak this protocol: {}",
                    frame["type"]
                ))),
                SocketEvent::Closed(end) => Err(NotOpen::Closed(end)),
            }
        };
        let (mut socket, welcome) = timeout(WELCOME, opening)
            .await
            .unwrap_or_else(|_| Err(NotOpen::Unreachable("it does not answer in time".into())))?;
        socket.silence_limit =
            2 * Duration::from_secs(welcome["pingSeconds"].as_u64().unwrap_or(25).max(1));
        Ok((socket, welcome))
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// The end of the connection.
    pub async fn send(&mut self, frame: &Value) -> Result<(), End> {
        self.stream
            .send(Message::text(frame.to_string()))
            .await
            .map_err(End::without_code)
    }

    /// The next frame, or the end. Pings are answered. May be cancelled.
    pub async fn next_event(&mut self) -> SocketEvent {
        loop {
            let left = self.silence_limit.saturating_sub(self.received.elapsed());
            let message = match timeout(left, self.stream.next()).await {
                Ok(message) => message,
                Err(_) => {
                    return SocketEvent::Closed(End {
                        code: SILENT,
                        reason: "no frame from the server".into(),
                    });
                }
            };
            self.received = Instant::now();
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(Some(close)))) => {
                    return SocketEvent::Closed(End {
                        code: close.code.into(),
                        reason: close.reason.to_string(),
                    });
                }
                Some(Ok(Message::Close(None))) | None => {
                    return SocketEvent::Closed(End::without_code("the connection was cut"));
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return SocketEvent::Closed(End::without_code(error)),
            };
            match serde_json::from_str::<Value>(&text) {
                Ok(frame) if frame["type"] == "ping" => {
                    if let Err(end) = self.send(&json!({"type": "pong"})).await {
                        return SocketEvent::Closed(end);
                    }
                }
                Ok(frame) => return SocketEvent::Frame(frame),
                Err(error) => return SocketEvent::Closed(End::without_code(error)),
            }
        }
    }

    /// Closes the connection without waiting for the answer.
    pub async fn close(&mut self) {
        let _ = timeout(Duration::from_secs(1), self.stream.close(None)).await;
    }
}

async fn connect(address: &str) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, NotOpen> {
    let unreachable = |error: &dyn std::fmt::Display| NotOpen::Unreachable(error.to_string());
    let mut request = address
        .into_client_request()
        .map_err(|error| unreachable(&error))?;
    request.headers_mut().insert(
        "Sec-WebSocket-Protocol",
        HeaderValue::from_static("stepwire.v1.json"),
    );
    // Frames are small: without this, delayed acknowledgements would cost 40 ms.
    match connect_async_with_config(request, None, true).await {
        Ok((stream, _)) => Ok(stream),
        Err(tungstenite::Error::Http(response)) => {
            Err(NotOpen::Unreachable(response_message(&response)))
        }
        // Only the cause, without the library's message around it.
        Err(tungstenite::Error::Io(error)) => Err(unreachable(&error)),
        Err(error) => Err(unreachable(&error)),
    }
}

/// The message in an HTTP answer that is not a websocket.
fn response_message(response: &tungstenite::http::Response<Option<Vec<u8>>>) -> String {
    let problem: Option<Value> = response
        .body()
        .as_deref()
        .and_then(|body| serde_json::from_slice(body).ok());
    let detail = problem
        .as_ref()
        .and_then(|problem| problem["detail"].as_str());
    detail.map_or_else(
        || format!("it answers {} instead of a websocket", response.status()),
        str::to_owned,
    )
}
