//! The schedule of a start event as the modeller wrote it: timer start events, or the server's
//! start.
//!
//! Not here: computing the times (`timer_cycle`), the starts (`runtime::schedules`).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::one_or_several;

/// The schedule of a start event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// Its times: usually those of one timer, or those of several.
    #[serde(with = "one_or_several")]
    pub when: Vec<When>,
    /// IANA name of the time zone; by default UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The treatment of times that passed while nothing could start.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missed: MisfirePolicy,
    /// The treatment of a time at which the previously started instance is still live.
    #[serde(default, skip_serializing_if = "is_default")]
    pub overlap: Overlap,
    /// The start data of its instances.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub start_data: Map<String, Value>,
}

/// The times of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// Repeatedly: a cron expression, or an ISO 8601 repeating interval such as `R/PT30S`.
    Cycle(String),
    /// Once, at this ISO 8601 time.
    Date(String),
    /// Once, this ISO 8601 duration after publishing.
    Duration(String),
    /// Whenever the server starts.
    Startup,
}

/// What happens to times that passed while the server was down, or while the schedule or its
/// process was disabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MisfirePolicy {
    /// One instance for all of them.
    #[default]
    Once,
    /// Nothing.
    Skip,
    /// An instance for each, the newest `limits::SCHEDULE_BACKLOG` of them.
    All,
}

/// The treatment of a time at which the instance started last is still live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Overlap {
    /// Another instance starts beside it.
    #[default]
    Allow,
    /// Nothing starts.
    Skip,
}

impl MisfirePolicy {
    /// Its name in definitions and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Skip => "skip",
            Self::All => "all",
        }
    }
}

impl Overlap {
    /// Its name in definitions and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
        }
    }
}

/// The times as text: two schedules with the same text are due at the same times.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.time_zone.as_deref().unwrap_or("UTC");
        for (when, place) in self.when.iter().zip(0..) {
            if place > 0 {
                f.write_str(", ")?;
            }
            match when {
                When::Cycle(text) => write!(f, "cycle {text} in {zone}")?,
                When::Date(text) => write!(f, "date {text} in {zone}")?,
                When::Duration(text) => write!(f, "duration {text} in {zone}")?,
                When::Startup => f.write_str("startup")?,
            }
        }
        Ok(())
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
