//! A client as the protocol requires it: it reconnects after every interruption, continues where it
//! was, and sends unanswered commands again, unchanged.
//!
//! Not here: one connection (`socket`), when and whether to reconnect (`backoff`), which frames are
//! missing (`followed`).

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    access::Access,
    backoff::{self, AfterClose},
    exit::{Exit, Failure},
    followed::{Followed, FrameVerdict, key_of},
    socket::{End, NO_CODE, NotOpen, Socket, SocketEvent},
};

/// How long a server that was reached once may be unreachable.
const GIVE_UP: Duration = Duration::from_secs(600);
/// A connection that lasted this long resets the delays: after the next loss they start short
/// again.
const STABLE: Duration = Duration::from_secs(5);
/// How often a command answered `busy` is sent again.
const BUSY_TRIES: u32 = 8;

/// Receives the client's events.
pub trait Watcher {
    /// A frame of a followed channel, each once and in order.
    fn frame(&mut self, frame: &Value);
    /// The connection is lost; the client will reconnect.
    fn lost(&mut self, why: &str);
    /// The client is connected again.
    fn back(&mut self);
}

/// A client that stays connected as long as it exists.
pub struct Client {
    access: Access,
    socket: Option<Socket>,
    followed: Followed,
    /// Instances whose following was requested; others are followed because they belong to these.
    roots: Vec<String>,
    lists: Vec<String>,
    unanswered: Vec<Value>,
    log: Option<String>,
    longest_message: usize,
    last: End,
    /// When to reconnect as the server asked in `bye`.
    reconnect_after: Option<Duration>,
    tries: u32,
    welcomed: Instant,
    renewed: bool,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// The server cannot be reached or rejects the token: the first connection is not retried.
    pub async fn connect(access: Access) -> Result<Self, Failure> {
        let mut client = Self {
            access,
            socket: None,
            followed: Followed::default(),
            roots: Vec::new(),
            lists: Vec::new(),
            unanswered: Vec::new(),
            log: None,
            longest_message: usize::MAX,
            last: End {
                code: NO_CODE,
                reason: String::new(),
            },
            reconnect_after: None,
            tries: 0,
            welcomed: Instant::now(),
            renewed: false,
        };
        loop {
            match client.open().await {
                Ok(()) => return Ok(client),
                Err(NotOpen::Unreachable(cause)) => return Err(client.access.unreachable(&cause)),
                Err(NotOpen::Closed(end)) if client.may_renew(&end).await? => {}
                Err(NotOpen::Closed(end)) => return Err(client.refused(&end)),
            }
        }
    }

    /// Sends a command and waits for its answer; frames received meanwhile go to the watcher. Its
    /// `id` must be a UUID.
    ///
    /// # Errors
    /// The server refuses, or cannot be reached.
    pub async fn command(
        &mut self,
        frame: Value,
        watcher: &mut dyn Watcher,
    ) -> Result<Value, Failure> {
        let length = frame.to_string().len();
        if length > self.longest_message {
            let longest = self.longest_message;
            return Err(Failure::new(
                Exit::Refused,
                format!("expected a message of at most {longest} bytes, but it has {length}"),
            ));
        }
        self.unanswered.push(frame.clone());
        self.send(&frame).await;
        let mut tries = 0;
        loop {
            let answer = self.next(watcher).await?;
            if answer["id"] != frame["id"] {
                continue;
            }
            let room_later = matches!(answer["code"].as_str(), Some("busy" | "rate_limited"));
            if answer["type"] == "error" && room_later && tries < BUSY_TRIES {
                let delay = answer["afterMs"].as_u64().map(Duration::from_millis);
                sleep(delay.unwrap_or_else(|| backoff::wait(NO_CODE, tries, backoff::random())))
                    .await;
                tries += 1;
                self.send(&frame).await;
                continue;
            }
            self.unanswered.retain(|other| other["id"] != frame["id"]);
            return if answer["type"] == "reply" {
                Ok(answer)
            } else {
                Err(Failure::from_answer(&answer))
            };
        }
    }

