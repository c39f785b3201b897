//! Subscriptions: what is waited for besides work. An intermediate catch event waits for its own
//! event, an activity for those of its boundary events, a scope for the start events of its event
//! subprocesses. They are opened together when the element or scope begins, and are gone with it.
//!
//! Not here: errors, which wait for nothing and are thrown (`throwing`); what is open
//! (`state::subscription`).

use std::sync::Arc;

use serde_json::Value;

use super::{
    command::TimerKey,
    context::{STOPPED, Step},
    elements::boundary_event,
    record::{Record, Subscriber, Subscription},
    state::OpenSubscription,
};
use crate::model::{
    executable::ExecutableNode,
    ids::ElementKey,
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
    let attached = node
        .boundary_events
        .iter()
        .filter_map(|event| step.process.node(event));
    // A boundary event is waited for by its activity, and passed when it is activated itself.
    let own = Some(node).filter(|node| !matches!(node.kind, NodeKind::Boundary { .. }));
    let events: Vec<&ExecutableNode> = own.into_iter().chain(attached).collect();
    open_all(step, Subscriber::Element(key), &events, key)
}

/// Opens what somebody waits for at these nodes. `false` when that is not possible, which is an
/// incident of the element `told`.
fn open_all(
    step: &mut Step<'_>,
    by: Subscriber,
    events: &[&ExecutableNode],
    told: ElementKey,
) -> bool {
    match subscriptions(step, by, events) {
        Ok(subscriptions) if subscriptions.is_empty() => true,
        Ok(subscriptions) => {
            step.record(Record::SubscriptionsOpened { by, subscriptions });
            let opened = step.state.subscriptions(by);
            let timers: Vec<_> = opened
                .into_iter()
                .flat_map(|open| open.timers(element_of(by)))
                .collect();
            for timer in timers {
                step.set_timer(timer.due, timer.key);
            }
            true
        }
        Err((event, sentence)) => {
            let sentence = format!("the timer of '{event}': {sentence}");
            step.incident(told, UNREADABLE, sentence, None);
            false
        }
    }
}

/// What these nodes wait for; else the event that cannot be read, and why.
fn subscriptions(
    step: &Step<'_>,
    by: Subscriber,
    events: &[&ExecutableNode],
) -> Result<Vec<Waited>, (Arc<str>, String)> {
    let mut found = Vec::new();
    for event in events {
        let Some(definition) = waits_for(event) else {
            continue;
        };
        match definition {
            EventDefinition::Timer(timer) => {
                let subscription = timer_subscription(step, by, timer)
                    .map_err(|error| (event.id.clone(), error))?;
                found.push((event.id.clone(), subscription));
            }
            EventDefinition::None | EventDefinition::Error(_) | EventDefinition::Terminate => {}
        }
    }
    Ok(found)
}

/// The event that a node waits for, or that is waited for at it.
fn waits_for(node: &ExecutableNode) -> Option<&EventDefinition> {
    match &node.kind {
        NodeKind::Catch(definition)
        | NodeKind::Boundary {
            event: definition, ..
        } => Some(definition),
        NodeKind::Start(_)
        | NodeKind::End(_)
        | NodeKind::Throw(_)
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => None,
    }
}

/// The element that waits, or that is the scope that does; `None` for the instance.
fn element_of(by: Subscriber) -> Option<ElementKey> {
    match by {
        Subscriber::Element(element) => Some(element),
        Subscriber::Scope(scope) => scope,
    }
}

/// Who waits for the event of a node, when an element does or the instance itself.
fn subscriber(node: &ExecutableNode, element: Option<ElementKey>) -> Option<Subscriber> {
    match &node.kind {
        NodeKind::Start(_) => Some(Subscriber::Scope(element)),
        NodeKind::End(_)
        | NodeKind::Catch(_)
        | NodeKind::Throw(_)
        | NodeKind::Boundary { .. }
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => element.map(Subscriber::Element),
    }
}

fn timer_subscription(
    step: &Step<'_>,
    by: Subscriber,
    timer: &TimerDefinition,
) -> Result<Subscription, String> {
    let mend = "correct the data (patch) and retry";
    let variables = step.state.variables(element_of(by));
    let rendered = timer.text().render(variables, &step.builtins())?;
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

/// A timer event is due. Nothing when nobody waits for it, or for another occurrence.
pub(super) fn fire_timer(step: &mut Step<'_>, timer: &TimerKey, event: &str) {
    let Some(node) = step.process.node(event) else {
        return;
    };
    let Some(by) = subscriber(node, timer.element) else {
        return;
    };
    let open = step
        .state
        .subscriptions(by)
        .and_then(|open| open.get(event))
        .filter(|open| open.occurrence() == timer.occurrence);
    let Some(remains) = open.map(|open| remains(step, node, open)) else {
        return;
    };
    step.clear_timer(timer.clone());
    if let Some(due) = remains.as_ref().and_then(Subscription::due) {
        let key = TimerKey::event(timer.element, event, timer.occurrence + 1);
        step.set_timer(due, key);
    }
    trigger(step, by, node, remains);
}

/// An event that somebody waits for has come. What remains is waited for from now on.
pub(super) fn trigger(
    step: &mut Step<'_>,
    by: Subscriber,
    node: &ExecutableNode,
    remains: Option<Subscription>,
) {
    step.record(Record::SubscriptionTriggered {
        by,
        node: node.id.clone(),
        remains,
    });
    let interrupts = interrupts(node);
    match (by, &node.kind) {
        (Subscriber::Element(element), NodeKind::Boundary { .. }) => {
            if interrupts || has_room(step, element, &node.id) {
                boundary_event::trigger(step, element, &node.id, interrupts);
            }
        }
        (
            Subscriber::Element(element),
            NodeKind::Start(_)
            | NodeKind::End(_)
            | NodeKind::Catch(_)
            | NodeKind::Throw(_)
            | NodeKind::Task(_)
            | NodeKind::Call(_)
            | NodeKind::SubProcess(_)
            | NodeKind::Gateway(_),
        ) => step.queue(element),
        (Subscriber::Scope(_), _) => {}
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

/// Whether an event is waited for once: it ends who waits for it, or lets that go on.
fn interrupts(node: &ExecutableNode) -> bool {
    match &node.kind {
        NodeKind::Boundary { interrupting, .. } => *interrupting,
        NodeKind::Start(_)
        | NodeKind::End(_)
        | NodeKind::Catch(_)
        | NodeKind::Throw(_)
        | NodeKind::Task(_)
        | NodeKind::Call(_)
        | NodeKind::SubProcess(_)
        | NodeKind::Gateway(_) => true,
    }
}

/// What is waited for once an event has come.
fn remains(
    step: &Step<'_>,
    node: &ExecutableNode,
    open: &OpenSubscription,
) -> Option<Subscription> {
    if interrupts(node) {
        return None;
    }
    match (open.subscription(), waits_for(node)?) {
        (Subscription::Timer { text, .. }, EventDefinition::Timer(timer)) => {
            let next = timer.occurrences(text).ok()?.next(step.now, open.since())?;
            Some(Subscription::Timer {
                due: next,
                text: text.clone(),
            })
        }
        (Subscription::Timer { .. }, _) => None,
    }
}
