//! The order of an instance's messages around calls and its end: its calls begin, and its end is
//! delivered, only after the entities of messages and signals have received what it waits for, and
//! after what it has thrown was delivered.
//!
//! So a boundary event of a call activity catches what the called process throws as its last step,
//! because the activity is still active by then. The wait for deliveries is limited to
//! [`limits::PUBLISH_WAIT`], because one receiver may take long.
//!
//! Not here: who receives what was thrown (`correlations`).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use dashmap::{DashMap, Entry};
use tokio::sync::Notify;

use super::{OutboxDelivery, correlating, delivery_queue::Pair};
use crate::{
    engine::{correlation::CorrelationNote, instance_message::InstanceMessage},
    journal::Entity,
    limits,
    model::ids::InstanceKey,
    runtime::{Runtime, correlations::decided::CorrelationAnswer},
};

/// Messages that wait for earlier ones of the same sender.
#[derive(Default)]
pub struct DeliveryOrder {
    /// By the sending instance.
    senders: DashMap<InstanceKey, SenderOrder>,
    /// Deliveries of entities in progress, and the throws that wait for them.
    deliveries: DashMap<(Entity, u64), Vec<Arc<Thrown>>>,
}

#[derive(Default)]
struct SenderOrder {
    /// The number of messages that were sent and have not ended.
    open: usize,
    /// The messages that wait for them.
    waiting: Vec<Pair>,
}

/// A throw whose deliveries are in progress.
struct Thrown {
    delivery: OutboxDelivery,
    is_partial: bool,
    /// The deliveries still in progress; `None` once the wait is over.
    left: Mutex<Option<BTreeSet<u64>>>,
    /// Ends the wait before its deadline.
    over: Notify,
}

impl Thrown {
    /// A delivery has ended; returns whether it was the last one.
    fn delivery_ended(&self, number: u64) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = left.as_mut().is_some_and(|left| {
            left.remove(&number);
            left.is_empty()
        });
        if is_last {
            *left = None;
            self.over.notify_one();
        }
        is_last
    }

    /// Ends the wait; returns whether there was one.
    fn give_up(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.take().is_some()
    }
}

impl DeliveryOrder {
    /// A message was posted.
    pub fn posted(&self, delivery: &OutboxDelivery) {
        if !delivery.source.is_instance() {
            let deliveries = (delivery.source, delivery.number);
            self.deliveries.entry(deliveries).or_default();
        } else if is_note(delivery) {
            let mut senders = self.senders.entry(delivery.source.instance()).or_default();
            senders.open += 1;
        }
    }

    /// Whether a message has to wait for earlier ones of its sender; then its pair is remembered.
    pub fn waits(&self, delivery: &OutboxDelivery) -> bool {
        let may_wait = matches!(
            *delivery.message,
            InstanceMessage::Start { .. } | InstanceMessage::Ended { .. }
        );
        if !may_wait {
            return false;
        }
        let senders = self.senders.get_mut(&delivery.source.instance());
        senders.is_some_and(|mut senders| {
            senders.waiting.push(delivery.pair());
            true
        })
    }

    /// A message was delivered; returns the messages that waited for it.
    pub fn taken(&self, delivery: &OutboxDelivery) -> Unblocked {
        if !delivery.source.is_instance() {
            let deliveries = (delivery.source, delivery.number);
            let thrown = self
                .deliveries
                .remove(&deliveries)
                .map(|(_, thrown)| thrown);
            let thrown = thrown.into_iter().flatten();
            let ended = thrown.filter(|thrown| thrown.delivery_ended(delivery.number));
            return Unblocked::Throws(ended.map(EndedThrow).collect());
        }
        if !is_note(delivery) {
            return Unblocked::Pairs(Vec::new());
        }
        let Entry::Occupied(mut senders) = self.senders.entry(delivery.source.instance()) else {
            return Unblocked::Pairs(Vec::new());
        };
        senders.get_mut().open -= 1;
        if senders.get().open > 0 {
            return Unblocked::Pairs(Vec::new());
        }
        Unblocked::Pairs(senders.remove().waiting)
    }
}

/// The messages that waited for a delivered one.
pub enum Unblocked {
    /// Messages of the same sender, by their pairs.
    Pairs(Vec<Pair>),
    /// Throws whose last delivery this was.
    Throws(Vec<EndedThrow>),
}

/// A throw whose deliveries have all ended.
pub struct EndedThrow(Arc<Thrown>);

impl EndedThrow {
    /// Continues with the next deliveries, or with the messages that waited.
    pub fn resume(self, runtime: &Arc<Runtime>) {
        let delivery = self.0.delivery.clone();
        if self.0.is_partial {
            correlating::deliver_note(runtime, delivery);
        } else {
            runtime.outbox.taken(runtime, &delivery);
        }
    }
}

fn is_note(delivery: &OutboxDelivery) -> bool {
    matches!(*delivery.message, InstanceMessage::Note { .. })
}

/// Whether an instance throws a message or signal by it.
pub fn is_thrown(delivery: &OutboxDelivery) -> bool {
    matches!(
        &*delivery.message,
        InstanceMessage::Note {
            note: CorrelationNote::Published { .. },
            ..
        }
    )
}

/// An entity has received its message. The message ends, unless it was a throw whose deliveries
/// have to end first.
pub fn received(runtime: &Arc<Runtime>, delivery: OutboxDelivery, answer: CorrelationAnswer) {
    let CorrelationAnswer {
        mut awaited,
        is_partial,
        is_repeat,
        ..
    } = answer;
    let first = &runtime.outbox.delivery_order;
    let entity = delivery.target;
    if is_repeat {
        // Some of the deliveries may have ended before.
        awaited.retain(|number| first.deliveries.contains_key(&(entity, *number)));
    }
    if !is_thrown(&delivery) || awaited.is_empty() && !is_partial {
        return runtime.outbox.taken(runtime, &delivery);
    }
    let thrown = Arc::new(Thrown {
        delivery,
        is_partial,
        left: Mutex::new(Some(awaited.iter().copied().collect())),
        over: Notify::new(),
    });
    for number in &awaited {
        let mut deliveries = first.deliveries.entry((entity, *number)).or_default();
        deliveries.push(thrown.clone());
    }
    let again = runtime.clone();
    if awaited.is_empty() {
        return runtime.later(super::AGAIN, move || EndedThrow(thrown).resume(&again));
    }
    // Not counted as in progress, because the deliveries are.
    runtime.services.spawn(async move {
        let over = thrown.over.notified();
        if tokio::time::timeout(limits::PUBLISH_WAIT, over)
            .await
            .is_err()
            && thrown.give_up()
        {
            EndedThrow(thrown).resume(&again);
        }
    });
}
