//! What a fast rule has written to `output`, and its JSON.
//!
//! The sizes of `expression::output` are counted in the same way; what exceeds them, or is not JSON,
//! is left to the sandbox, whose error says so.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::{super::output::json_number, operand::Operand};
use crate::limits::{JSON_DEPTH, RULE_OUTPUT_BYTES};

/// The members of `output`, or of an object that `output.put` has made.
#[derive(Debug, Default)]
pub struct Written<'a> {
    members: BTreeMap<&'a str, Place<'a>>,
}

#[derive(Debug)]
enum Place<'a> {
    Value(Operand<'a>),
    Object(Written<'a>),
}

impl<'a> Written<'a> {
    /// Writes a value at the end of a way, which has at least one name; `None` when that is an
    /// error.
    pub fn put(&mut self, way: &'a [String], value: Operand<'a>) -> Option<()> {
        let (last, way) = way.split_last()?;
        let mut place = self;
        for name in way {
            let next = place
                .members
                .entry(name)
                .or_insert(Place::Value(Operand::Null));
            // An object of the data is frozen.
            if let Place::Value(value) = next {
                if matches!(value, Operand::Object(_)) {
                    return None;
                }
                *next = Place::Object(Written::default());
            }
            let Place::Object(object) = next else {
                return None;
            };
            place = object;
        }
        place.members.insert(last, Place::Value(value));
        Some(())
    }

    /// The JSON; `None` when something in it is none, or when it is too large.
    pub fn to_json(&self) -> Option<Value> {
        let mut copying = Copying {
            left: RULE_OUTPUT_BYTES,
        };
        copying.written(self, 1).map(Value::Object)
    }
}

/// Copies values as long as their size allows.
struct Copying {
    /// In bytes.
    left: usize,
}

impl Copying {
    fn written(&mut self, written: &Written<'_>, depth: usize) -> Option<Map<String, Value>> {
        self.enter(depth)?;
        let mut members = Map::new();
        for (name, place) in &written.members {
            let value = match place {
                Place::Value(Operand::Undefined) => continue,
                Place::Value(value) => self.operand(value, depth),
                Place::Object(object) => self.written(object, depth + 1).map(Value::Object),
            };
            self.take(name.len() + 4)?;
            members.insert((*name).to_owned(), value?);
        }
        Some(members)
    }

    fn operand(&mut self, operand: &Operand<'_>, depth: usize) -> Option<Value> {
        match operand {
            Operand::Undefined | Operand::Surrogate(_) => None,
            Operand::Null => self.take(4).map(|()| Value::Null),
            Operand::Bool(value) => self.take(5).map(|()| Value::Bool(*value)),
            Operand::Number(number) => {
                self.take(8)?;
                json_number(*number).map(Value::Number)
            }
            Operand::BigInt(whole) => {
                self.take(20)?;
                Number::from_i128(*whole).map(Value::Number)
            }
            Operand::Text(text) => self.text(text),
            Operand::Array(items) => self.items(items, depth + 1),
            Operand::Object(members) => self.members(members, depth + 1),
        }
    }

    fn text(&mut self, text: &str) -> Option<Value> {
        self.take(text.len() + 2)?;
        Some(Value::String(text.to_owned()))
    }

    fn items(&mut self, items: &[Value], depth: usize) -> Option<Value> {
        self.enter(depth)?;
        let items = items.iter().map(|item| {
            self.take(1)?;
            self.operand(&Operand::from(item), depth)
        });
        items.collect::<Option<_>>().map(Value::Array)
    }

    fn members(&mut self, members: &Map<String, Value>, depth: usize) -> Option<Value> {
        self.enter(depth)?;
        let members = members.iter().map(|(name, member)| {
            self.take(name.len() + 4)?;
            Some((name.clone(), self.operand(&Operand::from(member), depth)?))
        });
        members.collect::<Option<_>>().map(Value::Object)
    }

    fn enter(&self, depth: usize) -> Option<()> {
        (depth <= JSON_DEPTH).then_some(())
    }

    fn take(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        Some(())
    }
}
