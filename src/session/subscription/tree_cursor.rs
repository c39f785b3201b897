//! The position of a stream's client, as one short text: the `id:` of each event, which a browser
//! sends again when it reconnects.
//!
//! A websocket client keeps a number per instance; a stream has room for one text, so it contains
//! all of these numbers. Without descendants it is the number of the instance. Not here: what is
//! sent after a reconnect (`read_only_connection`).

use std::{collections::VecDeque, fmt};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::{limits, model::ids::InstanceKey};

/// The position of a receiver after a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The instance of the frame.
    pub instance: InstanceKey,
    /// Its number.
    pub seq: u64,
    /// Children that the receiver knows from here on.
    pub announces: Vec<InstanceKey>,
    /// Whether the instance has ended with it.
    pub ended: bool,
}

/// A descendant, and the client's number in it; 0 before its first frame.
pub(in crate::session) type Position = (InstanceKey, u64);

/// The position of a client in an instance and its descendants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeCursor {
    pub(in crate::session) root: InstanceKey,
    pub(in crate::session) tree: bool,
    /// The number in the root; `None` before its first frame.
    pub(in crate::session) at: Option<u64>,
    /// The log that the numbers belong to; `None` if the client sent a bare number.
    pub(in crate::session) log: Option<u32>,
    pub(in crate::session) live: Vec<Position>,
    /// Descendants that have ended, oldest first, as many as a connection continues to follow.
    pub(in crate::session) ended: VecDeque<Position>,
    /// Whether there are more descendants than fit.
    pub(in crate::session) incomplete: bool,
}

impl TreeCursor {
    /// Nothing was received yet.
    pub fn new(root: InstanceKey, tree: bool) -> Self {
        Self {
            root,
            tree,
            at: None,
            log: None,
            live: Vec::new(),
            ended: VecDeque::new(),
            incomplete: false,
        }
    }

    /// Reads what a client sends: the `id` of an event, or a bare number.
    ///
    /// # Errors
    /// A sentence if it is neither.
    pub fn parse(root: InstanceKey, tree: bool, text: &str) -> Result<Self, String> {
        let cursor = Self::new(root, tree);
        let read = match text.split_once(':') {
            None => number(text).map(|at| Self {
                at: Some(at),
                ..cursor
            }),
            Some((log, rest)) => cursor.read(log, rest),
        };
        read.ok_or_else(|| {
            "expected a cursor to be a number or the id of an event of this \
            stream, but it is neither"
                .into()
        })
    }

    fn read(mut self, log: &str, rest: &str) -> Option<Self> {
        self.log = Some(
            u32::from_str_radix(log, 16)
                .ok()
                .filter(|_| log.len() == 8)?,
        );
        let mut parts = rest.split('.');
        let first = parts.next()?;
        let bare = first.strip_suffix('~');
        (self.incomplete, self.at) = (bare.is_some(), Some(number(bare.unwrap_or(first))?));
        for part in parts {
            let (key, seq) = part.split_at_checked(22)?;
            let mut bytes = [0; 16];
            let length = BASE64_URL_SAFE_NO_PAD.decode_slice(key, &mut bytes).ok()?;
            let key = InstanceKey(Uuid::from_bytes((length == bytes.len()).then_some(bytes)?));
            if key == self.root
                || self
                    .live
                    .iter()
                    .chain(&self.ended)
                    .any(|(other, _)| *other == key)
            {
                return None;
            }
            match seq.split_at_checked(1)? {
                (":", seq) if self.live.len() < limits::CURSOR_DESCENDANTS => {
                    self.live.push((key, number(seq)?))
                }
                ("!", seq) if self.ended.len() < limits::ENDED_FOLLOWED => {
                    self.ended.push_back((key, number(seq)?))
                }
                _ => return None,
            }
        }
        Some(self)
    }

    /// Sets the log that the numbers belong to from here on.
    pub(in crate::session) fn of_log(self, log: u32) -> Self {
        Self {
            log: Some(log),
            ..self
        }
    }

    /// The client receives a frame.
    pub fn advance(&mut self, mark: &Mark) {
        if mark.instance == self.root {
            self.at = Some(mark.seq);
        } else {
            self.position(mark);
        }
        if !self.tree {
            return;
        }
        for &child in &mark.announces {
            if !self
                .live
                .iter()
                .chain(&self.ended)
                .any(|(other, _)| *other == child)
            {
                self.live.push((child, 0));
            }
        }
    }

    fn position(&mut self, mark: &Mark) {
        let position = (mark.instance, mark.seq);
        self.ended.retain(|(other, _)| *other != mark.instance);
        if mark.ended {
            self.live.retain(|(other, _)| *other != mark.instance);
            self.ended.push_back(position);
            if self.ended.len() > limits::ENDED_FOLLOWED {
                self.ended.pop_front();
            }
        } else if let Some(known) = self
            .live
            .iter_mut()
            .find(|(other, _)| *other == mark.instance)
        {
            *known = position;
        } else {
            self.live.push(position);
        }
    }
}

/// A number in the form written here: only digits.
fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

impl fmt::Display for TreeCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.unwrap_or_default();
        let Some(log) = self.log.filter(|_| self.tree) else {
            return write!(f, "{at}");
        };
        write!(f, "{log:08x}:{at}")?;
        if self.live.len() > limits::CURSOR_DESCENDANTS {
            return f.write_str("~");
        }
        let live = self.live.iter().map(|position| (':', position));
        for (kind, (key, seq)) in live.chain(self.ended.iter().map(|position| ('!', position))) {
            write!(
                f,
                ".{}{kind}{seq}",
                BASE64_URL_SAFE_NO_PAD.encode(key.0.as_bytes())
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
