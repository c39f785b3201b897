//! Puts JSON into the script engine, with every digit of its numbers and frozen to its depths.
//!
//! A whole number beyond those that JavaScript's numbers hold exactly becomes a `BigInt`: it
//! compares with numbers as it should, comes back as it went in, and to compute with it beside
//! other numbers is an error instead of a rounded result.
//!
//! Not here: the way back (`output`).

use rquickjs::{BigInt, Ctx, Function, Object, Value, object::Property};
use serde_json::Value as Json;

use super::numerals::MAX_SAFE;

/// `data` in the engine. `guards` is what `guards.js` gave.
///
/// # Errors
/// The engine has no room for it.
pub fn write<'js>(
    ctx: &Ctx<'js>,
    data: &Json,
    guards: &Object<'js>,
) -> rquickjs::Result<Value<'js>> {
    let value = ctx.json_parse(data.to_string())?;
    let mut found = Vec::new();
    find(data, &mut Vec::new(), &mut found);
    for (way, whole) in found {
        replace(ctx, &value, &way, whole)?;
    }
    guards
        .get::<_, Function<'_>>("freezeAll")?
        .call::<_, ()>((value.clone(),))?;
    Ok(value)
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Item(u32),
}

/// A whole number that a number of JavaScript does not hold.
#[derive(Clone, Copy)]
enum Whole {
    Signed(i64),
    Unsigned(u64),
}

/// Finds these numbers, and the way to each.
fn find<'a>(data: &'a Json, way: &mut Vec<Step<'a>>, found: &mut Vec<(Vec<Step<'a>>, Whole)>) {
    let mut below = |step, value: &'a Json| {
        way.push(step);
        find(value, way, found);
        way.pop();
    };
    match data {
        Json::Object(members) => members
            .iter()
            .for_each(|(name, value)| below(Step::Member(name), value)),
        Json::Array(items) => (0..)
            .zip(items)
            .for_each(|(index, value)| below(Step::Item(index), value)),
        Json::Number(number) => {
            let whole = number
                .as_i64()
                .map(Whole::Signed)
                .or_else(|| number.as_u64().map(Whole::Unsigned));
            let is_large = |whole: &Whole| match whole {
                Whole::Signed(whole) => whole.unsigned_abs() > MAX_SAFE as u64,
                Whole::Unsigned(whole) => *whole > MAX_SAFE as u64,
            };
            found.extend(whole.filter(is_large).map(|whole| (way.clone(), whole)));
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

fn replace<'js>(
    ctx: &Ctx<'js>,
    root: &Value<'js>,
    way: &[Step<'_>],
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
            Step::Member(name) => object.get(*name)?,
            Step::Item(index) => object.get(*index)?,
        };
    }
    let Some(object) = place.as_object() else {
        return Ok(());
    };
    let whole = match whole {
        Whole::Signed(whole) => BigInt::from_i64(ctx.clone(), whole)?,
        Whole::Unsigned(whole) => BigInt::from_u64(ctx.clone(), whole)?,
    };
    // Defined, not set: a member may be called `__proto__`.
    let property = Property::from(whole).writable().configurable().enumerable();
    match last {
        Step::Member(name) => object.prop(*name, property),
        Step::Item(index) => object.prop(*index, property),
    }
}
