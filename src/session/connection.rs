//! One client's connection: handles the frames of the client, and returns the frames to send from
//! [`Connection::next_frame`].
//!
//! Outgoing frames have one order: texts, and places at which the frames of a followed instance are
//! pulled when their turn comes. So a reply follows the frames of its commit, and a slow client
//! costs a cursor, not a queue.
//!
//! Not here: sockets and deadlines of sending (`web::websocket::socket`). Commands: `commands`;
//! following: `subscriptions`.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytestring::ByteString;
use uuid::Uuid;

use super::{
    auth::{principal::Principal, token::Identity},
    held_back::HeldBack,
    inbox::{Inbound, InboundReceiver, Inbox},
    input_schemas::SentSchemas,
    outgoing::{Out, Outgoing},
    protocol::{
        channel::Channel,
        client::{self, ClientFrame, FrameError, FrameId},
        close::{Close, CloseCode},
        code::ErrorCode,
        server::{Bye, ErrorFrame, Ping, Reply, ServerFrame},
        step::NoResult,
        wire_error::WireError,
    },
    rate_limit::{Admission, Rate},
    sessions::Sessions,
    shared_rates::{Charge, Payer},
    subscription::{
        changes::ChangesFollowing, lists::ListFollowing, state::FollowedInstance, tree_cursor::Mark,
    },
    subscription_start::PendingReads,
    task_notes::OpenTasks,
};
use crate::{
    engine::trace::TraceContext,
    limits::{self, Limit, Taker},
    model::ids::InstanceKey,
    runtime::channel::Follower,
};

/// The longest interval between calls of `tick` for a connection that waits for nothing: usually
/// most connections are idle.
pub const CALM: Duration = Duration::from_secs(5);

/// One client's connection.
pub struct Connection {
    /// The id that `welcome` contains.
    pub(super) id: Uuid,
    /// Name and version of the client, according to its `hello`.
    pub(super) client: Option<String>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) follower: Arc<dyn Follower>,
    pub(super) following: HashMap<InstanceKey, FollowedInstance>,
    pub(super) lists: HashMap<Channel, ListFollowing>,
    /// Whether it follows the channel `changes`.
    pub(super) changes: Option<ChangesFollowing>,
    /// Followed instances that have ended, oldest first.
    pub(super) ended: VecDeque<InstanceKey>,
    pub(super) rounds: u64,
    pub(super) unanswered: usize,
    pub(super) out: Outgoing,
    /// Followed instances that are to be looked at.
    pub(super) reads: PendingReads,
    pub(super) principal: Option<Principal>,
    /// The tasks that its user has open.
    pub(super) open_tasks: OpenTasks,
    /// The schemas that were sent, if the client has asked for schemas.
    pub(super) schemas: Option<SentSchemas>,
    /// The client's address; `None` if the transport has none.
    pub(super) address: Option<IpAddr>,
    /// Whose rates its messages count for.
    pub(super) payer: Payer,
    /// The trace that the current frame belongs to.
    pub(super) trace: Option<Arc<TraceContext>>,
    /// Whether the client only receives, and cannot send frames.
    pub(super) is_read_only: bool,
    /// The identity known before `hello` by a ticket.
    pub(super) ticket: Option<Identity>,
    close: Option<Close>,
    rate: Rate,
    /// Whether a message was over a rate recently.
    refused: bool,
    opened: Instant,
    received: Instant,
    pinged: Instant,
}

impl Connection {
    /// A new connection from an address. `ticket` is the identity of a one-time ticket sent with
    /// the upgrade. What the returned receiver yields has to be passed to [`Connection::take`].
    pub fn open(
        sessions: Arc<Sessions>,
        ticket: Option<Identity>,
        address: Option<IpAddr>,
        now: Instant,
    ) -> (Self, InboundReceiver) {
        let (inbox, receiver) = Inbox::new(sessions.runtime.activity());
        let inbox = Arc::new(inbox);
        let rate = Rate::new(
            sessions.limits.rate_per_second,
            sessions.limits.rate_burst,
            now,
        );
        let open_tasks = OpenTasks::new(sessions.runtime.presence.new_connection());
        let follower: Arc<dyn Follower> = inbox.clone();
        let long_frames = sessions.long_frames.clone();
        let connection = Self {
            id: Uuid::now_v7(),
            client: None,
            sessions,
            follower,
            inbox,
            following: HashMap::new(),
            lists: HashMap::new(),
            changes: None,
            ended: VecDeque::new(),
            rounds: 0,
            unanswered: 0,
            out: Outgoing::new(long_frames, Taker::Stranger(address.map(limits::network))),
            reads: PendingReads::default(),
            principal: None,
            open_tasks,
            schemas: None,
            address,
            payer: Payer::default(),
            trace: None,
            is_read_only: false,
            ticket,
            close: None,
            rate,
            refused: false,
            opened: now,
            received: now,
            pinged: now,
        };
        (connection, receiver)
    }

