//! Lists of instances for REST and for the pages: who sees which, and where a list goes on.

use super::{app::App, problem::Problem};
use crate::{
    engine::{Rejection, access::Caller, rejection::RejectionKind},
    journal::{InstanceCursor, InstanceFilter, InstanceRow},
    model::ids::{InstanceKey, Time},
    session::frames::code::ErrorCode,
};

/// What a caller may list: operators all of their tenant, others what they started.
///
/// # Errors
/// 403 for the holder of a token that is good for one instance tree only.
pub fn visible_to(caller: &Caller) -> Result<InstanceFilter, Problem> {
    if caller.trees.is_some() {
        let sentence = "expected the token of a user, but this one is good for one instance and its children only";
        return Err(Rejection::new(RejectionKind::Forbidden, sentence).into());
    }
    let started_by = (!caller.operator).then(|| caller.subject.clone());
    Ok(InstanceFilter { tenant: Some(caller.tenant.clone()), started_by, ..InstanceFilter::default() })
}

/// A part of a list.
pub struct Part {
    /// Its rows, newest first.
    pub rows: Vec<InstanceRow>,
    /// Where it goes on, when it does.
    pub next: Option<InstanceCursor>,
}

impl App {
    /// The instances that fit a filter, from a cursor on.
    ///
    /// # Errors
    /// 500 when the store fails.
    pub async fn list(&self, filter: InstanceFilter, after: Option<InstanceCursor>, limit: usize) -> Result<Part, Problem> {
        let mut rows = self.read(move |reader| reader.instances(&filter, after, limit + 1)).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(InstanceRow::cursor);
        Ok(Part { rows, next })
    }
}

/// A cursor as text for an address.
pub fn write_cursor(cursor: InstanceCursor) -> String {
    format!("{}_{}", cursor.created_at.0, cursor.key)
}

/// Reads a cursor back.
///
/// # Errors
/// 400 for any other text.
pub fn read_cursor(text: &str) -> Result<InstanceCursor, Problem> {
    let parse = || {
        let (created_at, key) = text.split_once('_')?;
        Some(InstanceCursor { created_at: Time(created_at.parse().ok()?), key: key.parse::<InstanceKey>().ok()? })
    };
    parse().ok_or_else(|| {
        let sentence = "expected 'cursor' to be the 'next' of an earlier answer, but it is another text";
        Problem::new(ErrorCode::BadRequest, sentence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let cursor = InstanceCursor { created_at: Time(1_700_000_000_000), key: InstanceKey(uuid::Uuid::from_u128(7)) };
        assert_eq!(read_cursor(&write_cursor(cursor)).unwrap(), cursor);
        assert!(read_cursor("1_2").is_err() && read_cursor("").is_err());
    }
}
