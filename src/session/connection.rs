//! One client's connection: what it says is handled here, what it is told comes out of
//! [`Connection::next_frame`].
//!
//! Outgoing frames stand in one order: texts, and places where the frames of a followed instance
//! are pulled when their turn comes. So a reply stands behind the frames of its commit, and a slow
//! client costs a cursor, not a queue.
//!
//! Not here: sockets and deadlines of sending (`web::ws`). Commands: `commands`; following:
//! `subscriptions`.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use bytestring::ByteString;
use tokio::sync::mpsc::UnboundedReceiver;
use uuid::Uuid;

use super::{
    answers::WireError,
    following::Following,
    frames::{
        channel::Channel,
        client::{self, ClientFrame, FrameError, FrameId, Hello},
        close::{Close, CloseCode},
        code::ErrorCode,
        server::{Bye, ErrorFrame, Ping, RateEntry, Reply, ResyncReason, ServerFrame, Welcome},
        step::{AuthResult, NoResult},
    },
    inbox::{Inbound, Inbox},
    lists::ListFollowing,
    rate::{Admission, Rate},
    token::{Identity, TokenError, Tokens},
    tree_cursor::Mark,
    who::Who,
};
use crate::{
    engine::access::Caller,
    limits::{self, Limit, Limits},
    model::ids::InstanceKey,
    runtime::{Runtime, channel::Follower, clock::real_now},
};

/// What all connections share.
pub struct Sessions {
    /// The running system.
    pub runtime: Arc<Runtime>,
    /// Who is who.
    pub tokens: Arc<Tokens>,
    /// Limits an operator may change.
    pub limits: Limits,
}

/// One client's connection.
pub struct Connection {
    pub(super) sessions: Arc<Sessions>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) follower: Arc<dyn Follower>,
    pub(super) following: HashMap<InstanceKey, Following>,
    pub(super) lists: HashMap<Channel, ListFollowing>,
    /// Followed instances that have ended, oldest first.
    pub(super) ended: VecDeque<InstanceKey>,
    pub(super) rounds: u64,
    pub(super) unanswered: usize,
    pub(super) out: VecDeque<Out>,
    pub(super) who: Option<Who>,
    /// Whether the client can say anything: somebody who only listens cannot.
    pub(super) hears: bool,
    /// Known before `hello` by a ticket.
    ticket: Option<Identity>,
    close: Option<Close>,
    rate: Rate,
    opened: Instant,
    heard: Instant,
    pinged: Instant,
}

/// Something to be sent, when its turn comes.
pub(super) enum Out {
    /// A frame.
    Text(ByteString),
    /// A frame of a followed instance, and where the client then stands.
    Marked(ByteString, Mark),
    /// Whatever the channel of an instance has after our cursor.
    Pull(InstanceKey),
    /// The beginning of a subscription, once it is known; nothing behind it goes out before.
    Beginning { instance: InstanceKey, round: u64 },
}

impl Connection {
    /// A new connection. `ticket` is the identity of a one-time ticket shown at the upgrade. The
    /// receiver's contents belong into [`Connection::take`].
    pub fn open(
        sessions: Arc<Sessions>,
        ticket: Option<Identity>,
        now: Instant,
    ) -> (Self, UnboundedReceiver<Inbound>) {
        let (inbox, receiver) = Inbox::new(sessions.runtime.activity());
        let inbox = Arc::new(inbox);
        let rate = Rate::new(
            sessions.limits.rate_per_second,
            sessions.limits.rate_burst,
            now,
        );
        let follower: Arc<dyn Follower> = inbox.clone();
        let connection = Self {
            sessions,
            follower,
            inbox,
            following: HashMap::new(),
            lists: HashMap::new(),
            ended: VecDeque::new(),
            rounds: 0,
            unanswered: 0,
            out: VecDeque::new(),
            who: None,
            hears: true,
            ticket,
            close: None,
            rate,
            opened: now,
            heard: now,
            pinged: now,
        };
        (connection, receiver)
    }

    /// How the connection is to be closed, once [`Connection::next_frame`] has nothing more.
    pub fn closing(&self) -> Option<&Close> {
        self.close.as_ref()
    }

