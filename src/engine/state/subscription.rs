//! Open subscriptions: what an element or a scope waits for.
//!
//! Not here: when they are opened and what follows when one is triggered (`engine::subscription`).

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

/// What somebody waits for, by the definitions of the events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Subscriptions {
    open: BTreeMap<EventRef, OpenSubscription>,
    /// Those of several that have to come together which have come, with what is to be waited for again
    /// when all have; `None` for what never comes again.
    come: BTreeMap<EventRef, Option<OpenSubscription>>,
    /// Whether it was opened: one may have come before, as the start of the process.
    opened: bool,
}

/// What is waited for, and how often it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenSubscription {
    subscription: Subscription,
    occurrence: u32,
    since: Time,
}

impl OpenSubscription {
    /// When it comes next, if it is a time.
    pub fn due(&self) -> Option<Time> {
        self.subscription.due()
    }

    /// What it is.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// Which occurrence comes next, from 1.
    pub fn occurrence(&self) -> u32 {
        self.occurrence
    }

    /// When it was opened.
    pub fn since(&self) -> Time {
        self.since
    }
}

impl Subscriptions {
    /// These are waited for from then on.
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

    /// These are waited for instead of what was.
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

    /// Nothing is waited for until that is renewed; what has come is known by the names of another
    /// version.
    pub(super) fn rename(&mut self, names: &BTreeMap<Arc<str>, Arc<str>>) {
        self.open.clear();
        self.opened = false;
        let come = std::mem::take(&mut self.come).into_iter();
        let renamed = come.map(|(mut event, open)| {
            if let Some(node) = names.get(&event.node) {
                event.node = node.clone();
            }
            (event, open)
        });
        self.come = renamed.collect();
    }

    /// One of several that have to come together has come.
    pub(super) fn come(&mut self, event: &EventRef, again: Option<&Subscription>) {
        let come = again.zip(self.open.remove(event)).map(|(again, open)| {
            let subscription = again.clone();
            OpenSubscription {
                subscription,
                ..open
            }
        });
        self.come.insert(event.clone(), come);
    }

    /// These are not waited for any more.
    pub(super) fn withdraw(&mut self, events: &[EventRef]) {
        for event in events {
            self.open.remove(event);
        }
    }

    /// What came together is waited for again.
    pub(super) fn open_again(&mut self, again: &[(EventRef, Subscription)]) {
        for (event, subscription) in again {
            if let Some(mut open) = self.come.remove(event).flatten() {
                open.occurrence += 1;
                open.subscription = subscription.clone();
                self.open.insert(event.clone(), open);
            }
        }
    }

    /// Nothing is waited for any more, nor opened again.
    pub(super) fn closed() -> Self {
        Self {
            opened: true,
            ..Self::default()
        }
    }

    /// Whether it was opened.
    pub fn is_opened(&self) -> bool {
        self.opened
    }

    /// Those of a node's definitions that have come and wait for the others, with what is to be waited
    /// for again; `None` for what never comes again.
    pub fn come_of(
        &self,
        node: &str,
    ) -> impl Iterator<Item = (&EventRef, Option<&OpenSubscription>)> {
        let come = self
            .come
            .iter()
            .filter(move |(event, _)| *event.node == *node);
        come.map(|(event, open)| (event, open.as_ref()))
    }

    /// The events of which some definitions have come and wait for the others.
    pub fn begun(&self) -> BTreeSet<&Arc<str>> {
        self.come.keys().map(|event| &event.node).collect()
    }

    /// Those of a node's definitions that are waited for.
    pub fn open_of(&self, node: &str) -> impl Iterator<Item = (&EventRef, &OpenSubscription)> {
        self.open
            .iter()
            .filter(move |(event, _)| *event.node == *node)
    }

    /// Whether one of a node's definitions has come and waits for the others.
    pub fn has_come(&self, event: &EventRef) -> bool {
        self.come.contains_key(event)
    }

    /// An event has come: something remains to be waited for, or nothing.
    pub(super) fn trigger(&mut self, event: &EventRef, remains: Option<&Subscription>) {
        match (remains, self.open.get_mut(event)) {
            (Some(remains), Some(open)) => {
                open.occurrence += 1;
                open.subscription = remains.clone();
            }
            (_, _) => drop(self.open.remove(event)),
        }
    }

    /// A condition is false again.
    pub(super) fn reset_condition(&mut self, event: &EventRef) {
        if let Some(open) = self.open.get_mut(event) {
            open.subscription = Subscription::Conditional { holds: false };
        }
    }

    /// All that is waited for.
    pub fn iter(&self) -> impl Iterator<Item = (&EventRef, &OpenSubscription)> {
        self.open.iter()
    }

    /// What is waited for by a definition.
    pub fn get(&self, event: &EventRef) -> Option<&OpenSubscription> {
        self.open.get(event)
    }

    /// The timers of those that are times.
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
    /// What somebody waits for; `None` before that was opened, and for an element that is not
    /// active.
    pub fn subscriptions(&self, by: Subscriber) -> Option<&Subscriptions> {
        match by {
            Subscriber::Element(key) => {
                let element = self.element(key).filter(|element| element.is_active());
                element?.subscriptions.as_ref()
            }
            Subscriber::Scope(scope) => self.scope(scope)?.subscriptions(),
        }
    }

    /// Everything that is waited for in the instance: by its elements in order of activation, each
    /// followed by its scope, and by the instance itself last.
    pub fn all_subscriptions(&self) -> impl Iterator<Item = (Subscriber, &Subscriptions)> {
        let of_element = |(key, _): (ElementKey, &ElementInstance)| {
            [Subscriber::Element(key), Subscriber::Scope(Some(key))]
        };
        self.active()
            .flat_map(of_element)
            .chain([Subscriber::Scope(None)])
            .filter_map(|by| Some((by, self.subscriptions(by)?)))
    }

    /// Every timer that is armed when the instance is not on hold, but for its expiry.
    pub fn timers(&self) -> impl Iterator<Item = DueTimer> {
        let of_instance = self.root.subscriptions();
        self.active()
            .flat_map(|(key, element)| element.timers(key))
            .chain(of_instance.into_iter().flat_map(|open| open.timers(None)))
    }
}
