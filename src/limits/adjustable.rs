//! What a limit is that an operator may set by its name: `--limits tickets=20000`.
//!
//! Such a limit belongs to the process: its value is set once, before the server starts
//! ([`Adjustments::apply`]), and read wherever it applies ([`Adjustable::get`]), which costs one
//! atomic load. Its name is that of its constant, in the notation of options. Not here: the limits
//! themselves (`by_name`), those with an option of their own (`settings`), and those that are the
//! same on every server, because definitions, logs or clients depend on them (`limits`).

use std::{
    fmt,
    marker::PhantomData,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::{by_name, quota};
use crate::{duration, text::spelling};

/// A limit may be set to a hundredth of its default at least, and to a hundred times it at most.
const RANGE: u64 = 100;

/// A limit of this process that an operator may set by its name.
pub struct Adjustable<U> {
    constant: &'static str,
    default: u64,
    now: AtomicU64,
    unit: PhantomData<U>,
}

/// What a limit is counted in.
pub trait Unit: Sync {
    /// The type in which the program uses it.
    type Value;
    /// What is expected of a value, with an example.
    const EXPECTED: &'static str;
    /// The value of so many units.
    fn value(units: u64) -> Self::Value;
    /// Reads the units of a value, as an operator writes it.
    fn read(text: &str) -> Option<u64>;
    /// The value as an operator may write it.
    fn written(units: u64) -> String;
}

/// A number of things.
pub struct Number;
/// Bytes.
pub struct Bytes;
/// A time, in whole seconds.
pub struct Seconds;
/// A time, in whole milliseconds.
pub struct Millis;

impl Unit for Number {
    type Value = usize;
    const EXPECTED: &'static str = "a whole number such as 64";

    fn value(units: u64) -> usize {
        usize::try_from(units).unwrap_or(usize::MAX)
    }

    fn read(text: &str) -> Option<u64> {
        text.parse().ok()
    }

    fn written(units: u64) -> String {
        units.to_string()
    }
}

impl Unit for Bytes {
    type Value = usize;
    const EXPECTED: &'static str = "a number of bytes such as 65536, 64KiB or 16MiB";

    fn value(units: u64) -> usize {
        Number::value(units)
    }

    fn read(text: &str) -> Option<u64> {
        quota::amount(text)
    }

    fn written(units: u64) -> String {
        quota::written_bytes(units)
    }
}

impl Unit for Seconds {
    type Value = Duration;
    const EXPECTED: &'static str = "a duration of whole seconds such as PT30S or 30s";

    fn value(units: u64) -> Duration {
        Duration::from_secs(units)
    }

    fn read(text: &str) -> Option<u64> {
        let length = duration_of(text)?;
        (length.subsec_nanos() == 0).then_some(length.as_secs())
    }

    fn written(units: u64) -> String {
        format!("{units}s")
    }
}

impl Unit for Millis {
    type Value = Duration;
    const EXPECTED: &'static str = "a duration of whole milliseconds such as PT0.1S or 100ms";

    fn value(units: u64) -> Duration {
        Duration::from_millis(units)
    }

    fn read(text: &str) -> Option<u64> {
        let length = duration_of(text)?;
        (length.subsec_nanos() % 1_000_000 == 0)
            .then(|| u64::try_from(length.as_millis()).ok())
            .flatten()
    }

    fn written(units: u64) -> String {
        format!("{units}ms")
    }
}

/// A duration in ISO 8601, or in a short form such as `30s`.
fn duration_of(text: &str) -> Option<Duration> {
    let span = duration::parse(text).ok().or_else(|| text.parse().ok())?;
    duration::length(&span).ok()
}

impl<U: Unit> Adjustable<U> {
    /// A limit whose constant has this name.
    pub(super) const fn new(constant: &'static str, default: u64) -> Self {
        Self {
            constant,
            default,
            now: AtomicU64::new(default),
            unit: PhantomData,
        }
    }

    /// Its value in this process.
    pub fn get(&self) -> U::Value {
        U::value(self.now.load(Ordering::Relaxed))
    }
}

/// An [`Adjustable`] of any unit.
pub(super) trait Named: Sync {
    /// Its name for operators.
    fn name(&self) -> String;
    /// The units of its default.
    fn default(&self) -> u64;
    /// Reads a value for it.
    ///
    /// # Errors
    /// A sentence that says which values it may have.
    fn read(&self, text: &str) -> Result<u64, String>;
    /// The units of its value in this process.
    fn units(&self) -> u64;
    /// So many units as an operator may write them.
    fn written(&self, units: u64) -> String;
    /// Sets it in this process.
    fn set(&self, units: u64);
}

impl<U: Unit> Named for Adjustable<U> {
    fn name(&self) -> String {
        self.constant.to_lowercase().replace('_', "-")
    }

    fn default(&self) -> u64 {
        self.default
    }

    fn read(&self, text: &str) -> Result<u64, String> {
        let (least, most) = ((self.default / RANGE).max(1), self.default * RANGE);
        let value = U::read(text.trim()).filter(|value| (least..=most).contains(value));
        value.ok_or_else(|| {
            format!(
                "expected {} from {} to {} for the limit {}, whose default is {}, but it is \
                 '{text}'",
                U::EXPECTED,
                U::written(least),
                U::written(most),
                self.name(),
                U::written(self.default),
            )
        })
    }

    fn units(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    fn written(&self, units: u64) -> String {
        U::written(units)
    }

    fn set(&self, units: u64) {
        self.now.store(units, Ordering::Relaxed);
    }
}

/// Values for some limits, checked: they are within their range and contradict no other limit.
#[derive(Clone, Default)]
pub struct Adjustments(Vec<(&'static dyn Named, u64)>);

impl Adjustments {
    /// Reads values written as `NAME=VALUE`; of two for one limit the later one counts.
    ///
    /// # Errors
    /// A sentence for the first one that is wrong, or for two limits that contradict each other.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut read = Vec::new();
        for text in texts {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                format!("expected NAME=VALUE such as tickets=20000, but it is '{text}'")
            })?;
            let limit = named(name.trim())?;
            read.push((limit, limit.read(value)?));
        }
        let adjustments = Self(read);
        by_name::check(&adjustments)?;
        Ok(adjustments)
    }

    /// All limits of this process that differ from their default, as [`Self::read`] reads them: for a
    /// process that works for this one.
    pub fn in_force() -> Vec<String> {
        let changed = by_name::ALL
            .iter()
            .filter(|limit| limit.units() != limit.default());
        changed
            .map(|limit| format!("{}={}", limit.name(), limit.written(limit.units())))
            .collect()
    }

    /// The value that a limit would have with these adjustments.
    pub(super) fn units(&self, limit: &dyn Named) -> u64 {
        let name = limit.name();
        let of_limit = self.0.iter().rev().find(|(other, _)| other.name() == name);
        of_limit.map_or_else(|| limit.units(), |(_, units)| *units)
    }

    /// That value as an operator may write it.
    pub(super) fn written(&self, limit: &dyn Named) -> String {
        limit.written(self.units(limit))
    }

    /// Sets these limits for this process. To be called before anything reads them: some are read
    /// only once.
    pub fn apply(&self) {
        for (limit, units) in &self.0 {
            limit.set(*units);
        }
    }
}

impl fmt::Debug for Adjustments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.0.iter().map(|(limit, units)| (limit.name(), units));
        f.debug_map().entries(named).finish()
    }
}