    /// Follows an instance and its children: from a snapshot, or from a sequence number.
    ///
    /// # Errors
    /// Same as [`Client::command`].
    pub async fn follow(
        &mut self,
        key: &str,
        after: Option<u64>,
        watcher: &mut dyn Watcher,
    ) -> Result<(), Failure> {
        self.roots.push(key.to_owned());
        if let Some(after) = after {
            self.followed.begin_after(key, after);
        }
        self.command(subscription(&format!("instance/{key}"), after), watcher)
            .await
            .map(drop)
    }

    /// Follows a list.
    ///
    /// # Errors
    /// Same as [`Client::command`].
    pub async fn follow_list(
        &mut self,
        channel: &str,
        watcher: &mut dyn Watcher,
    ) -> Result<(), Failure> {
        self.command(subscription(channel, None), watcher).await?;
        self.lists.push(channel.to_owned());
        Ok(())
    }

    /// Follows an instance that this client has started; if an earlier attempt of the command
    /// started it, frames may be missing.
    ///
    /// # Errors
    /// Same as [`Client::command`].
    pub async fn follow_started(
        &mut self,
        key: &str,
        watcher: &mut dyn Watcher,
    ) -> Result<(), Failure> {
        if !self.followed.knows(key) {
            return self.follow(key, None, watcher).await;
        }
        self.roots.push(key.to_owned());
        Ok(())
    }

    /// Uses this token, that of an anonymous start, from the next connection on.
    pub fn use_token(&mut self, token: &str) {
        self.access.use_token(token);
    }

    /// Receives one frame, reconnecting as often as needed. Frames of channels also go to the
    /// watcher. May be cancelled.
    ///
    /// # Errors
    /// The server cannot be reached for a long time, or no longer accepts this client.
    pub async fn next(&mut self, watcher: &mut dyn Watcher) -> Result<Value, Failure> {
        loop {
            let Some(socket) = &mut self.socket else {
                self.reconnect_after(watcher).await?;
                continue;
            };
            match socket.next_event().await {
                SocketEvent::Frame(frame) => {
                    self.route(&frame, watcher).await?;
                    return Ok(frame);
                }
                SocketEvent::Closed(end) => self.lost(end, watcher)?,
            }
        }
    }

    /// Closes the connection.
    pub async fn close(mut self) {
        if let Some(socket) = &mut self.socket {
            socket.close().await;
        }
    }

    async fn route(&mut self, frame: &Value, watcher: &mut dyn Watcher) -> Result<(), Failure> {
        match frame["type"].as_str() {
            Some("bye") => {
                self.reconnect_after = frame["reconnectAfterMs"]
                    .as_u64()
                    .map(Duration::from_millis)
            }
            // An error with the id of a command is its answer. Any other says that something is no
            // longer followed: a child is dropped.
            Some("error")
                if !self
                    .unanswered
                    .iter()
                    .any(|command| command["id"] == frame["id"]) =>
            {
                match key_of(frame) {
                    // The server has already waited; the subscription continues from its cursor.
                    Some(key) if frame["code"] == "busy" => {
                        let again =
                            subscription(&format!("instance/{key}"), self.followed.cursor(key));
                        self.send(&again).await;
                    }
                    Some(key) if !self.roots.iter().any(|root| root == key) => {
                        self.followed.drop(key)
                    }
                    _ => return Err(Failure::from_answer(frame)),
                }
            }
            Some("reply" | "error" | "welcome") => {}
            _ if !frame["channel"].is_string() => {}
            _ => match self.followed.take(frame) {
                FrameVerdict::Apply => watcher.frame(frame),
                FrameVerdict::Ignore => {}
                FrameVerdict::Again(after) => {
                    let channel = frame["channel"].as_str().unwrap_or_default();
                    self.send(&subscription(channel, Some(after))).await;
                }
            },
        }
        Ok(())
    }

    /// Sends a frame if there is a connection; a failure shows up when receiving.
    async fn send(&mut self, frame: &Value) {
        if let Some(socket) = &mut self.socket {
            let _ = socket.send(frame).await;
        }
    }

