//! Messages that start a process together, at a parallel event-based gateway or a start event with
//! `parallelMultiple`: of those with the same key that come at the same time one starts an
//! instance, and the others join it.
//!
//! Each message is an entity of its own, and decides to start an instance as long as it does not
//! know of one that waits for it. So the starts at one such node with one key are delivered one
//! after the other: each asks the entities of the node's other messages which instances they have
//! started, and joins the one that waits for it. Those entities and instances remember all of this,
//! so it also holds after a crash; only the turns are kept in memory.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{AGAIN, OutboxDelivery, again, correlating, start_by_event};
use crate::{
    engine::{
        Command,
        correlation::{Correlation, JoiningStart},
        instance_message::InstanceMessage,
    },
    journal::Entity,
    model::ids::InstanceKey,
    runtime::{
        Runtime,
        correlations::{
            CorrelationRequest, decide::CorrelationCommand, decided::CorrelationAnswer,
        },
        instance_request::{Envelope, InstanceRequest, InstanceResponse, Refusal, ReplyTo},
    },
};

/// A node at which messages start a process together, with a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct JoinPoint {
    tenant: String,
    process: String,
    node: Arc<str>,
    key: Option<Arc<str>>,
}

/// The starts in delivery, and those that wait for their turn.
#[derive(Default)]
pub struct Joining {
    turns: Mutex<JoinTurns>,
}

#[derive(Default)]
struct JoinTurns {
    of: BTreeMap<(Entity, u64), JoinPoint>,
    waiting: BTreeMap<JoinPoint, VecDeque<OutboxDelivery>>,
}

impl Joining {
    fn lock(&self) -> MutexGuard<'_, JoinTurns> {
        // Code under this lock cannot panic.
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is the turn of this start; otherwise it waits for its turn.
    fn begin(&self, gathering: &JoinPoint, delivery: &OutboxDelivery) -> bool {
        let mut turns = self.lock();
        let holder = (delivery.source, delivery.number);
        if turns.of.contains_key(&holder) {
            return true;
        }
        if let Some(waiting) = turns.waiting.get_mut(gathering) {
            waiting.push_back(delivery.clone());
            return false;
        }
        turns.waiting.insert(gathering.clone(), VecDeque::new());
        turns.of.insert(holder, gathering.clone());
        true
    }

    /// A delivery has ended: returns the next one at its node.
    pub fn over(&self, delivery: &OutboxDelivery) -> Option<OutboxDelivery> {
        if !matches!(*delivery.message, InstanceMessage::StartByEvent { .. }) {
            return None;
        }
        let mut turns = self.lock();
        let gathering = turns.of.remove(&(delivery.source, delivery.number))?;
        let next = turns.waiting.get_mut(&gathering)?.pop_front();
        match &next {
            Some(next) => drop(turns.of.insert((next.source, next.number), gathering)),
            None => drop(turns.waiting.remove(&gathering)),
        }
        next
    }
}

/// A start whose turn it is, with the entities that may know of an instance to join.
struct Candidate {
    delivery: OutboxDelivery,
    tenant: String,
    process: Arc<str>,
    joining: JoiningStart,
    /// The other messages of the node.
    others: Vec<Correlation>,
}

/// Handles the start of an instance by one of several messages that come together.
///
/// # Errors
/// Returns a start of any other kind.
pub fn join_or_start(
    runtime: &Arc<Runtime>,
    delivery: OutboxDelivery,
) -> Result<(), OutboxDelivery> {
    let Some((gathering, candidate)) = candidate(runtime, &delivery) else {
        return Err(delivery);
    };
    if runtime.outbox.joining.begin(&gathering, &delivery) {
        find_earlier_offer(runtime, candidate);
    }
    Ok(())
}

