//! Subscriptions: what an element waits for besides its work. An intermediate catch event waits for
//! its own event, an activity for those of its boundary events. They are opened together when the
//! element begins, and are gone with it.
//!
//! Not here: errors, which wait for nothing and are thrown (`throwing`).

use std::sync::Arc;

use serde_json::Value;

use super::{
    command::{TimerKey, TimerKind},
    elements::boundary_event,
    record::{Record, Subscription},
    step::{STOPPED, Step},
};
use crate::model::{
    executable::ExecutableNode,
    ids::{ElementKey, Time},
    node_kind::{EventDefinition, NodeKind, TimerDefinition},
    timer_cycle::Occurrences,
};

/// Incident of an element that waits for a time which cannot be read off the data. A retry reads it
/// again.
const UNREADABLE: &str = "timer_error";

/// The node of an event, and what is waited for.
type Waited = (Arc<str>, Subscription);

/// Opens what an element waits for, once. `false` when that is not possible.
pub(super) fn open(step: &mut Step<'_>, key: ElementKey, node: &ExecutableNode) -> bool {
    if step
        .state
        .element(key)
        .is_none_or(|element| element.has_subscribed())
    {
        return true;
    }
    match subscriptions(step, key, node) {
        Ok(subscriptions) if subscriptions.is_empty() => true,
        Ok(subscriptions) => {
            step.record(Record::SubscriptionsOpened {
                element: key,
                subscriptions,
            });
            let timers = step
                .state
                .element(key)
                .map(|element| element.timers(key))
                .unwrap_or_default();
            for timer in timers
                .into_iter()
                .filter(|timer| matches!(timer.key.kind, TimerKind::Event(_)))
            {
                step.set_timer(timer.due, timer.key);
            }
            true
        }
        Err((event, sentence)) => {
            let sentence = format!("the timer of '{event}': {sentence}");
            step.incident(key, UNREADABLE, sentence, None);
            false
        }
    }
}

/// What a node waits for, by the nodes of the events; else the event that cannot be read, and why.
fn subscriptions(
    step: &Step<'_>,
    key: ElementKey,
    node: &ExecutableNode,
) -> Result<Vec<Waited>, (Arc<str>, String)> {
    let attached = node
        .boundary_events
        .iter()
        .filter_map(|event| step.process.node(event));
    let mut found = Vec::new();
    for event in std::iter::once(node).chain(attached) {
        let definition = match &event.kind {
            NodeKind::Catch(definition) => definition,
            NodeKind::Boundary {
                event: definition, ..
            } if event.id != node.id => definition,
            NodeKind::Boundary { .. }
            | NodeKind::Start(_)
            | NodeKind::End(_)
            | NodeKind::Throw(_)
            | NodeKind::Task(_)
            | NodeKind::Call(_)
            | NodeKind::SubProcess(_)
            | NodeKind::Gateway(_) => continue,
        };
        match definition {
            EventDefinition::Timer(timer) => {
                let subscription = timer_subscription(step, key, timer)
                    .map_err(|error| (event.id.clone(), error))?;
                found.push((event.id.clone(), subscription));
            }
            EventDefinition::None | EventDefinition::Error(_) | EventDefinition::Terminate => {}
        }
    }
    Ok(found)
}

fn timer_subscription(
    step: &Step<'_>,
    key: ElementKey,
    timer: &TimerDefinition,
) -> Result<Subscription, String> {
    let mend = "correct the data (patch) and retry";
    let rendered = timer.text().render(step.variables(key), &step.builtins())?;
    let text = match rendered {
        Value::String(text) => text,
        other => {
            return Err(format!(
                "expected a text that says when, but got {other}; {mend}"
            ));
        }
    };
    let occurrences = timer
        .occurrences(&text)
        .map_err(|error| format!("{}; {mend}", error.trim_end_matches("; correct it")))?;
    let due = match &occurrences {
        // A date that has passed is due at once.
        Occurrences::At(time) => Some((*time).max(step.now)),
        Occurrences::Cron(..)
        | Occurrences::Interval(_)
        | Occurrences::After(..)
        | Occurrences::Startup => occurrences.first(step.now),
    };
    let due =
        due.ok_or_else(|| format!("expected a time that comes, but `{text}` never does; {mend}"))?;
    Ok(Subscription::Timer {
        due,
        text: text.into(),
    })
}

/// A timer event is due: of the element itself, which goes on, or of a boundary event of it.
/// Nothing when the element is gone or waits for another occurrence.
pub(super) fn fire_timer(step: &mut Step<'_>, timer: &TimerKey, event: &str) {
    let open = step.state.element(timer.element).and_then(|element| {
        let mut subscriptions = element.subscriptions();
        let (_, open) = subscriptions.find(|(node, _)| ***node == *event)?;
        let waits = element.is_active() && open.occurrence() == timer.occurrence;
        waits.then(|| (element.node().clone(), open.clone()))
    });
    let (Some((own, open)), Some(node)) = (open, step.process.node(event)) else {
        return;
    };
    step.clear_timer(timer.clone());
    let Subscription::Timer { text, .. } = open.subscription();
    let is_own = *own == *event;
    let interrupts = is_own || is_interrupting(node);
    let again = if interrupts {
        None
    } else {
        next(node, text, step.now, open.since())
    };
    step.record(Record::SubscriptionTriggered {
        element: timer.element,
        node: node.id.clone(),
        again,
    });
    if let Some(due) = again {
        let key = TimerKey::event(timer.element, event, timer.occurrence + 1);
        step.set_timer(due, key);
    }
    if is_own {
        step.queue(timer.element);
    } else if interrupts || has_room(step, timer.element, event) {
        boundary_event::trigger(step, timer.element, &node.id, interrupts);
    }
}

/// Whether another element may become active beside an activity. What comes again by itself must
/// not gather: without room it is passed over, which is an incident of the activity.
fn has_room(step: &mut Step<'_>, activity: ElementKey, event: &str) -> bool {
    let most = step.limits.active_elements;
    if step.state.active().count() < most {
        return true;
    }
    let code = STOPPED[1];
    let is_told = step.state.element(activity).is_some_and(|element| {
        element
            .incidents()
            .iter()
            .any(|incident| incident.code == code)
    });
    if !is_told {
        let sentence = format!(
            "expected at most {most} active elements, but there are as many, so '{event}' was \
            passed over. Retry when others have gone on"
        );
        step.incident(activity, code, sentence, None);
    }
    false
}

fn is_interrupting(node: &ExecutableNode) -> bool {
    matches!(
        node.kind,
        NodeKind::Boundary {
            interrupting: true,
            ..
        }
    )
}

/// When a timer comes again that does not end its activity.
fn next(node: &ExecutableNode, text: &str, now: Time, since: Time) -> Option<Time> {
    let NodeKind::Boundary {
        event: EventDefinition::Timer(timer),
        ..
    } = &node.kind
    else {
        return None;
    };
    timer.occurrences(text).ok()?.next(now, since)
}
