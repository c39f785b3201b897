//! The field of the `clock` frame: by how much, or to which time, the process time moves.

use super::fields::{Fields, Sentence, quoted};
use crate::{duration, model::ids::Time};

/// How the process time moves; it never goes back.
#[derive(Debug)]
pub enum ClockMove {
    /// By a duration, counted in UTC.
    Advance(jiff::Span),
    /// To a time.
    Set(Time),
}

pub(super) fn clock_move(fields: &Fields<'_>) -> Result<ClockMove, Sentence> {
    match (fields.text("advance")?, fields.text("set")?) {
        (Some(advance), None) => {
            let span = duration::parse(&advance)
                .ok()
                .filter(|span| !span.is_negative());
            span.map(ClockMove::Advance).ok_or_else(|| {
                let found = quoted(&advance);
                format!(
                    "expected 'advance' to be an ISO 8601 duration like PT30S, but it is {found}"
                )
            })
        }
        (None, Some(set)) => set
            .parse()
            .map(|time: jiff::Timestamp| ClockMove::Set(Time(time.as_millisecond())))
            .map_err(|_| {
                let found = quoted(&set);
                format!(
                    "expected 'set' to be a moment like 2030-01-01T00:00:00Z, at most \
                    9999-12-30T22:00:00Z, but it is {found}"
                )
            }),
        _ => {
            Err("expected one of the fields 'advance' and 'set', but there is none or both".into())
        }
    }
}
