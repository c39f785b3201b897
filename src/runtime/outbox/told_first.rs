//! What an instance sends before it starts or ends: its calls begin, and its end is delivered, once
//! those who bring messages and signals know what it waits for, and once what it has thrown was
//! brought.
//!
//! So a boundary event of a call activity takes what the called process throws as its last step: its
//! activity is still active by then. What is thrown is waited for as long as
//! [`limits::PUBLISH_PATIENCE`], as one receiver may take its time.
//!
//! Not here: who gets what was thrown (`correlations`).

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

/// The messages that wait for earlier ones of the same sender.
#[derive(Default)]
pub struct ToldFirst {
    /// By the instance that tells.
    telling: DashMap<InstanceKey, Telling>,
    /// What entities have in progress to instances, and which throws wait for it.
    bringing: DashMap<(Entity, u64), Vec<Arc<Thrown>>>,
}

#[derive(Default)]
struct Telling {
    /// The messages that were sent and are not finished.
    open: usize,
    /// What comes after it.
    waiting: Vec<Pair>,
}

/// Something thrown that is being brought.
struct Thrown {
    delivery: OutboxDelivery,
    goes_on: bool,
    /// What is still in progress; `None` once it is over.
    left: Mutex<Option<BTreeSet<u64>>>,
    /// Ends what waits for its patience to be over.
    over: Notify,
}

impl Thrown {
    /// One was brought; whether it was the last one.
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

    /// Nothing of it is waited for any more; whether anything was.
    fn give_up(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.take().is_some()
    }
}

impl ToldFirst {
    /// A message is posted.
    pub fn posted(&self, delivery: &OutboxDelivery) {
        if !delivery.source.is_instance() {
            let bringing = (delivery.source, delivery.number);
            self.bringing.entry(bringing).or_default();
        } else if is_note(delivery) {
            let mut telling = self.telling.entry(delivery.source.instance()).or_default();
            telling.open += 1;
        }
    }

    /// Whether a message waits for earlier ones of its sender; then its pair is kept.
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

    /// A message was taken: what waited for that.
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

/// What waited for a message that was taken.
pub enum HeldBehind {
    /// Messages of the same sender, by their pairs.
    Pairs(Vec<Pair>),
    /// What was thrown and has been brought with this.
    Brought(Vec<Brought>),
}

/// Something thrown that was brought to all it was waited for.
pub struct Brought(Arc<Thrown>);

impl Brought {
    /// Goes on with it: with those it is brought to next, or with what comes after it.
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

/// An entity has taken its message: that is finished, but for something thrown, which is to be
/// brought first.
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
        // Some of it may have been answered before.
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
    // It counts as nothing in progress: the deliveries do.
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