    fn lost(&mut self, end: End, watcher: &mut dyn Watcher) -> Result<(), Failure> {
        self.socket = None;
        if self.welcomed.elapsed() >= STABLE {
            self.tries = 0;
        }
        let next = backoff::after_close(end.code);
        if next == AfterClose::Stop {
            return Err(self.refused(&end));
        }
        // An expired token needs no message.
        if next == AfterClose::Reconnect {
            watcher.lost(&close_reason(&end));
        }
        self.last = end;
        Ok(())
    }

    /// Reconnects.
    async fn reconnect_after(&mut self, watcher: &mut dyn Watcher) -> Result<(), Failure> {
        let began = Instant::now();
        let mut cause = close_reason(&self.last);
        while began.elapsed() < GIVE_UP {
            let end = self.last.clone();
            if backoff::after_close(end.code) == AfterClose::Stop {
                return Err(self.refused(&end));
            }
            if end.code != 4401 {
                let wait = self
                    .reconnect_after
                    .take()
                    .unwrap_or_else(|| backoff::wait(end.code, self.tries, backoff::random()));
                self.tries += 1;
                sleep(wait).await;
            } else if !self.may_renew(&end).await? {
                return Err(self.refused(&end));
            }
            match self.open().await {
                Ok(()) => {
                    watcher.back();
                    return Ok(());
                }
                Err(NotOpen::Unreachable(why)) => {
                    self.last = End {
                        code: NO_CODE,
                        reason: String::new(),
                    };
                    cause = why;
                }
                Err(NotOpen::Closed(end)) => self.last = end,
            }
        }
        Err(self.access.unreachable(&cause))
    }

    async fn open(&mut self) -> Result<(), NotOpen> {
        let mut hello =
            json!({"type": "hello", "client": concat!("stepwire-cli/", env!("CARGO_PKG_VERSION"))});
        if let Some(token) = self.access.token() {
            hello["token"] = json!(token);
        }
        if let Some(log) = &self.log {
            hello["log"] = json!(log);
            hello["resume"] = self.followed.resume();
            hello["lastClose"] = json!(self.last.code);
        }
        let (socket, welcome) = Socket::open(&self.access.websocket(), &hello).await?;
        self.socket = Some(socket);
        self.log = welcome["log"].as_str().map(str::to_owned);
        self.longest_message = welcome["maxMessageBytes"]
            .as_u64()
            .map_or(usize::MAX, |bytes| bytes as usize);
        self.welcomed = Instant::now();
        self.renewed = false;
        for frame in self.unanswered.clone() {
            self.send(&frame).await;
        }
        let channels = self
            .followed
            .waiting()
            .into_iter()
            .map(|key| format!("instance/{key}"))
            .chain(self.lists.clone());
        for channel in channels.collect::<Vec<_>>() {
            self.send(&subscription(&channel, None)).await;
        }
        Ok(())
    }

    /// Gets a new token, once per connection, if the last connection ended because of its token.
    async fn may_renew(&mut self, end: &End) -> Result<bool, Failure> {
        if backoff::after_close(end.code) != AfterClose::RenewToken || self.renewed {
            return Ok(false);
        }
        self.renewed = true;
        self.access.renew().await
    }

    fn refused(&self, end: &End) -> Failure {
        let fix = match (end.code, self.access.token()) {
            (4401, Some(_)) => "get a new token and give it with --token",
            (4401, None) => "give a token with --token",
            (4408, _) => "its user was removed, or its tokens were revoked: get a new token",
            _ => "see its log",
        };
        let server = self.access.server();
        let code = end.code;
        let sentence = format!(
            "expected the server at {server} to accept this client, but it closed with {code} \
            ({}): {fix}",
            end.reason
        );
        Failure::new(Exit::Unreachable, sentence)
    }
}

fn close_reason(end: &End) -> String {
    match end.reason.as_str() {
        "" => format!("the connection closed with {}", end.code),
        reason => reason.to_owned(),
    }
}

/// The command that follows a channel.
fn subscription(channel: &str, after: Option<u64>) -> Value {
    let mut frame =
        json!({"type": "subscribe", "id": Uuid::now_v7().to_string(), "channel": channel});
    if let Some(after) = after {
        frame["after"] = json!(after);
    }
    frame
}
