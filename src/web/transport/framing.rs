//! Finds where a request ends in the bytes of a connection, so that the HTTP library gets one
//! request at a time: it decodes everything it is given at once, and each head that waits for its
//! turn takes kilobytes.
//!
//! It only counts; the library validates the request. If the two disagree, the library gets too few
//! bytes, and the deadline for a head or a body ends the connection. Not here: where bytes wait
//! that the library may not have yet (`stream`).
//!
//! # Rationale
//!
//! **The HTTP library has one request at a time.** It decodes all heads that it is given at once,
//! and each head that waits takes kilobytes and the buffer it was read with. So the stream under it
//! follows heads and bodies, and what follows a request waits there, one read at most, until the
//! response is sent.

/// The kind of a request's body, according to its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// None.
    None,
    /// With this many bytes.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// The bytes that the library may have next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The head of the next request.
    Head(HeadScan),
    /// This many more bytes of a body.
    Body(u64),
    /// A body in chunks, up to its end.
    Chunks(ChunkScan),
    /// None: the request that it has is complete.
    Whole,
    /// All.
    Open,
}

/// The position in a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadScan {
    /// Empty lines before a request do not belong to it.
    has_begun: bool,
    /// The current line is empty, except for a carriage return.
    is_line_empty: bool,
}

/// The position in a body of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkScan {
    /// In the size of a chunk; the part that was read.
    Size(u64),
    /// After the size on its line.
    Extension(u64),
    /// In the bytes of the chunk.
    Data(u64),
    /// In the end of the line after a chunk.
    AfterData,
    /// In the lines after the last chunk; whether the current one is empty so far.
    Trailer(bool),
}

impl Framing {
    /// A connection before its next request.
    pub fn next_request() -> Self {
        Self::Head(HeadScan::default())
    }

    /// A request's body of which the library has this many bytes already.
    pub fn of_body(kind: BodyKind, delivered: u64) -> Self {
        match kind {
            BodyKind::None => Self::Whole,
            BodyKind::Length(length) if length <= delivered => Self::Whole,
            BodyKind::Length(length) => Self::Body(length - delivered),
            BodyKind::Chunked if delivered == 0 => Self::Chunks(ChunkScan::Size(0)),
            // The chunks that it has were not parsed here.
            BodyKind::Chunked => Self::Open,
        }
    }

    /// How many of these bytes, which come next, the library may have, and how many of those belong
    /// to a body. The rest waits until the request is answered.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, usize) {
        let all = bytes.len();
        match self {
            Self::Whole => (0, 0),
            Self::Open => (all, all),
            Self::Body(rest) => {
                let some = (*rest).min(all as u64);
                *rest -= some;
                if *rest == 0 {
                    *self = Self::Whole;
                }
                (some as usize, some as usize)
            }
            Self::Head(scan) => match scan.end(bytes) {
                None => (all, 0),
                Some(end) => {
                    // A short body that has arrived with its head is passed on with it.
                    let (head, rest) = bytes.split_at(end);
                    *self = Self::of_body(content_length(head), 0);
                    let (body, _) = self.take(rest);
                    (end + body, body)
                }
            },
            Self::Chunks(scan) => {
                let end = scan.end(bytes);
                if end.is_some() {
                    *self = Self::Whole;
                }
                (end.unwrap_or(all), end.unwrap_or(all))
            }
        }
    }
}

impl HeadScan {
    /// The index after the empty line that ends the head, if it is among these bytes.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if self.has_begun && self.is_line_empty => return Some(index + 1),
                b'\n' => self.is_line_empty = true,
                b'\r' => {}
                _ => {
                    self.has_begun = true;
                    self.is_line_empty = false;
                }
            }
        }
        None
    }
}

