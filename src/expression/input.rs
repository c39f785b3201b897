//! Converts JSON to values of the script engine, with every digit of its numbers and deeply frozen.
//!
//! A whole number beyond those that JavaScript's numbers hold exactly becomes a `BigInt`: it
//! compares correctly with numbers, comes back unchanged, and arithmetic with it and other numbers
//! is an error instead of a rounded result.
//!
//! Not here: the way back (`output`).

use rquickjs::{BigInt, Ctx, Function, Object, Value, object::Property};
use serde_json::{Number, Value as Json};

use super::numerals::MAX_SAFE;

/// `data` as a value of the engine, frozen. `guards` is the result of `guards.js`.
///
/// # Errors
/// The engine runs out of memory.
pub fn write<'js>(
    ctx: &Ctx<'js>,
    data: &Json,
    guards: &Object<'js>,
) -> rquickjs::Result<Value<'js>> {
    let value = copy(ctx, data)?;
    guards
        .get::<_, Function<'_>>("freezeAll")?
        .call::<_, ()>((value.clone(),))?;
    Ok(value)
}

/// `data` as a value of the engine that the script may change.
///
/// # Errors
/// The engine runs out of memory.
pub fn copy<'js>(ctx: &Ctx<'js>, data: &Json) -> rquickjs::Result<Value<'js>> {
    if let Json::Number(number) = data
        && let Some(whole) = Whole::of(number)
    {
        return whole.write(ctx);
    }
    let value = ctx.json_parse(data.to_string())?;
    let mut found = Vec::new();
    find(data, &mut Vec::new(), &mut found);
    for (way, whole) in found {
        replace(ctx, &value, &way, whole)?;
    }
    Ok(value)
}

/// Whether `data` contain a number that becomes a `BigInt`, or a text that may be a number with
/// more digits than a JavaScript number holds.
pub fn has_many_digits(data: &Json) -> bool {
    match data {
        Json::Object(members) => members.values().any(has_many_digits),
        Json::Array(items) => items.iter().any(has_many_digits),
        Json::Number(number) => Whole::of(number).is_some(),
        Json::String(text) => is_long(text),
        Json::Null | Json::Bool(_) => false,
    }
}

/// Whether a text may be a number that JavaScript would round: only long ones and those with an
/// exponent can be.
pub fn is_long(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.'))
        && may_lose_digits(text)
}

/// Whether a number with this text may be rounded when it is read.
pub fn may_lose_digits(text: &str) -> bool {
    text.len() > SAFE_LENGTH || text.contains(['e', 'E'])
}

/// Numbers of at most this many characters, without exponent, are never rounded.
const SAFE_LENGTH: usize = 15;

#[derive(Clone, Copy)]
enum JsonStep<'a> {
    Member(&'a str),
    Item(u32),
}

/// A whole number that a JavaScript number does not hold exactly.
#[derive(Clone, Copy)]
enum Whole {
    Signed(i64),
    Unsigned(u64),
}

impl Whole {
    fn of(number: &Number) -> Option<Self> {
        let is_large = |size: u64| size > MAX_SAFE.cast_unsigned();
        let signed = number.as_i64().map(|whole| {
            let is_large = is_large(whole.unsigned_abs());
            is_large.then_some(Self::Signed(whole))
        });
        signed.unwrap_or_else(|| number.as_u64().map(Self::Unsigned))
    }

    fn write<'js>(self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        Ok(match self {
            Self::Signed(whole) => BigInt::from_i64(ctx.clone(), whole)?,
            Self::Unsigned(whole) => BigInt::from_u64(ctx.clone(), whole)?,
        }
        .into_value())
    }
}

/// Finds these numbers and the path to each.
fn find<'a>(
    data: &'a Json,
    way: &mut Vec<JsonStep<'a>>,
    found: &mut Vec<(Vec<JsonStep<'a>>, Whole)>,
) {
    let mut below = |step, value: &'a Json| {
        way.push(step);
        find(value, way, found);
        way.pop();
    };
    match data {
        Json::Object(members) => members
            .iter()
            .for_each(|(name, value)| below(JsonStep::Member(name), value)),
        Json::Array(items) => (0..)
            .zip(items)
            .for_each(|(index, value)| below(JsonStep::Item(index), value)),
        Json::Number(number) => {
            found.extend(Whole::of(number).map(|whole| (way.clone(), whole)));
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

fn replace<'js>(
    ctx: &Ctx<'js>,
    root: &Value<'js>,
    way: &[JsonStep<'_>],
    whole: Whole,
) -> rquickjs::Result<()> {
    let Some((last, way)) = way.split_last() else {
        return Ok(());
    };
    let mut place = root.clone();
    for step in way {
        let Some(object) = place.as_object() else {
            return Ok(());
        };
        place = match step {
            JsonStep::Member(name) => object.get(*name)?,
            JsonStep::Item(index) => object.get(*index)?,
        };
    }
    let Some(object) = place.as_object() else {
        return Ok(());
    };
    // Defined, not assigned: a member may be named `__proto__`.
    let property = Property::from(whole.write(ctx)?)
        .writable()
        .configurable()
        .enumerable();
    match last {
        JsonStep::Member(name) => object.prop(*name, property),
        JsonStep::Item(index) => object.prop(*index, property),
    }
}
