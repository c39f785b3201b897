//! The open subscriptions of an element or a scope.
//!
//! `engine::subscription` opens them, `engine::triggering` decides what follows when an event
//! occurs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::{ElementInstance, InstanceState};
use crate::{
    engine::{
        command::{DueTimer, TimerKey},
        record::{RenewedSubscription, Subscriber, Subscription},
    },
    model::{
        event_definition::EventRef,
        ids::{ElementKey, Time},
    },
};

/// The subscriptions of an element or scope, by the definitions of the events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Subscriptions {
    open: BTreeMap<EventRef, OpenSubscription>,
    /// Definitions of parallel events that have occurred while others have not, with the
    /// subscription to open again once all have; `None` when it stays closed.
    occurred: BTreeMap<EventRef, Option<OpenSubscription>>,
    /// Whether they were opened. Definitions may have occurred before, at the start of the process.
    opened: bool,
}

/// An open subscription, with the number of its occurrences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenSubscription {
    subscription: Subscription,
    occurrence: u32,
    since: Time,
}

impl OpenSubscription {
    /// The time of its next occurrence, if it is a timer.
    pub fn due(&self) -> Option<Time> {
        self.subscription.due()
    }

    /// The event it waits for.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The number of the next occurrence, from 1.
    pub fn occurrence(&self) -> u32 {
        self.occurrence
    }

    /// When it was opened.
    pub fn since(&self) -> Time {
        self.since
    }
}

impl Subscriptions {
    /// Opens subscriptions.
    pub(super) fn open(&mut self, opened: &[(EventRef, Subscription)], since: Time) {
        self.opened = true;
        for (event, subscription) in opened {
            let open = OpenSubscription {
                subscription: subscription.clone(),
                occurrence: 1,
                since,
            };
            self.open.insert(event.clone(), open);
        }
    }

    /// Replaces all subscriptions after a migration.
    pub(super) fn renew(&mut self, renewed: &[RenewedSubscription], now: Time) {
        self.opened = true;
        let open = renewed.iter().map(|renewed| {
            let open = OpenSubscription {
                subscription: renewed.subscription.clone(),
                occurrence: renewed.occurrence,
                since: renewed.since.unwrap_or(now),
            };
            (renewed.event.clone(), open)
        });
        self.open = open.collect();
    }

    /// Closes all subscriptions until they are renewed, and renames the definitions that have
    /// occurred to their ids in another version.
    pub(super) fn rename(&mut self, names: &BTreeMap<Arc<str>, Arc<str>>) {
        self.open.clear();
        self.opened = false;
        let occurred = std::mem::take(&mut self.occurred).into_iter();
        let renamed = occurred.map(|(mut event, open)| {
            if let Some(node) = names.get(&event.node) {
                event.node = node.clone();
            }
            (event, open)
        });
        self.occurred = renamed.collect();
    }

    /// Notes that one definition of a parallel event has occurred, and closes its subscription.
    pub(super) fn note_occurrence(&mut self, event: &EventRef, again: Option<&Subscription>) {
        let occurred = again.zip(self.open.remove(event)).map(|(again, open)| {
            let subscription = again.clone();
            OpenSubscription {
                subscription,
                ..open
            }
        });
        self.occurred.insert(event.clone(), occurred);
    }

    /// Closes the subscriptions of these definitions.
    pub(super) fn withdraw(&mut self, events: &[EventRef]) {
        for event in events {
            self.open.remove(event);
        }
    }

    /// Opens the subscriptions of a parallel event again after all its definitions have occurred.
    pub(super) fn open_again(&mut self, again: &[(EventRef, Subscription)]) {
        for (event, subscription) in again {
            if let Some(mut open) = self.occurred.remove(event).flatten() {
                open.occurrence += 1;
                open.subscription = subscription.clone();
                self.open.insert(event.clone(), open);
            }
        }
    }

    /// Subscriptions that are all closed and are not opened again.
    pub(super) fn closed() -> Self {
        Self {
            opened: true,
            ..Self::default()
        }
    }