fn named(name: &str) -> Result<&'static dyn Named, String> {
    let found = by_name::ALL.iter().find(|limit| limit.name() == name);
    found.copied().ok_or_else(|| {
        let names: Vec<String> = by_name::ALL.iter().map(|limit| limit.name()).collect();
        let near = spelling::nearest(name, names.iter().map(String::as_str));
        let hint = near.map_or_else(
            || "docs/limits.md lists them".to_owned(),
            |near| format!("write {near}"),
        );
        format!("expected the name of a limit, but '{name}' is none: {hint}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn wrong(texts: &[&str]) -> String {
        Adjustments::read(texts.iter().copied()).unwrap_err()
    }

    #[test]
    fn values_are_read_in_their_units() {
        let texts = [
            "tickets=20000",
            "json-memory = 32MiB",
            "hello=PT20S",
            "script-time=250ms",
            "tickets=30000",
        ];
        let read = Adjustments::read(texts).unwrap();
        assert_eq!(read.units(&limits::TICKETS), 30_000);
        assert_eq!(read.units(&limits::JSON_MEMORY), 32 << 20);
        assert_eq!(read.units(&limits::HELLO), 20);
        assert_eq!(read.units(&limits::SCRIPT_TIME), 250);
        assert_eq!(read.units(&limits::LISTS), 16);
        assert_eq!(limits::TICKETS.get(), 10_000, "nothing is applied yet");
    }

    #[test]
    fn what_is_no_limit_or_no_value_is_refused_with_what_was_expected() {
        for (text, sentence) in [
            (
                "tickets",
                "expected NAME=VALUE such as tickets=20000, but it is 'tickets'",
            ),
            (
                "ticket=5",
                "expected the name of a limit, but 'ticket' is none: write tickets",
            ),
            (
                "beauty=5",
                "expected the name of a limit, but 'beauty' is none: docs/limits.md lists them",
            ),
            (
                "tickets=99",
                "expected a whole number such as 64 from 100 to 1000000 for the limit tickets, \
                whose default is 10000, but it is '99'",
            ),
            (
                "hello=1.5s",
                "expected a duration of whole seconds such as PT30S or 30s from 1s to 1000s for \
                the limit hello, whose default is 10s, but it is '1.5s'",
            ),
            (
                "trial-bytes=1TB",
                "expected a number of bytes such as 65536, 64KiB or 16MiB from 335544 to 3200MiB \
                for the limit trial-bytes, whose default is 32MiB, but it is '1TB'",
            ),
        ] {
            assert_eq!(wrong(&[text]), sentence);
        }
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        let sentence = wrong(&["tickets-per-user=20000"]);
        assert_eq!(
            sentence,
            "expected that the limit tickets-per-user=20000 is at most tickets=10000: change one \
            of the two"
        );
        assert!(Adjustments::read(["tickets-per-user=20000", "tickets=20000"]).is_ok());
        let sentence = wrong(&["subscriptions=2000", "subscriptions-in-all=300000"]);
        assert_eq!(
            sentence,
            "expected that the limit subscriptions=2000 is at most 1000: a client resumes them in \
            one message"
        );
        assert!(wrong(&["subscriptions=20"]).contains("is at least 72"));
    }

    #[test]
    fn the_defaults_contradict_nothing_and_are_read_back() {
        assert!(by_name::check(&Adjustments::default()).is_ok());
        assert!(Adjustments::in_force().is_empty());
        for limit in by_name::ALL {
            let written = limit.written(limit.default());
            assert_eq!(
                limit.read(&written),
                Ok(limit.default()),
                "{}",
                limit.name()
            );
        }
    }

    #[test]
    fn every_limit_by_name_is_documented_with_its_default() {
        let page = include_str!("../../docs/limits.md");
        for limit in by_name::ALL {
            let row = format!(
                "| `{}` | {} |",
                limit.name(),
                limit.written(limit.default())
            );
            assert_eq!(
                page.matches(&row).count(),
                1,
                "expected docs/limits.md to have one row that begins with {row}"
            );
        }
    }
}
