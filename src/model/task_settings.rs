//! The settings of a user task: assignment, due date, reminders, and the path for an approval's
//! decision.
//!
//! As written and as compiled. Not here: their effects (`engine::due_date`,
//! `engine::actions::decision`), their rules (`validate::task_settings`).

use jiff::{Span, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{computed_template::ComputedTemplate, ids::Time, moment, path::DataPath, user_name};
use crate::duration;

/// The settings of a user task as the modeller wrote them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserTask {
    /// Text template: the initial assignee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// Text template: an ISO 8601 duration from its beginning, or a point in time (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<String>,
    /// ISO 8601 duration: the time of the first reminder before the due date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder: Option<String>,
    /// ISO 8601 duration: the time between reminders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder_repeat: Option<String>,
    /// Approvals: the path in the data for the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_key: Option<String>,
    /// Roles that may run its actions, instead of those of its lane.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidate_groups: Vec<String>,
}

/// Compiled settings. The default ones have no effect.
#[derive(Debug, Default)]
pub struct TaskSettings {
    /// Renders to a text, or to `null` for no assignee.
    pub assignee: Option<ComputedTemplate>,
    /// Renders to a text that [`due`] reads, or to `null` for no due date.
    pub due: Option<ComputedTemplate>,
    /// The reminders; only with a due date.
    pub reminder: Option<Reminder>,
    /// The path for the decision.
    pub decision_key: Option<DataPath>,
}

/// The times of reminders.
#[derive(Debug)]
pub struct Reminder {
    /// The first one this long before the due date.
    pub before: Span,
    /// Further ones this long after each other.
    pub repeat: Option<Span>,
}

impl UserTask {
    /// Compiles the settings.
    ///
    /// # Errors
    /// The first part that cannot be read, as a sentence.
    pub fn compile(&self) -> Result<TaskSettings, String> {
        let repeat = self
            .reminder_repeat
            .as_deref()
            .map(duration::parse)
            .transpose()?;
        let before = self.reminder.as_deref().map(duration::parse).transpose()?;
        Ok(TaskSettings {
            assignee: self
                .assignee
                .as_deref()
                .map(ComputedTemplate::compile_text)
                .transpose()?,
            due: self
                .due_date
                .as_deref()
                .map(ComputedTemplate::compile_text)
                .transpose()?,
            reminder: before.map(|before| Reminder { before, repeat }),
            decision_key: self
                .decision_key
                .as_deref()
                .map(DataPath::parse_members)
                .transpose()?,
        })
    }
}

impl Reminder {
    /// The first reminder for this due date; `None` if its time has passed.
    pub fn first(&self, due: Time, now: Time) -> Option<Time> {
        due.plus(&self.before.negate())
            .filter(|first| *first > now)
            .or_else(|| self.after(now))
    }

    /// The next reminder after this one.
    pub fn after(&self, reminded: Time) -> Option<Time> {
        reminded.plus(self.repeat.as_ref()?)
    }
}

/// The user that a rendered value names; `None` for none.
///
/// # Errors
/// A sentence if it is no user name; the caller adds how to fix it.
pub fn subject(value: &Value) -> Result<Option<String>, String> {
    let name = match value {
        Value::Null => return Ok(None),
        Value::String(name) => name.trim(),
        _ => {
            return Err(
                "expected the name of a user as assignee, but the value is not a text".to_owned(),
            );
        }
    };
    if name.is_empty() {
        return Ok(None);
    }
    user_name::check(name)?;
    Ok(Some(name.to_owned()))
}

/// When a task that was activated at `begun` is due, by a rendered value: a duration (`P3D`) from
/// then, or a time, which without an offset is one of UTC; `None` for never. A duration beyond the end of the calendar ends there.
///
/// # Errors
/// A sentence if it is neither; the caller adds how to fix it.
pub fn due(value: &Value, begun: Time) -> Result<Option<Time>, String> {
    let unreadable = |found: &str| {
        format!(
            "expected a due date as ISO 8601 duration such as P3D, or as point in time such as \
            2026-12-01T12:00:00Z, but got {found}"
        )
    };
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim(),
        _ => return Err(unreadable("no text")),
    };
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(span) = duration::parse(text) {
        let due = begun.plus(&span).unwrap_or_else(Time::last);
        return if due < begun {
            Err(unreadable("a negative duration"))
        } else {
            Ok(Some(due))
        };
    }
    let at = moment::parse(text, &TimeZone::UTC);
    at.map(|at| Some(Time(at.as_millisecond())))
        .ok_or_else(|| unreadable("another text"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_due_date_is_a_duration_or_a_point_in_time() {
        for (text, expected) in [
            ("PT1H", Some(3_601_000)),
            (" P1D ", Some(86_401_000)),
            ("1970-01-01T00:00:05Z", Some(5_000)),
            ("1970-01-01T01:00:05+01:00", Some(5_000)),
            ("1970-01-01T00:00:05", Some(5_000)),
            ("1970-01-02", Some(86_400_000)),
            ("", None),
        ] {
            assert_eq!(
                due(&json!(text), Time(1000)),
                Ok(expected.map(Time)),
                "{text}"
            );
        }
        assert_eq!(due(&json!(null), Time(0)), Ok(None));
        assert_eq!(due(&json!("P9000Y"), Time(0)), Ok(Some(Time::last())));
        for wrong in [
            json!("-PT1S"),
            json!("tomorrow"),
            json!("2026-12"),
            json!(5),
            json!({}),
        ] {
            assert!(due(&wrong, Time(0)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_assignee_is_a_user_or_absent() {
        assert_eq!(subject(&json!(" bob ")), Ok(Some("bob".to_owned())));
        for nobody in [json!(null), json!(""), json!("  ")] {
            assert_eq!(subject(&nobody), Ok(None));
        }
        for wrong in [
            json!(1),
            json!(["bob"]),
            json!("bo\nb"),
            json!("event:order"),
        ] {
            assert!(subject(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reminders_come_before_the_due_date_and_then_again() {
        let terms = |repeat: Option<&str>| {
            let (due_date, reminder) = (Some("PT1H".to_owned()), Some("PT10S".to_owned()));
            let task = UserTask {
                due_date,
                reminder,
                reminder_repeat: repeat.map(str::to_owned),
                ..UserTask::default()
            };
            task.compile()
                .expect("valid terms")
                .reminder
                .expect("it reminds")
        };
        let once = terms(None);
        assert_eq!(once.first(Time(20_000), Time(0)), Some(Time(10_000)));
        assert_eq!(
            once.first(Time(20_000), Time(10_000)),
            None,
            "what is past is passed over"
        );
        assert_eq!(once.after(Time(10_000)), None);
        let again = terms(Some("PT1M"));
        assert_eq!(again.first(Time(20_000), Time(15_000)), Some(Time(75_000)));
        assert_eq!(again.after(Time(10_000)), Some(Time(70_000)));
    }
}
