//! The moves possible in an instance, and their results.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    OCCURRENCES,
    model::{CALLED, COLLECTION},
    oracle::Oracle,
};
use crate::{
    engine::{
        self, Command, InstanceState, Record, RecordBatch, StepInput,
        command::{RunAction, StartInstance, TimerKey},
        correlation::EventDelivery,
        instance_message::InstanceMessage,
        next_step::{Offer, next_step},
        record::{Created, ProcessRef, Status, Subscriber, Subscription},
        state::{Child, OpenSubscription},
    },
    limits::InstanceLimits,
    model::{
        event_definition::EventRef,
        executable::{ActionWork, ExecutableNode, ExecutableProcess},
        ids::{ElementKey, InstanceKey, Time},
        node_kind::ExecutableEventDefinition,
    },
};

/// The number of ways of answering the conditions of one step that are explored.
const CHOICES: usize = 256;
/// Active elements from which on the explorer regards a model as growing without bound.
const ACTIVE: usize = 200;
/// Code of the incident of an element that was activated but not moved yet.
const PAUSED: &str = "step_limit";
/// An error that no event names; events without a code catch it.
const ANY: &str = "any";

/// A possible move.
pub struct NextMove {
    command: Command,
    /// Process time at which it happens.
    now: Time,
    description: String,
    recurs: bool,
    /// Whether the flows taken show its result.
    chooses: bool,
}

impl NextMove {
    fn new(command: Command, description: String) -> Self {
        Self {
            command,
            now: Time(0),
            description,
            recurs: false,
            chooses: false,
        }
    }

    /// The move in words, with the flows taken at a gateway.
    pub fn description(&self, taken: &[Arc<str>]) -> String {
        if self.chooses && !taken.is_empty() {
            let flows: Vec<String> = taken.iter().map(|flow| format!("'{flow}'")).collect();
            return format!("{} and left by {}", self.description, flows.join(" and "));
        }
        self.description.clone()
    }

    /// Whether it may repeat without limit.
    pub fn recurs(&self) -> bool {
        self.recurs
    }
}

/// Starts an instance at a start event.
pub fn start(process: &ExecutableProcess, at: &ExecutableNode) -> (InstanceState, RecordBatch) {
    let is_start_event = at.start().is_some();
    let key = InstanceKey(Uuid::from_u128(1));
    let head = Created {
        key,
        tenant: String::new(),
        process: ProcessRef {
            id: process.definition.id.clone(),
            version: 1,
            revision: String::new(),
        },
        business_key: None,
        parent: None,
        started_by: String::new(),
        data: json!({COLLECTION: [1, 2]}),
        expires_at: None,
        origin: None,
        test: true,
        scheduled_for: None,
        correlation: None,
    };
    let command = StartInstance {
        trace: None,
        head,
        start_condition: is_start_event.then(|| at.id.to_string()),
        start_event: (!is_start_event).then(|| EventRef::first(&at.id)),
    };
    let oracle = Oracle::new(process, Vec::new());
    let (state, outcome) = engine::start(process, &oracle, command, input(Time(0)))
        .expect("a start event without keys and lanes accepts a start that names it");
    (state, outcome.row.unwrap_or_else(empty))
}

fn empty() -> RecordBatch {
    RecordBatch {
        first_seq: 0,
        time: Time(0),
        command: None,
        by: None,
        ignored: Vec::new(),
        records: Vec::new(),
        trace: None,
    }
}

fn input(now: Time) -> StepInput<'static> {
    StepInput {
        span: None,
        now,
        child_key: &|seq| InstanceKey(Uuid::from_u64_pair(2, seq)),
        caller: None,
        command: None,
        limits: InstanceLimits {
            elements_per_command: 0,
            active_elements: ACTIVE,
            ..InstanceLimits::default()
        },
        tree_room: ACTIVE,
    }
}

/// A possible result of a move: the state, its records, and the flows taken.
pub type After = (InstanceState, RecordBatch, Vec<Arc<str>>);

/// Performs a move for every way its conditions can be answered. `false` when there are more ways
/// than are explored.
pub fn perform(
    process: &ExecutableProcess,
    state: &InstanceState,
    next: &NextMove,
) -> (Vec<After>, bool) {
    let mut found = Vec::new();
    let mut answers = Some(Vec::new());
    let mut ways = 0;
    while let Some(given) = answers.take() {
        if ways == CHOICES {
            return (found, false);
        }
        ways += 1;
        let mut after = state.clone();
        let oracle = Oracle::new(process, given);
        let command = next.command.clone();
        let outcome = engine::step(process, &oracle, &mut after, command, input(next.now));
        answers = oracle.next();
        if let Ok(row) = outcome.map(|outcome| outcome.row.unwrap_or_else(empty)) {
            let taken = taken(&row);
            found.push((after, row, taken));
        }
    }
    (found, true)
}

