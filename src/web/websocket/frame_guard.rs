//! Parses the headers of a client's websocket frames as bytes arrive, and stops the stream at the
//! first bad one.
//!
//! The websocket library buffers what a header declares before it checks its limit, so one
//! connection could fill the memory. This guard comes first: it keeps a few numbers, never a
//! payload. It does not check the content of frames (UTF-8, close codes). How it is used:
//! `message_stream`.

use crate::limits::MESSAGE_FRAGMENTS;

/// Why a stream ends, according to its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStop {
    /// A message was declared longer than the limit, in one frame or over its fragments, or has too
    /// many fragments: close 1009.
    TooBig,
    /// A header breaks the websocket protocol: close 1002. The text says how.
    Protocol(&'static str),
    /// The client's Close frame is complete; bytes after it are not read.
    Closed,
}

/// The result for one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How many bytes from the chunk's start may be passed on.
    pub pass: usize,
    /// Set if nothing after them may be passed on, now and later.
    pub stop: Option<StreamStop>,
}

/// The state of one stream of client frames.
#[derive(Clone, Debug)]
pub struct FrameGuard {
    /// The longest message that may come next.
    limit: u64,
    /// The longest message after the first.
    limit_of_others: u64,
    at: FramePosition,
    frame: Frame,
    /// Payload bytes of the unfinished message; `None` between messages.
    message: Option<u64>,
    /// The same, including what the present frame declares.
    declared: u64,
    /// Frames of the unfinished message.
    fragments: u32,
    stopped: Option<StreamStop>,
}

/// The position in a frame of the next byte.
#[derive(Clone, Copy, Debug)]
enum FramePosition {
    First,
    Second,
    Length { missing: u8, value: u64 },
    Mask { missing: u8, payload: u64 },
    Payload { missing: u64 },
}

/// The contents of the first byte of the present frame.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    last: bool,
    opcode: u8,
}

const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PONG: u8 = 10;
const CONTROL_BYTES: u64 = 125;

impl Frame {
    fn is_control(self) -> bool {
        self.opcode >= CLOSE
    }
}

impl FrameGuard {
    /// A guard that allows a first message of up to `limit_of_first` bytes, then others of up to
    /// `limit_of_others`.
    pub fn new(limit_of_first: u64, limit_of_others: u64) -> Self {
        Self {
            limit: limit_of_first,
            limit_of_others,
            at: FramePosition::First,
            frame: Frame::default(),
            message: None,
            declared: 0,
            fragments: 0,
            stopped: None,
        }
    }

    /// How many bytes the unfinished message has, according to its headers; 0 between messages.
    pub fn unfinished(&self) -> u64 {
        self.declared
    }

    /// Checks the next bytes of the stream. After a stop nothing is passed on any more.
    pub fn inspect(&mut self, chunk: &[u8]) -> Inspection {
        let mut pass = 0;
        while self.stopped.is_none() && pass < chunk.len() {
            match self.read(&chunk[pass..]) {
                Ok(count) => {
                    pass += count;
                    self.stopped = self.end_frame();
                }
                Err(stop) => self.stopped = Some(stop),
            }
        }
        Inspection {
            pass,
            stop: self.stopped,
        }
    }

    /// Reads one byte of a header or the present part of a payload, and returns its length.
    fn read(&mut self, rest: &[u8]) -> Result<usize, StreamStop> {
        if let FramePosition::Payload { missing } = self.at {
            let here = missing.min(rest.len() as u64);
            self.at = FramePosition::Payload {
                missing: missing - here,
            };
            return Ok(here as usize);
        }
        self.header_byte(rest[0])?;
        Ok(1)
    }

    fn header_byte(&mut self, byte: u8) -> Result<(), StreamStop> {
        self.at = match self.at {
            FramePosition::First => {
                self.frame = self.first_byte(byte)?;
                FramePosition::Second
            }
            FramePosition::Second => self.second_byte(byte)?,
            FramePosition::Length { missing, value } => {
                let value = value << 8 | u64::from(byte);
                if missing > 1 {
                    FramePosition::Length {
                        missing: missing - 1,
                        value,
                    }
                } else {
                    self.payload(value)?
                }
            }
            FramePosition::Mask {
                missing: 1,
                payload,
            } => FramePosition::Payload { missing: payload },
            FramePosition::Mask { missing, payload } => FramePosition::Mask {
                missing: missing - 1,
                payload,
            },
            FramePosition::Payload { .. } => self.at,
        };
        Ok(())
    }

    fn first_byte(&self, byte: u8) -> Result<Frame, StreamStop> {
        let frame = Frame {
            last: byte & 0x80 != 0,
            opcode: byte & 0x0f,
        };
        match (frame.opcode, self.message) {
            _ if byte & 0x70 != 0 => Err(StreamStop::Protocol(
                "expected reserved bits to be 0, but one is set",
            )),
            (3..=7 | 11.., _) => Err(StreamStop::Protocol(
                "expected a known opcode, but it is reserved",
            )),
            (CLOSE..=PONG, _) if !frame.last => Err(StreamStop::Protocol(
                "expected a control frame in one piece, but it is a fragment",
            )),
            (CONTINUATION, None) => Err(StreamStop::Protocol(
                "expected a new message, but a continuation came",
            )),
            (1..=BINARY, Some(_)) => Err(StreamStop::Protocol(
                "expected a continuation, but a new message came",
            )),
            _ => Ok(frame),
        }
    }

    fn second_byte(&mut self, byte: u8) -> Result<FramePosition, StreamStop> {
        if byte & 0x80 == 0 {
            return Err(StreamStop::Protocol(
                "expected masked frames from a client, but one is not",
            ));
        }
        let length = byte & 0x7f;
        if self.frame.is_control() && u64::from(length) > CONTROL_BYTES {
            return Err(StreamStop::Protocol(
                "expected at most 125 bytes in a control frame, but it declares more",
            ));
        }
        if self.frame.opcode == CLOSE && length == 1 {
            return Err(StreamStop::Protocol(
                "expected a close code of two bytes, but the frame has one",
            ));
        }
        match length {
            126 => Ok(FramePosition::Length {
                missing: 2,
                value: 0,
            }),
            127 => Ok(FramePosition::Length {
                missing: 8,
                value: 0,
            }),
            _ => self.payload(u64::from(length)),
        }
    }

    /// The length of a frame is known: adds it to its message.
    fn payload(&mut self, length: u64) -> Result<FramePosition, StreamStop> {
        if length >> 63 != 0 {
            return Err(StreamStop::Protocol(
                "expected a length of at most 63 bits, but its top bit is set",
            ));
        }
        if !self.frame.is_control() {
            let total = self.message.unwrap_or(0).saturating_add(length);
            self.fragments += 1;
            if total > self.limit || self.fragments > MESSAGE_FRAGMENTS {
                return Err(StreamStop::TooBig);
            }
            self.message = (!self.frame.last).then_some(total);
            self.declared = total;
            if self.frame.last {
                self.fragments = 0;
                self.limit = self.limit_of_others;
            }
        }
        Ok(FramePosition::Mask {
            missing: 4,
            payload: length,
        })
    }

    /// Continues with the next frame if the present one is complete.
    fn end_frame(&mut self) -> Option<StreamStop> {
        if !matches!(self.at, FramePosition::Payload { missing: 0 }) {
            return None;
        }
        self.at = FramePosition::First;
        if self.frame.last && !self.frame.is_control() {
            self.declared = 0;
        }
        (self.frame.opcode == CLOSE).then_some(StreamStop::Closed)
    }
}

#[cfg(test)]
mod tests;