    /// Where the server's own parts put things for this connection.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Whether so much waits for the socket that no more should be read from the client.
    pub fn is_congested(&self) -> bool {
        self.out.len() > limits::UNSENT_FRAMES
    }

    /// Whether nothing waits for the socket.
    pub fn is_drained(&self) -> bool {
        self.out.is_empty()
    }

    /// Ends the connection.
    pub fn close(&mut self, close: impl Into<Close>) {
        self.close.get_or_insert_with(|| close.into());
    }

    /// Handles one text message of the client.
    pub fn receive(&mut self, text: &str, now: Instant) {
        if self.close.is_some() {
            return;
        }
        self.heard = now;
        if self.who.is_none() {
            // One message, so no rate is needed.
            return self.receive_first(text);
        }
        match self.rate.admit(text.len(), now) {
            Admission::Pass => {}
            Admission::Flood => return self.close(CloseCode::Flood),
            Admission::Limited { after_ms } => return self.limited(text, after_ms),
        }
        self.close_if_expired();
        match client::parse(text) {
            Ok(frame) => self.handle(frame),
            Err(error) => {
                let wire = WireError::new(error.code, error.message);
                self.tell_error(error.id.as_deref(), None, &wire);
            }
        }
    }

    /// The first message must be a `hello`. Any mistake in it is a mistake of the client's author,
    /// told with its place; only trouble with the token is worth another token.
    fn receive_first(&mut self, text: &str) {
        match client::parse_hello(text) {
            Ok(hello) => self.hello(hello),
            Err(FrameError { id, code, message }) => {
                let close = Close::because(CloseCode::NoValidHello, &message);
                self.tell_error(id.as_deref(), None, &WireError::new(code, message));
                self.close(close);
            }
        }
    }

    fn handle(&mut self, frame: ClientFrame) {
        match frame {
            ClientFrame::Hello(_) => {
                let sentence = "expected one hello per connection, but this is another; use \
                    'auth' for a new token";
                self.tell_error(None, None, &WireError::new(ErrorCode::BadRequest, sentence));
            }
            ClientFrame::Pong => {}
            ClientFrame::Start(start) => self.start(start),
            ClientFrame::Run(run) => self.run(run),
            ClientFrame::Patch(patch) => self.patch(patch),
            ClientFrame::Subscribe {
                id,
                channel,
                after,
                tree,
            } => self.subscribe(id, channel, after, tree),
            ClientFrame::Unsubscribe { id, channel } => self.unsubscribe(&id, &channel),
            ClientFrame::Auth { id, token } => self.auth(&id, &token),
            ClientFrame::Done { id, instance, seq } => self.done(id, instance, seq),
            ClientFrame::OnInstance {
                id,
                instance,
                command,
            } => self.on_instance(id, instance, command),
            ClientFrame::Clock { id, to } => self.move_clock(&id, to),
            ClientFrame::Idle { id } => self.idle(id),
        }
    }

    /// The client answered a ping of its own transport, or sent one.
    pub fn alive(&mut self, now: Instant) {
        self.heard = now;
    }

    /// The tenant and subject at the other end, once it has said hello: what its connections are
    /// counted under.
    pub fn user(&self) -> Option<String> {
        self.who.as_ref().map(Who::user)
    }

    fn hello(&mut self, hello: Hello) {
        let identity = match (&hello.token, self.ticket.take()) {
            (Some(token), _) => self.sessions.identify(token).map(Some),
            (None, Some(ticket)) => self.sessions.still_good(ticket).map(Some),
            (None, None) => Ok(None),
        };
        let who = match identity {
            Ok(identity) => Who::new(identity),
            Err(error) => {
                log::debug!("a hello was refused: {error}");
                return self.close(close_for(&error));
            }
        };
        let limits = &self.sessions.limits;
        let welcome = Welcome {
            connection: &Uuid::now_v7().to_string(),
            user: &who.caller.subject,
            log: &self.sessions.runtime.log.to_string(),
            expires_at: who
                .identity
                .as_ref()
                .and_then(|identity| identity.expires_at)
                .map(|time| time.to_string()),
            ping_seconds: limits::PING_SECONDS,
            max_message_bytes: limits::MESSAGE_BYTES,
            rate: RateEntry {
                per_second: limits.rate_per_second,
                burst: limits.rate_burst,
            },
        };
        let text = welcome.text();
        self.out.push_back(Out::Text(text));
        self.who = Some(who);
        let same_log = hello
            .log
            .as_deref()
            .is_none_or(|log| log == self.sessions.runtime.log.to_string());
        for point in hello.resume {
            self.resume(point, same_log);
        }
    }