    /// The id that `welcome` contains.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The client's address.
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Name and version of the client, according to its `hello`.
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// The number of instances and lists it follows.
    pub fn subscription_count(&self) -> usize {
        self.following.len() + self.lists.len() + usize::from(self.changes.is_some())
    }

    /// The number of frames that wait for the socket.
    pub fn queued(&self) -> usize {
        self.out.len()
    }

    /// How to close the connection, once [`Connection::next_frame`] returns nothing more.
    pub fn closing(&self) -> Option<&Close> {
        self.close.as_ref()
    }

    /// Where other parts of the server put messages for this connection.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Whether so many frames wait for the socket that nothing more should be read from the client.
    pub fn is_congested(&self) -> bool {
        self.out.is_congested()
    }

    /// Whether no frame waits for the socket.
    pub fn is_drained(&self) -> bool {
        self.out.is_empty()
    }

    /// Ends the connection.
    pub fn close(&mut self, close: impl Into<Close>) {
        self.close.get_or_insert_with(|| close.into());
    }

    /// Set if a message was over a rate since the last call: how long nothing is to be read.
    pub fn take_refused(&mut self) -> Option<HeldBack> {
        let rates = &self.sessions.rates;
        std::mem::take(&mut self.refused).then(|| rates.hold_back(self.payer))
    }

    /// Handles one text message of the client.
    pub fn receive(&mut self, text: &str, now: Instant) {
        if self.close.is_some() {
            return;
        }
        self.received = now;
        if self.principal.is_none() {
            // A single message needs no rate.
            return self.receive_first(text);
        }
        match self.rate.admit(text.len(), now) {
            Admission::Pass => {}
            Admission::Flood => return self.close(CloseCode::Flood),
            Admission::Limited { after_ms } => {
                Limit::MessageRate.refused();
                let sentence = "expected fewer messages, but the rate is used up: wait afterMs";
                let after = Duration::from_millis(after_ms);
                return self.limited(text, &WireError::rate_limited(after, sentence));
            }
        }
        let charge = Charge::Request(text.len());
        if let Err(spent) = self.sessions.rates.admit(self.payer, charge, now) {
            return self.limited(text, &spent.into());
        }
        self.close_if_expired();
        match client::parse_traced(text) {
            Ok((frame, trace)) => {
                self.trace = trace.map(Arc::new);
                self.handle(frame);
                self.trace = None;
            }
            Err(error) => {
                let wire = WireError::new(error.code, error.message);
                self.send_error(error.id.as_deref(), None, &wire);
            }
        }
    }

    /// Handles the first message, which must be a `hello`. A mistake in it is reported with its
    /// place, because it is one of the client's author; only a problem with the token is answered
    /// so that the client gets another token.
    fn receive_first(&mut self, text: &str) {
        match client::parse_hello(text) {
            Ok(hello) => self.hello(hello),
            Err(FrameError { id, code, message }) => {
                let code_alone = CloseCode::NoValidHello.reason();
                let close = Close::because(CloseCode::NoValidHello, message.clone(), code_alone);
                self.send_error(id.as_deref(), None, &WireError::new(code, message));
                self.close(close);
            }
        }
    }

