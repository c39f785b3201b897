//! The fields of one client frame, read by name. This is the only reader of what clients send, so
//! that every error names its field.
//!
//! One pass over the text finds the members; their values stay unparsed until a field is read.
//! Members that nobody has read when the frame or body is finished may be mistakes, which would be
//! lost silently, so they are refused by name. In frames only members that look mistyped or belong
//! to another frame are refused, because a newer client may send more than this server knows.

use std::{borrow::Cow, cell::Cell, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::client::Payload;
use crate::{
    limits,
    text::{json::in_words, spelling},
};

/// Every member name of a frame or request; at most 64, because the names that were read are the
/// bits of one number.
const KNOWN: &[&str] = &[
    "type",
    "id",
    "token",
    "client",
    "log",
    "resume",
    "lastClose",
    "process",
    "data",
    "businessKey",
    "startCondition",
    "inheritFrom",
    "subscribe",
    "nonce",
    "instance",
    "action",
    "element",
    "ifSeq",
    "channel",
    "after",
    "tree",
    "seq",
    "paramsToCopy",
    "withoutParams",
    "advance",
    "set",
    "user",
    "to",
    "test",
    "schemas",
    "kind",
    "name",
    "correlationKey",
    "ttl",
    "state",
    "traceparent",
    "tracestate",
    "scope",
    "version",
    "mapping",
];

/// The members of an object with names in [`KNOWN`]; `null` counts as absent.
pub struct Fields<'a> {
    members: Vec<(&'static str, &'a RawValue)>,
    /// Other names, the first few of them.
    unknown: Vec<Cow<'a, str>>,
    /// The names that were read, by their index in [`KNOWN`].
    read: Cell<u64>,
    /// Whether every other member is refused.
    strict: bool,
    at: At,
}

/// The position of an object in its frame, for error sentences.
#[derive(Clone, Copy)]
pub enum At {
    /// The frame itself.
    Top,
    /// In the member with this name.
    In(&'static str),
    /// In the list with this name, at this index from 0.
    Item(&'static str, usize),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::In(name) => write!(f, "{name}."),
            Self::Item(name, place) => write!(f, "{name}[{place}]."),
        }
    }
}

/// How many different unknown names are kept.
const UNKNOWN: usize = 8;
/// How much of a client's text an error sentence repeats, in bytes.
const QUOTED_BYTES: usize = 64;

/// A sentence about one field.
pub type Sentence = String;

impl<'a> Fields<'a> {
    /// The members of the object `text`, a whole frame; the error says why it is not an object.
    pub fn of_frame(text: &'a str) -> Result<Self, serde_json::Error> {
        Self::read_at(text, At::Top, false)
    }

    /// As [`Fields::of_frame`], of a whole body.
    pub fn of_body(text: &'a str) -> Result<Self, serde_json::Error> {
        Self::read_at(text, At::Top, true)
    }

    fn read_at(text: &'a str, at: At, strict: bool) -> Result<Self, serde_json::Error> {
        let Members { known, unknown } = serde_json::from_str(text)?;
        Ok(Self {
            members: known,
            unknown,
            read: Cell::new(0),
            strict,
            at,
        })
    }

