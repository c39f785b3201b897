//! Changes inputs at random. The same seed makes the same inputs.

use crate::simulation::random::Random;

/// The longest input.
const LONGEST: usize = 64 * 1024;
/// Pieces that readers look for.
pub const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "${",
    "}",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "-0",
    "1e999",
    "1E-999",
    "9223372036854775808",
    "18446744073709551616",
    "0.1",
    "\u{feff}",
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE x [<!ENTITY a \"b\">]>",
    "&#0;",
    "&amp;",
    "&a;",
    "xmlns=\"\"",
    "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
    "PT",
    "P",
    "R5/",
    "R/",
    "P1Y2M",
    "PT9999999999999S",
    "-PT1S",
    "* * * * *",
    "L",
    "#",
    "?",
    "0/0",
    "59/1",
    "@yearly",
    "2030-01-31T09:00:00Z",
    "2030-02-30",
    "[Europe/Berlin]",
    "()",
    "=>",
    "===",
    "&&",
    "||",
    "??",
    "`${`",
    "/a/g",
    "//",
    "/*",
    "constructor",
    "__proto__",
    "this",
    "function(){for(;;);}",
    "'x'.repeat(1e9)",
    "\u{2028}",
    "\u{1f600}",
    "\u{202e}",
];
/// Numbers at the edges of their types.
const EDGES: &[u64] = &[
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// Changes an input in some places; pieces are taken from `others`.
pub fn mutate(random: &mut Random, input: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
    let mut changed = input.to_vec();
    for _ in 0..=random.below(4) {
        change(random, &mut changed, others);
    }
    changed.truncate(LONGEST);
    changed
}

fn change(random: &mut Random, input: &mut Vec<u8>, others: &[Vec<u8>]) {
    let (at, end) = range(random, input.len());
    match random.below(15) {
        0 if !input.is_empty() => {
            let at = at.min(input.len() - 1);
            input[at] ^= 1 << random.below(8);
        }
        1 if !input.is_empty() => {
            let at = at.min(input.len() - 1);
            input[at] = random.below(256) as u8;
        }
        2 => insert(input, at, &[random.below(256) as u8]),
        3 => drop(input.drain(at..end)),
        4 => {
            let piece = input[at..end].to_vec();
            insert(input, end, &piece.repeat(1 + random.below(8)));
        }
        5 => {
            let word = random.pick(WORDS).as_bytes();
            insert(input, at, word);
        }
        6 => {
            let word = random.pick(WORDS).as_bytes();
            input.splice(at..end, word.iter().copied());
        }
        7 => {
            let other = random.pick(others);
            let (from, to) = range(random, other.len());
            insert(input, at, &other[from..to]);
        }
        8 => {
            let number = random.pick(EDGES).to_be_bytes();
            let bytes = &number[8 - (1 << random.below(4))..];
            let end = (at + bytes.len()).min(input.len());
            input.splice(at..end, bytes.iter().copied());
        }
        9 => {
            let number = random.pick(EDGES).to_string();
            insert(input, at, number.as_bytes());
        }
        10 | 11 => exchange_text(random, input, others),
        12 | 13 => change_part(random, input, others),
        // Deep nesting of the characters at this place.
        _ => {
            let (open, close) = *random.pick(&[
                ("{\"a\":", "}"),
                ("[", "]"),
                ("(", ")"),
                ("!", ""),
                ("<a>", "</a>"),
                ("a?b:", ""),
            ]);
            let times = 1 << random.below(13);
            insert(input, end, close.repeat(times).as_bytes());
            insert(input, at, open.repeat(times).as_bytes());
        }
    }
}

/// Replaces a quoted text, such as an id, by another.
fn exchange_text(random: &mut Random, input: &mut Vec<u8>, others: &[Vec<u8>]) {
    let Some((at, end)) = quoted(random, input) else {
        return;
    };
    let from = match others {
        [] => &*input,
        others if random.once_in(3) => random.pick(others),
        _ => &*input,
    };
    if let Some((from_at, from_end)) = quoted(random, from) {
        let text = from[from_at..from_end].to_vec();
        if input.len() - (end - at) + text.len() <= LONGEST {
            input.splice(at..end, text);
        }
    }
}

/// A quoted text, without its quotes.
fn quoted(random: &mut Random, input: &[u8]) -> Option<(usize, usize)> {
    let (at, _) = range(random, input.len());
    let next = |from: usize| Some(from + input.get(from..)?.iter().position(|it| *it == b'"')?);
    let open = next(at)?;
    let close = next(open + 1)?;
    // Between two JSON texts there is only `,` or `:`.
    match input[open + 1..close] {
        [b',' | b':'] => Some((close + 1, next(close + 1)?)),
        _ => Some((open + 1, close)),
    }
}

/// Removes an element, object or list, doubles it, or replaces it by one of another input.
fn change_part(random: &mut Random, input: &mut Vec<u8>, others: &[Vec<u8>]) {
    let Some((at, end)) = part(random, input) else {
        return;
    };
    let whole = input[at..end].to_vec();
    match random.below(4) {
        0 => drop(input.drain(at..end)),
        1 => {
            let comma = if whole[0] == b'<' { "" } else { "," };
            insert(input, end, &whole);
            insert(input, end, comma.as_bytes());
        }
        2 => {
            input.drain(at..end);
            if let Some((_, other_end)) = part(random, input) {
                insert(input, other_end, &whole);
            }
        }
        _ if others.is_empty() => {}
        _ => {
            let other = random.pick(others);
            if let Some((from, to)) = part(random, other) {
                input.drain(at..end);
                insert(input, at, &other[from..to]);
            }
        }
    }
}

/// An XML element, or an object or list of JSON, from its first to its last character.
fn part(random: &mut Random, input: &[u8]) -> Option<(usize, usize)> {
    let (at, _) = range(random, input.len());
    let begins = |byte: &u8| matches!(byte, b'<' | b'{' | b'[');
    let at = at + input.get(at..)?.iter().position(begins)?;
    let mut depth = 0_i32;
    let mut rest = at;
    while let Some(byte) = input.get(rest) {
        let next = input.get(rest + 1);
        match byte {
            b'<' if next == Some(&b'/') => depth -= 1,
            b'<' if !matches!(next, Some(b'!' | b'?')) => depth += 1,
            b'{' | b'[' if input[at] != b'<' => depth += 1,
            b'}' | b']' if input[at] != b'<' => depth -= 1,
            b'/' if input[at] == b'<' && next == Some(&b'>') => depth -= 1,
            _ => {}
        }
        rest += 1;
        if depth <= 0 {
            let tail = match input[at] {
                b'<' => input[rest..].iter().position(|byte| *byte == b'>')? + 1,
                _ => 0,
            };
            return Some((at, rest + tail));
        }
    }
    None
}

fn range(random: &mut Random, length: usize) -> (usize, usize) {
    let at = random.below(length + 1);
    let most = if random.once_in(4) {
        length - at
    } else {
        (length - at).min(16)
    };
    (at, at + random.below(most + 1))
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let room = LONGEST.saturating_sub(input.len());
    let piece = &piece[..piece.len().min(room)];
    input.splice(at..at, piece.iter().copied());
}
