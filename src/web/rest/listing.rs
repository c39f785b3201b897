//! Lists for REST and for the pages: who sees which instances, and cursors.

use serde::Deserialize;
use utoipa::IntoParams;

use super::super::http::{app::App, problem::HttpProblem};
use crate::{
    engine::{Rejection, access::Caller, rejection::RejectionKind},
    journal::{ElementCursor, InstanceCursor, InstanceFilter, InstanceRow, PlaceFilter},
    limits,
    model::ids::{ElementKey, InstanceKey, Time},
    session::protocol::code::ErrorCode,
};

/// The instances that a caller may list: operators all of their tenant, others those they started.
///
/// # Errors
/// 403 for the holder of a token for one instance tree.
pub fn visible_to(caller: &Caller) -> Result<InstanceFilter, HttpProblem> {
    if caller.trees.is_some() {
        let sentence = "expected the token of a user, but this one is only valid for one instance \
            and its children";
        return Err(Rejection::new(RejectionKind::Forbidden, sentence).into());
    }
    let started_by = (!caller.operator).then(|| caller.subject.clone());
    Ok(InstanceFilter {
        tenant: Some(caller.tenant.clone()),
        started_by,
        ..InstanceFilter::default()
    })
}

/// Refuses users who may not see the whole tenant.
///
/// # Errors
/// 403 without role operator or admin.
pub fn require_operator(caller: &Caller) -> Result<(), HttpProblem> {
    if caller.operator {
        return Ok(());
    }
    Err(HttpProblem::new(
        ErrorCode::Forbidden,
        "expected role operator or admin, but the token grants neither",
    ))
}

/// The instance to which a list is filtered.
///
/// # Errors
/// 400 for a text that is not a key.
pub fn instance_filter(text: Option<&str>) -> Result<Option<InstanceKey>, HttpProblem> {
    let bad = |_| {
        HttpProblem::new(
            ErrorCode::BadRequest,
            "expected 'instance' to be the key of an instance, but it is another text",
        )
    };
    text.map(|text| text.parse().map_err(bad)).transpose()
}

/// A filter of entries within instances.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PlaceQuery {
    /// Of this process.
    process: Option<String>,
    /// In this instance.
    #[param(format = Uuid)]
    instance: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<usize>,
    /// The `next` of the previous part.
    pub cursor: Option<String>,
}

impl PlaceQuery {
    /// The filter within a tenant.
    ///
    /// # Errors
    /// 400 for an instance that is not a key.
    pub fn filter(self, tenant: String) -> Result<PlaceFilter, HttpProblem> {
        Ok(PlaceFilter {
            tenant,
            instance: instance_filter(self.instance.as_deref())?,
            process: self.process,
        })
    }
}

/// A part of a list.
pub struct InstancePart {
    /// Its rows, newest first.
    pub rows: Vec<InstanceRow>,
    /// The cursor of the next part, if there is one.
    pub next: Option<InstanceCursor>,
}

impl App {
    /// The instances that match a filter, after a cursor.
    ///
    /// # Errors
    /// 500 when the store fails.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: InstanceFilter,
        after: Option<InstanceCursor>,
        limit: usize,
    ) -> Result<InstancePart, HttpProblem> {
        let mut rows = self
            .read(caller, move |reader| {
                reader.instances(&filter, after, limit + 1)
            })
            .await?;
        let next = cut(&mut rows, limit).map(InstanceRow::cursor);
        Ok(InstancePart { rows, next })
    }
}

/// The length of a part, by the request's limit.
///
/// # Errors
/// 400 for 0, and for more than the limit.
pub fn part_length(requested: Option<usize>) -> Result<usize, HttpProblem> {
    length_up_to(limits::LISTED, requested)
}

/// As [`part_length`], for a list with another limit.
///
/// # Errors
/// As [`part_length`].
pub fn length_up_to(maximum: usize, requested: Option<usize>) -> Result<usize, HttpProblem> {
    let requested = requested.unwrap_or(maximum);
    within("limit", requested, maximum, ": ask for the rest by 'next'")
}

/// A number that a parameter gives, at most `maximum`; `advice` is the end of a refusal.
///
/// # Errors
/// 400 for 0, and for more than the maximum.
pub fn within(
    parameter: &str,
    requested: usize,
    maximum: usize,
    advice: &str,
) -> Result<usize, HttpProblem> {
    if (1..=maximum).contains(&requested) {
        return Ok(requested);
    }
    let sentence =
        format!("expected '{parameter}' to be 1 to {maximum}, but it is {requested}{advice}");
    Err(HttpProblem::new(ErrorCode::BadRequest, sentence))
}

/// Removes what was read beyond a part's length to find out whether there is more; returns the last
/// remaining row, if there is more.
pub fn cut<T>(rows: &mut Vec<T>, length: usize) -> Option<&T> {
    let more = rows.len() > length;
    rows.truncate(length);
    rows.last().filter(|_| more)
}

/// A cursor as text.
pub fn write_cursor(cursor: InstanceCursor) -> String {
    format!("{}_{}", cursor.created_at.0, cursor.key)
}

/// Reads a cursor.
///
/// # Errors
/// 400 for any other text.
pub fn read_cursor(text: &str) -> Result<InstanceCursor, HttpProblem> {
    let parse = || {
        let (created_at, key) = text.split_once('_')?;
        Some(InstanceCursor {
            created_at: Time(created_at.parse().ok()?),
            key: key.parse::<InstanceKey>().ok()?,
        })
    };
    parse().ok_or_else(bad_cursor)
}

/// A cursor of elements as text.
pub fn write_element_cursor(cursor: ElementCursor) -> String {
    format!("{}_{}", cursor.at.0, cursor.element.wire(cursor.instance))
}

/// Reads a cursor of elements.
///
/// # Errors
/// 400 for any other text.
pub fn read_element_cursor(text: &str) -> Result<ElementCursor, HttpProblem> {
    let parse = || {
        let (at, element) = text.split_once('_')?;
        let instance = element.get(..36)?.parse::<InstanceKey>().ok()?;
        let element = ElementKey::from_wire(element, instance)?;
        Some(ElementCursor {
            at: Time(at.parse().ok()?),
            instance,
            element,
        })
    };
    parse().ok_or_else(bad_cursor)
}

/// The refusal of a text that is not a cursor.
pub fn bad_cursor() -> HttpProblem {
    HttpProblem::new(
        ErrorCode::BadRequest,
        "expected 'cursor' to be the 'next' of an earlier answer, but it is another text",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let cursor = InstanceCursor {
            created_at: Time(1_700_000_000_000),
            key: InstanceKey(uuid::Uuid::from_u128(7)),
        };
        assert_eq!(read_cursor(&write_cursor(cursor)).unwrap(), cursor);
        assert!(read_cursor("1_2").is_err() && read_cursor("").is_err());
        let cursor = ElementCursor {
            at: Time(1_700_000_000_000),
            instance: cursor.key,
            element: ElementKey(42),
        };
        assert_eq!(
            read_element_cursor(&write_element_cursor(cursor)).unwrap(),
            cursor
        );
        for text in [
            "",
            "1_2",
            "_",
            "1_ä",
            "1_00000000-0000-0000-0000-000000000007-",
        ] {
            assert!(read_element_cursor(text).is_err(), "{text}");
        }
    }
}
