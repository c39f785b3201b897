//! Estimates how much memory data take once parsed: many times their text when they are many small
//! values. Computed from the text alone, before it is parsed.
//!
//! Not here: how much may be taken (`limits`), and the refusal (each caller).

use serde_json::Value;

/// A value on its own or in a list.
const VALUE: usize = 32;
/// The least space of an object with members: it is allocated for several at a time.
const OBJECT: usize = 640;
/// A member of an object, with the space for its name and for unused slots.
const MEMBER: usize = OBJECT / 6;

/// Bytes that this JSON takes as values. The text need not be valid JSON: its reader rejects
/// anything else.
pub fn of_json(text: &str) -> usize {
    let (mut in_string, mut is_escaped, mut after_brace) = (false, false, false);
    let (mut values, mut objects, mut members) = (1, 0, 0);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b',' | b'[' => values += 1,
            b':' => members += 1,
            _ => {}
        }
        // Only an object with members allocates space for them.
        objects += usize::from(after_brace && byte == b'"');
        after_brace = byte == b'{' || (after_brace && byte.is_ascii_whitespace());
    }
    text.len() + VALUE * values + OBJECT * objects + MEMBER * members
}

/// Bytes that a value takes that is encoded as MessagePack. Damaged bytes count at most as much as
/// the largest value of their length.
pub fn of_message_pack(bytes: &[u8]) -> usize {
    let (mut total, mut at) = (bytes.len(), 0);
    let number = |at: usize, width: usize| {
        let bytes = bytes.get(at..at + width).unwrap_or_default();
        bytes
            .iter()
            .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    // A member takes two bytes at least.
    let most = bytes.len() / 2;
    let map = |members: usize| match members.min(most) {
        0 => 0,
        members => OBJECT.max(MEMBER * members),
    };
    while let Some(&marker) = bytes.get(at) {
        at += 1;
        total += VALUE;
        match marker {
            0x80..=0x8f => total += map(usize::from(marker & 0x0f)),
            0xde => (total, at) = (total + map(number(at, 2)), at + 2),
            0xdf => (total, at) = (total + map(number(at, 4)), at + 4),
            0xa0..=0xbf => at += usize::from(marker & 0x1f),
            0xc4 | 0xd9 => at += 1 + number(at, 1),
            0xc5 | 0xda => at += 2 + number(at, 2),
            0xc6 | 0xdb => at = at.saturating_add(4 + number(at, 4)),
            0xcc | 0xd0 => at += 1,
            0xcd | 0xd1 | 0xdc => at += 2,
            0xca | 0xce | 0xd2 | 0xdd => at += 4,
            0xcb | 0xcf | 0xd3 => at += 8,
            // Small integers, short lists and values without content; extensions are not written.
            _ => {}
        }
    }
    total
}

/// Whether a value takes more than `limit` bytes. Nothing is counted beyond them.
pub fn exceeds(value: &Value, limit: usize) -> bool {
    fn count(value: &Value, left: &mut usize) -> bool {
        let own = VALUE
            + match value {
                Value::String(text) => text.len(),
                Value::Object(members) if !members.is_empty() => OBJECT.max(MEMBER * members.len()),
                _ => 0,
            };
        let Some(less) = left.checked_sub(own) else {
            return true;
        };
        *left = less;
        match value {
            Value::Array(items) => items.iter().any(|item| count(item, left)),
            Value::Object(members) => members.values().any(|member| count(member, left)),
            _ => false,
        }
    }
    count(value, &mut { limit })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn both_forms_of_the_same_value_take_about_as_much() {
        let long: Vec<Value> = (0..1_000)
            .map(|index| json!({"a": index, "b": [index]}))
            .collect();
        for value in [
            json!(null),
            json!({}),
            json!([1, 2.5, "x,{:"]),
            json!(long),
            json!({"a": {"b": {}}}),
        ] {
            let text = of_json(&value.to_string());
            let packed = rmp_serde::to_vec(&value).unwrap();
            let packed = of_message_pack(&packed);
            assert!(
                text <= 2 * packed + 100 && packed <= 2 * text,
                "{value:.80}: {text} {packed}"
            );
        }
    }

    #[test]
    fn many_small_objects_take_far_more_than_their_text() {
        let many = format!("[{}1]", r#"{"a":1},"#.repeat(1_000));
        assert!(of_json(&many) > 50 * many.len());
        let strings = format!("[{:?}]", "{[,:".repeat(1_000));
        assert!(of_json(&strings) < 2 * strings.len());
        // Damaged bytes end the count without an error.
        assert!(of_message_pack(&[0xdb, 0xff, 0xff, 0xff, 0xff]) > 0);
        assert!(of_message_pack(&[0xdf]) > 0);
        assert!(of_message_pack(&[0xdf, 0xff, 0xff, 0xff, 0xff, 0]) < 10_000);
    }
}