fn taken(row: &RecordBatch) -> Vec<Arc<str>> {
    let mut flows: Vec<Arc<str>> = Vec::new();
    for record in &row.records {
        if let Record::FlowArrived { arrival, .. } = record {
            flows.push(arrival.flow.clone());
        } else if let Record::ElementActivated { arrivals, .. } = record
            && let [arrival] = &arrivals[..]
        {
            flows.push(arrival.flow.clone());
        }
    }
    flows.dedup();
    flows
}

/// All possible moves.
pub fn enabled(process: &ExecutableProcess, state: &InstanceState) -> Vec<NextMove> {
    let mut moves = Vec::new();
    for (element, instance) in state.active() {
        let paused = instance
            .incidents()
            .iter()
            .any(|incident| incident.code == PAUSED);
        if let (true, Some(node)) = (paused, process.node(instance.node())) {
            let mut next = NextMove::new(Command::Retry { element }, passing(node));
            next.chooses = node.outgoing.len() > 1;
            moves.push(next);
        }
    }
    moves.extend(offers(process, state));
    for (by, open) in state.all_subscriptions() {
        moves.extend(
            open.iter()
                .filter_map(|(of, open)| event(process, by, of, open)),
        );
    }
    for child in state.children().values() {
        moves.extend(ends(process, state, child));
    }
    moves
}

fn passing(node: &ExecutableNode) -> String {
    format!("{} '{}' is entered", node.kind.bpmn_name(), node.id)
}

fn offers(process: &ExecutableProcess, state: &InstanceState) -> Vec<NextMove> {
    let step = next_step(process, state);
    let offers = step.offers.into_iter().filter(|offer| !offer.back);
    let offers = offers.filter_map(|offer| {
        let action = process.node(&offer.node)?.action(&offer.action)?;
        match &action.work {
            ActionWork::StartActivity { activity } => starts_again(state, &offer, activity)
                .then(|| (format!("'{activity}' is started"), offer)),
            _ => Some((format!("'{}' is completed", offer.node), offer)),
        }
    });
    let run = offers.map(|(description, offer)| {
        let run = RunAction {
            action: offer.action.to_string(),
            element: Some(offer.element),
            data: Value::Object(Map::new()),
            file: None,
        };
        NextMove::new(Command::Run(run), description)
    });
    run.collect()
}

/// Whether starting this activity of an ad-hoc subprocess is explored: users may start it any
/// number of times, but one visit at a time shows the results.
fn starts_again(state: &InstanceState, offer: &Offer, activity: &Arc<str>) -> bool {
    let is_active = state
        .active()
        .any(|(_, element)| element.scope() == Some(offer.element) && element.node() == activity);
    let scope = state.scope(Some(offer.element));
    let waits = scope.is_some_and(|scope| scope.waiting().next().is_some());
    let is_first = state
        .element(offer.element)
        .is_some_and(|element| element.counts(&offer.action).0 == 0);
    !is_active && (is_first || !waits)
}

/// An event that an element waits for occurs.
fn event(
    process: &ExecutableProcess,
    by: Subscriber,
    event: &EventRef,
    open: &OpenSubscription,
) -> Option<NextMove> {
    let node = process.node(&event.node)?;
    if open.occurrence() > OCCURRENCES {
        return None;
    }
    let (command, now, what) = match open.subscription() {
        Subscription::Timer { due, .. } => {
            let element = match by {
                Subscriber::Element(element) => Some(element),
                Subscriber::Scope(scope) => scope,
            };
            let timer = TimerKey::event(element, event, open.occurrence());
            (Command::FireTimer(timer), *due, "timer")
        }
        // Conditions are evaluated again when data change; the oracle gives their values.
        Subscription::Conditional { .. } => {
            let data = Value::Object(Map::from_iter([("changed".to_owned(), Value::Bool(true))]));
            (Command::Patch { scope: None, data }, Time(0), "condition")
        }
        Subscription::Message { taken, .. } => (deliver(by, event, *taken), Time(0), "message"),
        Subscription::Signal { taken, .. } => (deliver(by, event, *taken), Time(0), "signal"),
        // It comes from within the instance.
        Subscription::Escalation => return None,
    };
    Some(NextMove {
        command,
        now,
        description: format!("the {what} of '{event}' comes"),
        recurs: !node.kind.interrupts(),
        chooses: false,
    })
}

fn deliver(by: Subscriber, event: &EventRef, taken: u64) -> Command {
    Command::Deliver(Box::new(EventDelivery {
        trace: None,
        by,
        event: event.clone(),
        number: taken + 1,
        data: Arc::new(Value::Object(Map::new())),
    }))
}

