//! Times of schedules that have passed: which of them are made up for.
//!
//! A time is missed if the server was down, or its schedule or process was disabled. A time that
//! passes while the server runs is not missed, however far its clock is moved at once; but the
//! number of such times is limited.
//!
//! # Rationale
//!
//! **Whether a time is missed depends on why nothing could start**, not on how late it is: under a
//! virtual clock everything is late.

use crate::{
    journal::ScheduleRow,
    limits,
    model::{
        executable::ExecutableSchedule, ids::Time, schedule::MisfirePolicy,
        timer_cycle::Occurrences,
    },
};

/// Continues a schedule after a stop: its rule says which of the times since then are made up for.
pub(super) fn catch_up(row: &mut ScheduleRow, schedule: &ExecutableSchedule, now: Time) {
    if let Some(due) = row.next_due {
        row.next_due = after(schedule, due, row.begun_at, now);
    }
}

/// The next time of a schedule that continues at `now` and had `due` as its next time.
fn after(schedule: &ExecutableSchedule, due: Time, begun: Time, now: Time) -> Option<Time> {
    let occurrences = &schedule.occurrences;
    if due >= now {
        return Some(due);
    }
    match schedule.written.missed {
        MisfirePolicy::Once => Some(
            occurrences
                .latest(now.before(), begun)
                .map_or(due, |latest| latest.max(due)),
        ),
        MisfirePolicy::Skip => occurrences.next(now.before(), begun),
        MisfirePolicy::All => Some(newest(occurrences, due, begun, now.before())),
    }
}

/// The first of the newest times between `due` and `until` that are all started.
pub(super) fn newest(occurrences: &Occurrences, due: Time, begun: Time, until: Time) -> Time {
    let is_last = |time: Time| {
        occurrences
            .next(time, begun)
            .is_none_or(|next| next > until)
    };
    if is_last(due) {
        return due;
    }
    let earlier = |time: &Time| occurrences.latest(time.before(), begun);
    let times = std::iter::successors(occurrences.latest(until, begun), earlier);
    times
        .take(limits::SCHEDULE_BACKLOG)
        .take_while(|time| *time >= due)
        .last()
        .unwrap_or(due)
}