    fn auth(&mut self, id: &FrameId, token: &str) {
        let (Some(who), verified) = (&mut self.who, self.sessions.identify(token)) else {
            return;
        };
        let error = match verified {
            Ok(identity) if who.has_many_trees() && who.may_add_tree(&identity) => {
                Limit::AnonymousTrees.refused();
                let sentence = format!(
                    "expected tokens of at most {} instance trees, but this is one more",
                    limits::SUBSCRIPTIONS
                );
                WireError::new(ErrorCode::TooLarge, sentence)
            }
            Ok(identity) if who.may_add_tree(&identity) => {
                let result = AuthResult {
                    expires_at: identity.expires_at.map(|time| time.to_string()),
                };
                who.add_tree(identity);
                return self.out.push_back(Out::Text(
                    Reply {
                        id: id.as_str(),
                        seq: None,
                        duplicate: false,
                        result,
                    }
                    .text(),
                ));
            }
            Ok(identity) if who.identity.is_none() || who.is(&identity) => {
                let result = AuthResult {
                    expires_at: identity.expires_at.map(|time| time.to_string()),
                };
                let before = self.who.replace(Who::new(Some(identity)));
                let text = Reply {
                    id: id.as_str(),
                    seq: None,
                    duplicate: false,
                    result,
                }
                .text();
                self.out.push_back(Out::Text(text));
                if before.is_none_or(|before| Some(before.caller) != self.caller()) {
                    self.look_again(ResyncReason::Access);
                    self.list_again(ResyncReason::Access);
                }
                return;
            }
            Ok(_) => WireError::new(
                ErrorCode::Forbidden,
                "expected a token of the same subject, but it is another's: connect anew",
            ),
            Err(TokenError::Expired) => WireError::new(
                ErrorCode::TokenExpired,
                "expected a token that is still valid, but its time is over",
            ),
            Err(error) => WireError::new(ErrorCode::Unauthenticated, error.to_string()),
        };
        self.tell_error(Some(id.as_str()), None, &error);
    }

    fn limited(&mut self, text: &str, after_ms: u64) {
        Limit::MessageRate.refused();
        let id = client::parse(text)
            .ok()
            .and_then(|frame| frame.id().map(|id| id.as_str().to_owned()));
        let sentence = "expected fewer messages, but the rate is spent: wait afterMs";
        let frame = ErrorFrame {
            after_ms: Some(after_ms),
            ..ErrorFrame::new(id.as_deref(), ErrorCode::RateLimited, sentence)
        };
        let text = frame.text();
        self.out.push_back(Out::Text(text));
    }

    /// Takes what the runtime had for this connection.
    pub fn take(&mut self, inbound: Inbound) {
        if self.close.is_some() {
            return;
        }
        match inbound {
            Inbound::Wake(instance) => {
                self.inbox.turned_to(instance);
                self.out.push_back(Out::Pull(instance));
            }
            Inbound::Answered { command, answer } => self.answered(&command, answer),
            Inbound::Looked {
                instance,
                round,
                answer,
            } => self.looked(instance, round, answer),
            Inbound::Missed {
                instance,
                round,
                observed,
                rows,
            } => self.missed(instance, round, &observed, rows),
            Inbound::ListChanged { channel, round } => self.tell_changes(&channel, round),
            Inbound::Listed {
                channel,
                round,
                listed,
            } => self.listed(&channel, round, listed),
            Inbound::UsersChanged => self.close_if_revoked(),
            Inbound::Drain { reconnect_after_ms } => {
                self.forget_what_has_not_begun();
                let text = Bye {
                    reason: "restart",
                    reconnect_after_ms: Some(reconnect_after_ms),
                }
                .text();
                self.out.push_back(Out::Text(text));
                self.close(CloseCode::Restart);
            }
        }
    }

