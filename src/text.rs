//! Reading text from outside: its encoding, and JSON with every digit. All layers use it, so that
//! all report the same errors.
//!
//! Not here: the meaning of the texts.

use std::borrow::Cow;

pub mod buffer;
pub mod json;
mod json_scan;
pub mod member_path;
pub mod memory;
pub mod number;
pub mod spelling;
pub mod standard_error;

/// The text without a leading byte order mark.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Decodes UTF-8, without a byte order mark.
///
/// # Errors
/// The encoding that it seems to have and the remedy, as the second half of a sentence.
pub fn utf8(bytes: &[u8]) -> Result<&str, String> {
    let other = match bytes {
        [0, 0, 0xfe, 0xff, ..] | [0xff, 0xfe, 0, 0, ..] | [0, 0, 0, _, ..] => Some("UTF-32"),
        // Recognised without a mark, too: in UTF-16 one of the first two bytes of `{`, `[`, `<` or
        // a letter is 0.
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] => Some("UTF-16"),
        _ => None,
    };
    if let Some(other) = other {
        return Err(format!("it is written in {other}; write it in UTF-8"));
    }
    let text = std::str::from_utf8(bytes);
    text.map(without_mark).map_err(|error| {
        format!(
            "byte {} belongs to no UTF-8 text; write it in UTF-8",
            error.valid_up_to()
        )
    })
}

/// Decodes an XML document: UTF-8 or UTF-16, or the Western European encoding (ISO-8859-1,
/// Windows-1252, US-ASCII) that its declaration names.
///
/// # Errors
/// As [`utf8`].
pub fn xml(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let units = |from: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = from
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect();
        String::from_utf16(&units)
    };
    let utf16 = match bytes {
        [0xff, 0xfe, 0, 0, ..] => None,
        [0xff, 0xfe, rest @ ..] => Some(units(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Some(units(rest, u16::from_be_bytes)),
        [b'<', 0, 1..=255, 0, ..] => Some(units(bytes, u16::from_le_bytes)),
        [0, b'<', 0, 1..=255, ..] => Some(units(bytes, u16::from_be_bytes)),
        _ => None,
    };
    if let Some(Ok(text)) = utf16 {
        return Ok(Cow::Owned(text));
    }
    let refused = match utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(refused) => refused,
    };
    let declared = declared_encoding(bytes).unwrap_or_default();
    if WESTERN.contains(&&*declared) {
        return Ok(Cow::Owned(
            bytes.iter().map(|byte| western(*byte)).collect(),
        ));
    }
    Err(refused)
}

/// Names of encodings that are read as Windows-1252, which includes the others.
const WESTERN: [&str; 8] = [
    "iso-8859-1",
    "iso8859-1",
    "iso_8859-1",
    "latin1",
    "windows-1252",
    "cp1252",
    "us-ascii",
    "ascii",
];

/// The encoding that the XML declaration at the beginning names, in lower case.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let declaration = head.strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split("encoding").nth(1)?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some(value[1..].split(quote).next()?.to_ascii_lowercase())
}

/// The character of a byte in Windows-1252.
fn western(byte: u8) -> char {
    /// The characters from 0x80 to 0x9f; the rest is as in Unicode.
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Reads all of a file or stream as text, at most `limit` bytes. A byte order mark is skipped.
///
/// # Errors
/// An I/O error; of kind `InvalidData` when it is not UTF-8.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_read_in_the_encoding_it_names() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a b='\xe9\x80'/>";
        assert!(xml(latin).is_ok_and(|text| text.ends_with("<a b='é€'/>")));
        let unnamed = b"<a b='\xe9'/>";
        assert!(xml(unnamed).is_err_and(|found| found.contains("byte 6")));
        let units = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
            let text = "<a b='é😀'/>".encode_utf16().flat_map(bytes);
            mark.iter().copied().chain(text).collect::<Vec<u8>>()
        };
        for (mark, bytes) in [
            (&[0xff, 0xfe][..], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            (&[0xfe, 0xff], u16::to_be_bytes),
            (&[], u16::to_le_bytes),
            (&[], u16::to_be_bytes),
        ] {
            assert_eq!(xml(&units(mark, bytes)).as_deref(), Ok("<a b='é😀'/>"));
        }
        assert!(xml(b"\xff\xfe\x00\xd8").is_err_and(|found| found.contains("UTF-16")));
        assert_eq!(xml("\u{feff}<a/>".as_bytes()).as_deref(), Ok("<a/>"));
    }
}
