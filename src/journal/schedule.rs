//! The stored row of a schedule. Not here: its times (`model::timer_cycle`), the starts
//! (`runtime::schedules`).

use crate::model::ids::{InstanceKey, Time};

/// The identity of a schedule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ScheduleKey {
    /// Its tenant.
    pub tenant: String,
    /// The process it starts.
    pub process: String,
    /// The start event.
    pub node: String,
}

/// The state of a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleRow {
    /// Which.
    pub key: ScheduleKey,
    /// The version of the process that defines its times.
    pub version: u32,
    /// The expression of its times: with another one it starts over.
    pub expression: String,
    /// When it began: its times are counted from here.
    pub begun_at: Time,
    /// The next time; `None` if there is none.
    pub next_due: Option<Time>,
    /// Whether it is enabled by operators.
    pub enabled: bool,
    /// How many instances it has started.
    pub fired: u64,
    /// When it last started one.
    pub last_fired: Option<Time>,
    /// The instance it last started.
    pub last_instance: Option<InstanceKey>,
    /// The last time that was left out because the instance started before was still live.
    pub last_skipped: Option<Time>,
    /// Why its last start failed, for people; `None` once one has succeeded again.
    pub last_error: Option<String>,
    /// When it failed.
    pub failed_at: Option<Time>,
}

/// A change of the table of schedules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScheduleChange {
    /// Inserts or replaces a row by its key.
    Put(ScheduleRow),
    /// Deletes a row; one that does not exist is no error.
    Removed(ScheduleKey),
}
