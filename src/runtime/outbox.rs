//! Delivers messages between instances: in order per pair of sender and receiver, repeated after a
//! restart, until the receiver has them durably.
//!
//! The outbox table, written with the sender's row, is authoritative; this module only knows what
//! is in delivery. One message per pair is in progress at a time, and a limited number per tree
//! (`delivery_queue`). Not here: the meaning of a message for its receiver (`engine::subprocess`),
//! the effects of an end on instances below (`end_descendants`).

mod correlating;
mod delivery_order;
pub mod delivery_queue;
mod end_descendants;
mod joining;
mod line_up;
mod loop_turns;
mod stored;
mod unreceived_notes;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use dashmap::{DashMap, Entry};
use uuid::Uuid;

use super::{
    Runtime,
    correlations::{CorrelationRequest, decide::CorrelationCommand},
    definitions::KnownVersion,
    instance_request::{
        Envelope, InstanceRequest, InstanceResponse, Refusal, ReplyTo, ResolvedStart,
    },
    keys,
    trees::{Tree, TreePlace},
};
use crate::{
    engine::{
        Command, command::StartInstance, correlation::EventDelivery,
        instance_message::InstanceMessage, rejection::RejectionKind, trace::TraceContext,
    },
    journal::{Entity, Owner},
    model::ids::InstanceKey,
};
use delivery_order::{DeliveryOrder, Unblocked};
use delivery_queue::{Next, Pair};
use joining::Joining;
use loop_turns::{LoopPlace, LoopTurns};
pub use stored::{StoredDelivery, stored};
pub use unreceived_notes::NoteId;
use unreceived_notes::UnreceivedNotes;

/// The pause before a message that could not be delivered is sent again.
const AGAIN: Duration = Duration::from_millis(50);

/// A message in delivery.
#[derive(Clone)]
pub struct OutboxDelivery {
    /// The sender.
    pub source: Entity,
    /// The sender's record number.
    pub number: u64,
    /// The receiver.
    pub target: Entity,
    /// The message.
    pub message: Box<InstanceMessage>,
    /// The trace it belongs to.
    pub trace: Option<TraceContext>,
    /// The tree of sender and receiver, or of the one that is an instance. An entity of a message
    /// or signal has a tree of its own, which limits its deliveries.
    pub tree: Arc<Tree>,
    /// The owner whose turn it takes when it makes a loop continue.
    pub owner: Option<Arc<Owner>>,
}

impl OutboxDelivery {
    /// The pair whose order it keeps: sender and receiver. Starts have an order of their own,
    /// because those that wait must not delay the sender's end.
    fn pair(&self) -> Pair {
        if self.starts_more() {
            return (self.source.instance(), InstanceKey(Uuid::nil()));
        }
        (self.source.instance(), self.target.instance())
    }

    /// Its identity among the notes of instances to its receiver; `None` for any other message.
    fn note(&self) -> Option<NoteId> {
        let is_note = matches!(*self.message, InstanceMessage::Note { .. });
        is_note.then_some((self.source, self.number))
    }

    fn starts_more(&self) -> bool {
        matches!(*self.message, InstanceMessage::StartMore { .. })
    }

    /// Whether it starts instances, of which a tree may start a limited number per second.
    fn waits_as_start(&self) -> bool {
        self.is_start()
            || self.starts_more()
            || matches!(*self.message, InstanceMessage::StartByEvent { .. })
    }

    fn is_start(&self) -> bool {
        matches!(*self.message, InstanceMessage::Start { .. })
    }
}

/// Messages in delivery, by pair.
#[derive(Default)]
pub struct Outbox {
    pairs: DashMap<Pair, VecDeque<OutboxDelivery>>,
    loop_turns: LoopTurns<(OutboxDelivery, u64)>,
    joining: Joining,
    delivery_order: DeliveryOrder,
    /// What entities have not received yet.
    pub(super) unreceived: UnreceivedNotes,
}

