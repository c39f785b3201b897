//! How a workflow is started, in the words of this surface: a workflow there has one way, a process may have several schedules.

use crate::{
    model::{occurrences::Occurrences, schedule::When},
    runtime::schedules::Told,
};

/// The way to be told of: the one that says most of when the next job comes.
pub enum Launch {
    /// With the server.
    Startup,
    /// By a client, or once at some time, which has no number of its own.
    Trigger,
    /// Again and again after the same time.
    Periodic,
    /// By this cron expression.
    Cron(String),
}

impl Launch {
    /// Of the schedules of a process.
    pub fn of(schedules: &[Told]) -> Self {
        let all = || schedules.iter().filter_map(Told::schedule);
        let cron = all().find_map(|schedule| match (&schedule.occurrences, &schedule.written.when) {
            (Occurrences::Cron(..), When::Cycle(text)) => Some(text.clone()),
            _ => None,
        });
        match cron {
            Some(expression) => Self::Cron(expression),
            None if all().any(|schedule| matches!(schedule.occurrences, Occurrences::Interval(_))) => Self::Periodic,
            None if all().any(|schedule| matches!(schedule.occurrences, Occurrences::Startup)) => Self::Startup,
            None => Self::Trigger,
        }
    }

    /// Its number on the wire.
    pub fn number(&self) -> u8 {
        match self {
            Self::Startup => 0,
            Self::Trigger => 1,
            Self::Periodic => 2,
            Self::Cron(_) => 3,
        }
    }

    /// Its cron expression; empty when it has none.
    pub fn cron_expression(self) -> String {
        match self {
            Self::Cron(expression) => expression,
            Self::Startup | Self::Trigger | Self::Periodic => String::new(),
        }
    }
}
