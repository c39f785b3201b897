//! How a workflow is started, in the terms of this API: a workflow has one kind of start, but a
//! process may have several schedules.

use crate::{
    model::{executable::ExecutableSchedule, schedule::When, timer_cycle::Occurrences},
    runtime::schedules::ScheduleView,
};

/// The kind to report: the one that says most about when the next job starts.
pub enum Launch {
    /// With the server.
    Startup,
    /// By a client, or once at a certain time, which has no number of its own.
    Trigger,
    /// Periodically, with this period in milliseconds.
    Periodic(i64),
    /// By this cron expression.
    Cron(String),
}

impl Launch {
    /// The kind for the schedules of a process.
    pub fn of(schedules: &[ScheduleView]) -> Self {
        let all = || schedules.iter().filter_map(ScheduleView::schedule);
        let cron =
            all().find_map(
                |schedule| match (&schedule.occurrences, &schedule.written.when[..]) {
                    (Occurrences::Cron(..), [When::Cycle(text)]) => Some(text.clone()),
                    _ => None,
                },
            );
        match cron {
            Some(expression) => Self::Cron(expression),
            None if let Some(every) = all().find_map(interval) => Self::Periodic(every),
            None if all().any(|schedule| matches!(schedule.occurrences, Occurrences::Startup)) => {
                Self::Startup
            }
            None => Self::Trigger,
        }
    }

    /// Its number on the wire.
    pub fn number(&self) -> u8 {
        match self {
            Self::Startup => 0,
            Self::Trigger => 1,
            Self::Periodic(_) => 2,
            Self::Cron(_) => 3,
        }
    }

    /// Its period as days, hours, minutes and seconds; zero if it has none.
    pub fn period(&self) -> String {
        let seconds = if let Self::Periodic(millis) = self {
            millis / 1_000
        } else {
            0
        };
        let (minutes, hours) = (seconds / 60, seconds / 3_600);
        format!(
            "{:02}.{:02}:{:02}:{:02}",
            hours / 24,
            hours % 24,
            minutes % 60,
            seconds % 60
        )
    }

    /// Its cron expression; empty if it has none.
    pub fn cron_expression(self) -> String {
        match self {
            Self::Cron(expression) => expression,
            Self::Startup | Self::Trigger | Self::Periodic(_) => String::new(),
        }
    }
}

/// The length of a schedule's interval, in milliseconds.
fn interval(schedule: &ExecutableSchedule) -> Option<i64> {
    match &schedule.occurrences {
        Occurrences::Interval(interval) => Some(interval.millis()),
        _ => None,
    }
}
