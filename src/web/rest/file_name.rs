//! Names of uploaded files: cleaned on arrival, and written safely into a header when they are
//! sent.

use std::fmt::Write;

use crate::limits::FILE_NAME_BYTES;

/// The name of a file whose own name is empty after cleaning.
const NAMELESS: &str = "file";
/// A longer suffix is not kept as an extension, in bytes.
const EXTENSION_BYTES: usize = 16;

/// The last segment of a client's file name, without control characters and characters that change
/// the direction of text, and no longer than the limit.
pub fn clean(name: &str) -> String {
    let segment = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = segment
        .chars()
        .filter(|c| !c.is_control() && !turns_text(*c))
        .collect();
    let shown = shown.trim();
    if shown.chars().all(|c| c == '.') {
        return NAMELESS.to_owned();
    }
    if shown.len() <= FILE_NAME_BYTES {
        return shown.to_owned();
    }
    let extension = shown.rfind('.').map_or("", |dot| &shown[dot..]);
    let extension = if extension.len() <= EXTENSION_BYTES {
        extension
    } else {
        ""
    };
    let stem = &shown[..shown.floor_char_boundary(FILE_NAME_BYTES - extension.len())];
    format!("{stem}{extension}")
}

/// Characters that mark or override the direction: they make a name look as if it had another
/// extension.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The value of a Content-Disposition with which a browser saves the file under this name (RFC
/// 6266).
pub fn attachment(name: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || " ._-()".contains(c);
    let plain: String = name
        .chars()
        .map(|c| if harmless(c) { c } else { '_' })
        .collect();
    let mut value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            value.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(value, "%{byte:02X}");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned() {
        for (name, cleaned) in [
            ("report.pdf", "report.pdf"),
            ("größe 1.pdf", "größe 1.pdf"),
            ("C:\\Users\\ada\\report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("a/b/", "file"),
            ("", "file"),
            ("..", "file"),
            ("a\r\nX-Evil: 1.pdf", "aX-Evil: 1.pdf"),
            ("a\0b\u{7f}c", "abc"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            (" a.txt ", "a.txt"),
            (".hidden", ".hidden"),
        ] {
            assert_eq!(clean(name), cleaned, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let cleaned = clean(&format!("{}.pdf", "ö".repeat(300)));
        assert!(
            cleaned.len() <= FILE_NAME_BYTES && cleaned.ends_with("ö.pdf"),
            "{cleaned}"
        );
        let cleaned = clean(&format!("a.{}", "x".repeat(300)));
        assert_eq!(cleaned.len(), FILE_NAME_BYTES);
    }

    #[test]
    fn file_names_in_headers_are_escaped() {
        assert_eq!(
            attachment("a b.pdf"),
            "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf"
        );
        assert_eq!(
            attachment("\"; x=\"\r\nY: ö"),
            "attachment; filename=\"__ x____Y_ _\"; \
            filename*=UTF-8''%22%3B%20x%3D%22%0D%0AY%3A%20%C3%B6"
        );
    }
}
