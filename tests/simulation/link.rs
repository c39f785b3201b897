//! A connection between a client and the server, with frames in progress in both directions.
//! Dropping it cuts it, and the frames in progress are lost.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use serde_json::Value;
use stepwire::session::{connection::Connection, inbox::InboundReceiver, sessions::Sessions};

/// The number of frames that the server sends at once.
const BURST: usize = 4;

/// An open connection.
pub struct Link {
    connection: Connection,
    inbound: InboundReceiver,
    to_server: VecDeque<Value>,
    to_client: VecDeque<Value>,
    /// Whether the server may have more frames to send without another event.
    has_more: bool,
}

impl Link {
    /// Connects.
    pub fn open(sessions: &Arc<Sessions>) -> Self {
        let (connection, inbound) = Connection::open(sessions.clone(), None, None, Instant::now());
        Self {
            connection,
            inbound,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            has_more: false,
        }
    }

    /// The client sends a frame.
    pub fn send(&mut self, frame: Value) {
        self.to_server.push_back(frame);
    }

    /// Whether a frame is in progress to the server.
    pub fn can_receive(&self) -> bool {
        !self.to_server.is_empty()
    }

    /// The server takes a frame.
    pub fn receive(&mut self) {
        if let Some(frame) = self.to_server.pop_front() {
            self.connection.receive(&frame.to_string(), Instant::now());
            self.has_more = true;
        }
    }

    /// Whether the connection has an outcome of the runtime to process, or a frame to send.
    pub fn can_work(&self) -> bool {
        self.has_more || !self.inbound.is_empty()
    }

    /// The connection processes outcomes of the runtime, and sends some frames.
    pub fn work(&mut self) {
        if let Ok(inbound) = self.inbound.try_recv() {
            self.connection.take(inbound);
        }
        self.has_more = true;
        for _ in 0..BURST {
            let Some(text) = self.connection.next_frame() else {
                self.has_more = false;
                break;
            };
            let frame = serde_json::from_str(&text).expect("frames are JSON");
            self.to_client.push_back(frame);
        }
        self.connection.inbox().settle(&self.inbound);
    }

    /// Whether a frame is in progress to the client.
    pub fn can_read(&self) -> bool {
        !self.to_client.is_empty()
    }

    /// The client takes a frame.
    pub fn read(&mut self) -> Option<Value> {
        self.to_client.pop_front()
    }

    /// The reason for which the server has closed it, once the client has read all frames.
    pub fn closed(&self) -> Option<String> {
        let close = self.connection.closing()?;
        let is_over = self.to_client.is_empty() && !self.can_work();
        is_over.then(|| format!("{close:?}"))
    }
}
