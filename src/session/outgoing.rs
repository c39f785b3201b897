//! The frames that wait for a client's socket, in order, and the memory they take.
//!
//! A client that reads slowly, or not at all, must not fill the memory. Each connection knows how many
//! bytes wait for it: with more than [`limits::UNSENT_BYTES`], no further subscription begins on it
//! and nothing more is read from its client. A long frame takes space in the memory for bodies and
//! unread answers, once for all connections that it waits for; a connection for whose frames there
//! is no space is closed. Short frames take space there, too, as far as more than
//! [`limits::UNSENT_SHORT_BYTES`] of them wait for a connection; without it the connection gets no
//! more to do until its client has read.
//!
//! Not here: how long a client may leave frames unread (`web::websocket::socket`); how frames come
//! about (`commands`, `subscription`, `beginnings`).

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytestring::ByteString;

use super::{
    connection::Connection,
    protocol::close::{Close, CloseCode},
    subscription::tree_cursor::Mark,
};
use crate::{
    limits::{self, Pot, PotPlace, Taker},
    model::{ids::InstanceKey, input_schema::InputSchema},
};

/// Something to be sent, when its turn comes.
pub(super) enum Out {
    /// A frame.
    Text(ByteString),
    /// A frame of a followed instance, and where the client then is.
    Marked(ByteString, Mark),
    /// Schemas of actions that the next frames name, as far as they have not been sent.
    Schemas(Vec<Arc<InputSchema>>),
    /// Whatever the channel of an instance has after our cursor.
    Pull(InstanceKey),
    /// The beginning of a subscription, once it is known; nothing behind it goes out before.
    SubscriptionStart { instance: InstanceKey, round: u64 },
}

impl Out {
    /// The frame, if it is one.
    pub(super) fn text(&self) -> Option<&ByteString> {
        match self {
            Self::Text(text) | Self::Marked(text, _) => Some(text),
            Self::Schemas(_) | Self::Pull(_) | Self::SubscriptionStart { .. } => None,
        }
    }
}

/// The long frames that wait for clients of this server, each with the space that it takes.
pub(super) struct LongFrames {
    memory: Pot,
    /// By the place and the length of their text: while one is held here, no other is there.
    waiting: Mutex<HashMap<(usize, usize), LongFrame>>,
}

struct LongFrame {
    /// For how many connections it waits.
    times: usize,
    /// Given back with the last of them.
    _space: PotPlace,
}

/// A long frame that waits for one connection.
struct QueuedLongFrame {
    frames: Arc<LongFrames>,
    text: ByteString,
}

impl LongFrames {
    /// None yet; they take their space from `memory`.
    pub(super) fn new(memory: Pot) -> Arc<Self> {
        Arc::new(Self {
            memory,
            waiting: Mutex::default(),
        })
    }

    /// Takes space for a text, unless it has it already; `None` when there is none.
    fn hold(self: &Arc<Self>, text: &ByteString, taker: &Taker) -> Option<QueuedLongFrame> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = waiting.get_mut(&place(text)) {
            frame.times += 1;
        } else {
            let mut space = self.memory.permit(taker.clone());
            // One that is longer than a caller's part needs all of that.
            if !space.resize(text.len().min(space.capacity())) {
                return None;
            }
            let frame = LongFrame {
                times: 1,
                _space: space,
            };
            waiting.insert(place(text), frame);
        }
        Some(QueuedLongFrame {
            frames: self.clone(),
            text: text.clone(),
        })
    }
}

impl Drop for QueuedLongFrame {
    fn drop(&mut self) {
        let waiting = &self.frames.waiting;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let place = place(&self.text);
        let is_last = waiting.get_mut(&place).is_some_and(|frame| {
            frame.times -= 1;
            frame.times == 0
        });
        if is_last {
            waiting.remove(&place);
        }
    }
}

fn place(text: &ByteString) -> (usize, usize) {
    (text.as_ptr() as usize, text.len())
}

/// How many bytes of frames wait for a connection.
#[derive(Default)]
struct Waiting {
    all: AtomicUsize,
    /// Those of short frames.
    short: AtomicUsize,
}

impl Waiting {
    fn add(&self, length: usize) {
        self.all.fetch_add(length, Ordering::Relaxed);
        if length <= limits::LONG_FRAME {
            self.short.fetch_add(length, Ordering::Relaxed);
        }
    }

    fn remove(&self, length: usize) {
        self.all.fetch_sub(length, Ordering::Relaxed);
        if length <= limits::LONG_FRAME {
            self.short.fetch_sub(length, Ordering::Relaxed);
        }
    }
}

