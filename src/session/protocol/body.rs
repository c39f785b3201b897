//! Bodies of REST requests: the fields of the frame for the same command, without those that are in
//! the path or a header.
//!
//! So one reader names every field in its errors, and a request accepts what a frame accepts.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};

use super::{
    client::{FrameId, Migrate, Patch, Payload, Run, Start},
    code::ErrorCode,
    conditions::{self, EvaluateConditions},
    depth,
    fields::{Fields, Sentence, quoted},
    on_instance::{self, OnInstance},
    publish::{self, Publish, PublishedKind},
    reading,
};
use crate::{
    limits,
    model::ids::InstanceKey,
    session::protocol::wire_error::WireError,
    text::{json::in_words, without_mark},
};

/// The process to start; as the frame `start`.
///
/// # Errors
/// `bad_request` or `too_large`, naming the place or the field.
pub fn start(text: &str, id: FrameId) -> Result<Start, WireError> {
    read(text, |fields| reading::start(fields, id))
}

/// The action to run; as the frame `run` without `instance`.
///
/// # Errors
/// As [`start`].
pub fn run(text: &str, id: FrameId, instance: InstanceKey) -> Result<Run, WireError> {
    read(text, |fields| reading::run(fields, id, instance))
}

/// The data to merge; as the frame `patch` without `instance`.
///
/// # Errors
/// As [`start`].
pub fn patch(text: &str, id: FrameId, instance: InstanceKey) -> Result<Patch, WireError> {
    read(text, |fields| reading::patch(fields, id, instance))
}

/// The version that an instance is to run.
///
/// # Errors
/// As [`start`].
pub fn migrate(text: &str, id: FrameId) -> Result<Migrate, WireError> {
    read(text, |fields| {
        let number = fields.required("version", fields.number("version")?)?;
        let version = u32::try_from(number).map_err(|_| {
            format!("expected 'version' to be the number of a version, but it is {number}")
        })?;
        let mapping = fields.payload("mapping")?;
        Ok(Migrate {
            id,
            version,
            mapping: mapping.map_or(Ok(BTreeMap::new()), |given| ids(&given))?,
            if_seq: fields.number("ifSeq")?,
        })
    })
}

/// A map of ids.
fn ids(given: &Payload) -> Result<BTreeMap<String, String>, Sentence> {
    let pair = |(from, to): (String, Value)| match to {
        Value::String(to) => Ok((from, to)),
        _ => Err(format!(
            "expected 'mapping' to hold an id for each id, but its value for {} is not one",
            quoted(&from)
        )),
    };
    given.parse()?.into_iter().map(pair).collect()
}

/// The publication; as the frame `publish`.
///
/// # Errors
/// As [`start`].
pub fn publish(text: &str, id: FrameId, kind: PublishedKind) -> Result<Publish, WireError> {
    read(text, |fields| publish::read(fields, id, Some(kind)))
}

/// The evaluation of conditional start events.
///
/// # Errors
/// As [`start`].
pub fn evaluate_conditions(text: &str, id: FrameId) -> Result<EvaluateConditions, WireError> {
    read(text, |fields| conditions::read(fields, id))
}

/// The Action message to close; as the frame `done` without `instance`.
///
/// # Errors
/// As [`start`].
pub fn done(text: &str) -> Result<u64, WireError> {
    read(text, |fields| fields.required("seq", fields.number("seq")?))
}

/// The draft; as the field `data` of the frame `draft`.
///
/// # Errors
/// As [`start`].
pub fn draft(text: &str) -> Result<Payload, WireError> {
    read(text, |fields| {
        fields.required("data", fields.payload("data")?)
    })
}

/// The command with this name; as its frame without `instance`.
///
/// # Errors
/// As [`start`].
pub fn on_instance(name: &str, text: &str, instance: InstanceKey) -> Result<OnInstance, WireError> {
    let unknown = || {
        Err(format!(
            "expected one of the commands {}, but '{name}' is not one",
            on_instance::NAMES.join(", ")
        ))
    };
    read(text, |fields| {
        OnInstance::read(name, fields, instance).unwrap_or_else(unknown)
    })
}

