//! The row of a schedule, as stored. Not here: which times it means (`model::timer_cycle`), who
//! keeps them (`runtime::schedules`).

use crate::model::ids::{InstanceKey, Time};

/// Which schedule it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ScheduleKey {
    /// Whose it is.
    pub tenant: String,
    /// The process it starts.
    pub process: String,
    /// The start event.
    pub node: String,
}

/// Where a schedule is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleRow {
    /// Which.
    pub key: ScheduleKey,
    /// The version of the process that says when.
    pub version: u32,
    /// Its times as text: with another text it begins anew.
    pub expression: String,
    /// When it came into force: what its times are counted from.
    pub begun_at: Time,
    /// The next time to be kept; `None` when there is none.
    pub next_due: Option<Time>,
    /// Whether an operator lets it start anything.
    pub enabled: bool,
    /// How many instances it has started.
    pub fired: u64,
    /// When it last started one.
    pub last_fired: Option<Time>,
    /// The instance it last started.
    pub last_instance: Option<InstanceKey>,
    /// The last time that was left out, as the instance started before was still live.
    pub last_skipped: Option<Time>,
    /// Why its last try started nothing, for people; `None` once one has started again.
    pub last_error: Option<String>,
    /// When that was.
    pub failed_at: Option<Time>,
}

/// A change of the table of schedules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScheduleChange {
    /// Inserts or replaces by key.
    Put(ScheduleRow),
    /// Deletes; one already gone is fine.
    Removed(ScheduleKey),
}
