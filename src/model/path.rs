//! Dotted paths into JSON data: `client.phones[0]`.
//!
//! A path begins with an object member; `[i]` selects an array item. Where only members are
//! meaningful (keys, destinations), [`DataPath::parse_members`] refuses `[i]`.

use std::fmt;

use serde_json::{Map, Value};

/// Longest accepted path, in bytes.
const MAX_PATH_BYTES: usize = 512;
/// Largest accepted `[i]`: writing there fills the array up to it.
const MAX_INDEX: usize = 9_999;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// An object member.
    Member(Box<str>),
    /// An array item, counted from 0.
    Index(usize),
}

/// A dotted path into JSON data. Never empty; the first segment is a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPath {
    segments: Vec<Segment>,
}

impl DataPath {
    /// Parses `a.b[0].c`. Member names must not contain blanks or `. [ ] { } " \ $`.
    ///
    /// # Errors
    /// What was expected, as a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATH_BYTES {
            return Err(format!(
                "expected a path of at most {MAX_PATH_BYTES} bytes, but this one has {}",
                text.len()
            ));
        }
        let mut segments = Vec::new();
        for part in text.split('.') {
            let (member, mut indexes) = part.split_at(part.find('[').unwrap_or(part.len()));
            if member.is_empty() || !member.chars().all(is_member_char) {
                let bare = text
                    .strip_prefix("${")
                    .or_else(|| text.strip_prefix("#{"))
                    .and_then(|rest| rest.strip_suffix('}'));
                // Anything else in it may be an operator or a call.
                let is_plain = |bare: &&str| {
                    let mut letters = bare.chars();
                    letters.all(|c| c.is_alphanumeric() || "_.[]".contains(c))
                };
                let advice = bare
                    .filter(|bare| is_plain(bare) && Self::parse(bare).is_ok())
                    .map(|bare| format!("; write `{bare}`"));
                let advice = advice.unwrap_or_default();
                return Err(format!(
                    "expected a dotted path such as `client.phones[0]`, but got `{text}`{advice}"
                ));
            }
            segments.push(Segment::Member(member.into()));
            while !indexes.is_empty() {
                let (index, rest) = take_index(indexes).ok_or_else(|| {
                    format!(
                        "expected an index from [0] to [{MAX_INDEX}] after `{member}`, but \
                        got `{indexes}` in `{text}`"
                    )
                })?;
                segments.push(Segment::Index(index));
                indexes = rest;
            }
        }
        Ok(Self { segments })
    }

    /// Parses a path with object members only.
    ///
    /// # Errors
    /// As [`DataPath::parse`], and for any `[i]`.
    pub fn parse_members(text: &str) -> Result<Self, String> {
        let path = Self::parse(text)?;
        if path
            .segments
            .iter()
            .any(|segment| matches!(segment, Segment::Index(_)))
        {
            return Err(format!(
                "expected a path of object members, but `{text}` picks an array item; name the \
                whole array"
            ));
        }
        Ok(path)
    }

    /// The value at this path; `None` if anything on the way is missing or of another kind.
    pub fn get<'a>(&self, data: &'a Value) -> Option<&'a Value> {
        self.get_below(data.as_object()?.get(self.first())?)
    }

    /// The member it begins with.
    pub fn first(&self) -> &str {
        match self.segments.first() {
            Some(Segment::Member(name)) => name,
            Some(Segment::Index(_)) | None => "",
        }
    }

    /// The value at this path, given the value of its first member.
    pub fn get_below<'a>(&self, first: &'a Value) -> Option<&'a Value> {
        let mut below = self.segments.iter().skip(1);
        below.try_fold(first, |value, segment| match segment {
            Segment::Member(name) => value.as_object()?.get(&**name),
            Segment::Index(index) => value.as_array()?.get(*index),
        })
    }

    /// Writes a value at this path. Creates objects and arrays on the way, replacing whatever else
    /// is there; an array that is too short is filled with `null`.
    pub fn set(&self, data: &mut Value, value: Value) {
        let mut place = data;
        for segment in &self.segments {
            place = match segment {
                Segment::Member(name) => {
                    if !place.is_object() {
                        *place = Value::Object(Map::new());
                    }
                    &mut place[&**name]
                }
                Segment::Index(index) => {
                    if !place.is_array() {
                        *place = Value::Array(Vec::new());
                    }
                    if let Value::Array(items) = place
                        && items.len() <= *index
                    {
                        items.resize(index + 1, Value::Null);
                    }
                    &mut place[*index]
                }
            };
        }
        *place = value;
    }

    /// The number of its levels.
    pub fn depth(&self) -> usize {
        self.segments.len()
    }

    /// A value wrapped in this path: `a.b` and 1 make `{"a": {"b": 1}}`.
    pub fn nest(&self, value: Value) -> Value {
        let mut nested = Value::Null;
        self.set(&mut nested, value);
        nested
    }

    /// Removes the value at this path, if there is one. An array item becomes `null`, so that the
    /// others keep their indexes.
    pub fn remove(&self, data: &mut Value) {
        let Some((last, way)) = self.segments.split_last() else {
            return;
        };
        let place = way.iter().try_fold(data, |value, segment| match segment {
            Segment::Member(name) => value.as_object_mut()?.get_mut(&**name),
            Segment::Index(index) => value.as_array_mut()?.get_mut(*index),
        });
        match (last, place) {
            (Segment::Member(name), Some(Value::Object(members))) => {
                members.remove(&**name);
            }
            (Segment::Index(index), Some(Value::Array(items))) => {
                if let Some(item) = items.get_mut(*index) {
                    *item = Value::Null;
                }
            }
            _ => {}
        }
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl fmt::Display for DataPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Member(name) if position == 0 => f.write_str(name)?,
                Segment::Member(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn is_member_char(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !".[]{}\"\\$".contains(c)
}

/// Splits `[12]rest` into 12 and `rest`.
fn take_index(text: &str) -> Option<(usize, &str)> {
    let (digits, rest) = text.strip_prefix('[')?.split_once(']')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let index = digits
        .parse()
        .ok()
        .filter(|&index| plain && index <= MAX_INDEX)?;
    Some((index, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> DataPath {
        DataPath::parse(text).expect("the test's path is valid")
    }

    #[test]
    fn reads_and_shows_paths() {
        for text in ["a", "a.b", "a[0]", "a.b[0][12].c-d", "größe.x_1"] {
            assert_eq!(path(text).to_string(), text);
        }
        for text in [
            "", ".", "a.", ".a", "a..b", "[0]", "a[", "a[]", "a[x]", "a[+1]", "a[0]b", "a[10000]",
            "a b", "a + 1", "${a}",
        ] {
            assert!(DataPath::parse(text).is_err(), "{text}");
        }
        assert!(DataPath::parse("${a.b}").is_err_and(|sentence| sentence.ends_with("write `a.b`")));
        assert!(DataPath::parse("#{a}").is_err_and(|sentence| sentence.ends_with("write `a`")));
        assert!(DataPath::parse_members("a.b").is_ok());
        assert!(DataPath::parse_members("a[0].b").is_err());
    }

    #[test]
    fn paths_find_nothing_in_values_of_another_type() {
        let data = json!({"a": {"b": [1, {"c": null}]}, "s": "text"});
        assert_eq!(path("a.b[0]").get(&data), Some(&json!(1)));
        assert_eq!(path("a.b[1].c").get(&data), Some(&Value::Null));
        for text in ["x", "a.b[2]", "a[0]", "s.length", "s[0]", "a.b.c"] {
            assert_eq!(path(text).get(&data), None, "{text}");
        }
    }

    #[test]
    fn sets_nests_and_removes() {
        let mut data = json!({"a": 1, "list": [1, 2, 3]});
        path("a.b[1]").set(&mut data, json!("x"));
        path("list[1]").remove(&mut data);
        path("nothing.here[3]").remove(&mut data);
        assert_eq!(data, json!({"a": {"b": [null, "x"]}, "list": [1, null, 3]}));
        path("a.b").remove(&mut data);
        assert_eq!(data["a"], json!({}));
        assert_eq!(path("a.b").nest(json!(1)), json!({"a": {"b": 1}}));
    }
}
