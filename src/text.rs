//! Texts from outside, whatever they hold: their encoding, JSON with every digit. All layers read
//! by this, so that all say the same.
//!
//! Not here: what the texts mean.

pub mod json;
mod json_scan;
pub mod member_path;
pub mod number;

/// The text without the byte order mark it may begin with.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The text of bytes in UTF-8, without a byte order mark.
///
/// # Errors
/// What they are instead and what to do, as the second half of a sentence.
pub fn utf8(bytes: &[u8]) -> Result<&str, String> {
    let other = match bytes {
        [0, 0, 0xfe, 0xff, ..] | [0xff, 0xfe, 0, 0, ..] | [0, 0, 0, _, ..] => Some("UTF-32"),
        // Without a mark, too: in UTF-16 one of the first two bytes of `{`, `[`, `<` or a letter is
        // 0.
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] => Some("UTF-16"),
        _ => None,
    };
    if let Some(other) = other {
        return Err(format!("it is written in {other}; write it in UTF-8"));
    }
    let text = std::str::from_utf8(bytes);
    text.map(without_mark)
        .map_err(|error| format!("byte {} is none; write it in UTF-8", error.valid_up_to()))
}

/// All of a file or stream as text, at most `limit` bytes of it. A byte order mark is passed over.
///
/// # Errors
/// The system's; of kind `InvalidData` when it is no UTF-8.
pub fn read_all(from: impl std::io::Read, limit: u64) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut from.take(limit), &mut bytes)?;
    let invalid = |found| {
        std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            format!("expected text in UTF-8, but {found}"),
        )
    };
    utf8(&bytes).map(str::to_owned).map_err(invalid)
}
