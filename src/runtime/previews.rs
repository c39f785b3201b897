//! Previews a part of a model with sample data: a rendered message, the result of a condition, the
//! next times of a schedule. Designers use them while they edit; nothing is deployed.
//!
//! Everything runs on the script threads, with the limits of scripts. Not here: the problems that a
//! deploy finds in a whole model (`definitions`).

use serde_json::Value;
use uuid::Uuid;

use super::{
    Runtime,
    step_threads::{Panicked, StepOf},
};
use crate::{
    expression,
    journal::Owner,
    limits::CallerKind,
    model::{
        ids::{InstanceKey, Time},
        schedule::Schedule,
        template::{Builtins, Template},
        timer_cycle::Occurrences,
    },
};

/// How many times of a schedule are previewed.
pub const PREVIEWED_TIMES: usize = 3;

/// The part to preview.
pub enum Preview {
    /// A JSON template, with these data.
    Message(String, Value),
    /// A condition, with these data.
    Condition(String, Value),
    /// A schedule that begins now.
    Schedule(Box<Schedule>),
}

/// The result of a preview.
#[derive(Debug, PartialEq)]
pub enum Previewed {
    /// The message as clients receive it.
    Message(Value),
    /// Whether the condition is true.
    Condition(bool),
    /// The next times, at most [`PREVIEWED_TIMES`].
    Times(Vec<Time>),
    /// Why there is no result, as a sentence.
    Failed(String),
}

/// Too many previews of this user wait already.
#[derive(Clone, Copy, Debug)]
pub struct TooMany;

impl Runtime {
    /// Previews a part of a model for a user.
    ///
    /// # Errors
    /// [`TooMany`].
    pub async fn preview(
        &self,
        tenant: &str,
        by: &str,
        preview: Preview,
    ) -> Result<Previewed, TooMany> {
        let owner = Owner {
            tenant: tenant.to_owned(),
            // No process id contains blanks, so no step of a process waits for this.
            process: format!("previews of {by}"),
        };
        let of = StepOf {
            owner,
            kind: CallerKind::Staff,
            taker: None,
        };
        if self.scripts.is_full(&of) {
            return Err(TooMany);
        }
        let (by, now) = (by.to_owned(), self.clock.now());
        let previewed = self.scripts.run(of, move || run(preview, &by, now));
        Ok(previewed.await.unwrap_or_else(|Panicked| {
            Previewed::Failed(
                "expected a preview, but it failed; the server's log has details".to_owned(),
            )
        }))
    }
}

fn run(preview: Preview, by: &str, now: Time) -> Previewed {
    let previewed = match preview {
        Preview::Message(text, data) => message(&text, &data, by, now).map(Previewed::Message),
        Preview::Condition(text, data) => {
            expression::decide(&text, &data).map(Previewed::Condition)
        }
        Preview::Schedule(schedule) => times(&schedule, now).map(Previewed::Times),
    };
    previewed.unwrap_or_else(Previewed::Failed)
}

/// Renders a message as in an instance that `by` has just started.
fn message(text: &str, data: &Value, by: &str, now: Time) -> Result<Value, String> {
    let template = Template::compile(text).map_err(|error| {
        format!(
            "line {}, column {}: {}",
            error.line, error.column, error.sentence
        )
    })?;
    let nobody = InstanceKey(Uuid::nil());
    let builtins = Builtins {
        process_instance_id: nobody,
        parent: None,
        root: nobody,
        process_name: "process",
        business_key: None,
        started_by: by,
        scheduled_for: None,
        now,
    };
    template.render(data, &builtins)
}

fn times(schedule: &Schedule, now: Time) -> Result<Vec<Time>, String> {
    let occurrences = Occurrences::compile(schedule)?;
    let next = |last: &Time| occurrences.next(*last, now);
    Ok(std::iter::successors(occurrences.first(now), next)
        .take(PREVIEWED_TIMES)
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn preview(preview: Preview) -> Previewed {
        run(preview, "dora", Time(0))
    }

    fn failure(wanted: Preview) -> String {
        match preview(wanted) {
            Previewed::Failed(sentence) => sentence,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_are_previewed() {
        let text = r#"{"name": "${client.name}", "by": "${startedBy}", "gone": "${x.y}"}"#;
        let data = json!({"client": {"name": "Ada"}});
        assert_eq!(
            preview(Preview::Message(text.to_owned(), data.clone())),
            Previewed::Message(json!({"name": "Ada", "by": "dora", "gone": null}))
        );
        let error = failure(Preview::Message("{\"a\": ${".to_owned(), data));
        assert!(error.starts_with("line 1, column"), "{error}");
    }

    #[test]
    fn conditions_are_previewed() {
        let decide =
            |text: &str| preview(Preview::Condition(text.to_owned(), json!({"amount": 5})));
        assert_eq!(decide("${amount > 4}"), Previewed::Condition(true));
        assert_eq!(decide("amount + 1 > 6"), Previewed::Condition(false));
        for wrong in ["amount = 4", "amount", "nothing.at.all > 1"] {
            let error = failure(Preview::Condition(wrong.to_owned(), json!({"amount": 5})));
            assert!(error.contains("expected"), "{wrong}: {error}");
        }
    }

    #[test]
    fn schedules_are_previewed_with_their_next_times() {
        let schedule = |when: Value| {
            let schedule = serde_json::from_value(json!({"when": when})).expect("a schedule");
            preview(Preview::Schedule(Box::new(schedule)))
        };
        assert_eq!(
            schedule(json!({"cycle": "R/PT30M"})),
            Previewed::Times(vec![Time(1_800_000), Time(3_600_000), Time(5_400_000)])
        );
        assert_eq!(
            schedule(json!({"duration": "PT1H"})),
            Previewed::Times(vec![Time(3_600_000)])
        );
        assert_eq!(schedule(json!("startup")), Previewed::Times(Vec::new()));
        let wrong = serde_json::from_value(json!({"when": {"cycle": "often"}})).expect("a form");
        assert!(failure(Preview::Schedule(Box::new(wrong))).starts_with("expected"));
    }
}
