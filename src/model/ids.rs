//! Keys and times: the generated identities of instances and element instances, and the only unit
//! of time.
//!
//! Not here: names written by the modeller (node ids, action names), which are plain strings. How
//! an instance key is derived from a start command: `runtime::keys`.
//!
//! # Rationale
//!
//! **Element keys on the wire are `<instance>-<number>`**: globally unique without a second id,
//! and readable.

use std::{fmt, str::FromStr};

use jiff::{Zoned, tz::TimeZone};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The generated key of a process instance: UUIDv7-shaped, its last byte is the
/// [partition](InstanceKey::partition).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceKey(pub Uuid);

impl InstanceKey {
    /// The partition (0–255) this instance belongs to; children share their parent's.
    pub fn partition(self) -> u8 {
        self.0.as_bytes()[15]
    }
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for InstanceKey {
    type Err = uuid::Error;
    /// Reads the hyphenated form.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// An element instance within one process instance: the seq of the record that activated it, so
/// unique, but with gaps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ElementKey(pub u64);

impl ElementKey {
    /// The globally unique wire form, `<instance key>-<number>`.
    pub fn wire(self, instance: InstanceKey) -> String {
        format!("{instance}-{}", self.0)
    }

    /// Reads the wire form back; `None` when it is malformed or names another instance.
    pub fn from_wire(text: &str, instance: InstanceKey) -> Option<Self> {
        let (key, number) = text.split_at_checked(36)?;
        if key.parse::<InstanceKey>().ok()? != instance {
            return None;
        }
        number.strip_prefix('-')?.parse().ok().map(Self)
    }
}

/// A point in process time: milliseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// This time plus a calendar span, in UTC; `None` if the result is out of range.
    pub fn plus(self, span: &jiff::Span) -> Option<Time> {
        self.plus_in(span, &TimeZone::UTC)
    }

    /// The first time after this one that matches a cron expression, in UTC; `None` if there is
    /// none.
    pub fn next(self, cron: &croner::Cron) -> Option<Time> {
        self.next_in(cron, &TimeZone::UTC)
    }

    /// As [`Self::plus`], with days and months on the calendar of a time zone.
    pub fn plus_in(self, span: &jiff::Span, zone: &TimeZone) -> Option<Time> {
        self.in_zone(zone)?.checked_add(*span).ok().map(Time::from)
    }

    /// As [`Self::next`], on the clocks of a time zone.
    pub fn next_in(self, cron: &croner::Cron, zone: &TimeZone) -> Option<Time> {
        cron.find_next_occurrence(&self.in_zone(zone)?, false)
            .ok()
            .map(Time::from)
    }

    /// The last time up to and including this one that matches a cron expression on the clocks of a
    /// time zone.
    pub fn latest_in(self, cron: &croner::Cron, zone: &TimeZone) -> Option<Time> {
        cron.find_previous_occurrence(&self.in_zone(zone)?, true)
            .ok()
            .map(Time::from)
    }

    /// The millisecond before.
    pub fn before(self) -> Time {
        Time(self.0.saturating_sub(1))
    }

    fn in_zone(self, zone: &TimeZone) -> Option<Zoned> {
        Some(self.timestamp()?.to_zoned(zone.clone()))
    }

    /// The last representable time, at the end of the year 9999.
    pub fn last() -> Self {
        Self(jiff::Timestamp::MAX.as_millisecond())
    }

    fn timestamp(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_millisecond(self.0).ok()
    }
}

impl From<Zoned> for Time {
    fn from(zoned: Zoned) -> Self {
        Self(zoned.timestamp().as_millisecond())
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC with milliseconds, `2026-11-21T09:30:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.timestamp() {
            Some(timestamp) => write!(f, "{timestamp:.3}"),
            None => write!(f, "{}ms", self.0),
        }
    }
}