impl Outbox {
    /// Takes a message whose row is durable. The tree counts the instances that the message starts.
    pub fn post(&self, runtime: &Arc<Runtime>, delivery: OutboxDelivery) {
        let tree = delivery.tree.clone();
        if let Some(note) = delivery.note() {
            let is_throw = delivery_order::is_thrown(&delivery);
            self.unreceived.posted(delivery.target, note, is_throw);
        }
        self.delivery_order.posted(&delivery);
        match self.pairs.entry(delivery.pair()) {
            Entry::Occupied(mut pair) => return pair.get_mut().push_back(delivery),
            Entry::Vacant(pair) => {
                let first = pair.insert(VecDeque::from([delivery]));
                if let Some(first) = first.front() {
                    self.line_up(runtime, first);
                }
            }
        }
        pump(runtime, &tree);
    }

    /// The first message of its pair is delivered: forgets it, and sends the next ones.
    fn taken(&self, runtime: &Arc<Runtime>, delivery: &OutboxDelivery) {
        runtime
            .journal
            .outbox_delivered(delivery.source, delivery.number);
        if let Some(note) = delivery.note() {
            self.unreceived.received(delivery.target, note);
        }
        delivery.tree.deliveries().done();
        if let Entry::Occupied(mut pair) = self.pairs.entry(delivery.pair()) {
            pair.get_mut().pop_front();
            match pair.get().front() {
                Some(next) => self.line_up(runtime, next),
                None => drop(pair.remove()),
            }
        }
        let throws = match self.delivery_order.taken(delivery) {
            Unblocked::Throws(throws) => throws,
            Unblocked::Pairs(pairs) => {
                let tree = &delivery.tree;
                for first in pairs.into_iter().filter_map(|pair| self.first(pair)) {
                    tree.deliveries().push(first.pair(), first.waits_as_start());
                }
                Vec::new()
            }
        };
        pump(runtime, &delivery.tree);
        for throw in throws {
            throw.resume(runtime);
        }
        if let Some(next) = self.joining.over(delivery) {
            deliver(runtime, next, 0);
        }
    }

    fn first(&self, pair: Pair) -> Option<OutboxDelivery> {
        self.pairs
            .get(&pair)
            .and_then(|deliveries| deliveries.front().cloned())
    }

    /// The number of the first message in delivery from an entity to an instance.
    pub fn first_to(&self, source: Entity, instance: InstanceKey) -> Option<u64> {
        self.first((source.instance(), instance))
            .map(|first| first.number)
    }

    /// Whether a message of this pair is in delivery.
    pub fn holds(&self, pair: Pair) -> bool {
        self.pairs.contains_key(&pair)
    }

    /// The number of messages in delivery.
    pub fn len(&self) -> usize {
        self.pairs.iter().map(|pair| pair.value().len()).sum()
    }
}

/// Sends every message of a tree whose turn it is.
fn pump(runtime: &Arc<Runtime>, tree: &Arc<Tree>) {
    loop {
        let next = tree
            .deliveries()
            .next(tree.limits(), tree.ends(), Instant::now());
        match next {
            Next::Nothing => return,
            Next::Check(pair) => end_descendants::check(runtime, tree, pair),
            Next::Wait(span) => {
                let (again, tree) = (runtime.clone(), tree.clone());
                return runtime.later(span, move || {
                    tree.deliveries().woken();
                    pump(&again, &tree);
                });
            }
            Next::Deliver(pair, ends) => match runtime.outbox.first(pair) {
                Some(delivery) => deliver(runtime, delivery, ends),
                None => tree.deliveries().done(),
            },
        }
    }
}

