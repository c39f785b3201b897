//! Times that have passed: what of them is made up for.
//!
//! A time is missed when the server was down, or its schedule or process was disabled. What passes
//! while the server runs is not missed, however far its clock is moved at once, but bounded.
//!
//! # Why so
//!
//! **What is missed is judged by why nothing could start**, not by how late it is: under a
//! virtual clock everything is late.

use crate::{
    journal::ScheduleRow,
    limits,
    model::{
        executable::ExecutableSchedule, ids::Time, schedule::MisfirePolicy,
        timer_cycle::Occurrences,
    },
};

/// Goes on from where it stopped: what of the times since then is made up for is said by its rule.
pub(super) fn catch_up(row: &mut ScheduleRow, schedule: &ExecutableSchedule, now: Time) {
    if let Some(due) = row.next_due {
        row.next_due = after(schedule, due, row.begun_at, now);
    }
}

/// The next time to keep of a schedule that continues `now` and was to keep `due` next.
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

/// The first of the newest times from `due` until `until` that are kept each.
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
