//! The times of a schedule, compiled once at deploy.
//!
//! A cron expression follows the clocks of its time zone. When they are set forward, an expression
//! with one fixed time of day is due right after the gap, and any other skips the gap; when they
//! are set back, the former is due once, at the earlier of the two times, and the latter in both
//! hours. Intervals are counted from their beginning, not from the previous time, so months do not
//! drift: days and months on the zone's calendar, hours and less exactly.
//!
//! Not here: which times have been started (`runtime::schedules`).

use croner::Cron;
use jiff::{Span, tz::TimeZone};

use super::{
    cron,
    ids::Time,
    moment,
    schedule::{Schedule, When},
};
use crate::duration;

/// The shortest interval, in milliseconds: that of a cron expression with seconds.
const SHORTEST: i64 = 1_000;

/// The times of a schedule. Those without a beginning of their own are counted from the beginning
/// of the schedule.
#[derive(Debug)]
pub enum Occurrences {
    /// Whenever the clocks of the zone match.
    Cron(Box<Cron>, TimeZone),
    /// Repeatedly, at an interval.
    Interval(Interval),
    /// Once.
    At(Time),
    /// Once, this long after its beginning.
    After(Span, TimeZone),
    /// At no time; whenever the server starts.
    Startup,
    /// At the times of each; equal times count once.
    Each(Vec<Self>),
}

/// An ISO 8601 repeating interval.
#[derive(Debug)]
pub struct Interval {
    times: Option<u32>,
    /// Its first time; if absent, the first is one interval after the beginning.
    from: Option<Time>,
    every: Span,
    zone: TimeZone,
}

impl Occurrences {
    /// Compiles the times of a schedule.
    ///
    /// # Errors
    /// The mistake in the time, as a sentence.
    pub fn compile(schedule: &Schedule) -> Result<Self, String> {
        let one = |when| Self::compile_one(when, schedule.time_zone.as_deref());
        match &schedule.when[..] {
            [] => Err("expected a time, but there is none; write one".to_owned()),
            [when] => one(when),
            several => several
                .iter()
                .map(one)
                .collect::<Result<_, _>>()
                .map(Self::Each),
        }
    }

    fn compile_one(when: &When, time_zone: Option<&str>) -> Result<Self, String> {
        let zone = zone(time_zone)?;
        Self::of(when, &zone).map_err(|sentence| misplaced(when, &zone).unwrap_or(sentence))
    }

    fn of(when: &When, zone: &TimeZone) -> Result<Self, String> {
        let of_zone = || zone.clone();
        let compiled = match when {
            When::Cycle(text) if text.trim_start().starts_with('R') => {
                Self::Interval(Interval::compile(text.trim(), of_zone())?)
            }
            When::Cycle(text) => Self::Cron(Box::new(cron(text)?), of_zone()),
            // Other engines allow a duration in place of a date.
            When::Date(text) if !text.trim_start().starts_with('P') => Self::At(date(text, zone)?),
            When::Duration(text) | When::Date(text) => {
                let span = span(text)?;
                let due = Time(0).plus_in(&span, zone);
                if due.ok_or_else(|| too_long("duration", text))? < Time(0) {
                    return Err(format!(
                        "expected a duration that is not negative, such as PT1H, but got \
                        `{text}`; correct it"
                    ));
                }
                Self::After(span, of_zone())
            }
            When::Startup => return Ok(Self::Startup),
        };
        match compiled.first(Time(0)) {
            Some(_) => Ok(compiled),
            None => Err(
                "expected a time that occurs, but no time since 1970 matches; correct it"
                    .to_owned(),
            ),
        }
    }

    /// The first time of a schedule that begins at `begun`. Earlier times do not count.
    pub fn first(&self, begun: Time) -> Option<Time> {
        match self {
            Self::After(span, zone) => begun.plus_in(span, zone),
            Self::Each(all) => all.iter().filter_map(|one| one.first(begun)).min(),
            Self::Cron(..) | Self::Interval(_) | Self::At(_) | Self::Startup => {
                self.next(begun, begun)
            }
        }
    }

    /// The first time after `after`.
    pub fn next(&self, after: Time, begun: Time) -> Option<Time> {
        match self {
            Self::Cron(cron, zone) => after.next_in(cron, zone),
            Self::Interval(interval) => interval.due(interval.first_after(after, begun), begun),
            Self::At(time) => Some(*time).filter(|time| *time > after),
            Self::After(span, zone) => begun.plus_in(span, zone).filter(|time| *time > after),
            Self::Startup => None,
            Self::Each(all) => {
                let next = all.iter().filter_map(|one| one.next(after, begun));
                next.min()
            }
        }
    }

    /// The last time up to and including `until`; it may be before the beginning.
    pub fn latest(&self, until: Time, begun: Time) -> Option<Time> {
        match self {
            Self::Cron(cron, zone) => until.latest_in(cron, zone),
            Self::Interval(interval) => interval
                .first_after(until, begun)
                .checked_sub(1)
                .and_then(|n| interval.due(n, begun)),
            Self::At(time) => Some(*time).filter(|time| *time <= until),
            Self::After(span, zone) => begun.plus_in(span, zone).filter(|time| *time <= until),
            Self::Startup => None,
            Self::Each(all) => {
                let latest = all.iter().filter_map(|one| one.latest(until, begun));
                latest.max()
            }
        }
    }
}