fn deliver(runtime: &Arc<Runtime>, delivery: OutboxDelivery, ends: u64) {
    match delivery.owner.clone() {
        None => deliver_now(runtime, delivery, ends, None),
        Some(owner) => {
            let continues =
                matches!(*delivery.message, InstanceMessage::StartMore { turn, .. } if turn > 1);
            let turns = &runtime.outbox.loop_turns;
            turns.enter(owner, (delivery, ends), continues);
            loop_turns::hand_out(runtime);
        }
    }
}

fn deliver_now(
    runtime: &Arc<Runtime>,
    delivery: OutboxDelivery,
    ends: u64,
    place: Option<LoopPlace>,
) {
    let request = match &*delivery.message {
        InstanceMessage::EndDescendants => {
            return end_descendants::end_descendants(runtime, delivery);
        }
        InstanceMessage::Start { .. } => match start(runtime, &delivery, ends) {
            Ok(Startable::Now(request)) => request,
            Ok(Startable::Once(known)) => {
                let again = runtime.clone();
                let definitions = &runtime.definitions;
                return definitions.fetch_then(known, move |process| match process {
                    Ok(_in_memory) => deliver(&again, delivery, ends),
                    Err(error) => not_startable(&again, delivery, error.to_string()),
                });
            }
            Err(sentence) => return not_startable(runtime, delivery, sentence),
        },
        InstanceMessage::StartByEvent { .. } => {
            return match joining::join_or_start(runtime, delivery) {
                Ok(()) => {}
                Err(delivery) => start_by_event(runtime, delivery),
            };
        }
        InstanceMessage::Note { .. } | InstanceMessage::BroadcastMore { .. } => {
            return correlating::deliver_note(runtime, delivery);
        }
        InstanceMessage::Delivery(event) => InstanceRequest::Apply {
            command: Box::new(Command::Deliver(Box::new(EventDelivery {
                trace: delivery.trace.clone(),
                ..event.clone()
            }))),
            tag: None,
            if_seq: None,
        },
        message => {
            let receive = Command::Receive {
                from: delivery.source.instance(),
                number: delivery.number,
                message: Box::new(message.clone()),
                trace: delivery.trace.clone(),
            };
            InstanceRequest::Apply {
                command: Box::new(receive),
                tag: None,
                if_seq: None,
            }
        }
    };
    send_to_instance(runtime, delivery, request, place);
}

/// Starts an instance for an event, whatever becomes of other deliveries of the event.
fn start_by_event(runtime: &Arc<Runtime>, delivery: OutboxDelivery) {
    match correlating::start(runtime, &delivery) {
        Ok(request) => send_to_instance(runtime, delivery, request, None),
        Err(sentence) => correlating::not_startable(runtime, delivery, sentence),
    }
}

fn send_to_instance(
    runtime: &Arc<Runtime>,
    delivery: OutboxDelivery,
    request: InstanceRequest,
    place: Option<LoopPlace>,
) {
    let target = delivery.target.instance();
    let answered = {
        let runtime = runtime.clone();
        ReplyTo::to(move |answer| {
            on_answer(&runtime, delivery, answer);
            drop(place);
        })
    };
    runtime.dispatch(
        target,
        Envelope {
            caller: None,
            request,
            reply: answered,
        },
    );
}

/// When a start can be delivered.
enum Startable {
    /// Immediately.
    Now(InstanceRequest),
    /// Once its version is in memory again.
    Once(Arc<KnownVersion>),
}