    fn handle(&mut self, frame: ClientFrame) {
        match frame {
            ClientFrame::Hello(_) => {
                let sentence = "expected one hello per connection, but this is another; use \
                    'auth' for a new token";
                self.send_error(None, None, &WireError::new(ErrorCode::BadRequest, sentence));
            }
            ClientFrame::Pong => {}
            ClientFrame::Start(start) => self.start(start),
            ClientFrame::Run(run) => self.run(run),
            ClientFrame::Patch(patch) => self.patch(patch),
            ClientFrame::Publish(publish) => self.publish(&publish),
            ClientFrame::Draft(draft) => self.draft(draft),
            ClientFrame::Presence(presence) => self.presence(presence),
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

    /// Counts a ping or a pong of the transport with this many bytes; returns whether it is within
    /// the rate.
    pub fn control(&mut self, bytes: usize, now: Instant) -> bool {
        self.received = now;
        match self.rate.admit(bytes, now) {
            Admission::Pass => return true,
            Admission::Flood => self.close(CloseCode::Flood),
            Admission::Limited { .. } => {
                Limit::MessageRate.refused();
                self.refused = true;
            }
        }
        false
    }

    /// The tenant and subject of the client, once `hello` was received: its connections are counted
    /// by them.
    pub fn user(&self) -> Option<String> {
        self.principal.as_ref().map(Principal::user)
    }

    /// The principal, once `hello` was received.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    fn limited(&mut self, text: &str, error: &WireError) {
        self.refused = true;
        let id = client::parse(text)
            .ok()
            .and_then(|frame| frame.id().map(|id| id.as_str().to_owned()));
        self.send_error(id.as_deref(), None, error);
    }

    /// Handles a message of the runtime.
    pub fn take(&mut self, inbound: Inbound) {
        if self.close.is_some() {
            return;
        }
        self.take_in(inbound);
        self.start_reads();
        self.close_without_space();
    }

    fn take_in(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Wake(instance) => {
                self.inbox.turned_to(instance);
                self.out.push_back(Out::Pull(instance));
            }
            Inbound::Answered { command, answer } => self.answered(&command, answer),
            Inbound::Looked {
                instance,
                read,
                answer,
            } => self.read_done(instance, read, answer),
            Inbound::Missed {
                instance,
                read,
                observed,
                rows,
            } => self.missed(instance, &read, &observed, rows),
            Inbound::Changed { round } => self.send_notice(round),
            Inbound::ListChanged { channel, round } => self.send_changes(&channel, round),
            Inbound::Listed {
                channel,
                round,
                listed,
            } => self.listed(&channel, round, listed),
            Inbound::UsersChanged => self.close_if_revoked(),
            Inbound::Close => {
                self.out.clear();
                self.close(CloseCode::ByOperator);
            }
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

    /// Does what is due by real time. Call it about once a second; while the connection
    /// [`is_calm`](Self::is_calm), an interval of [`CALM`] suffices.
    pub fn tick(&mut self, now: Instant) {
        if !self.is_read_only {
            self.check_liveness(now);
        }
        self.close_if_expired();
        self.read_announced(now);
        self.calm_down(now);
    }

    /// Whether nothing is due within [`CALM`] except pings, which may be late.
    pub fn is_calm(&self) -> bool {
        self.principal.is_some() && !self.expires_within(CALM) && !self.awaits_announced()
    }

    fn check_liveness(&mut self, now: Instant) {
        let ping = Duration::from_secs(u64::from(limits::PING_SECONDS));
        if self.principal.is_none() && now.duration_since(self.opened) >= limits::HELLO.get() {
            return self.close(CloseCode::NoHello);
        }
        if now.duration_since(self.received) >= 2 * ping {
            return self.close(CloseCode::ClientTimeout);
        }
        if self.principal.is_some() && now.duration_since(self.pinged.max(self.opened)) >= ping {
            self.pinged = now;
            self.out.push_back(Out::Text(Ping {}.text()));
        }
    }

    /// The next frame to send; `None` when there is none now.
    pub fn next_frame(&mut self) -> Option<ByteString> {
        self.next_marked().map(|(text, _)| text)
    }

    /// As [`Connection::next_frame`], with the client's position after a frame of an instance.
    pub fn next_marked(&mut self) -> Option<(ByteString, Option<Mark>)> {
        loop {
            if let Some(given) = self.out.give() {
                return Some(given);
            }
            match self.out.front()? {
                Out::Text(_) | Out::Marked(..) => {}
                Out::Schemas(inputs) => {
                    let frame = self.schemas.as_mut().and_then(|sent| sent.frame(inputs));
                    self.out.pop_front();
                    if let Some(frame) = frame {
                        return Some((frame, None));
                    }
                }
                &Out::SubscriptionStart { instance, round } => {
                    if !self.begin(instance, round) {
                        // There may be room for its look now.
                        self.start_reads();
                        return None;
                    }
                }
                &Out::Pull(instance) => {
                    self.pull(instance);
                    self.close_without_space();
                }
            }
        }
    }

    pub(super) fn send_done(&mut self, id: &FrameId) {
        let text = Reply {
            id: id.as_str(),
            seq: None,
            duplicate: false,
            result: NoResult {},
        }
        .text();
        self.out.push_back(Out::Text(text));
    }

    pub(super) fn send_error(
        &mut self,
        id: Option<&str>,
        channel: Option<&Channel>,
        error: &WireError,
    ) {
        let text = error_frame(id, channel, error).text();
        self.out.push_back(Out::Text(text));
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
        after_ms: error.after_ms.map(u64::from),
        channel,
        ..ErrorFrame::new(id, error.code, &error.message)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for following in self.following.values() {
            following.channel.leave(&self.follower);
        }
        self.close_tasks();
        self.leave_lists();
        self.unfollow_changes();
        self.inbox.end();
    }
}
