//! Percent-encoding of parts of addresses: ids and search texts are arbitrary text of users.

use std::fmt::Write;

/// Appends a text to an address and escapes all characters with a special meaning.
pub fn encode(address: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                address.push(char::from(byte))
            }
            // Writing to a string does not fail.
            _ => drop(write!(address, "%{byte:02X}")),
        }
    }
}

/// The text as one segment of a path.
pub fn segment(text: &str) -> String {
    let mut segment = String::new();
    encode(&mut segment, text);
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_segment_stays_one_segment() {
        assert_eq!(segment("card-order_1.b"), "card-order_1.b");
        assert_eq!(segment("a/../b?x#y z"), "a%2F..%2Fb%3Fx%23y%20z");
    }
}
