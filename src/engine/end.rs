//! The end of an instance, with all that is active in it and below it.
//!
//! An instance that finishes leaves its subprocesses running and its Action messages open; any
//! other end also terminates everything below it. `suspend` has the commands that end an instance,
//! `elements` the ends from within.

use serde_json::{Map, Value};

use super::{
    command::TimerKey,
    context::Step,
    correlation::CorrelationNote,
    elements::{complex_gateway, late_join},
    http_call,
    instance_message::InstanceMessage,
    record::{Record, Status},
    state::Scope,
    subscription,
};
use crate::model::ids::{ElementKey, InstanceKey};

impl Step<'_> {
    /// Ends those of these children that are live and have received no end message yet.
    pub fn end_children(&mut self, children: Vec<InstanceKey>) {
        for child in children {
            if self
                .state
                .children()
                .get(&child)
                .is_some_and(|child| child.status.is_live() && !child.ending)
            {
                self.send(
                    child,
                    InstanceMessage::End {
                        status: Status::Terminated,
                    },
                );
            }
        }
    }

    /// Ends the instance: its active elements, the instances below it and, unless it finished, its
    /// open Action messages. The parent is notified last.
    pub fn end(&mut self, status: Status) {
        self.end_with(status, None, true);
    }

    /// Ends the instance as failed, by an error that a boundary event of the parent may catch, with
    /// what it carries.
    pub fn fail(&mut self, error: &str, carried: Map<String, Value>) {
        self.end_with(Status::Failed, Some((error.to_owned(), carried)), true);
    }

    /// Ends the instance because an instance above it has ended. That end reaches all instances
    /// below this one, too.
    pub fn end_below_an_end(&mut self) {
        self.end_with(Status::Terminated, None, false);
    }

    /// Ends all instances below this one, which has ended or is about to.
    pub fn end_descendants(&mut self) {
        if self.state.may_have_live_descendants() {
            self.send(self.state.key(), InstanceMessage::EndDescendants);
        }
    }

    fn end_with(
        &mut self,
        status: Status,
        error: Option<(String, Map<String, Value>)>,
        reaches_down: bool,
    ) {
        let active: Vec<ElementKey> = self.state.active().map(|(key, _)| key).collect();
        if status == Status::Finished {
            // A terminate end event terminates active elements, and so the children that they have
            // called.
            self.end_children_of(&active);
        }
        for element in active {
            self.terminate(element);
        }
        subscription::close_scope(self, None);
        if status == Status::Finished {
            let live = self
                .state
                .children()
                .iter()
                .filter(|(_, child)| child.status.is_live() && !child.ending);
            for child in live.map(|(key, _)| *key).collect::<Vec<_>>() {
                self.send(child, InstanceMessage::ParentFinished);
            }
        } else if reaches_down {
            self.end_descendants();
        }
        if self.state.head().expires_at.is_some() {
            self.clear_timer(TimerKey::expiry());
        }
        self.record(Record::Ended { status });
        let (error, carried) = error.unzip();
        http_call::end::notify_webhooks(self, status, error.as_deref());
        if let Some(correlation) = self.state.head().correlation.clone() {
            self.notify(correlation, CorrelationNote::Ended);
        }
        let has_result = status == Status::Finished || error.is_some();
        let result = (has_result && self.state.wants_result()).then(|| self.state.data().clone());
        self.send_to_parent(InstanceMessage::Ended {
            status,
            result,
            error,
            carried: carried.unwrap_or_default(),
        });
    }

    /// Ends the instance when it has no token left. A flow that waits at a join which cannot
    /// continue any more is an incident.
    pub fn end_if_done(&mut self) {
        if !self.state.status().is_live() || self.state.active().next().is_some() {
            return;
        }
        if !self.stops_at_join(None) {
            self.end(Status::Finished);
        }
    }

    /// Whether a flow waits at a join, or before an activity, of a scope without other active
    /// elements. An inclusive or complex join continues with it; a join that cannot continue any
    /// more is an incident.
    pub fn stops_at_join(&mut self, scope: Option<ElementKey>) -> bool {
        if late_join::release(self, scope) {
            return true;
        }
        let waiting = self
            .state
            .scope(scope)
            .and_then(|scope| Scope::waiting(scope).next());
        let Some((node, arrivals)) =
            waiting.map(|(node, arrivals)| (node.clone(), arrivals.to_vec()))
        else {
            return false;
        };
        let join = self.process.node(&node);
        if let Some(join) = join.filter(|join| join.is_complex_join()) {
            complex_gateway::stop_for_good(self, scope, join);
            return true;
        }
        let count = arrivals.len();
        let element = ElementKey(self.record(Record::ElementActivated {
            scope,
            node: node.clone(),
            arrivals,
            loop_counter: None,
        }));
        let gathers = join.filter(|join| join.gathers_tokens());
        let sentence = if let Some(activity) = gathers {
            self.begin_element(element);
            format!(
                "expected {} tokens to begin '{node}' (startQuantity), but {count} arrived, and no \
                other token is left. Retry to begin with these",
                activity.start_quantity
            )
        } else {
            format!(
                "expected a token on every incoming flow of the join '{node}', but no other token \
                is left. Retry to continue without them"
            )
        };
        self.incident(element, "join_incomplete", sentence, None);
        true
    }
}