/// Something to be sent, counted for as long as it waits.
pub(super) struct Held {
    out: Out,
    /// What waits for the connection, this included.
    bytes: Arc<Waiting>,
    _long: Option<QueuedLongFrame>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.bytes
            .remove(self.out.text().map_or(0, |text| text.len()));
    }
}

/// The frames that wait for one connection.
pub(super) struct Outgoing {
    queue: VecDeque<Held>,
    bytes: Arc<Waiting>,
    frames: Arc<LongFrames>,
    taker: Taker,
    /// For the short frames.
    space: PotPlace,
    /// Whether there was no space for all short frames.
    is_crowded: bool,
    /// The frame given to the socket last, which it writes before it asks for more.
    given: Option<Held>,
    lacks_space: bool,
}

impl Outgoing {
    /// Nothing yet, for a client whose long frames count for `taker`.
    pub(super) fn new(frames: Arc<LongFrames>, taker: Taker) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: Arc::default(),
            space: frames.memory.permit(taker.clone()),
            frames,
            taker,
            is_crowded: false,
            given: None,
            lacks_space: false,
        }
    }

    /// Whom frames count for from here on.
    pub(super) fn count_for(&mut self, taker: Taker) {
        self.space = self.frames.memory.permit(taker.clone());
        self.taker = taker;
        self.count_short();
    }

    /// Takes space for the short frames that wait, or returns what they do not need any more.
    fn count_short(&mut self) {
        let free = limits::UNSENT_SHORT_BYTES;
        let short = self.bytes.short.load(Ordering::Relaxed);
        let beyond = short.saturating_sub(free).next_multiple_of(free);
        if beyond != self.space.amount() || self.is_crowded {
            let amount = beyond.min(self.space.capacity());
            self.is_crowded = !self.space.resize(amount);
        }
    }

    /// Counts something from here on, without a place in the queue yet.
    pub(super) fn hold(&mut self, out: Out) -> Held {
        let text = out.text();
        let length = text.map_or(0, |text| text.len());
        self.bytes.add(length);
        self.count_short();
        let long = text.filter(|text| text.len() > limits::LONG_FRAME);
        let waits = long.map(|text| self.frames.hold(text, &self.taker));
        self.lacks_space |= matches!(waits, Some(None));
        Held {
            bytes: self.bytes.clone(),
            _long: waits.flatten(),
            out,
        }
    }

    /// Behind all others.
    pub(super) fn push_back(&mut self, out: Out) {
        let held = self.hold(out);
        self.queue.push_back(held);
    }

    /// Before all others.
    pub(super) fn push_front(&mut self, out: Out) {
        let held = self.hold(out);
        self.queue.push_front(held);
    }

    /// These before all others, in their order.
    pub(super) fn put_first(&mut self, held: Vec<Held>) {
        for one in held.into_iter().rev() {
            self.queue.push_front(one);
        }
    }

    /// The next frame.
    pub(super) fn front(&self) -> Option<&Out> {
        self.queue.front().map(|held| &held.out)
    }

    /// Removes the next frame without sending it.
    pub(super) fn pop_front(&mut self) {
        self.queue.pop_front();
    }

    /// Takes out the next frame for the socket; it counts until the next one is taken. `None` when
    /// something else is next.
    pub(super) fn give(&mut self) -> Option<(ByteString, Option<Mark>)> {
        self.given = None;
        self.count_short();
        let given = match self.front()? {
            Out::Text(text) => (text.clone(), None),
            Out::Marked(text, mark) => (text.clone(), Some(mark.clone())),
            Out::Schemas(_) | Out::Pull(_) | Out::SubscriptionStart { .. } => return None,
        };
        self.given = self.queue.pop_front();
        Some(given)
    }

    /// How many things wait.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether so much waits that no more should be added.
    pub(super) fn is_congested(&self) -> bool {
        self.queue.len() > limits::UNSENT_FRAMES
            || self.bytes.all.load(Ordering::Relaxed) > limits::UNSENT_BYTES
            || self.is_crowded
    }

    /// Whether there was no space for a long frame.
    pub(super) fn lacks_space(&self) -> bool {
        self.lacks_space
    }

    /// Forgets all that waits.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.count_short();
    }

    /// Forgets what waits from the first on that fits `is`.
    pub(super) fn truncate_from(&mut self, is: impl Fn(&Out) -> bool) {
        if let Some(first) = self.queue.iter().position(|held| is(&held.out)) {
            self.queue.truncate(first);
            self.count_short();
        }
    }
}

