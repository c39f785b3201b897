//! The notation of times, refusals and messages between instances.

use stepwire::{
    engine::record::{AdHocRecord, LoopRecord, MultipleRecord, Subscription},
    model::event_definition::EventRef,
};

use super::*;

/// A time as seconds after another time.
pub(super) fn later(at: Time, now: Time) -> String {
    format!("{:+}s", (at.0 - now.0) / 1000)
}

impl Names {
    /// The name of a subscriber.
    pub(super) fn subscriber(&self, by: Subscriber) -> &str {
        match by {
            Subscriber::Element(element) | Subscriber::Scope(Some(element)) => {
                self.element(element)
            }
            Subscriber::Scope(None) => "the instance",
        }
    }
}

/// All subscriptions.
pub(super) fn waits(subscriptions: &[(EventRef, Subscription)], now: Time) -> String {
    let waits = subscriptions
        .iter()
        .map(|(event, waited)| format!("@{event}{}", waits_for(waited, now)));
    waits.collect::<Vec<_>>().join(", ")
}

/// A subscription, behind the name of its event.
pub(super) fn waits_for(subscription: &Subscription, now: Time) -> String {
    match subscription {
        Subscription::Timer { due, .. } => format!(" {}", later(*due, now)),
        Subscription::Message {
            name, key: None, ..
        } => format!(" message {name}"),
        Subscription::Message {
            name,
            key: Some(key),
            ..
        } => format!(" message {name}({key})"),
        Subscription::Signal { name, .. } => format!(" signal {name}"),
        Subscription::Conditional { holds: false } => String::new(),
        Subscription::Conditional { holds: true } => " once it was false".to_owned(),
        Subscription::Escalation => " escalation".to_owned(),
    }
}

/// A refusal in the words of the protocol.
pub fn rejection(rejection: &Rejection) -> String {
    assert!(
        rejection.message.contains("expected") && rejection.message.contains(", but "),
        "{}",
        rejection.message
    );
    let named = |field: &str| {
        if field.is_empty() {
            "(body)".to_owned()
        } else {
            field.to_owned()
        }
    };
    let fields: Vec<String> = rejection
        .fields
        .iter()
        .map(|(field, error)| format!("{} {}", named(field), error.code))
        .collect();
    let (code, detail) = match rejection.kind {
        RejectionKind::BadRequest => ("bad_request", String::new()),
        RejectionKind::Unauthenticated => ("unauthenticated", String::new()),
        RejectionKind::NotFound => ("not_found", String::new()),
        RejectionKind::Forbidden => ("forbidden", String::new()),
        RejectionKind::Conflict => ("conflict", String::new()),
        RejectionKind::AlreadyExecuted => ("already_executed", String::new()),
        RejectionKind::InvalidData => ("invalid_data", format!(" {}", fields.join(", "))),
        RejectionKind::IdReused => ("id_reused", String::new()),
        RejectionKind::Unavailable(reason) => {
            ("action_not_available", format!(" {}", reason_name(reason)))
        }
    };
    format!("x {code}{detail}")
}

pub(super) fn reason_name(reason: Unavailable) -> &'static str {
    match reason {
        Unavailable::Ended => "ended",
        Unavailable::OnHold => "on_hold",
        Unavailable::UnknownAction => "unknown_action",
        Unavailable::NotManual => "not_manual",
        Unavailable::NotActive => "not_active",
        Unavailable::Incident => "incident",
        Unavailable::ParentNotRun => "parent_not_run",
        Unavailable::NotEnabled => "not_enabled",
    }
}

fn carrying(carried: &Map<String, Value>) -> String {
    if carried.is_empty() {
        return String::new();
    }
    format!(" carrying {}", Value::Object(carried.clone()))
}

pub(super) fn said(message: &InstanceMessage) -> String {
    match message {
        InstanceMessage::Start {
            head,
            start_condition,
            command,
        } => {
            let wants = head.parent.as_ref().is_some_and(|link| link.wants_result);
            let on = start_condition
                .as_ref()
                .map_or(String::new(), |condition| format!(" on={condition}"));
            let for_client = command.as_ref().map_or("", |_| " for a client");
            let key = head.business_key.as_ref();
            let key = key.map_or(String::new(), |key| format!(" as '{key}'"));
            format!(
                "start {} {}{on}{key}{}{for_client}",
                head.process.id,
                head.data,
                if wants { " wanting a result" } else { "" }
            )
        }
        InstanceMessage::End { status } => format!("end {}", status.name()),
        InstanceMessage::EndDescendants => "end descendants".to_owned(),
        InstanceMessage::StartMore { .. } => "start more".to_owned(),
        InstanceMessage::ParentFinished => "parent finished".to_owned(),
        InstanceMessage::Push {
            kind: MessageType::Default,
            body,
            ..
        } => format!("push {body}"),
        InstanceMessage::Push {
            kind: MessageType::Action,
            body,
            ..
        } => format!("ask {body}"),
        InstanceMessage::Append { patch } => format!("append {patch}"),
        InstanceMessage::Ended {
            status,
            result,
            error,
            carried,
        } => {
            let result = result
                .as_ref()
                .map_or(String::new(), |result| format!(" {result}"));
            let error = error
                .as_ref()
                .map_or(String::new(), |error| format!(" {error}"));
            format!(
                "ended {}{result}{error}{}",
                status.name(),
                carrying(carried)
            )
        }
        InstanceMessage::Escalation {
            code,
            carried,
            data,
        } => {
            let data = data.as_ref();
            let data = data.map_or(String::new(), |data| format!(" with {data}"));
            format!("escalation {code}{}{data}", carrying(carried))
        }
        InstanceMessage::StartDropped => "start dropped".to_owned(),
        InstanceMessage::StartRefused { message } => format!("refused {message}"),
        InstanceMessage::Note { .. }
        | InstanceMessage::Delivery(_)
        | InstanceMessage::StartByEvent { .. }
        | InstanceMessage::BroadcastMore { .. } => {
            unreachable!("an instance sends none of them to another")
        }
    }
}

