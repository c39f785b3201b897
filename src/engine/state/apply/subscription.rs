//! Subscriptions are opened, triggered, closed.

use std::sync::Arc;

use crate::{
    engine::{
        record::{Subscriber, Subscription},
        state::{InstanceState, Subscriptions},
    },
    model::ids::ElementKey,
};

impl InstanceState {
    pub(super) fn subscribe(&mut self, by: Subscriber, opened: Subscriptions) {
        match by {
            Subscriber::Element(key) => {
                self.with(key, |element| element.subscriptions = Some(opened));
            }
            Subscriber::Scope(scope) => {
                if let Some(scope) = self.scope_mut(scope) {
                    scope.subscriptions = Some(opened);
                }
            }
        }
    }

    /// An event has come.
    pub(super) fn trigger(
        &mut self,
        by: Subscriber,
        node: &Arc<str>,
        remains: Option<&Subscription>,
    ) {
        if let Subscriber::Element(key) = by {
            self.with(key, |element| {
                if !element.triggered.contains(node) {
                    element.triggered.push(node.clone());
                }
            });
        }
        if let Some(open) = self.open_subscriptions(by) {
            open.trigger(node, remains);
        }
    }

    pub(super) fn reset_condition(&mut self, by: Subscriber, node: &str) {
        if let Some(open) = self.open_subscriptions(by) {
            open.reset_condition(node);
        }
    }

    fn open_subscriptions(&mut self, by: Subscriber) -> Option<&mut Subscriptions> {
        match by {
            Subscriber::Element(key) => self.elements.get_mut(&key)?.subscriptions.as_mut(),
            Subscriber::Scope(scope) => self.scope_mut(scope)?.subscriptions.as_mut(),
        }
    }

    /// An interrupting event subprocess takes a scope over, in which nothing is active any more.
    pub(super) fn interrupt(&mut self, scope: Option<ElementKey>) {
        for key in self.inside(scope) {
            self.forget(key, None);
        }
        if let Some(scope) = self.scope_mut(scope) {
            scope.waiting.clear();
            scope.resetting.clear();
            scope.subscriptions = Some(Subscriptions::default());
            scope.interrupted = true;
        }
        self.forget_merges();
    }
}
