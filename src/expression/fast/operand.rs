//! A value during the evaluation of a fast condition, borrowed from the data where possible.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::super::numerals::MAX_SAFE;

use super::expression::{Literal, Member};

/// A JavaScript value of the kinds that occur in a fast condition.
#[derive(Clone, Debug)]
pub enum Operand<'a> {
    /// `undefined`
    Undefined,
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A whole number with all its digits: one in the data beyond JavaScript's exact numbers, or a
    /// literal with `n`.
    BigInt(i128),
    /// A string.
    Text(Cow<'a, str>),
    /// A string of half a character, the result of indexing a string at a surrogate pair; Rust
    /// strings cannot represent it.
    Surrogate(u16),
    /// An array of the data. Its address is its identity.
    Array(&'a Vec<Value>),
    /// An object of the data. Its address is its identity.
    Object(&'a Map<String, Value>),
}

impl<'a> From<&'a Value> for Operand<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match number.as_i128() {
                Some(whole) if whole.unsigned_abs() > MAX_SAFE as u128 => Self::BigInt(whole),
                // Without serde_json's arbitrary precision every number has an f64.
                _ => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::Array(items),
            Value::Object(members) => Self::Object(members),
        }
    }
}

impl<'a> From<&'a Literal> for Operand<'a> {
    fn from(literal: &'a Literal) -> Self {
        match literal {
            Literal::Undefined => Self::Undefined,
            Literal::Null => Self::Null,
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Number(number) => Self::Number(*number),
            Literal::BigInt(whole) => Self::BigInt(*whole),
            Literal::Text(text) => Self::Text(Cow::Borrowed(text)),
        }
    }
}

impl<'a> Operand<'a> {
    /// The property `member`, as in `operand.member`.
    ///
    /// # Errors
    /// `undefined` and `null` have no properties.
    pub fn member(&self, member: &Member) -> Result<Operand<'a>, String> {
        let found = match self {
            Self::Undefined | Self::Null => {
                return Err(format!(
                    "expected an object with `{}`, but it is {}",
                    member.name,
                    self.describe()
                ));
            }
            Self::Bool(_) | Self::Number(_) | Self::BigInt(_) => None,
            Self::Object(members) => members.get(&member.name).map(Operand::from),
            Self::Array(items) if member.name == "length" => {
                Some(Operand::Number(items.len() as f64))
            }
            Self::Array(items) => member
                .index
                .and_then(|index| items.get(index))
                .map(Operand::from),
            Self::Text(text) if member.name == "length" => {
                Some(Operand::Number(text.encode_utf16().count() as f64))
            }
            Self::Text(text) => member
                .index
                .and_then(|index| text.encode_utf16().nth(index))
                .map(Operand::from_unit),
            Self::Surrogate(_) if member.name == "length" => Some(Operand::Number(1.0)),
            Self::Surrogate(unit) => (member.index == Some(0)).then_some(Operand::Surrogate(*unit)),
        };
        Ok(found.unwrap_or(Operand::Undefined))
    }

    fn from_unit(unit: u16) -> Self {
        char::from_u32(unit.into()).map_or(Self::Surrogate(unit), |c| {
            Self::Text(Cow::Owned(c.to_string()))
        })
    }

    /// JavaScript's truthiness.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::BigInt(whole) => *whole != 0,
            Self::Text(text) => !text.is_empty(),
            Self::Surrogate(_) | Self::Array(_) | Self::Object(_) => true,
        }
    }

    /// Description for error messages; never contains a text of the data.
    pub fn describe(&self) -> String {
        match self {
            Self::Undefined => "undefined".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => super::number_text::number_to_text(*number),
            Self::BigInt(_) => "a BigInt".to_owned(),
            Self::Text(_) | Self::Surrogate(_) => "a text".to_owned(),
            Self::Array(_) => "an array".to_owned(),
            Self::Object(_) => "an object".to_owned(),
        }
    }
}
