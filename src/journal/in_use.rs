//! How many live instances there are, by version, and how many were started recently: kept with the
//! rows they count, as counting them would read all of them.
//!
//! A change of an instance's row brings what it was counted as before; the store adds up the
//! differences of a batch and writes each count once. Not here: the rows (`listing`).

use std::collections::BTreeMap;

use super::listing::InstanceRow;
use crate::model::ids::Time;

/// A version of a definition that live instances run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionInUse {
    /// Whose it is.
    pub tenant: String,
    /// The definition's id.
    pub process: String,
    /// The version they run.
    pub version: u32,
    /// The hash of its content.
    pub revision: String,
    /// How many instances.
    pub instances: u64,
    /// How many of them have an open incident.
    pub stuck: u64,
    /// How many elements of them have an open incident.
    pub incidents: u64,
}

/// What an instance is counted as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Whether it is live.
    pub live: bool,
    /// How many of its elements have an open incident.
    pub incidents: u32,
    /// The version it ran, when that is another one now: number and revision.
    pub moved_from: Option<Box<(u32, String)>>,
}

impl Counted {
    /// What a row is counted as.
    pub fn of(row: &InstanceRow) -> Self {
        Self {
            live: row.ended_at.is_none(),
            incidents: row.incidents,
            moved_from: None,
        }
    }
}

/// A minute in milliseconds: starts are counted by it.
const MINUTE_MS: i64 = 60_000;
/// For how many minutes starts are counted.
pub const MINUTES: i64 = 24 * 60 + 1;

/// The minute a time is in.
pub fn minute(time: Time) -> i64 {
    time.0.div_euclid(MINUTE_MS)
}

/// When a minute begins.
pub fn beginning(minute: i64) -> Time {
    Time(minute * MINUTE_MS)
}

/// Whose count: tenant, process, version, revision.
type Version<'a> = (&'a str, &'a str, u32, &'a str);

/// The differences of a batch.
#[derive(Default, Debug)]
pub struct CountChanges<'a> {
    /// Instances, stuck ones and incidents, by version.
    pub versions: BTreeMap<Version<'a>, [i64; 3]>,
    /// Starts, by tenant and minute.
    pub started: BTreeMap<(&'a str, i64), i64>,
}

impl<'a> CountChanges<'a> {
    /// Adds what the change of a row means.
    pub fn add(&mut self, row: &'a InstanceRow, before: Option<&'a Counted>) {
        match before {
            Some(before) => {
                let (version, revision) = match &before.moved_from {
                    Some(from) => (from.0, &*from.1),
                    None => (row.version, &*row.revision),
                };
                self.count(row, (version, revision), before, -1);
            }
            None => {
                let started = (&*row.tenant, minute(row.created_at));
                *self.started.entry(started).or_default() += 1;
            }
        }
        let now = Counted::of(row);
        self.count(row, (row.version, &row.revision), &now, 1);
    }

    fn count(
        &mut self,
        row: &'a InstanceRow,
        (version, revision): (u32, &'a str),
        counted: &Counted,
        sign: i64,
    ) {
        if !counted.live {
            return;
        }
        let key = (&*row.tenant, &*row.process, version, revision);
        let [instances, stuck, incidents] = self.versions.entry(key).or_default();
        *instances += sign;
        *stuck += sign * i64::from(counted.incidents > 0);
        *incidents += sign * i64::from(counted.incidents);
    }
}
