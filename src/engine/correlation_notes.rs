//! Notifies the entities of messages and signals of opened and closed subscriptions.
//!
//! Not here: the notes on what is taken (`triggering`) and published (`publishing`).

use super::{
    context::Step,
    correlation::{Correlation, CorrelationNote},
    record::Subscription,
    subscriber::Subscriber,
};
use crate::model::event_definition::EventRef;

/// Notifies of opened subscriptions.
pub(super) fn opened(step: &mut Step<'_>, by: Subscriber, opened: Vec<(EventRef, Subscription)>) {
    for (event, subscription) in opened {
        if let Some(correlation) = subscription.correlation() {
            note_opened(step, by, event, correlation);
        }
    }
}

/// Notifies of an opened subscription.
pub(super) fn note_opened(
    step: &mut Step<'_>,
    by: Subscriber,
    event: EventRef,
    correlation: Correlation,
) {
    let note = CorrelationNote::Opened {
        by,
        event,
        process: step.process.definition.id.as_str().into(),
        business_key: step.state.head().business_key.as_deref().map(Into::into),
    };
    step.notify(correlation, note);
}

/// Notifies of subscriptions that were closed without taking anything.
pub(super) fn closed(step: &mut Step<'_>, by: Subscriber, closed: Vec<(EventRef, Correlation)>) {
    for (event, correlation) in closed {
        let note = CorrelationNote::Settled {
            by,
            event,
            taken: None,
            stays_open: false,
        };
        step.notify(correlation, note);
    }
}