fn start(runtime: &Runtime, delivery: &OutboxDelivery, ends: u64) -> Result<Startable, String> {
    let InstanceMessage::Start {
        head,
        start_condition,
        command: tag,
    } = &*delivery.message
    else {
        return Err("the message is no start".to_owned());
    };
    // A client's start was checked with the version that it names.
    let (definitions, id) = (&runtime.definitions, &head.process.id);
    let process = match tag {
        Some(_) => {
            let known = definitions.of_instance(&head.tenant, &head.process);
            let version = head.process.version;
            let known =
                known.ok_or_else(|| format!("version {version} of process '{id}' is gone"))?;
            match known.in_memory() {
                Some(process) => Ok(process),
                None => return Ok(Startable::Once(known)),
            }
        }
        None => definitions
            .published(&head.tenant, id)
            .ok_or_else(|| format!("no version of process '{id}' is published")),
    }?;
    let mut head = (**head).clone();
    head.process = process.reference();
    let command = StartInstance {
        head,
        start_condition: start_condition.clone(),
        start_event: None,
        trace: delivery.trace.clone(),
    };
    let place = Some(TreePlace {
        tree: delivery.tree.clone(),
        ends,
        counted: true,
    });
    let start = ResolvedStart {
        command,
        process,
        tag: tag.clone(),
        place,
    };
    Ok(Startable::Now(InstanceRequest::Start(Box::new(start))))
}

fn on_answer(runtime: &Arc<Runtime>, delivery: OutboxDelivery, answer: InstanceResponse) {
    if let InstanceResponse::Refused(refusal) = &answer
        && let Some(pause) = refusal.again_after(AGAIN)
    {
        return again(runtime, delivery, pause);
    }
    if !delivery.source.is_instance() {
        return correlating::on_answer(runtime, delivery, &answer);
    }
    match answer {
        InstanceResponse::Refused(Refusal::Rejected(rejection)) if delivery.is_start() => {
            not_startable(runtime, delivery, rejection.message);
        }
        InstanceResponse::Refused(Refusal::Rejected(rejection))
            if rejection.kind != RejectionKind::NotFound =>
        {
            log::warn!(
                "a message from {} to {} was refused and is dropped: {}",
                delivery.source.key,
                delivery.target.key,
                rejection.message
            );
            runtime.outbox.taken(runtime, &delivery);
        }
        InstanceResponse::Applied(_) => runtime.outbox.taken(runtime, &delivery),
        _ => {
            if delivery.is_start() {
                // It was started before, and is counted as an instance.
                delivery.tree.shrink();
            }
            runtime.outbox.taken(runtime, &delivery);
        }
    }
}

/// Sends a message again after a pause. A start is checked again, because an instance above may have
/// ended meanwhile.
fn again(runtime: &Arc<Runtime>, delivery: OutboxDelivery, pause: Duration) {
    let later = runtime.clone();
    runtime.later(pause, move || {
        if delivery.waits_as_start() && delivery.tree.ends() > 0 {
            end_descendants::check(&later, &delivery.tree, delivery.pair());
        } else {
            deliver(&later, delivery, 0);
        }
    });
}

fn not_startable(runtime: &Arc<Runtime>, delivery: OutboxDelivery, sentence: String) {
    log::warn!(
        "instance {}: its child {} could not be started: {sentence}",
        delivery.source.key,
        delivery.target.key
    );
    instead(
        runtime,
        delivery,
        InstanceMessage::StartRefused { message: sentence },
    );
}

/// A child is not started: its parent receives this message instead.
fn instead(runtime: &Arc<Runtime>, delivery: OutboxDelivery, message: InstanceMessage) {
    let receive = Command::Receive {
        from: delivery.target.instance(),
        number: 1,
        message: Box::new(message.clone()),
        trace: delivery.trace.clone(),
    };
    let request = InstanceRequest::Apply {
        command: Box::new(receive),
        tag: None,
        if_seq: None,
    };
    let (source, answered) = (delivery.source.instance(), runtime.clone());
    let reply = ReplyTo::to(move |answer| {
        let pause = match &answer {
            InstanceResponse::Refused(refusal) => refusal.again_after(AGAIN),
            _ => None,
        };
        if let Some(pause) = pause {
            let again = answered.clone();
            return answered.later(pause, move || instead(&again, delivery, message));
        }
        delivery.tree.shrink();
        answered.outbox.taken(&answered, &delivery);
    });
    runtime.dispatch(
        source,
        Envelope {
            caller: None,
            request,
            reply,
        },
    );
}
