//! What one connection is doing, as far as its deadlines and its memory depend on it. No socket and
//! no clock: both are arguments.

use std::time::{Duration, Instant};

use super::TransportLimits;
use crate::limits::{Limit, PIPELINED_BYTES};

/// How long a peer may take for its part of an orderly end.
const ENDING: Duration = Duration::from_secs(5);

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A request head is on its way; of a new connection, too.
    Head,
    /// The last answer is out, and nothing came since.
    Idle,
    /// A request is answered.
    Request,
    /// The answer is out, but the rest of the request's body still comes in and is thrown away.
    Drain,
    /// A websocket or a stream, which has deadlines of its own.
    Session,
}

/// Why a connection ends before its peer wants it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was idle for too long, or its place is needed.
    Idle,
    /// A request head did not come in time.
    SlowHead,
    /// A request head is too long.
    LongHead,
    /// Now, whatever it is doing.
    Forced,
}

/// What a read may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Read.
    Open,
    /// What was read before has to be looked at first: come again.
    Later,
    /// What was read before has to be taken first: whoever takes it wakes the reader.
    Full,
    /// Nothing is read any more.
    Over(End),
}

/// The state of one connection.
#[derive(Debug)]
pub struct ConnectionState {
    phase: Phase,
    /// When the phase began.
    since: Instant,
    /// Bytes that came in since something of them was taken.
    untaken: usize,
    /// Bytes that came in and are not known to be taken: requests that were sent ahead.
    ahead: usize,
    /// Whether the reader was sent away to look at a full buffer.
    looked_at: bool,
    /// Since when a write waits for the peer, and how many bytes went out since.
    waiting_write: Option<(Instant, u64)>,
    end: Option<(End, Instant)>,
}

impl ConnectionState {
    /// A new connection.
    pub fn new(now: Instant) -> Self {
        Self {
            phase: Phase::Head,
            since: now,
            untaken: 0,
            ahead: 0,
            looked_at: false,
            waiting_write: None,
            end: None,
        }
    }

    /// Since when it has been idle, if it is and stays open.
    pub fn idle_since(&self) -> Option<Instant> {
        (self.phase == Phase::Idle && self.end.is_none()).then_some(self.since)
    }

    /// Whether an answer is under way, so that no other may be written.
    pub fn is_answering(&self) -> bool {
        self.phase != Phase::Head || self.waiting_write.is_some()
    }

    /// Why it ends, if it does.
    pub fn end(&self) -> Option<End> {
        self.end.map(|(end, _)| end)
    }

    /// Ends it.
    pub fn end_by(&mut self, end: End, now: Instant) {
        if self.end.is_none_or(|(earlier, _)| earlier != End::Forced) {
            self.end = Some((end, now));
        }
    }

    /// What a read may do now.
    pub fn reading(&mut self, limits: &TransportLimits, now: Instant) -> Reading {
        if let Some((end, _)) = self.end {
            return Reading::Over(end);
        }
        let is_much = self.untaken >= limits.read_ahead;
        if !is_much && self.ahead < PIPELINED_BYTES {
            return Reading::Open;
        }
        match self.phase {
            Phase::Head | Phase::Idle if self.looked_at && is_much => {
                Limit::RequestHeadBytes.refused();
                self.end_by(End::LongHead, now);
                Reading::Over(End::LongHead)
            }
            // What came before was looked at, and no request is whole in it: less is there than is
            // counted, as heads and chunks are counted by what they say.
            Phase::Head | Phase::Idle if self.looked_at => {
                self.ahead = self.untaken;
                Reading::Open
            }
            Phase::Head | Phase::Idle => {
                self.looked_at = true;
                Reading::Later
            }
            Phase::Request | Phase::Session => Reading::Full,
            Phase::Drain => {
                self.taken(self.ahead);
                Reading::Open
            }
        }
    }

    /// So many bytes came in.
    pub fn came(&mut self, bytes: usize, now: Instant) {
        self.untaken += bytes;
        self.ahead += bytes;
        if self.phase == Phase::Idle && bytes > 0 {
            self.enter(Phase::Head, now);
        }
    }

    /// So many bytes of what came in were taken, so more may be read.
    pub fn taken(&mut self, bytes: usize) {
        self.untaken = 0;
        self.ahead = self.ahead.saturating_sub(bytes);
        self.looked_at = false;
    }

    /// Nothing of a body is there, so nothing of what came in waits behind it; whether something was
    /// thought to.
    pub fn is_starved(&mut self) -> bool {
        std::mem::take(&mut self.ahead) > 0
    }

    /// A request's head is whole; it had so many bytes.
    pub fn request_begins(&mut self, head: usize, now: Instant) {
        self.taken(head);
        self.enter(Phase::Request, now);
    }

    /// The connection is a websocket or a stream from here on.
    pub fn session_begins(&mut self, now: Instant) {
        self.ahead = 0;
        self.enter(Phase::Session, now);
    }

    /// The answer to a request has been handed over; `whole` tells whether its body came in to its
    /// end.
    pub fn request_ends(&mut self, whole: bool, now: Instant) {
        let next = match (whole, self.untaken) {
            (false, _) => Phase::Drain,
            (true, 0) => Phase::Idle,
            (true, _) => Phase::Head,
        };
        self.taken(0);
        self.enter(next, now);
    }

    /// So many bytes went out; `None` when the peer takes none now.
    pub fn wrote(&mut self, bytes: Option<usize>, now: Instant) {
        match (bytes, &mut self.waiting_write) {
            (Some(bytes), Some((_, written))) => *written += bytes as u64,
            (Some(_), None) | (None, Some(_)) => {}
            (None, waiting @ None) => *waiting = Some((now, 0)),
        }
    }

    /// Everything that was to be written has gone out.
    pub fn flushed(&mut self) {
        self.waiting_write = None;
    }

    /// Why it has to end by now, if it has to.
    pub fn overdue(&self, limits: &TransportLimits, now: Instant) -> Option<(End, Option<Limit>)> {
        let elapsed = now.saturating_duration_since(self.since);
        if let Some((end, since)) = self.end {
            let is_late = end != End::Forced && now.saturating_duration_since(since) >= ENDING;
            return is_late.then_some((End::Forced, None));
        }
        if let (Some((since, written)), true) = (self.waiting_write, self.phase != Phase::Session) {
            let elapsed = now.saturating_duration_since(since);
            if elapsed >= limits.grace && written < limits.bytes_after(elapsed).max(1) {
                return Some((End::Forced, Some(Limit::SlowReaders)));
            }
        }
        match self.phase {
            Phase::Head if elapsed >= limits.head => {
                Some((End::SlowHead, Some(Limit::SlowRequestHeads)))
            }
            Phase::Idle if elapsed >= limits.idle => Some((End::Idle, None)),
            Phase::Drain if elapsed >= limits.head => Some((End::Forced, Some(Limit::SlowBodies))),
            _ => None,
        }
    }

    fn enter(&mut self, phase: Phase, now: Instant) {
        (self.phase, self.since) = (phase, now);
    }
}