    /// Whether they were opened.
    pub fn is_opened(&self) -> bool {
        self.opened
    }

    /// The definitions of a node that have occurred and wait for the others, with the subscription
    /// to open again; `None` when it stays closed.
    pub fn occurred_of(
        &self,
        node: &str,
    ) -> impl Iterator<Item = (&EventRef, Option<&OpenSubscription>)> {
        let occurred = self
            .occurred
            .iter()
            .filter(move |(event, _)| *event.node == *node);
        occurred.map(|(event, open)| (event, open.as_ref()))
    }

    /// The parallel events of which some definitions have occurred.
    pub fn begun(&self) -> BTreeSet<&Arc<str>> {
        self.occurred.keys().map(|event| &event.node).collect()
    }

    /// The open subscriptions of a node's definitions.
    pub fn open_of(&self, node: &str) -> impl Iterator<Item = (&EventRef, &OpenSubscription)> {
        self.open
            .iter()
            .filter(move |(event, _)| *event.node == *node)
    }

    /// Whether this definition has occurred and waits for the others of its node.
    pub fn has_occurred(&self, event: &EventRef) -> bool {
        self.occurred.contains_key(event)
    }

    /// Notes that an event has occurred; its subscription is replaced, or closed.
    pub(super) fn trigger(&mut self, event: &EventRef, remains: Option<&Subscription>) {
        match (remains, self.open.get_mut(event)) {
            (Some(remains), Some(open)) => {
                open.occurrence += 1;
                open.subscription = remains.clone();
            }
            (_, _) => drop(self.open.remove(event)),
        }
    }

    /// Notes that the condition of a subscription is false again.
    pub(super) fn reset_condition(&mut self, event: &EventRef) {
        if let Some(open) = self.open.get_mut(event) {
            open.subscription = Subscription::Conditional { holds: false };
        }
    }

    /// All open subscriptions.
    pub fn iter(&self) -> impl Iterator<Item = (&EventRef, &OpenSubscription)> {
        self.open.iter()
    }

    /// The open subscription of a definition.
    pub fn get(&self, event: &EventRef) -> Option<&OpenSubscription> {
        self.open.get(event)
    }

    /// The timers of the subscriptions to timer events.
    pub fn timers(&self, element: Option<ElementKey>) -> impl Iterator<Item = DueTimer> {
        self.open.iter().filter_map(move |(event, open)| {
            Some(DueTimer {
                key: TimerKey::event(element, event, open.occurrence),
                due: open.due()?,
            })
        })
    }
}

impl InstanceState {
    /// The subscriptions of an element or scope; `None` before they were opened, and for an element
    /// that is not active.
    pub fn subscriptions(&self, by: Subscriber) -> Option<&Subscriptions> {
        match by {
            Subscriber::Element(key) => {
                let element = self.element(key).filter(|element| element.is_active());
                element?.subscriptions.as_ref()
            }
            Subscriber::Scope(scope) => self.scope(scope)?.subscriptions(),
        }
    }

    /// All subscriptions of the instance: those of its elements in order of activation, each
    /// followed by those of its scope; those of the instance itself are last.
    pub fn all_subscriptions(&self) -> impl Iterator<Item = (Subscriber, &Subscriptions)> {
        let of_element = |(key, _): (ElementKey, &ElementInstance)| {
            [Subscriber::Element(key), Subscriber::Scope(Some(key))]
        };
        self.active()
            .flat_map(of_element)
            .chain([Subscriber::Scope(None)])
            .filter_map(|by| Some((by, self.subscriptions(by)?)))
    }

    /// Every timer except the expiry, provided that the instance is not on hold.
    pub fn timers(&self) -> impl Iterator<Item = DueTimer> {
        let of_instance = self.root.subscriptions();
        self.active()
            .flat_map(|(key, element)| element.timers(key))
            .chain(of_instance.into_iter().flat_map(|open| open.timers(None)))
    }
}
