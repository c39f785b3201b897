//! The order of an instance's messages around calls and its end: its calls begin, and its end is
//! delivered, only after the entities of messages and signals have received what it waits for, and
//! after what it has thrown was delivered.
//!
//! So a boundary event of a call activity catches what the called process throws as its last step,
//! because the activity is still active by then. The wait for deliveries is limited to
//! [`limits::PUBLISH_PATIENCE`], because one receiver may take long.
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
pub struct ToldFirst {
    /// By the sending instance.
    telling: DashMap<InstanceKey, Telling>,
    /// Deliveries of entities in progress, and the throws that wait for them.
    bringing: DashMap<(Entity, u64), Vec<Arc<Thrown>>>,
}

#[derive(Default)]
struct Telling {
    /// The number of messages that were sent and have not ended.
    open: usize,
    /// The messages that wait for them.
    waiting: Vec<Pair>,
}

/// A throw whose deliveries are in progress.
struct Thrown {
    delivery: OutboxDelivery,
    goes_on: bool,
    /// The deliveries still in progress; `None` once the wait is over.
    left: Mutex<Option<BTreeSet<u64>>>,
    /// Ends the wait before its deadline.
    over: Notify,
}

impl Thrown {
    /// A delivery has ended; returns whether it was the last one.
    fn brought(&self, number: u64) -> bool {
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

impl ToldFirst {
    /// A message was posted.
    pub fn posted(&self, delivery: &OutboxDelivery) {
        if !delivery.source.is_instance() {
            let bringing = (delivery.source, delivery.number);
            self.bringing.entry(bringing).or_default();
        } else if is_note(delivery) {
            let mut telling = self.telling.entry(delivery.source.instance()).or_default();
            telling.open += 1;
        }
    }

    /// Whether a message has to wait for earlier ones of its sender; then its pair is remembered.
    pub fn waits(&self, delivery: &OutboxDelivery) -> bool {
        let comes_after = matches!(
            *delivery.message,
            InstanceMessage::Start { .. } | InstanceMessage::Ended { .. }
        );
        if !comes_after {
            return false;
        }
        let telling = self.telling.get_mut(&delivery.source.instance());
        telling.is_some_and(|mut telling| {
            telling.waiting.push(delivery.pair());
            true
        })
    }

    /// A message was delivered; returns what waited for that.
    pub fn taken(&self, delivery: &OutboxDelivery) -> HeldBehind {
        if !delivery.source.is_instance() {
            let bringing = (delivery.source, delivery.number);
            let thrown = self.bringing.remove(&bringing).map(|(_, thrown)| thrown);
            let thrown = thrown.into_iter().flatten();
            let brought = thrown.filter(|thrown| thrown.brought(delivery.number));
            return HeldBehind::Brought(brought.map(Brought).collect());
        }
        if !is_note(delivery) {
            return HeldBehind::Pairs(Vec::new());
        }
        let Entry::Occupied(mut telling) = self.telling.entry(delivery.source.instance()) else {
            return HeldBehind::Pairs(Vec::new());
        };
        telling.get_mut().open -= 1;
        if telling.get().open > 0 {
            return HeldBehind::Pairs(Vec::new());
        }
        HeldBehind::Pairs(telling.remove().waiting)
    }
}

/// What waited for a message that was delivered.
pub enum HeldBehind {
    /// Messages of the same sender, by their pairs.
    Pairs(Vec<Pair>),
    /// Throws whose last delivery this was.
    Brought(Vec<Brought>),
}

/// A throw whose deliveries have all ended.
pub struct Brought(Arc<Thrown>);

impl Brought {
    /// Continues with the next deliveries, or with the messages that waited.
    pub fn go_on(self, runtime: &Arc<Runtime>) {
        let delivery = self.0.delivery.clone();
        if self.0.goes_on {
            correlating::tell(runtime, delivery);
        } else {
            runtime.outbox.taken(runtime, &delivery);
        }
    }
}

fn is_note(delivery: &OutboxDelivery) -> bool {
    matches!(*delivery.message, InstanceMessage::Note { .. })
}

fn is_thrown(delivery: &OutboxDelivery) -> bool {
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
pub fn told(runtime: &Arc<Runtime>, delivery: OutboxDelivery, answer: CorrelationAnswer) {
    let CorrelationAnswer {
        mut awaited,
        goes_on,
        is_repeat,
        ..
    } = answer;
    let first = &runtime.outbox.told_first;
    let entity = delivery.target;
    if is_repeat {
        // Some of the deliveries may have ended before.
        awaited.retain(|number| first.bringing.contains_key(&(entity, *number)));
    }
    if !is_thrown(&delivery) || awaited.is_empty() && !goes_on {
        return runtime.outbox.taken(runtime, &delivery);
    }
    let thrown = Arc::new(Thrown {
        delivery,
        goes_on,
        left: Mutex::new(Some(awaited.iter().copied().collect())),
        over: Notify::new(),
    });
    for number in &awaited {
        let mut bringing = first.bringing.entry((entity, *number)).or_default();
        bringing.push(thrown.clone());
    }
    let again = runtime.clone();
    if awaited.is_empty() {
        return runtime.later(super::AGAIN, move || Brought(thrown).go_on(&again));
    }
    // Not counted as in progress, because the deliveries are.
    runtime.services.spawn(async move {
        let over = thrown.over.notified();
        if tokio::time::timeout(limits::PUBLISH_PATIENCE, over)
            .await
            .is_err()
            && thrown.give_up()
        {
            Brought(thrown).go_on(&again);
        }
    });
}