pub(super) fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Several records per line, as many as fit.
pub(super) fn wrapped(words: Vec<String>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() + 2 <= WIDTH => {
                line.push_str("; ");
                line.push_str(&word);
            }
            _ => lines.push(format!("> {word}")),
        }
    }
    lines
}

/// `message paid(7)`, `signal stop`.
pub(super) fn named(correlation: &Correlation) -> String {
    match correlation {
        Correlation::Message { name, key: None } => format!("message {name}"),
        Correlation::Message {
            name,
            key: Some(key),
        } => format!("message {name}({key})"),
        Correlation::Signal { name } => format!("signal {name}"),
    }
}

impl Names {
    /// A change of an event with several definitions.
    pub(super) fn several(&self, record: &MultipleRecord, now: Time) -> String {
        match record {
            MultipleRecord::Occurred { by, event, .. } => {
                format!("occurred @{event} of {}", self.subscriber(*by))
            }
            MultipleRecord::Closed { by, events } => {
                let events = events.iter().map(|event| format!("@{event}"));
                let events = events.collect::<Vec<_>>().join(", ");
                format!("{} waits no more for {events}", self.subscriber(*by))
            }
            MultipleRecord::Reopened { by, subscriptions } => {
                let waits = waits(subscriptions, now);
                format!("{} waits again for {waits}", self.subscriber(*by))
            }
        }
    }

    /// A notification of the entity of a message or signal.
    pub(super) fn noted(&self, note: &CorrelationNote, now: Time) -> String {
        match note {
            CorrelationNote::Opened { by, .. } => {
                format!("is waited for by {}", self.subscriber(*by))
            }
            CorrelationNote::Settled {
                taken, stays_open, ..
            } => {
                let taken = taken.map_or("not taken".to_owned(), |number| format!("took {number}"));
                let open = if *stays_open { ", waits on" } else { "" };
                format!("{taken}{open}")
            }
            CorrelationNote::Published {
                data,
                until,
                business_key,
            } => {
                let until = until.map_or(String::new(), |until| {
                    format!(" for {}", later(until, now).trim_start_matches('+'))
                });
                let key = business_key
                    .as_ref()
                    .map_or(String::new(), |key| format!(" with key {key}"));
                format!("published {data}{until}{key}")
            }
            CorrelationNote::Ended | CorrelationNote::NotStarted { .. } => {
                "may start another".to_owned()
            }
        }
    }
}

pub(super) fn looped<'a>(record: &LoopRecord, at: impl Fn(&ElementKey) -> &'a str) -> String {
    match record {
        LoopRecord::Begun {
            element,
            instances: Some(instances),
            ..
        } => format!("{} runs {instances} times", at(element)),
        LoopRecord::Begun { element, .. } => format!("{} loops", at(element)),
        LoopRecord::Result {
            element,
            iteration,
            result,
        } => format!("{}[{iteration}] gave {result}", at(element)),
        LoopRecord::Stopped { element } => format!("stopped the loop of {}", at(element)),
    }
}

/// A change of an ad-hoc subprocess.
pub(super) fn ad_hoc<'a>(record: &AdHocRecord, at: impl Fn(&ElementKey) -> &'a str) -> String {
    match record {
        AdHocRecord::Opened { element } => format!("opened {}", at(element)),
        AdHocRecord::Fulfilled { element } => format!("fulfilled {}", at(element)),
    }
}

impl Names {
    /// The name of a timer.
    pub fn timer(&self, timer: &TimerKey) -> String {
        let element = timer
            .element
            .map_or("the instance", |element| self.element(element));
        let occurrence = timer.occurrence;
        match &timer.kind {
            TimerKind::Expiry => "expiry".to_owned(),
            TimerKind::Reminder => format!("reminder {occurrence} of {element}"),
            TimerKind::Event(node) => format!("{element}.@{node}:{occurrence}"),
            TimerKind::Action(action) => format!("{element}.{action}:{occurrence}"),
        }
    }
}