    /// Does what is due by real time. Call it about once a second.
    pub fn tick(&mut self, now: Instant) {
        if self.hears {
            self.look_for_life(now);
        }
        self.close_if_expired();
        self.give_up_waiting(now);
    }

    fn look_for_life(&mut self, now: Instant) {
        let ping = Duration::from_secs(u64::from(limits::PING_SECONDS));
        if self.who.is_none() && now.duration_since(self.opened) >= limits::HELLO {
            return self.close(CloseCode::NoHello);
        }
        if now.duration_since(self.heard) >= 2 * ping {
            return self.close(CloseCode::NoSignOfLife);
        }
        if self.who.is_some() && now.duration_since(self.pinged.max(self.opened)) >= ping {
            self.pinged = now;
            self.out.push_back(Out::Text(Ping {}.text()));
        }
    }

    fn close_if_expired(&mut self) {
        let expires_at = self
            .who
            .as_ref()
            .and_then(|who| who.identity.as_ref())
            .and_then(|identity| identity.expires_at);
        if expires_at.is_some_and(|expires_at| real_now() >= expires_at) {
            self.close(CloseCode::Token);
        }
    }

    /// What waits to be sent is not for somebody whose access was taken away.
    fn close_if_revoked(&mut self) {
        let identity = self.who.as_ref().and_then(|who| who.identity.clone());
        if identity.is_some_and(|identity| self.sessions.still_good(identity).is_err()) {
            self.out.clear();
            self.close(CloseCode::Revoked);
        }
    }

    /// The next frame to send; `None` when there is none now.
    pub fn next_frame(&mut self) -> Option<ByteString> {
        self.next_marked().map(|(text, _)| text)
    }

    /// As [`Connection::next_frame`], with where the client stands after a frame of an instance.
    pub fn next_marked(&mut self) -> Option<(ByteString, Option<Mark>)> {
        loop {
            match self.out.front()? {
                Out::Text(_) | Out::Marked(..) => {
                    return match self.out.pop_front()? {
                        Out::Text(text) => Some((text, None)),
                        Out::Marked(text, mark) => Some((text, Some(mark))),
                        Out::Pull(_) | Out::Beginning { .. } => None,
                    };
                }
                &Out::Beginning { instance, round } => {
                    if !self.begin(instance, round) {
                        return None;
                    }
                }
                &Out::Pull(instance) => self.pull(instance),
            }
        }
    }

    /// Who acts here, once hello was said.
    pub(super) fn caller(&self) -> Option<Caller> {
        self.who.as_ref().map(|who| who.caller.clone())
    }

    pub(super) fn tell_done(&mut self, id: &FrameId) {
        let text = Reply {
            id: id.as_str(),
            seq: None,
            duplicate: false,
            result: NoResult {},
        }
        .text();
        self.out.push_back(Out::Text(text));
    }

    pub(super) fn tell_error(
        &mut self,
        id: Option<&str>,
        channel: Option<&Channel>,
        error: &WireError,
    ) {
        let text = error_frame(id, channel, error).text();
        self.out.push_back(Out::Text(text));
    }
}

/// How a connection ends whose token is not accepted.
fn close_for(error: &TokenError) -> Close {
    match error {
        TokenError::Revoked => CloseCode::Revoked.into(),
        TokenError::Expired => CloseCode::Token.into(),
        TokenError::Invalid(sentence) => Close::because(
            CloseCode::Token,
            &format!("token invalid, get another one: {sentence}"),
        ),
    }
}

/// The error frame of a refusal.
pub(super) fn error_frame<'a>(
    id: Option<&'a str>,
    channel: Option<&'a Channel>,
    error: &'a WireError,
) -> ErrorFrame<'a> {
    ErrorFrame {
        reason: error.reason,
        fields: error.fields.as_ref(),
        seq: error.seq,
        elements: error.elements.as_deref(),
        channel,
        ..ErrorFrame::new(id, error.code, &error.message)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for following in self.following.values() {
            following.channel.leave(&self.follower);
        }
        self.leave_lists();
        self.inbox.end();
    }
}
