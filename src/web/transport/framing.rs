//! Where a request ends in the bytes of a connection, so that the HTTP library gets one request at
//! a time: it decodes whatever it is given at once, and each head that waits for its turn takes
//! kilobytes.
//!
//! It only counts: what a request says is the library's to judge. Where both do not agree, the
//! library gets too few bytes, and the deadline for a head or a body ends the connection. Not here:
//! where bytes wait that are not the library's yet (`stream`).
//!
//! # Why so
//!
//! **The HTTP library has one request at a time.** It decodes all heads that it is given at
//! once, and each head that waits takes kilobytes and the buffer it was read with. So the
//! stream under it follows heads and bodies (`web::transport::framing`), and what comes behind
//! a request waits there, one read at most, until the answer is out.

/// What a request's body is, as its head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// It has none.
    None,
    /// It has so many bytes.
    Length(u64),
    /// It comes in chunks.
    Chunked,
}

/// What of a connection is the library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The head of the next request.
    Head(HeadScan),
    /// So many bytes more of a body.
    Body(u64),
    /// A body in chunks, to its end.
    Chunks(ChunkScan),
    /// Nothing: the request that it has is whole.
    Whole,
    /// Everything.
    Open,
}

/// How far a head has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadScan {
    /// Empty lines before a request are none of it.
    has_begun: bool,
    /// Nothing but a carriage return has come of the current line.
    is_line_empty: bool,
}

/// How far a body in chunks has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkScan {
    /// The size of a chunk, as far as it is read.
    Size(u64),
    /// What follows the size on its line.
    Extension(u64),
    /// Bytes of the chunk.
    Data(u64),
    /// The end of the line behind a chunk.
    AfterData,
    /// Lines behind the last chunk; whether nothing has come of the current one.
    Trailer(bool),
}

impl Framing {
    /// A connection before its next request.
    pub fn next_request() -> Self {
        Self::Head(HeadScan::default())
    }

    /// A request's body of which the library has so many bytes already.
    pub fn of_body(kind: BodyKind, delivered: u64) -> Self {
        match kind {
            BodyKind::None => Self::Whole,
            BodyKind::Length(length) if length <= delivered => Self::Whole,
            BodyKind::Length(length) => Self::Body(length - delivered),
            BodyKind::Chunked if delivered == 0 => Self::Chunks(ChunkScan::Size(0)),
            // What it has of the chunks was not looked at.
            BodyKind::Chunked => Self::Open,
        }
    }

    /// How many of these bytes, which come next, are the library's, and how many of them are of a
    /// body. What follows them waits until the request is answered.
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
                    // A short body that came along goes with its head.
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
    /// Behind the empty line that ends the head, if it is among these bytes.
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
    /// Behind the last line of the body, if it is among these bytes.
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

/// The body of a head in one piece, when it says how long it is.
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

    /// What the library gets of these pieces, in turn.
    fn taken(framing: &mut Framing, pieces: &[&str]) -> Vec<usize> {
        pieces
            .iter()
            .map(|piece| framing.take(piece.as_bytes()).0)
            .collect()
    }

    #[test]
    fn a_head_ends_with_its_empty_line_however_it_comes() {
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
    fn a_body_goes_with_its_head_and_what_follows_waits() {
        let head = "POST / HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\n";
        let mut framing = Framing::next_request();
        let all = format!("{head}12345GET /");
        assert_eq!(framing.take(all.as_bytes()), (head.len() + 5, 5));
        let mut framing = Framing::next_request();
        assert_eq!(
            taken(&mut framing, &[&head[..20], &head[20..], "12"]),
            [20, head.len() - 20, 0]
        );
        // The length was split, so only the library knows it.
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
        // A size beyond all bounds is the library's to refuse.
        let mut endless = Framing::of_body(BodyKind::Chunked, 0);
        let sizes = "f".repeat(40);
        assert_eq!(endless.take(sizes.as_bytes()).0, 40);
    }
}