/// A called process ends: normally, or with an error that is caught somewhere around the call. Before
/// that it throws escalations that are caught there.
fn ends(process: &ExecutableProcess, state: &InstanceState, child: &Child) -> Vec<NextMove> {
    let Some(element) = child
        .start
        .element
        .filter(|_| child.status.is_live() && !child.ending)
    else {
        return Vec::new();
    };
    let Some(node) = state.element(element).map(|element| element.node().clone()) else {
        return Vec::new();
    };
    let receive = |message: InstanceMessage, description: String| {
        let command = Command::Receive {
            trace: None,
            from: child.start.child,
            number: child.start.received + 1,
            message: Box::new(message),
        };
        NextMove::new(command, description)
    };
    let end = |status: Status, error: Option<Arc<str>>, description: String| {
        let message = InstanceMessage::Ended {
            status,
            result: None,
            error: error.map(|error| error.to_string()),
            carried: Map::new(),
        };
        receive(message, description)
    };
    let mut moves = vec![end(
        Status::Finished,
        None,
        format!("'{node}' is completed"),
    )];
    for error in caught_errors(process, state, element) {
        let description = match &error {
            Some(code) => format!("'{node}' fails by the error '{code}'"),
            None => format!("'{node}' fails"),
        };
        moves.push(end(Status::Failed, error, description));
    }
    if child.start.process == CALLED && child.start.received < u64::from(OCCURRENCES) {
        for (code, recurs) in caught_escalations(process, state, element) {
            let description = format!("'{node}' throws the escalation '{code}'");
            let message = InstanceMessage::Escalation {
                code: code.to_string(),
                carried: Map::new(),
                data: None,
            };
            let mut next = receive(message, description);
            next.recurs = recurs;
            moves.push(next);
        }
    }
    moves
}

/// The errors of an element that are caught: by its boundary events, and by those and the event
/// subprocesses of the enclosing scopes.
fn caught_errors(
    process: &ExecutableProcess,
    state: &InstanceState,
    element: ElementKey,
) -> Vec<Option<Arc<str>>> {
    let mut found: Vec<Option<Arc<str>>> = Vec::new();
    for catcher in catchers(process, state, element) {
        let ExecutableEventDefinition::Error(code) = catcher.event else {
            continue;
        };
        // A failure without a code propagates no further than the element itself.
        let code = code.clone().or((!catcher.is_own).then(|| ANY.into()));
        if !found.contains(&code) {
            found.push(code);
        }
    }
    found
}

/// The escalations of an element that are caught in the same way, and whether each may recur.
fn caught_escalations(
    process: &ExecutableProcess,
    state: &InstanceState,
    element: ElementKey,
) -> Vec<(Arc<str>, bool)> {
    let mut found: Vec<(Arc<str>, bool)> = Vec::new();
    for catcher in catchers(process, state, element) {
        let ExecutableEventDefinition::Escalation(code) = catcher.event else {
            continue;
        };
        let code = code.clone().unwrap_or_else(|| ANY.into());
        if !found.iter().any(|(known, _)| *known == code) {
            found.push((code, catcher.recurs));
        }
    }
    found
}

/// An event that may catch what an element throws.
struct Catcher<'a> {
    event: &'a ExecutableEventDefinition,
    /// Whether it is a boundary event of the element itself.
    is_own: bool,
    /// Whether it does not interrupt.
    recurs: bool,
}

/// The events that may catch what an element throws, from it outwards: its boundary events, those
/// of the enclosing scopes, and their event subprocesses.
fn catchers<'a>(
    process: &'a ExecutableProcess,
    state: &InstanceState,
    element: ElementKey,
) -> Vec<Catcher<'a>> {
    let around = std::iter::successors(Some(element), |key| state.element(*key)?.scope());
    let mut found = Vec::new();
    let mut is_first = true;
    for node in around.filter_map(|key| process.node(state.element(key)?.node())) {
        let events = node
            .boundary_events
            .iter()
            .filter_map(|event| process.node(event));
        // An event subprocess does not catch its own throws.
        let beside = process
            .event_subprocess_starts(node.scope.as_deref())
            .filter(|start| start.scope.as_ref() != Some(&node.id));
        let is_first = std::mem::take(&mut is_first);
        for catcher in events.chain(beside) {
            let is_own = node.boundary_events.contains(&catcher.id) && is_first;
            let definitions = catcher.kind.awaited().into_iter();
            let events = definitions.flat_map(|event| event.iter());
            found.extend(events.map(|event| Catcher {
                event,
                is_own,
                recurs: !catcher.kind.interrupts(),
            }));
        }
    }
    found
}
