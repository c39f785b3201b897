//! Open subscriptions: what an element or a scope waits for.
//!
//! Not here: when they are opened and what follows when one is triggered (`engine::subscription`).

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{ElementInstance, InstanceState};
use crate::{
    engine::{
        command::{DueTimer, TimerKey},
        record::{RenewedSubscription, Subscriber, Subscription},
    },
    model::ids::{ElementKey, Time},
};

/// What somebody waits for, by the nodes of the events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Subscriptions(BTreeMap<Arc<str>, OpenSubscription>);

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
    /// Those that were opened at a time.
    pub(super) fn opened(opened: &[(Arc<str>, Subscription)], since: Time) -> Self {
        let open = opened.iter().map(|(node, subscription)| {
            let open = OpenSubscription {
                subscription: subscription.clone(),
                occurrence: 1,
                since,
            };
            (node.clone(), open)
        });
        Self(open.collect())
    }

    /// Those that are renewed at a time.
    pub(super) fn renewed(renewed: &[RenewedSubscription], now: Time) -> Self {
        let open = renewed.iter().map(|renewed| {
            let open = OpenSubscription {
                subscription: renewed.subscription.clone(),
                occurrence: renewed.occurrence,
                since: renewed.since.unwrap_or(now),
            };
            (renewed.node.clone(), open)
        });
        Self(open.collect())
    }

    /// An event has come: something remains to be waited for, or nothing.
    pub(super) fn trigger(&mut self, node: &Arc<str>, remains: Option<&Subscription>) {
        match (remains, self.0.get_mut(node)) {
            (Some(remains), Some(open)) => {
                open.occurrence += 1;
                open.subscription = remains.clone();
            }
            (_, _) => drop(self.0.remove(node)),
        }
    }

    /// A condition is false again.
    pub(super) fn reset_condition(&mut self, node: &str) {
        if let Some(open) = self.0.get_mut(node) {
            open.subscription = Subscription::Conditional { holds: false };
        }
    }

    /// All of them, by the nodes of the events.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &OpenSubscription)> {
        self.0.iter()
    }

    /// The one for the event of a node.
    pub fn get(&self, node: &str) -> Option<&OpenSubscription> {
        self.0.get(node)
    }

    /// The timers of those that are times.
    pub fn timers(&self, element: Option<ElementKey>) -> impl Iterator<Item = DueTimer> {
        self.0.iter().filter_map(move |(node, open)| {
            Some(DueTimer {
                key: TimerKey::event(element, node, open.occurrence),
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