impl Interval {
    /// Its length in milliseconds; that of a calendar interval as of 1970.
    pub fn millis(&self) -> i64 {
        Time(0)
            .plus_in(&self.every, &self.zone)
            .map_or(0, |end| end.0)
    }

    fn compile(text: &str, zone: TimeZone) -> Result<Self, String> {
        let wrong = || {
            format!(
                "expected a repeating interval such as R/PT30S or R5/2026-01-01T00:00:00Z/P1D, \
                but got `{text}`; correct it"
            )
        };
        let parts: Vec<&str> = text.split('/').collect();
        let (times, from, every) = match parts[..] {
            [times, every] => (times, None, every),
            [times, from, every] => (times, Some(date(from, &zone)?), every),
            _ => return Err(wrong()),
        };
        let times = match times.strip_prefix('R') {
            Some("") => None,
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| wrong())?)
            }
            _ => return Err(wrong()),
        };
        if times == Some(0) {
            return Err(format!(
                "expected an interval that occurs at least once, but `{text}` never does; correct \
                the number"
            ));
        }
        let written = every;
        let every = span(written)?;
        let begin = from.unwrap_or(Time(0));
        let due = begin.plus_in(&every, &zone);
        let millis = due.ok_or_else(|| too_long("interval", written))?.0 - begin.0;
        if millis < SHORTEST {
            return Err(format!(
                "expected an interval of a second or more, but got `{text}`; make it longer"
            ));
        }
        Ok(Self {
            times,
            from,
            every,
            zone,
        })
    }

    /// The time with this number, from 0; `None` after the last.
    fn due(&self, number: u64, begun: Time) -> Option<Time> {
        if self.times.is_some_and(|times| number >= times.into()) {
            return None;
        }
        let (origin, intervals) = match self.from {
            Some(from) => (from, number),
            None => (begun, number.checked_add(1)?),
        };
        origin.plus_in(
            &self
                .every
                .checked_mul(i64::try_from(intervals).ok()?)
                .ok()?,
            &self.zone,
        )
    }

    /// The number of the first time after this one, or the one after the last.
    fn first_after(&self, time: Time, begun: Time) -> u64 {
        let has_passed = |number| self.due(number, begun).is_some_and(|due| due <= time);
        if !has_passed(0) {
            return 0;
        }
        // Ends, because times end with the calendar.
        let (mut come, mut open) = (0, 1);
        while has_passed(open) {
            (come, open) = (open, open.saturating_mul(2));
        }
        while open - come > 1 {
            let middle = come + (open - come) / 2;
            if has_passed(middle) {
                come = middle
            } else {
                open = middle
            }
        }
        open
    }
}

/// The mistake of a text that is a time of another kind than it is written as.
fn misplaced(when: &When, zone: &TimeZone) -> Option<String> {
    let (wanted, text) = match when {
        When::Cycle(text) => ("cycle", text),
        When::Date(text) => ("date", text),
        When::Duration(text) => ("duration", text),
        When::Startup => return None,
    };
    let others = [
        ("cycle", "timeCycle", When::Cycle(text.clone())),
        ("duration", "timeDuration", When::Duration(text.clone())),
        ("date", "timeDate", When::Date(text.clone())),
    ];
    let fits = |(_, _, when): &&(&str, &str, When)| Occurrences::of(when, zone).is_ok();
    let (kind, element, _) = others.iter().find(fits)?;
    Some(format!(
        "expected a {wanted}, but `{text}` is a {kind}; write it as a {kind} (`{element}` in XML)"
    ))
}

fn too_long(what: &str, text: &str) -> String {
    format!(
        "expected {} {what} that ends before the year 10000, but `{text}` is longer; make it \
        shorter",
        if what.starts_with('i') { "an" } else { "a" }
    )
}

fn zone(name: Option<&str>) -> Result<TimeZone, String> {
    let Some(name) = name else {
        return Ok(TimeZone::UTC);
    };
    TimeZone::get(name)
        .ok()
        .filter(|zone| !zone.is_unknown())
        .ok_or_else(|| {
            format!(
                "expected the IANA name of a time zone such as Europe/Berlin, but \
            got `{name}`; correct it"
            )
        })
}

fn cron(text: &str) -> Result<Cron, String> {
    cron::read(text).map(|reading| reading.cron).map_err(|error| {
        format!(
            "expected a cron expression such as `0 2 * * MON-FRI`, or a repeating interval such \
            as R/PT30S, but `{text}` is neither: {error}; correct it"
        )
    })
}

fn span(text: &str) -> Result<Span, String> {
    duration::parse(text.trim()).map_err(|error| {
        format!("expected an ISO 8601 duration such as PT1H, but {error}; correct it")
    })
}

/// A time with its offset, or a local time of the zone: in a gap it is shifted forward, of two
/// times the earlier counts.
fn date(text: &str, zone: &TimeZone) -> Result<Time, String> {
    let text = text.trim();
    // A year or a month, as ISO 8601 allows, is its beginning.
    let begins = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let at = moment::parse(&begins, zone).map(|at| Time(at.as_millisecond()));
    at.ok_or_else(|| {
        format!(
            "expected an ISO 8601 time such as 2026-01-01T08:00:00Z, but got `{text}`; correct it"
        )
    })
}

#[cfg(test)]
mod tests;