    /// Refuses an object with a member that was not read; in a frame, only one that looks mistyped
    /// or that another frame has.
    pub fn finish(&self) -> Result<(), Sentence> {
        let is_read = |name: &str| {
            KNOWN
                .iter()
                .position(|known| *known == name)
                .is_some_and(|place| self.read.get() >> place & 1 == 1)
        };
        let known = self
            .members
            .iter()
            .map(|(name, _)| *name)
            .find(|name| !is_read(name));
        let read = || KNOWN.iter().copied().filter(|known| is_read(known));
        let unknown = self
            .unknown
            .iter()
            .map(AsRef::as_ref)
            .find(|name| self.strict || spelling::nearest(name, read()).is_some());
        let Some(name) = unknown.or(known) else {
            return Ok(());
        };
        let list = match read().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "no fields".to_owned(),
            names => format!("no fields but {names}"),
        };
        let (at, name, advice) = (self.at, quoted(name), spelling::advice(name, read()));
        let name = name.trim_matches('\'');
        Err(format!(
            "expected {list}, but there is '{at}{name}': {advice}"
        ))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let place = KNOWN.iter().position(|known| *known == name);
        debug_assert!(place.is_some(), "no frame has a member '{name}'");
        if let Some(place) = place {
            self.read.set(self.read.get() | 1 << place);
        }
        self.members
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
            .filter(|value| value.get() != "null")
    }

    fn read_as<T: Deserialize<'a>>(&self, name: &str, wanted: &str) -> Result<Option<T>, Sentence> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        serde_json::from_str(value.get())
            .map(Some)
            .map_err(|_| self.wrong(name, wanted, &found(value)))
    }

    fn wrong(&self, name: &str, wanted: &str, found: &str) -> Sentence {
        format!(
            "expected '{}{name}' to be {wanted}, but it is {found}",
            self.at
        )
    }

    /// Returns the value, or the sentence for a required field that is missing.
    pub fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Sentence> {
        let mistyped = || {
            self.unknown
                .iter()
                .find(|unknown| spelling::nearest(unknown, [name]).is_some())
        };
        value.ok_or_else(|| match mistyped() {
            Some(unknown) => {
                format!(
                    "expected the field '{at}{name}', but there is '{at}{unknown}': write '{name}'",
                    at = self.at
                )
            }
            None => format!("expected the field '{}{name}', but it is missing", self.at),
        })
    }

    /// A text of any length.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Sentence> {
        Ok(self
            .read_as::<Text<'a>>(name, "a string")?
            .map(|text| text.0))
    }

    /// A text of at most [`limits::NAME_BYTES`].
    pub fn name(&self, name: &str) -> Result<Option<String>, Sentence> {
        match self.text(name)? {
            Some(text) if text.len() > limits::NAME_BYTES => {
                Err(self.wrong(name, "at most 256 bytes long", "longer"))
            }
            text => Ok(text.map(Cow::into_owned)),
        }
    }

    /// A text that is parsed as `T`, which sentences call `wanted`.
    pub fn parsed<T: FromStr>(&self, name: &str, wanted: &str) -> Result<Option<T>, Sentence> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|_| self.wrong(name, wanted, &quoted(&text)))
    }

    /// An integer from 0.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Sentence> {
        self.read_as(name, "a whole number of at least 0")
    }

    /// A boolean.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Sentence> {
        self.read_as(name, "true or false")
    }

    /// A list of strings.
    pub fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, Sentence> {
        let Some(items) = self.read_as::<Vec<&RawValue>>(name, "a list of strings")? else {
            return Ok(None);
        };
        let text = |(place, item): (usize, &&RawValue)| {
            let text = serde_json::from_str::<Text<'_>>(item.get()).map(|text| text.0.into_owned());
            text.map_err(|_| self.wrong(&format!("{name}[{place}]"), "a string", &found(item)))
        };
        items
            .iter()
            .enumerate()
            .map(text)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The text of an object, unparsed.
    pub fn object(&self, name: &str) -> Result<Option<&'a str>, Sentence> {
        match self.get(name) {
            Some(value) if !value.get().starts_with('{') => {
                Err(self.wrong(name, "an object", &found(value)))
            }
            value => Ok(value.map(RawValue::get)),
        }
    }

    /// An object of the user's data, unparsed.
    pub fn payload(&self, name: &str) -> Result<Option<Payload>, Sentence> {
        self.object(name)?;
        Ok(self.get(name).map(|value| Payload::new(value.to_owned())))
    }

    /// The fields of a nested object.
    pub fn nested(&self, name: &'static str) -> Result<Option<Fields<'a>>, Sentence> {
        let Some(text) = self.object(name)? else {
            return Ok(None);
        };
        Fields::read_at(text, At::In(name), self.strict)
            .map(Some)
            .map_err(|error| {
                format!(
                    "expected '{name}' to be an object, but: {}",
                    in_words(&error)
                )
            })
    }

    /// The fields of each object in a list.
    pub fn list(&self, name: &'static str) -> Result<Vec<Fields<'a>>, Sentence> {
        let items = self
            .read_as::<Vec<&'a RawValue>>(name, "a list of objects")?
            .unwrap_or_default();
        let fields = |(place, item): (usize, &&'a RawValue)| {
            let named = format!("{name}[{place}]");
            if !item.get().starts_with('{') {
                return Err(self.wrong(&named, "an object", &found(item)));
            }
            Fields::read_at(item.get(), At::Item(name, place), self.strict).map_err(|error| {
                format!(
                    "expected '{named}' to be an object, but: {}",
                    in_words(&error)
                )
            })
        };
        items.iter().enumerate().map(fields).collect()
    }
}

/// A value as error sentences name it: a number or boolean itself, otherwise its kind.
fn found(value: &RawValue) -> String {
    match value.get().as_bytes().first() {
        Some(b'{') => "an object".into(),
        Some(b'[') => "a list".into(),
        Some(b'"') if serde_json::from_str::<Text<'_>>(value.get()).is_err() => {
            "one with half of a surrogate pair, which is no character".into()
        }
        Some(b'"') => "a string".into(),
        _ => cut(value.get(), QUOTED_BYTES).into_owned(),
    }
}

/// A client's text, shortened for an error sentence.
pub fn quoted(text: &str) -> String {
    format!("'{}'", cut(text, QUOTED_BYTES).escape_debug())
}

/// Text of at most this many bytes; a longer one ends with an ellipsis.
pub fn cut(text: &str, bytes: usize) -> Cow<'_, str> {
    const ELLIPSIS: &str = "…";
    if text.len() <= bytes {
        return Cow::Borrowed(text);
    }
    let end = (0..=bytes - ELLIPSIS.len())
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0);
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}

/// A string that borrows where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object: those with known names, and some of the other names.
struct Members<'a> {
    known: Vec<(&'static str, &'a RawValue)>,
    unknown: Vec<Cow<'a, str>>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(&'static str, &'de RawValue)> = Vec::with_capacity(8);
        let mut unknown = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            match KNOWN.iter().find(|known| **known == name) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                    if unknown.len() < UNKNOWN && !unknown.contains(&name) {
                        unknown.push(name);
                    }
                }
                // Two values under one name: readers differ in which of them counts, so the frame
                // is refused.
                Some(known) if members.iter().any(|(seen, _)| seen == known) => {
                    return Err(serde::de::Error::custom(format_args!(
                        "the field '{known}' is there twice"
                    )));
                }
                Some(known) => members.push((known, map.next_value()?)),
            }
        }
        Ok(Members {
            known: members,
            unknown,
        })
    }
}
