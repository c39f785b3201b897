//! Subscriptions are opened, triggered, closed.

use std::sync::Arc;

use crate::engine::{
    record::{Subscriber, Subscription},
    state::{InstanceState, Subscriptions},
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
        match by {
            Subscriber::Element(key) => self.with(key, |element| {
                if !element.triggered.contains(node) {
                    element.triggered.push(node.clone());
                }
                if let Some(open) = &mut element.subscriptions {
                    open.trigger(node, remains);
                }
            }),
            Subscriber::Scope(scope) => {
                if let Some(open) = self
                    .scope_mut(scope)
                    .and_then(|scope| scope.subscriptions.as_mut())
                {
                    open.trigger(node, remains);
                }
            }
        }
    }
}
