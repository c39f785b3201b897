//! The fields of one client frame, read by name: the only reader of what clients send, so that every error names its field.
//!
//! One pass over the text finds the members; their values stay text until a field is asked for. Members no frame has are
//! skipped, as the protocol says.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::client::Payload;
use crate::limits;

/// Every member name that some frame has.
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
    "test",
];

/// The members of an object, those of [`KNOWN`] names; `null` counts as absent.
pub struct Fields<'a> {
    members: Vec<(&'static str, &'a RawValue)>,
    /// Where the object is in the frame, for error sentences: empty or `inheritFrom.`.
    at: &'static str,
}

/// A sentence about one field.
pub type Sentence = String;

impl<'a> Fields<'a> {
    /// The members of the object `text`; an error says why it is none.
    pub fn read(text: &'a str, at: &'static str) -> Result<Self, serde_json::Error> {
        let Members(members) = serde_json::from_str(text)?;
        Ok(Self { members, at })
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).filter(|value| value.get() != "null")
    }

    fn read_as<T: Deserialize<'a>>(&self, name: &str, wanted: &str) -> Result<Option<T>, Sentence> {
        let Some(value) = self.get(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map(Some).map_err(|_| self.wrong(name, wanted, kind(value)))
    }

    fn wrong(&self, name: &str, wanted: &str, found: &str) -> Sentence {
        format!("expected '{}{name}' to be {wanted}, but it is {found}", self.at)
    }

    /// Fails with the sentence for a field that must be there.
    pub fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Sentence> {
        value.ok_or_else(|| format!("expected the field '{}{name}', but it is missing", self.at))
    }

    /// A text of any length.
    pub fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Sentence> {
        Ok(self.read_as::<Text<'a>>(name, "a string")?.map(|text| text.0))
    }

    /// A text of at most [`limits::NAME_BYTES`].
    pub fn name(&self, name: &str) -> Result<Option<String>, Sentence> {
        match self.text(name)? {
            Some(text) if text.len() > limits::NAME_BYTES => Err(self.wrong(name, "at most 256 bytes long", "longer")),
            text => Ok(text.map(Cow::into_owned)),
        }
    }

    /// A text in the form of `T`, which is named by `wanted`.
    pub fn parsed<T: FromStr>(&self, name: &str, wanted: &str) -> Result<Option<T>, Sentence> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.wrong(name, wanted, "another string"))
    }

    /// A whole number from 0.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Sentence> {
        self.read_as(name, "a whole number of at least 0")
    }

    /// A truth value.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Sentence> {
        self.read_as(name, "true or false")
    }

    /// A list of strings.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Sentence> {
        self.read_as(name, "a list of strings")
    }

    /// The text of an object, unread.
    pub fn object(&self, name: &str) -> Result<Option<&'a str>, Sentence> {
        match self.get(name) {
            Some(value) if !value.get().starts_with('{') => Err(self.wrong(name, "an object", kind(value))),
            value => Ok(value.map(RawValue::get)),
        }
    }

    /// An object of the user's data, unread.
    pub fn payload(&self, name: &str) -> Result<Option<Payload>, Sentence> {
        self.object(name)?;
        Ok(self.get(name).map(|value| Payload::new(value.to_owned())))
    }

    /// The fields of a nested object; `at` is its name with a dot.
    pub fn nested(&self, name: &str, at: &'static str) -> Result<Option<Fields<'a>>, Sentence> {
        let Some(text) = self.object(name)? else { return Ok(None) };
        Fields::read(text, at).map(Some).map_err(|error| format!("expected '{name}' to be an object, but: {error}"))
    }

    /// The fields of each object in a list.
    pub fn list(&self, name: &str, at: &'static str) -> Result<Vec<Fields<'a>>, Sentence> {
        let found = self.read_as::<Vec<Members<'a>>>(name, "a list of objects")?.unwrap_or_default();
        Ok(found.into_iter().map(|Members(members)| Fields { members, at }).collect())
    }
}

/// What a value is, for error sentences.
fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// A string that borrows where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Members<'a>(Vec<(&'static str, &'a RawValue)>);

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
        while let Some(Text(name)) = map.next_key()? {
            match KNOWN.iter().find(|known| **known == name) {
                None => drop(map.next_value::<IgnoredAny>()?),
                // Two values under one name: readers differ on which counts, so neither does.
                Some(known) if members.iter().any(|(seen, _)| seen == known) => {
                    return Err(serde::de::Error::custom(format_args!("the field '{known}' is there twice")));
                }
                Some(known) => members.push((known, map.next_value()?)),
            }
        }
        Ok(Members(members))
    }
}