impl Extend<Out> for Outgoing {
    fn extend<T: IntoIterator<Item = Out>>(&mut self, all: T) {
        all.into_iter().for_each(|out| self.push_back(out));
    }
}

impl Connection {
    /// Frames for which there is no space are not kept: the client does not read them.
    pub(super) fn close_without_space(&mut self) {
        if self.out.lacks_space() {
            self.out.clear();
            let reason = "frames wait unread, and there is no memory for more";
            let code = CloseCode::SlowConsumer;
            self.close(Close::because(code, reason.to_owned(), code.reason()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limit;

    fn text(length: usize) -> Out {
        Out::Text("x".repeat(length).into())
    }

    fn of(frames: &Arc<LongFrames>, user: &str) -> Outgoing {
        Outgoing::new(frames.clone(), Taker::User(user.to_owned()))
    }

    #[test]
    fn queued_frames_count_until_the_socket_takes_them() {
        let long = limits::LONG_FRAME + 1;
        let memory = Pot::new(1 << 20, Limit::BodyMemory);
        let frames = LongFrames::new(memory.clone());
        let mut out = of(&frames, "ada");
        out.push_back(text(10));
        let ready = vec![out.hold(text(long))];
        out.push_back(Out::Pull(InstanceKey::default()));
        let bytes = |out: &Outgoing| out.bytes.all.load(Ordering::Relaxed);
        assert_eq!((bytes(&out), memory.taken()), (10 + long, long));
        out.put_first(ready);
        assert_eq!(out.give().unwrap().0.len(), long);
        assert_eq!((bytes(&out), memory.taken()), (10 + long, long));
        assert_eq!(out.give().unwrap().0.len(), 10);
        assert_eq!((bytes(&out), memory.taken()), (10, 0));
        assert!(out.give().is_none() && !out.is_empty() && !out.lacks_space());
        out.pop_front();
        assert_eq!(bytes(&out), 0);
    }

    #[test]
    fn a_long_frame_takes_space_once_or_is_refused() {
        let long = limits::LONG_FRAME + 1;
        let memory = Pot::with_part(8 * long, 2 * long, Limit::BodyMemory);
        let frames = LongFrames::new(memory.clone());
        let shared = ByteString::from("x".repeat(long));
        let mut all: Vec<_> = (0..9).map(|_| of(&frames, "ada")).collect();
        for out in &mut all {
            out.push_back(Out::Text(shared.clone()));
            assert!(!out.lacks_space());
        }
        assert_eq!(memory.taken(), long);
        all[0].push_back(text(long));
        assert!(!all[0].lacks_space());
        all[1].push_back(text(long));
        assert!(all[1].lacks_space(), "it is more than one user's part");
        let mut other = of(&frames, "bob");
        other.push_back(text(3 * long));
        assert!(!other.lacks_space(), "all of bob's part is enough for one");
        drop(all);
        assert_eq!(memory.taken(), 2 * long);
        drop(other);
        assert_eq!(memory.taken(), 0);
        assert!(frames.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn short_frames_beyond_a_free_share_take_space_until_they_are_read() {
        let free = limits::UNSENT_SHORT_BYTES;
        let frame = limits::LONG_FRAME;
        let memory = Pot::with_part(4 * free, 2 * free, Limit::BodyMemory);
        let frames = LongFrames::new(memory.clone());
        let mut all = [of(&frames, "ada"), of(&frames, "ada"), of(&frames, "ada")];
        for out in &mut all[..2] {
            (0..free / frame).for_each(|_| out.push_back(text(frame)));
            assert_eq!(memory.taken(), 0);
        }
        for out in &mut all[..2] {
            out.push_back(text(frame));
            assert!(!out.is_congested());
        }
        assert_eq!(memory.taken(), 2 * free, "all that one user may have");
        (0..=free / frame).for_each(|_| all[2].push_back(text(frame)));
        assert!(all[2].is_congested() && !all[2].lacks_space());
        all[2].give();
        assert!(all[2].is_congested(), "the socket still holds the first");
        all[2].give();
        assert!(!all[2].is_congested());
        all[0].clear();
        assert_eq!(memory.taken(), free);
        drop(all);
        assert_eq!(memory.taken(), 0);
    }

    #[test]
    fn many_bytes_are_congestion_as_many_frames_are() {
        let frames = LongFrames::new(Pot::new(0, Limit::BodyMemory));
        let mut out = of(&frames, "ada");
        out.push_back(text(limits::UNSENT_BYTES));
        assert!(!out.is_congested());
        out.push_back(text(1));
        assert!(out.is_congested());
        out.clear();
        assert!(!out.is_congested());
    }
}
