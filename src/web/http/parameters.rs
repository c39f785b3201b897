//! The parameters behind `?` in a URL, read with errors that name the parameter.
//!
//! Not here: which parameters a request has (each handler's own type).

use std::fmt::Display;

use actix_web::web::Query;
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Error as _, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer},
    },
    forward_to_deserialize_any,
};

use super::body::unknown_name;
use super::problem::HttpProblem;
use crate::session::protocol::{code::ErrorCode, quoted};

/// Reads the part of a URL behind `?`.
///
/// # Errors
/// 400 for a name that is unknown, missing or there twice, and for a value that does not fit.
pub fn read<T: DeserializeOwned>(query: &str) -> Result<T, HttpProblem> {
    let pairs = pairs(query)?;
    for (place, (name, _)) in pairs.iter().enumerate() {
        if pairs[..place].iter().any(|(before, _)| before == name) {
            let sentence = format!(
                "expected each name behind '?' once, but {} is there twice",
                quoted(name)
            );
            return Err(HttpProblem::new(ErrorCode::BadRequest, sentence));
        }
    }
    let parts = pairs.into_iter().map(|(name, value)| {
        let part = Parameter {
            name: name.clone(),
            value,
        };
        (name, part)
    });
    T::deserialize(MapDeserializer::<_, Error>::new(parts)).map_err(|error| problem(&error))
}

/// All pairs of the part of a URL behind `?`.
///
/// # Errors
/// 400 for a text that is none.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, HttpProblem> {
    Query::from_query(query)
        .map(Query::into_inner)
        .map_err(|error| problem(&error))
}

/// The problem of a query that cannot be read.
pub fn problem(error: &impl Display) -> HttpProblem {
    let message = error.to_string();
    let message = message
        .strip_prefix("Query deserialize error: ")
        .unwrap_or(&message);
    let sentence = match unknown_name(message) {
        Some(wrong) => format!("expected known names behind '?', but {wrong}"),
        None => format!("expected known values behind '?', but {message}"),
    };
    HttpProblem::new(ErrorCode::BadRequest, sentence)
}

/// One parameter, as its type reads it.
struct Parameter {
    name: String,
    value: String,
}

impl Parameter {
    fn wrong(name: &str, value: &str, expected: impl Display) -> Error {
        Error::custom(format!(
            "'{name}' is {} instead of {expected}",
            quoted(value)
        ))
    }
}

impl IntoDeserializer<'_, Error> for Parameter {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads a number as its type.
macro_rules! numbers {
    ($($read:ident, $visit:ident, $expected:literal;)*) => {$(
        fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.value.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Self::wrong(&self.name, &self.value, $expected)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Parameter {
    type Error = Error;

    numbers! {
        deserialize_u16, visit_u16, "a whole number of at least 0";
        deserialize_u32, visit_u32, "a whole number of at least 0";
        deserialize_u64, visit_u64, "a whole number of at least 0";
        deserialize_i64, visit_i64, "a whole number";
        deserialize_bool, visit_bool, "true or false";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Self { name, value } = self;
        visitor
            .visit_str::<Error>(&value)
            .map_err(|error| Error::custom(format!("'{name}' is {}: {error}", quoted(&value))))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if !variants.contains(&&*self.value) {
            return Err(Self::wrong(&self.name, &self.value, variants.join(", ")));
        }
        visitor.visit_enum(self.value.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Given {
        limit: Option<usize>,
        ended: Option<bool>,
        kind: Option<Kind>,
        text: Option<String>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    enum Kind {
        Xml,
        Json,
    }

    #[test]
    fn parameters_are_read_by_their_types() {
        let read = read::<Given>("limit=5&ended=true&kind=json&text=a%20b").unwrap();
        let expected = Given {
            limit: Some(5),
            ended: Some(true),
            kind: Some(Kind::Json),
            text: Some("a b".to_owned()),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        for (query, expected) in [
            (
                "limit=-1",
                "values behind '?', but 'limit' is '-1' instead of a whole number of at least 0",
            ),
            ("limit=", "'limit' is '' instead of a whole number"),
            ("ended=maybe", "'ended' is 'maybe' instead of true or false"),
            ("kind=bpmn", "'kind' is 'bpmn' instead of xml, json"),
            (
                "limit=1&limit=2",
                "each name behind '?' once, but 'limit' is there twice",
            ),
            ("limti=1", "'limti' is none of its names: write 'limit'"),
        ] {
            let problem = read::<Given>(query).unwrap_err();
            let said = format!("{problem:?}");
            assert!(said.contains(expected), "{query}: {said}");
        }
    }
}