fn candidate(runtime: &Runtime, delivery: &OutboxDelivery) -> Option<(JoinPoint, Candidate)> {
    let InstanceMessage::StartByEvent { head, start_event } = &*delivery.message else {
        return None;
    };
    let correlation = head.correlation.clone()?;
    let deployed = runtime
        .definitions
        .published(&head.tenant, &head.process.id)?;
    let process = &deployed.executable;
    let node = process.gathering(process.node(&start_event.node)?)?;
    let key = correlation.key().cloned();
    let others = process.gathered(node).filter_map(|event| {
        let name: Arc<str> = event.message()?.into();
        let key = key.clone();
        (name != *correlation.name()).then_some(Correlation::Message { name, key })
    });
    let gathering = JoinPoint {
        tenant: head.tenant.clone(),
        process: head.process.id.clone(),
        node: node.id.clone(),
        key: key.clone(),
    };
    let candidate = Candidate {
        delivery: delivery.clone(),
        tenant: head.tenant.clone(),
        process: head.process.id.as_str().into(),
        others: others.collect(),
        joining: JoiningStart {
            instance: head.key,
            correlation,
            event: start_event.clone(),
            number: delivery.number,
            data: Arc::new(head.data.clone()),
            business_key: head.business_key.clone(),
        },
    };
    Some((gathering, candidate))
}

/// Asks whether the start was offered to an instance before, by a server that has ended since: that
/// instance may have taken it.
fn find_earlier_offer(runtime: &Arc<Runtime>, candidate: Candidate) {
    let own = candidate.joining.correlation.clone();
    let command = CorrelationCommand::Offered(candidate.joining.instance);
    query_entity(
        runtime,
        candidate,
        own,
        command,
        |runtime, candidate, to| match to {
            Some(to) => join(runtime, candidate, to),
            None => find_live(runtime, candidate),
        },
    );
}

/// Asks the entity of the next of the node's other messages for an instance to join; after the last
/// one the start takes place.
fn find_live(runtime: &Arc<Runtime>, mut candidate: Candidate) {
    let Some(other) = candidate.others.pop() else {
        return start_by_event(runtime, candidate.delivery);
    };
    let command = CorrelationCommand::Live(candidate.process.clone());
    query_entity(
        runtime,
        candidate,
        other,
        command,
        |runtime, candidate, live| match live.filter(|live| *live != candidate.joining.instance) {
            Some(live) => offer(runtime, candidate, live),
            None => find_live(runtime, candidate),
        },
    );
}

/// Records that the start is offered to an instance, then offers it.
fn offer(runtime: &Arc<Runtime>, candidate: Candidate, to: InstanceKey) {
    let own = candidate.joining.correlation.clone();
    let command = CorrelationCommand::Offer {
        process: candidate.process.clone(),
        instance: candidate.joining.instance,
        to,
    };
    query_entity(
        runtime,
        candidate,
        own,
        command,
        move |runtime, candidate, _| join(runtime, candidate, to),
    );
}

/// Asks an entity, and continues with the instance that it names. An entity that cannot be read
/// names none.
fn query_entity(
    runtime: &Arc<Runtime>,
    candidate: Candidate,
    correlation: Correlation,
    command: CorrelationCommand,
    then: impl FnOnce(&Arc<Runtime>, Candidate, Option<InstanceKey>) + Send + Sync + 'static,
) {
    let (shared, active) = (runtime.clone(), runtime.active());
    let trace = candidate.delivery.trace.clone();
    let tenant = candidate.tenant.clone();
    let reply = Box::new(move |answer: Result<CorrelationAnswer, Refusal>| {
        let _active = active;
        match answer {
            Ok(answer) => then(&shared, candidate, answer.live),
            Err(refusal) => match refusal.again_after(AGAIN) {
                Some(pause) => again(&shared, candidate.delivery, pause),
                None => then(&shared, candidate, None),
            },
        }
    });
    runtime.correlate(CorrelationRequest {
        tenant,
        correlation,
        command,
        trace,
        noted: None,
        note: None,
        reply,
    });
}

fn join(runtime: &Arc<Runtime>, candidate: Candidate, live: InstanceKey) {
    let (shared, active) = (runtime.clone(), runtime.active());
    let command = Box::new(Command::Join(Box::new(candidate.joining.clone())));
    let reply = ReplyTo::to(move |answer| {
        let _active = active;
        match answer {
            InstanceResponse::Refused(refusal) => match refusal.again_after(AGAIN) {
                Some(pause) => again(&shared, candidate.delivery, pause),
                None => find_live(&shared, candidate),
            },
            _ => correlating::joined(&shared, candidate.delivery, live),
        }
    });
    let request = InstanceRequest::Apply {
        command,
        tag: None,
        if_seq: None,
    };
    runtime.dispatch(
        live,
        Envelope {
            caller: None,
            request,
            reply,
        },
    );
}