/// The data of a run in a request of its own, beside a file; as the field `data` of the frame
/// `run`.
///
/// # Errors
/// As [`start`].
pub fn data(text: &str) -> Result<Payload, WireError> {
    let alone: Result<&RawValue, _> = serde_json::from_str(without_mark(text));
    let refuse = |error| {
        WireError::new(
            ErrorCode::BadRequest,
            format!(
                "expected 'data' to be a JSON object, but: {}",
                in_words(&error)
            ),
        )
    };
    draft(&format!(r#"{{"data":{}}}"#, alone.map_err(refuse)?))
}

fn read<T>(
    text: &str,
    take: impl FnOnce(&Fields<'_>) -> Result<T, Sentence>,
) -> Result<T, WireError> {
    if depth::deeper_than(text, limits::JSON_DEPTH) {
        let sentence = format!(
            "expected at most {} levels of objects and lists, but the body has more",
            limits::JSON_DEPTH
        );
        return Err(WireError::new(ErrorCode::TooLarge, sentence));
    }
    let refuse = |sentence| WireError::new(ErrorCode::BadRequest, sentence);
    let fields = Fields::of_body(text).map_err(|error| {
        refuse(format!(
            "expected a JSON object as the body, but: {}",
            in_words(&error)
        ))
    })?;
    let whole = || {
        let taken = take(&fields)?;
        fields.finish().map(|()| taken)
    };
    whole().map_err(refuse)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::ids::ElementKey;

    #[test]
    fn bodies_are_frames_without_their_envelope() {
        let (id, instance) = (FrameId::from(Uuid::nil()), InstanceKey(Uuid::from_u128(7)));
        assert_eq!(
            start(r#"{"process":"p"}"#, id.clone())
                .unwrap()
                .process
                .as_deref(),
            Some("p")
        );
        assert_eq!(
            run(r#"{"action":"save","ifSeq":3}"#, id.clone(), instance)
                .unwrap()
                .if_seq,
            Some(3)
        );
        assert_eq!(done(r#"{"seq":3}"#), Ok(3));
        assert_eq!(
            patch(r#"{"data":{"a":1},"ifSeq":3}"#, id.clone(), instance)
                .unwrap()
                .data
                .text(),
            r#"{"a":1}"#
        );
        assert!(
            patch(r#"{"a":1}"#, id.clone(), instance)
                .unwrap_err()
                .message
                .contains("'data'")
        );
        let retry = on_instance(
            "retry",
            &format!(r#"{{"element":"{instance}-4"}}"#),
            instance,
        );
        assert_eq!(retry, Ok(OnInstance::Retry(ElementKey(4))));
        assert_eq!(on_instance("hold", "{}", instance), Ok(OnInstance::Hold));
        assert!(
            on_instance("skip", "{}", instance).is_err()
                && on_instance("odd", "{}", instance).is_err()
        );
        let check = |found: WireError, part: &str| {
            assert!(found.message.contains(part), "{}", found.message)
        };
        check(start("{}", id.clone()).unwrap_err(), "'process'");
        check(
            start(r#"{"process":"p","dta":{}}"#, id.clone()).unwrap_err(),
            "'dta': write 'data'",
        );
        check(
            run(r#"{"action":"save","instance":"x"}"#, id.clone(), instance).unwrap_err(),
            "'instance': leave it out",
        );
        let odd = format!(r#"{{"\u0000{}":1}}"#, "x".repeat(1_000));
        check(
            on_instance("hold", &odd, instance).unwrap_err(),
            r"there is '\0xxx",
        );
        assert!(
            on_instance("hold", &odd, instance)
                .unwrap_err()
                .message
                .len()
                < 200
        );
        check(
            on_instance("hold", r#"{"reason":"x"}"#, instance).unwrap_err(),
            "expected no fields, but there is 'reason'",
        );
        check(
            start("{\n  \"process\": }", id).unwrap_err(),
            "line 2 column 14",
        );
        check(done("[1]").unwrap_err(), "a JSON object");
        assert_eq!(data(r#" {"a":1} "#).unwrap().text(), r#"{"a":1}"#);
        check(data("[1]").unwrap_err(), "'data'");
        check(data(r#"{},"data":{}"#).unwrap_err(), "'data'");
        check(data("null").unwrap_err(), "'data'");
        assert_eq!(done(&"[".repeat(65)).unwrap_err().code, ErrorCode::TooLarge);
    }
}
