//! Applies the records of subscriptions: opened, triggered, closed.

use crate::{
    engine::{
        record::{MultipleRecord, RenewedSubscription, Subscriber, Subscription},
        state::{InstanceState, Subscriptions},
    },
    model::{
        event_definition::EventRef,
        ids::{ElementKey, Time},
    },
};

impl InstanceState {
    pub(super) fn subscribe(
        &mut self,
        by: Subscriber,
        opened: &[(EventRef, Subscription)],
        since: Time,
    ) {
        self.change_subscriptions(by, |open| open.open(opened, since));
    }

    /// Applies the occurrence of a subscribed event.
    pub(super) fn trigger(
        &mut self,
        by: Subscriber,
        event: &EventRef,
        remains: Option<&Subscription>,
    ) {
        if let Subscriber::Element(key) = by {
            self.with(key, |element| {
                if !element.triggered.contains(&event.node) {
                    element.triggered.push(event.node.clone());
                }
            });
        }
        if let Some(open) = self.open_subscriptions(by) {
            open.trigger(event, remains);
        }
    }

    /// Replaces the subscriptions after a migration.
    pub(super) fn renew(&mut self, by: Subscriber, renewed: &[RenewedSubscription], now: Time) {
        self.change_subscriptions(by, |open| open.renew(renewed, now));
    }

    /// Applies a change of an event with several definitions.
    pub(super) fn multiple(&mut self, record: &MultipleRecord) {
        match record {
            MultipleRecord::Occurred { by, event, again } => {
                self.change_subscriptions(*by, |open| open.note_occurrence(event, again.as_ref()));
            }
            MultipleRecord::Closed { by, events } => {
                self.change_subscriptions(*by, |open| open.withdraw(events));
            }
            MultipleRecord::Reopened { by, subscriptions } => {
                self.change_subscriptions(*by, |open| open.open_again(subscriptions));
            }
        }
    }

    pub(super) fn reset_condition(&mut self, by: Subscriber, event: &EventRef) {
        if let Some(open) = self.open_subscriptions(by) {
            open.reset_condition(event);
        }
    }

    /// Changes the subscriptions of an element or scope, and creates them if there are none.
    fn change_subscriptions(&mut self, by: Subscriber, change: impl FnOnce(&mut Subscriptions)) {
        match by {
            Subscriber::Element(key) => self.with(key, |element| {
                change(element.subscriptions.get_or_insert_default());
            }),
            Subscriber::Scope(scope) => {
                if let Some(scope) = self.scope_mut(scope) {
                    change(scope.subscriptions.get_or_insert_default());
                }
            }
        }
    }

    fn open_subscriptions(&mut self, by: Subscriber) -> Option<&mut Subscriptions> {
        match by {
            Subscriber::Element(key) => self.elements.get_mut(&key)?.subscriptions.as_mut(),
            Subscriber::Scope(scope) => self.scope_mut(scope)?.subscriptions.as_mut(),
        }
    }

    /// Applies the start of an interrupting event subprocess in a scope in which nothing is active.
    pub(super) fn interrupt(&mut self, scope: Option<ElementKey>) {
        for key in self.inside(scope) {
            self.forget(key, None);
        }
        if let Some(scope) = self.scope_mut(scope) {
            scope.waiting.clear();
            scope.resetting.clear();
            scope.subscriptions = Some(Subscriptions::closed());
            scope.interrupted = true;
        }
        self.forget_merges();
    }
}
