//! The state of one connection, as far as its deadlines and its memory depend on it. Without socket
//! and clock: both are arguments.

use std::time::{Duration, Instant};

use super::{
    TransportLimits,
    framing::{BodyKind, Framing},
};
use crate::limits::{DRAINED_BYTES, DRAINED_OVER_RATE_BYTES, Limit};

/// How long a peer may take for its part of a regular end.
const ENDING: Duration = Duration::from_secs(5);

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionPhase {
    /// A request head is arriving; also for a new connection.
    Head,
    /// The last response is sent, and nothing has arrived since.
    Idle,
    /// A request is being answered.
    Request,
    /// The response is sent, but the rest of the request's body still arrives and is discarded.
    Drain,
    /// It is a websocket, which has deadlines of its own.
    Session,
}

/// Why a connection is ended by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// It was idle for too long, or its place is needed.
    Idle,
    /// A request head did not come in time.
    SlowHead,
    /// A request head is too long.
    LongHead,
    /// Immediately, whatever it is doing.
    Forced,
}

/// Whether a read is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Yes.
    Open,
    /// Not yet: the bytes read before have to be examined first; try again.
    Later,
    /// Not yet: the bytes read before have to be taken first; their reader is then woken.
    Full,
    /// Only for the end of the connection: the present request is complete, and further bytes have
    /// to wait.
    Whole,
    /// No more.
    Over(ConnectionEnd),
}

/// The state of one connection.
#[derive(Debug)]
pub struct ConnectionState {
    phase: ConnectionPhase,
    /// When the phase began.
    since: Instant,
    /// Bytes that have arrived since some of them were last taken.
    untaken: usize,
    /// Which of the arriving bytes the library may have.
    framing: Framing,
    /// Bytes of a body that the library got with its head, or that it discards.
    of_body: u64,
    /// Whether the request is refused as over a rate.
    is_over_rate: bool,
    /// Whether the reader has to examine a full buffer.
    is_examined: bool,
    /// Since when a write waits for the peer, and how many bytes it has taken since.
    waiting_write: Option<(Instant, u64)>,
    end: Option<(ConnectionEnd, Instant)>,
}

impl ConnectionState {
    /// A new connection.
    pub fn new(now: Instant) -> Self {
        Self {
            phase: ConnectionPhase::Head,
            since: now,
            untaken: 0,
            framing: Framing::next_request(),
            of_body: 0,
            is_over_rate: false,
            is_examined: false,
            waiting_write: None,
            end: None,
        }
    }

    /// Since when it has been idle, if it is and stays open.
    pub fn idle_since(&self) -> Option<Instant> {
        (self.phase == ConnectionPhase::Idle && self.end.is_none()).then_some(self.since)
    }

    /// Whether a response is in progress, so that no other one may be written.
    pub fn is_answering(&self) -> bool {
        self.phase != ConnectionPhase::Head || self.waiting_write.is_some()
    }

    /// Why it ends, if it does.
    pub fn end(&self) -> Option<ConnectionEnd> {
        self.end.map(|(end, _)| end)
    }

    /// Ends it.
    pub fn end_by(&mut self, end: ConnectionEnd, now: Instant) {
        if self
            .end
            .is_none_or(|(earlier, _)| earlier != ConnectionEnd::Forced)
        {
            self.end = Some((end, now));
        }
    }

    /// Whether a read is allowed now.
    pub fn reading(&mut self, limits: &TransportLimits, now: Instant) -> Reading {
        if let Some((end, _)) = self.end {
            return Reading::Over(end);
        }
        let is_much = self.untaken >= limits.read_ahead;
        match self.phase {
            _ if self.framing == Framing::Whole => Reading::Whole,
            ConnectionPhase::Head | ConnectionPhase::Idle if is_much && self.is_examined => {
                Limit::RequestHeadBytes.refused();
                self.end_by(ConnectionEnd::LongHead, now);
                Reading::Over(ConnectionEnd::LongHead)
            }
            ConnectionPhase::Head | ConnectionPhase::Idle | ConnectionPhase::Drain if is_much => {
                // Bytes that are discarded are taken when they are examined.
                let is_drained = self.phase == ConnectionPhase::Drain;
                self.is_examined = !is_drained;
                self.untaken = if is_drained { 0 } else { self.untaken };
                Reading::Later
            }
            ConnectionPhase::Request if is_much => Reading::Full,
            ConnectionPhase::Drain if self.of_body >= self.drain_limit() => {
                Limit::SlowBodies.refused();
                self.end_by(ConnectionEnd::Forced, now);
                Reading::Over(ConnectionEnd::Forced)
            }
            _ => Reading::Open,
        }
    }

