//! The moves of element instances, each in one place: activate, complete, terminate, take a sequence
//! flow.
//!
//! `elements` has the behaviour of an element between the moves.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    compensation,
    context::{STOPPED, Step},
    due_date,
    effect::Effect,
    elements::{complex_gateway, parallel_gateway},
    mappings, quantities,
    record::{Arrival, Record},
    state::Child,
    subscription,
};
use crate::model::{
    executable::{ExecutableFlow, ExecutableNode},
    ids::ElementKey,
};

impl Step<'_> {
    /// Activates a node in a scope. The element continues later in this step.
    pub fn activate(&mut self, node: &Arc<str>, scope: Option<ElementKey>, arrivals: Vec<Arrival>) {
        self.activate_with(node, scope, arrivals, Map::new());
    }

    /// Activates a node with variables of its own.
    pub fn activate_with(
        &mut self,
        node: &Arc<str>,
        scope: Option<ElementKey>,
        arrivals: Vec<Arrival>,
        variables: Map<String, Value>,
    ) {
        self.activate_one(node, scope, arrivals, None, variables);
    }

    /// Activates an iteration of a whole.
    pub fn activate_iteration(
        &mut self,
        node: &Arc<str>,
        whole: ElementKey,
        iteration: u32,
        variables: Map<String, Value>,
    ) {
        self.activate_one(node, Some(whole), Vec::new(), Some(iteration), variables);
    }

    fn activate_one(
        &mut self,
        node: &Arc<str>,
        scope: Option<ElementKey>,
        arrivals: Vec<Arrival>,
        loop_counter: Option<u32>,
        variables: Map<String, Value>,
    ) {
        let element = ElementKey(self.record(Record::ElementActivated {
            scope,
            node: node.clone(),
            arrivals,
            loop_counter,
        }));
        self.declare(element, variables);
        self.begin_element(element);
        self.enter(element);
    }

    /// Activates an element that compensates a completed one: its handler, or the element again,
    /// with the variables it owned before.
    pub fn activate_to_undo(
        &mut self,
        node: &ExecutableNode,
        scope: Option<ElementKey>,
        arrivals: Vec<Arrival>,
        (by, of): (ElementKey, ElementKey),
    ) {
        let element = ElementKey(self.record(Record::ElementActivated {
            scope,
            node: node.id.clone(),
            arrivals,
            loop_counter: None,
        }));
        self.record(Record::CompensationStarted { element, by, of });
        if node.for_compensation {
            self.begin_element(element);
        }
        self.enter(element);
    }

    /// Queues an element so that it continues in this step, within the limits.
    fn enter(&mut self, element: ElementKey) {
        if self.budget == 0 {
            let sentence = "expected the process to wait or end, but one command activated too \
                many elements: is there a loop without a user task or a timer? Retry to continue";
            return self.stop(element, STOPPED[0], sentence.to_owned());
        }
        if self.state.active_count() > self.limits.active_elements {
            let sentence = format!(
                "expected at most {} active elements, but this is one more. Retry when others have \
                completed",
                self.limits.active_elements
            );
            return self.stop(element, STOPPED[1], sentence);
        }
        self.budget -= 1;
        self.queue(element);
    }

    /// Begins an element, or begins it again after an incident: its variables, and its due date,
    /// which may be evaluated from them.
    pub fn begin_element(&mut self, element: ElementKey) {
        if mappings::begin(self, element) {
            due_date::begin(self, element);
        }
    }

    /// Completes an element. Returns the retained element instance from which its successors
    /// descend.
    pub fn complete(&mut self, key: ElementKey, node: &ExecutableNode) -> Option<ElementKey> {
        let element = self.state.element(key)?;
        let inherited = element.arrivals().first().and_then(|arrival| arrival.from);
        // Its whole closes back steps, not each iteration.
        let closes = !node.can_go_back && element.loop_counter().is_none();
        let keep = !closes && is_retained(node, element.arrivals());
        subscription::close(self, key);
        self.record(Record::ElementCompleted {
            element: key,
            node: node.id.clone(),
            keep,
            closes,
            compensable: compensation::is_compensable(self, key, node)
                && compensation::fits(self, key).is_ok(),
        });
        if keep {
            Some(key)
        } else if closes {
            None
        } else {
            inherited
        }
    }

    /// Takes the sequence flows by which a token leaves an element of this scope.
    pub fn take_all(
        &mut self,
        flows: &[&ExecutableFlow],
        scope: Option<ElementKey>,
        from: Option<ElementKey>,
    ) {
        for flow in flows {
            let arrival = Arrival {
                flow: flow.id.clone(),
                from,
            };
            self.take(flow, scope, arrival);
        }
    }

    /// Takes a sequence flow: activates its target, or lets the token wait there for others.
    fn take(&mut self, flow: &ExecutableFlow, scope: Option<ElementKey>, arrival: Arrival) {
        let Some(target) = self.process.node(&flow.target) else {
            return;
        };
        if !target.is_join() {
            return self.activate(&target.id, scope, vec![arrival]);
        }
        self.record(Record::FlowArrived {
            scope,
            node: target.id.clone(),
            arrival,
        });
        if target.is_complex_join() {
            return complex_gateway::arrived(self, scope, target);
        }
        // An inclusive join is evaluated when nothing else can move.
        if target.is_inclusive_join() {
            return;
        }
        let waiting = self.state.scope(scope);
        let waiting = waiting.map_or(&[][..], |scope| scope.waiting_at(&target.id));
        let arrivals = if target.gathers_tokens() {
            quantities::enough(target, waiting)
        } else {
            parallel_gateway::one_of_each(target, waiting)
        };
        if let Some(arrivals) = arrivals {
            self.activate(&target.id, scope, arrivals);
        }
    }

    /// Takes the sequence flows of an event-based gateway. The events that have occurred are not
    /// subscribed to again.
    pub fn take_to_events(
        &mut self,
        flows: &[&ExecutableFlow],
        scope: Option<ElementKey>,
        from: Option<ElementKey>,
        occurred: &[Arc<str>],
    ) {
        for flow in flows {
            let event = ElementKey(self.next_seq());
            self.take_all(&[flow], scope, from);
            if let Some(node) = self.process.node(&flow.target)
                && occurred.contains(&node.id)
            {
                subscription::pass(self, event, node);
            }
        }
    }

    /// Terminates an element with its timers and its calls, after the elements in it, the latest
    /// first.
    pub fn terminate(&mut self, key: ElementKey) {
        if self.state.scope(Some(key)).is_some() {
            for inner in self.state.inside(Some(key)).into_iter().rev() {
                self.terminate_one(inner);
            }
        }
        self.terminate_one(key);
    }

    /// Terminates everything in a scope, with the children that it started, except these elements and
    /// what is in them; the scope remains.
    fn terminate_inside(&mut self, scope: Option<ElementKey>, kept: &[ElementKey]) {
        let within = |key: &ElementKey| self.state.inside(Some(*key));
        let kept: Vec<ElementKey> = kept.iter().flat_map(within).chain(kept.to_vec()).collect();
        let mut inside = self.state.inside(scope);
        inside.retain(|key| !kept.contains(key));
        self.end_children_of(&inside);
        for element in inside.into_iter().rev() {
            self.terminate(element);
        }
    }

    /// Terminates everything in a scope for an interrupting event subprocess, and closes the
    /// subscriptions of its event subprocesses.
    pub fn interrupt(&mut self, scope: Option<ElementKey>, start: &Arc<str>) {
        self.terminate_inside(scope, &[]);
        subscription::close_scope(self, scope);
        self.record(Record::ScopeInterrupted {
            scope,
            node: start.clone(),
        });
    }

    fn terminate_one(&mut self, key: ElementKey) {
        let Some(element) = self
            .state
            .element(key)
            .filter(|element| element.is_active())
        else {
            return;
        };
        let node = element.node().clone();
        let calls: Vec<u64> = element
            .http_calls()
            .filter_map(|open| open.under_way)
            .collect();
        subscription::close(self, key);
        for call in calls {
            self.effect(Effect::ForgetCall(call));
        }
        self.record(Record::ElementTerminated { element: key, node });
    }

    /// Terminates everything in a scope, and removes the tokens at its joins; the scope continues.
    pub fn empty(&mut self, scope: Option<ElementKey>) {
        self.empty_except(scope, &[]);
    }

    /// The same, except for these elements and what is in them.
    pub fn empty_except(&mut self, scope: Option<ElementKey>, kept: &[ElementKey]) {
        self.terminate_inside(scope, kept);
        let waits = self.state.scope(scope);
        if waits.is_some_and(|scope| scope.waiting().next().is_some()) {
            self.record(Record::WaitingFlowsCleared { scope });
        }
    }

    /// Ends the live children that these elements started.
    pub fn end_children_of(&mut self, elements: &[ElementKey]) {
        let of_these = |child: &&Child| {
            child
                .start
                .element
                .is_some_and(|element| elements.contains(&element))
        };
        let children = self.state.children().values().filter(of_these);
        let children = children.map(|child| child.start.child).collect();
        self.end_children(children);
    }
}

/// Whether a completed element is retained: one that back steps can reach, and a join that may have
/// to return its flows.
fn is_retained(node: &ExecutableNode, arrivals: &[Arrival]) -> bool {
    let returnable = node
        .actions
        .iter()
        .any(|action| action.allow_back || action.children.iter().any(|child| child.allow_back));
    returnable || (arrivals.len() > 1 && arrivals.iter().any(|arrival| arrival.from.is_some()))
}
