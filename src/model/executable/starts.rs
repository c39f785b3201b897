//! The nodes at which messages, signals and conditions start a process, and what they wait for
//! together.

use super::{ExecutableNode, ExecutableProcess};
use crate::model::{
    definition::EventGatewayType, event_definition::EventRef, node_kind::ExecutableEventDefinition,
};

impl ExecutableProcess {
    /// The nodes at which a message or signal starts the process: start events, receive tasks, and
    /// events behind event-based gateways.
    pub fn event_starts(
        &self,
    ) -> impl Iterator<Item = (&ExecutableNode, EventRef, &ExecutableEventDefinition)> {
        let nodes = self.event_starts.iter().map(|&index| &self.nodes[index]);
        nodes.flat_map(|node| {
            let events = node.kind.awaited().into_iter();
            let events = events.flat_map(|event| event.of(&node.id));
            let is_named =
                |event: &ExecutableEventDefinition| event.message().or(event.signal()).is_some();
            let named = events.filter(move |(_, event)| is_named(event));
            named.map(move |(of, event)| (node, of, event))
        })
    }

    /// The start events at which a condition starts the process.
    pub fn conditional_starts(&self) -> impl Iterator<Item = (&ExecutableNode, EventRef)> {
        self.start_events().flat_map(|(node, start)| {
            let conditional = start.event.of(&node.id);
            let conditional = conditional
                .filter(|(_, event)| matches!(event, ExecutableEventDefinition::Conditional));
            conditional.map(move |(of, _)| (node, of))
        })
    }

    /// Whether a message, a signal or a condition may start the process.
    pub fn is_started_by_events(&self) -> bool {
        self.event_starts().next().is_some() || self.conditional_starts().next().is_some()
    }

    /// The event-based gateway before an event, if that starts the process.
    pub fn instantiating_gateway(&self, event: &ExecutableNode) -> Option<&ExecutableNode> {
        let gateway = self.source_of(event.incoming.first()?)?;
        gateway.instantiates().map(|_| gateway)
    }

    /// Where an event starts the process together with others, which are then waited for: the
    /// parallel gateway before it, or the event itself if it has several definitions.
    pub fn gathering<'a>(&'a self, event: &'a ExecutableNode) -> Option<&'a ExecutableNode> {
        if event.start().is_some() {
            let awaited = event.kind.awaited()?;
            return (awaited.is_parallel() && event.scope.is_none()).then_some(event);
        }
        let gateway = self.instantiating_gateway(event)?;
        let is_parallel = gateway.instantiates() == Some(EventGatewayType::Parallel);
        is_parallel.then_some(gateway)
    }

    /// The event definitions that start the process together at such a node.
    pub fn gathered<'a>(
        &'a self,
        node: &'a ExecutableNode,
    ) -> impl Iterator<Item = &'a ExecutableEventDefinition> {
        let behind = node.outgoing.iter().filter(|_| node.is_event_gateway());
        let behind = behind.filter_map(|flow| self.node(&flow.target));
        let events = [node].into_iter().chain(behind);
        events
            .filter_map(|event| event.kind.awaited())
            .flat_map(|event| event.iter())
    }
}
