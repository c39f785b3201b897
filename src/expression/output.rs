//! Converts the output of a business rule to JSON. Stricter than `JSON.stringify`: what JSON cannot
//! represent is an error that names its path, not a silent `null` or omission, and neither `toJSON`
//! nor anything else that a script may have changed is called.
//!
//! Accepted are plain objects, arrays, texts, booleans, finite numbers, `BigInt`s of 64 bits and
//! `null`. A member that is `undefined` is left out.
//!
//! # Rationale
//!
//! **A rule's output is read strictly.** What JSON cannot represent causes an incident that names
//! its path, instead of being lost silently as with `JSON.stringify`.

use rquickjs::{Array, Atom, Function, Object, Type, Value, atom::PredefinedAtom};
use serde_json::{Map, Number, Value as Json};

use crate::{
    limits::{JSON_DEPTH, RULE_OUTPUT_BYTES},
    text::member_path::{push_item, push_member},
};

/// Reads the members of `output`. `plain` is the prototype of plain objects, `guards` the result of
/// `guards.js`.
///
/// # Errors
/// The exception of a getter in it; inside, the sentence that says what is not JSON.
pub fn read<'js>(
    output: &Value<'js>,
    plain: Option<Object<'js>>,
    guards: &Object<'js>,
) -> rquickjs::Result<Result<Json, String>> {
    let Some(object) = output.as_object() else {
        return Ok(Err("expected an object, but `output` is not one".to_owned()));
    };
    let digits = guards.get("digits")?;
    let mut reading = OutputReader {
        plain,
        digits,
        path: "output".to_owned(),
        bytes: 0,
    };
    match reading.members(object, 1) {
        Ok(members) => Ok(Ok(Json::Object(members))),
        Err(Unreadable::NotJson(sentence)) => Ok(Err(sentence)),
        Err(Unreadable::Thrown(error)) => Err(error),
    }
}

/// A number of a script as JSON; `None` for one that is not finite.
pub fn json_number(number: f64) -> Option<Number> {
    // Every number beyond this is whole, but not every such number fits in 64 bits.
    const WHOLE: f64 = 9e18;
    match number {
        // An integer cannot represent negative zero.
        zero if zero == 0.0 && zero.is_sign_negative() => Number::from_f64(zero),
        whole if whole.fract() == 0.0 && whole.abs() < WHOLE => Some(Number::from(whole as i64)),
        other => Number::from_f64(other),
    }
}

enum Unreadable {
    NotJson(String),
    Thrown(rquickjs::Error),
}

impl From<rquickjs::Error> for Unreadable {
    fn from(error: rquickjs::Error) -> Self {
        Self::Thrown(error)
    }
}

struct OutputReader<'js> {
    plain: Option<Object<'js>>,
    /// The digits of a `BigInt` of 64 bits.
    digits: Function<'js>,
    /// The path of the value being read, for error messages.
    path: String,
    /// The size of the values read so far, roughly the length of their JSON.
    bytes: usize,
}

impl<'js> OutputReader<'js> {
    fn value(&mut self, value: &Value<'js>, depth: usize) -> Result<Json, Unreadable> {
        match value.type_of() {
            Type::Null => self.take(4).map(|()| Json::Null),
            Type::Bool => self
                .take(5)
                .map(|()| Json::Bool(value.as_bool() == Some(true))),
            Type::Int | Type::Float => self.number(value.as_number().unwrap_or(f64::NAN)),
            Type::BigInt => self.whole(value),
            Type::String => {
                let text = value.as_string().and_then(|text| text.to_string().ok());
                let text = text.ok_or_else(|| self.not_json("a text that is not Unicode"))?;
                self.take(text.len() + 2)?;
                Ok(Json::String(text))
            }
            Type::Array => match value.as_array() {
                Some(array) => self.items(array, depth + 1).map(Json::Array),
                None => Err(self.not_json("no array")),
            },
            Type::Object => match value.as_object() {
                Some(object) if self.is_plain(object) => {
                    self.members(object, depth + 1).map(Json::Object)
                }
                _ => {
                    Err(self.not_json("an object of a class; copy its members into a plain object"))
                }
            },
            Type::Undefined => Err(self.not_json("undefined")),
            Type::Function | Type::Constructor => Err(self.not_json("a function")),
            other => Err(self.not_json(&format!("a value of type {}", other.as_str()))),
        }
    }

    fn members(
        &mut self,
        object: &Object<'js>,
        depth: usize,
    ) -> Result<Map<String, Json>, Unreadable> {
        self.enter(depth)?;
        let mut members = Map::new();
        for key in object.keys::<Atom<'js>>() {
            let key = key?;
            // Not read as a `String` of the library, which takes half a surrogate pair for UTF-8.
            let name = key
                .to_js_string()?
                .to_string()
                .map_err(|_| self.not_json("an object with a name that is not Unicode"))?;
            let member: Value<'js> = object.get(key)?;
            if member.is_undefined() {
                continue;
            }
            let length = self.path.len();
            push_member(&mut self.path, &name);
            self.take(name.len() + 4)?;
            let member = self.value(&member, depth)?;
            self.path.truncate(length);
            members.insert(name, member);
        }
        Ok(members)
    }

    fn items(&mut self, array: &Array<'js>, depth: usize) -> Result<Vec<Json>, Unreadable> {
        self.enter(depth)?;
        let mut items = Vec::new();
        // Not the `len` of the library, which panics beyond 31 bits.
        let count: f64 = array.as_object().get(PredefinedAtom::Length)?;
        for index in 0..count as usize {
            let length = self.path.len();
            push_item(&mut self.path, index);
            self.take(1)?;
            let item: Value<'js> = array.get(index)?;
            items.push(self.value(&item, depth)?);
            self.path.truncate(length);
        }
        Ok(items)
    }

    fn number(&mut self, number: f64) -> Result<Json, Unreadable> {
        self.take(8)?;
        json_number(number)
            .map(Json::Number)
            .ok_or_else(|| self.not_json(&format!("{number}")))
    }

    fn whole(&mut self, value: &Value<'js>) -> Result<Json, Unreadable> {
        self.take(20)?;
        let digits: Option<String> = self.digits.call((value.clone(),))?;
        let number = digits.and_then(|digits| digits.parse::<Number>().ok());
        number
            .map(Json::Number)
            .ok_or_else(|| self.not_json("a BigInt of more than 64 bits; give it as a text"))
    }

    fn is_plain(&self, object: &Object<'js>) -> bool {
        let inherited = object.get_prototype();
        inherited.is_none() || inherited == self.plain
    }

    fn enter(&self, depth: usize) -> Result<(), Unreadable> {
        if depth <= JSON_DEPTH {
            return Ok(());
        }
        // The full path would be as long as the value is deep.
        let top: String = self.path.chars().take(60).collect();
        Err(Unreadable::NotJson(format!(
            "expected an output of at most {JSON_DEPTH} levels, but it is deeper below `{top}`…"
        )))
    }

    fn take(&mut self, bytes: usize) -> Result<(), Unreadable> {
        self.bytes += bytes;
        if self.bytes <= RULE_OUTPUT_BYTES {
            return Ok(());
        }
        Err(Unreadable::NotJson(format!(
            "expected an output of at most {RULE_OUTPUT_BYTES} bytes, but it is larger"
        )))
    }

    fn not_json(&self, found: &str) -> Unreadable {
        let path: String = self.path.chars().take(200).collect();
        Unreadable::NotJson(format!(
            "expected JSON in `output`, but `{path}` is {found}"
        ))
    }
}
