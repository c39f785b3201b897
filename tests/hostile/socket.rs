//! A websocket from a chosen address.

use std::{net::Ipv4Addr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

use super::field::{Field, PATIENCE};

/// An open websocket.
pub struct Socket(WebSocketStream<TcpStream>);

/// An event of the websocket.
pub enum SocketEvent {
    /// A frame.
    Frame(Value),
    /// It was closed with this code, 1006 without one.
    Closed(u16),
    /// No event within the time.
    Silence,
}

impl Socket {
    /// Opens one and sends a hello.
    ///
    /// # Errors
    /// The status of the refusal, 0 without one.
    pub async fn open(field: &Field, from: Ipv4Addr, hello: &Value) -> Result<Self, u16> {
        let stream = field.connect(from).await.map_err(|_| 0u16)?;
        let mut request = field
            .url("/v1/ws")
            .replacen("http", "ws", 1)
            .into_client_request()
            .expect("an address");
        request.headers_mut().insert(
            "Sec-WebSocket-Protocol",
            HeaderValue::from_static("stepwire.v1.json"),
        );
        let opened = timeout(PATIENCE, client_async(request, stream)).await;
        match opened {
            Ok(Ok((socket, _))) => {
                let mut socket = Self(socket);
                socket.send(hello).await.map_err(|()| 0u16)?;
                Ok(socket)
            }
            Ok(Err(Error::Http(response))) => Err(response.status().as_u16()),
            _ => Err(0),
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// If the server has closed the connection.
    pub async fn send(&mut self, frame: &Value) -> Result<(), ()> {
        let message = Message::text(frame.to_string());
        match timeout(PATIENCE, self.0.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(()),
        }
    }

    /// The next event within a time.
    pub async fn next(&mut self, within: Duration) -> SocketEvent {
        loop {
            match timeout(within, self.0.next()).await {
                Err(_) => return SocketEvent::Silence,
                Ok(Some(Ok(Message::Text(text)))) => {
                    return SocketEvent::Frame(
                        serde_json::from_str(&text).expect("frames are JSON"),
                    );
                }
                Ok(Some(Ok(Message::Close(close)))) => {
                    return SocketEvent::Closed(close.map_or(1006, |close| close.code.into()));
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => return SocketEvent::Closed(1006),
            }
        }
    }

    /// Reads until the connection is closed, at most this long; returns the code.
    pub async fn closed(&mut self, within: Duration) -> Option<u16> {
        loop {
            match self.next(within).await {
                SocketEvent::Closed(code) => return Some(code),
                SocketEvent::Silence => return None,
                SocketEvent::Frame(_) => {}
            }
        }
    }
}