impl ChunkScan {
    /// The index after the last line of the body, if it is among these bytes.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut index = 0;
        while let Some(byte) = bytes.get(index) {
            match self {
                Self::Data(rest) => {
                    let some = (*rest).min((bytes.len() - index) as u64);
                    *rest -= some;
                    index += some as usize;
                    if *rest == 0 {
                        *self = Self::AfterData;
                    }
                    continue;
                }
                Self::Size(size) => match (byte, char::from(*byte).to_digit(16)) {
                    (_, Some(digit)) => {
                        *size = size.saturating_mul(16).saturating_add(u64::from(digit))
                    }
                    (b'\n', _) => *self = Self::behind_size(*size),
                    _ => *self = Self::Extension(*size),
                },
                Self::Extension(size) if *byte == b'\n' => *self = Self::behind_size(*size),
                Self::Extension(_) => {}
                Self::AfterData if *byte == b'\n' => *self = Self::Size(0),
                Self::AfterData => {}
                Self::Trailer(true) if *byte == b'\n' => return Some(index + 1),
                Self::Trailer(is_empty) => {
                    *is_empty = *byte == b'\n' || (*is_empty && *byte == b'\r');
                }
            }
            index += 1;
        }
        None
    }

    fn behind_size(size: u64) -> Self {
        match size {
            0 => Self::Trailer(true),
            size => Self::Data(size),
        }
    }
}

/// The body of a head, if it declares a length.
fn content_length(head: &[u8]) -> BodyKind {
    const NAME: &[u8] = b"content-length:";
    let mut lines = head.split(|byte| *byte == b'\n');
    let value = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then_some(value)
    });
    let length = value.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
    length.map_or(BodyKind::None, BodyKind::Length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes of each of these pieces the library gets.
    fn taken(framing: &mut Framing, pieces: &[&str]) -> Vec<usize> {
        pieces
            .iter()
            .map(|piece| framing.take(piece.as_bytes()).0)
            .collect()
    }

    #[test]
    fn a_head_ends_with_an_empty_line_in_any_chunking() {
        let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        for text in [
            get,
            "GET / HTTP/1.1\nHost: x\n\n",
            "\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        ] {
            let mut whole = Framing::next_request();
            let (taken, _) = whole.take(format!("{text}{get}").as_bytes());
            assert_eq!(taken, text.len());
            assert_eq!(whole, Framing::Whole);
            let mut slow = Framing::next_request();
            for byte in text.bytes() {
                assert_eq!(slow.take(&[byte]), (1, 0), "{text}");
            }
            assert_eq!(slow, Framing::Whole);
            assert_eq!(slow.take(get.as_bytes()), (0, 0));
        }
    }

    #[test]
    fn a_body_belongs_to_its_head_and_the_next_request_waits() {
        let head = "POST / HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\n";
        let mut framing = Framing::next_request();
        let all = format!("{head}12345GET /");
        assert_eq!(framing.take(all.as_bytes()), (head.len() + 5, 5));
        let mut framing = Framing::next_request();
        assert_eq!(
            taken(&mut framing, &[&head[..20], &head[20..], "12"]),
            [20, head.len() - 20, 0]
        );
        // The length was split between reads, so only the library knows it.
        framing = Framing::of_body(BodyKind::Length(5), 0);
        assert_eq!(taken(&mut framing, &["12", "3456"]), [2, 3]);
        assert_eq!(framing, Framing::Whole);
        assert_eq!(Framing::of_body(BodyKind::Length(5), 5), Framing::Whole);
        assert_eq!(Framing::of_body(BodyKind::None, 0), Framing::Whole);
    }

    #[test]
    fn chunks_end_with_the_empty_line_behind_the_last() {
        let body = "5;name=\"v\"\r\n0\r\n\r\n\r\n1\nx\n0\r\nTrailer: 1\r\n\r\n";
        let mut whole = Framing::of_body(BodyKind::Chunked, 0);
        let (taken, _) = whole.take(format!("{body}GET /").as_bytes());
        assert_eq!(taken, body.len());
        assert_eq!(whole, Framing::Whole);
        let mut slow = Framing::of_body(BodyKind::Chunked, 0);
        for byte in body.bytes() {
            assert_eq!(slow.take(&[byte]), (1, 1));
        }
        assert_eq!(slow, Framing::Whole);
        // An excessive size is for the library to refuse.
        let mut endless = Framing::of_body(BodyKind::Chunked, 0);
        let sizes = "f".repeat(40);
        assert_eq!(endless.take(sizes.as_bytes()).0, 40);
    }
}
