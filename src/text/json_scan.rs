//! One pass over a JSON text for what its reader silently accepts: numbers that lose digits and
//! duplicate members; and the path and place of each.
//!
//! It reads JSON that the library has accepted, or would accept without such a fault. Not here: the
//! wording of errors (`json`).

use std::{borrow::Cow, collections::HashMap};

use super::{
    member_path::{push_item, push_member},
    number::is_exact,
};

/// A mistake at a place in a text, in bytes from its beginning.
pub(super) enum Fault<'a> {
    /// A number that would lose digits.
    Inexact { at: usize, number: &'a str },
    /// The name of a member that already occurred in its object.
    Repeated {
        name: Cow<'a, str>,
        first: usize,
        second: usize,
    },
}

/// An object with more members uses a hash table.
const FEW: usize = 16;

/// The members of the object being read.
#[derive(Default)]
struct JsonMembers<'a> {
    few: Vec<(Cow<'a, str>, usize)>,
    /// All of them, when there are many.
    many: HashMap<Cow<'a, str>, usize>,
}

impl<'a> JsonMembers<'a> {
    /// Adds a member; gives the place of an earlier one with the same name.
    fn insert(&mut self, name: Cow<'a, str>, at: usize) -> Option<usize> {
        if self.few.len() < FEW {
            let known = self.few.iter().find(|(known, _)| *known == name);
            let first = known.map(|(_, at)| *at);
            self.few.push((name, at));
            return first;
        }
        if self.many.is_empty() {
            self.many.extend(self.few.iter().cloned());
        }
        self.many.insert(name, at)
    }
}

/// The first number that is not held exactly, or the first duplicate member.
pub(super) fn first_fault(text: &str) -> Option<Fault<'_>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    // The objects and lists around the current place; a list has no members.
    let mut open: Vec<Option<JsonMembers<'_>>> = Vec::new();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = string_end(bytes, at);
                if let (true, Some(Some(members))) = (is_name(bytes, end), open.last_mut()) {
                    let name = unescaped(&text[at..end]);
                    if let Some(first) = members.insert(name.clone(), at) {
                        let second = at;
                        return Some(Fault::Repeated {
                            name,
                            first,
                            second,
                        });
                    }
                }
                at = end;
            }
            b'-' | b'0'..=b'9' => {
                let part =
                    |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let end = bytes[at..]
                    .iter()
                    .position(|byte| !part(byte))
                    .map_or(bytes.len(), |length| at + length);
                let number = &text[at..end];
                if !is_exact(number) {
                    return Some(Fault::Inexact { at, number });
                }
                at = end;
            }
            byte => {
                match byte {
                    b'{' => open.push(Some(JsonMembers::default())),
                    b'[' => open.push(None),
                    b'}' | b']' => drop(open.pop()),
                    _ => {}
                }
                at += 1;
            }
        }
    }
    None
}

/// Whether a colon follows, so that the string before is a member's name.
fn is_name(bytes: &[u8], end: usize) -> bool {
    let rest = bytes.get(end..).unwrap_or_default();
    rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// The content of a string in quotes.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    if quoted.contains('\\') {
        // A string that cannot be parsed is compared as written.
        return serde_json::from_str(quoted).map_or(Cow::Borrowed(quoted), Cow::Owned);
    }
    Cow::Borrowed(quoted.get(1..quoted.len() - 1).unwrap_or_default())
}

/// Line and column of a byte, from 1.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// The end of the string that begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    at + 1
}

/// The current place in an open object or list.
enum JsonPlace<'a> {
    /// With its quotes.
    Member(&'a str),
    Item(usize),
}

/// The path of the value that begins at byte `end` of a JSON text.
pub(super) fn path_of(text: &str, end: usize) -> String {
    written(places(text, end))
}

/// The path of the object with the member whose name begins at byte `end`.
pub(super) fn path_around(text: &str, end: usize) -> String {
    let mut places = places(text, end);
    places.pop();
    written(places)
}

/// The objects and lists around a byte, outermost first, each with the part of it being read.
fn places(text: &str, end: usize) -> Vec<JsonPlace<'_>> {
    let bytes = text.as_bytes();
    let (mut at, mut open): (usize, Vec<JsonPlace<'_>>) = (0, Vec::new());
    while at < end {
        match bytes[at] {
            b'"' => {
                let closed = string_end(bytes, at);
                // The value of a member may be a string as well; its name is the last string before
                // the colon.
                if let (true, Some(JsonPlace::Member(name))) =
                    (is_name(bytes, closed), open.last_mut())
                {
                    *name = &text[at..closed];
                }
                at = closed;
                continue;
            }
            b'{' => open.push(JsonPlace::Member("\"\"")),
            b'[' => open.push(JsonPlace::Item(0)),
            b'}' | b']' => drop(open.pop()),
            b',' => {
                if let Some(JsonPlace::Item(index)) = open.last_mut() {
                    *index += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    open
}

fn written(places: Vec<JsonPlace<'_>>) -> String {
    let mut path = String::new();
    for place in places {
        match place {
            JsonPlace::Item(index) => push_item(&mut path, index),
            JsonPlace::Member(quoted) => push_member(&mut path, &unescaped(quoted)),
        }
    }
    path.truncate(path.floor_char_boundary(200));
    path
}