    /// These bytes have arrived; returns how many of them the library may have now.
    pub fn received(&mut self, bytes: &[u8], now: Instant) -> usize {
        let (some, of_body) = self.framing.take(bytes);
        self.untaken += some;
        self.of_body += of_body as u64;
        if self.phase == ConnectionPhase::Idle && some > 0 {
            self.enter(ConnectionPhase::Head, now);
        }
        if self.phase == ConnectionPhase::Drain && self.framing == Framing::Whole {
            self.expect_next(now);
        }
        some
    }

    /// Some of the arrived bytes were taken, so more may be read.
    pub fn taken(&mut self) {
        self.untaken = 0;
        self.is_examined = false;
    }

    /// The head of a request is complete, and this is its body; returns whether any of it has to be
    /// read.
    pub fn request_begins(&mut self, body: BodyKind, now: Instant) -> bool {
        self.taken();
        self.framing = Framing::of_body(body, std::mem::take(&mut self.of_body));
        self.enter(ConnectionPhase::Request, now);
        self.framing != Framing::Whole
    }

    /// The request is refused as over a rate: only a short body is still read.
    pub fn is_over_rate(&mut self) {
        self.is_over_rate = true;
    }

    fn drain_limit(&self) -> u64 {
        match self.is_over_rate {
            true => DRAINED_OVER_RATE_BYTES,
            false => DRAINED_BYTES,
        }
    }

    /// From here on the connection is a websocket, and the HTTP library no longer reads it.
    pub fn session_begins(&mut self, now: Instant) {
        self.enter(ConnectionPhase::Session, now);
    }

    /// The response to a request has been handed over.
    pub fn request_ends(&mut self, now: Instant) {
        self.taken();
        if self.framing == Framing::Whole {
            return self.expect_next(now);
        }
        self.of_body = 0;
        self.enter(ConnectionPhase::Drain, now);
    }

    fn expect_next(&mut self, now: Instant) {
        self.framing = Framing::next_request();
        (self.of_body, self.is_over_rate) = (0, false);
        self.taken();
        self.enter(ConnectionPhase::Idle, now);
    }

    /// This many bytes were written; `None` if the peer takes none now.
    pub fn wrote(&mut self, bytes: Option<usize>, now: Instant) {
        match (bytes, &mut self.waiting_write) {
            (Some(bytes), Some((_, written))) => *written += bytes as u64,
            (Some(_), None) | (None, Some(_)) => {}
            (None, waiting @ None) => *waiting = Some((now, 0)),
        }
    }

    /// Everything to be written has been written.
    pub fn flushed(&mut self) {
        self.waiting_write = None;
    }

    /// Why it has to end now, if it has to.
    pub fn overdue(
        &self,
        limits: &TransportLimits,
        now: Instant,
    ) -> Option<(ConnectionEnd, Option<Limit>)> {
        let elapsed = now.saturating_duration_since(self.since);
        if let Some((end, since)) = self.end {
            let is_late =
                end != ConnectionEnd::Forced && now.saturating_duration_since(since) >= ENDING;
            return is_late.then_some((ConnectionEnd::Forced, None));
        }
        if let (Some((since, written)), true) =
            (self.waiting_write, self.phase != ConnectionPhase::Session)
        {
            let elapsed = now.saturating_duration_since(since);
            if elapsed >= limits.grace && written < limits.bytes_after(elapsed).max(1) {
                return Some((ConnectionEnd::Forced, Some(Limit::SlowReaders)));
            }
        }
        match self.phase {
            ConnectionPhase::Head if elapsed >= limits.head => {
                Some((ConnectionEnd::SlowHead, Some(Limit::SlowRequestHeads)))
            }
            ConnectionPhase::Idle if elapsed >= limits.idle => Some((ConnectionEnd::Idle, None)),
            ConnectionPhase::Drain if elapsed >= limits.head => {
                Some((ConnectionEnd::Forced, Some(Limit::SlowBodies)))
            }
            _ => None,
        }
    }

    fn enter(&mut self, phase: ConnectionPhase, now: Instant) {
        (self.phase, self.since) = (phase, now);
    }
}
