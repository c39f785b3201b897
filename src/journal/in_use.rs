//! The number of live instances by version, and of recent starts: kept beside the rows that they
//! count, because counting would read all of them.
//!
//! A change of an instance's row contains how it was counted before; the store adds up the
//! differences of a batch and writes each count once. Not here: the rows (`listing`).

use std::collections::BTreeMap;

use super::listing::InstanceRow;
use crate::model::ids::Time;

/// A version of a definition that live instances run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionInUse {
    /// Its tenant.
    pub tenant: String,
    /// The definition's id.
    pub process: String,
    /// The version.
    pub version: u32,
    /// The hash of its content.
    pub revision: String,
    /// The number of instances.
    pub instances: u64,
    /// The number of them with an open incident.
    pub stuck: u64,
    /// The number of elements with an open incident.
    pub incidents: u64,
}

/// How an instance is counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Whether it is live.
    pub live: bool,
    /// The number of its elements with an open incident.
    pub incidents: u32,
    /// The version that it ran before, if it was migrated: number and revision.
    pub moved_from: Option<Box<(u32, String)>>,
}

impl Counted {
    /// How a row is counted.
    pub fn of(row: &InstanceRow) -> Self {
        Self {
            live: row.ended_at.is_none(),
            incidents: row.incidents,
            moved_from: None,
        }
    }
}

/// A minute in milliseconds: starts are counted per minute.
const MINUTE_MS: i64 = 60_000;
/// For how many minutes starts are counted.
pub const MINUTES: i64 = 24 * 60 + 1;

/// The minute of a time.
pub fn minute(time: Time) -> i64 {
    time.0.div_euclid(MINUTE_MS)
}

/// When a minute begins.
pub fn minute_start(minute: i64) -> Time {
    Time(minute * MINUTE_MS)
}

/// The key of a count: tenant, process, version, revision.
type VersionKey<'a> = (&'a str, &'a str, u32, &'a str);

/// The differences of a batch.
#[derive(Default, Debug)]
pub struct CountChanges<'a> {
    /// Instances, stuck ones and incidents, by version.
    pub versions: BTreeMap<VersionKey<'a>, [i64; 3]>,
    /// Starts, by tenant and minute.
    pub started: BTreeMap<(&'a str, i64), i64>,
}

impl<'a> CountChanges<'a> {
    /// Adds the change of a row.
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
