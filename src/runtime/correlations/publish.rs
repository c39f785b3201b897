//! Publications by clients: the answer waits until the instances have received the publication, and
//! names them.
//!
//! This module also counts the messages that are kept until an element waits for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dashmap::{DashMap, Entry};
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    CorrelationRequest, Correlations, Outcome,
    decide::CorrelationCommand,
    decided::{CorrelationAnswer, NotTaken, SettledDelivery},
};
use crate::{
    engine::{access::Caller, correlation::Correlation, record::CommandTag},
    journal::{Entity, EntityKind, KeptMessage, KeptMessageRow},
    limits,
    model::ids::{InstanceKey, Time},
    runtime::{Runtime, event_log::NotedPublication, instance_request::Refusal, keys},
};

/// Sorts before every other entity.
const FIRST: Entity = Entity {
    kind: EntityKind::Instance,
    key: Uuid::nil(),
};

/// A publication by a client.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// The publisher; `None` for the server itself.
    pub by: Option<Caller>,
    /// Tenant of the publisher.
    pub tenant: String,
    /// Which message or signal.
    pub correlation: Correlation,
    /// The data; an object.
    pub data: Value,
    /// Until when it is kept for elements that do not wait yet.
    pub until: Option<Time>,
    /// The business key of instances that it starts; a message goes only to instances with it.
    pub business_key: Option<String>,
    /// Identity of the command.
    pub tag: CommandTag,
}

/// The result of a publication.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// The instances that received it, or to which it is in delivery.
    pub outcome: Outcome,
    /// Instances that could not begin, each with the reason.
    pub refused: Vec<(InstanceKey, String)>,
    /// Whether it repeats an earlier command, and so had no effect of its own.
    pub is_repeat: bool,
}

/// The outcome in place of the start of an instance.
#[derive(Clone, Debug)]
pub(in crate::runtime) enum NotStartedReason {
    /// Another instance took the publication.
    Joined(InstanceKey),
    /// It could not begin; the sentence says why.
    Refused(String),
}

/// Receives the result.
pub type PublishReply = Box<dyn FnOnce(Result<Published, Refusal>) + Send + Sync>;

type Kept = BTreeMap<String, BTreeSet<(Time, Entity, u64)>>;

/// Publications that wait for their deliveries, and the kept messages.
pub struct Publishing {
    /// By delivery: the publisher, and those who have repeated the publication meanwhile.
    waiting: DashMap<(Entity, u64), Vec<Arc<Waiter>>>,
    /// Kept messages, by tenant: until when, of which entity, with which number.
    kept: Mutex<Kept>,
}

struct Waiter {
    inner: Mutex<PendingPublication>,
    /// Ends the wait before its deadline.
    answered: Notify,
}

struct PendingPublication {
    left: BTreeSet<u64>,
    published: Published,
    reply: Option<PublishReply>,
}

impl PendingPublication {
    /// Records that an instance did not begin.
    fn not_started(&mut self, instance: InstanceKey, instead: NotStartedReason) {
        let outcome = &mut self.published.outcome;
        match instead {
            NotStartedReason::Joined(joined) => outcome.not_started(instance, Some(joined)),
            NotStartedReason::Refused(why) => {
                outcome.not_started(instance, None);
                self.published.refused.push((instance, why));
            }
        }
    }
}

impl Waiter {
    fn lock(&self) -> MutexGuard<'_, PendingPublication> {
        // Code under this lock cannot panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self) {
        let mut waited = self.lock();
        let Some(reply) = waited.reply.take() else {
            return;
        };
        let published = std::mem::take(&mut waited.published);
        drop(waited);
        self.answered.notify_one();
        reply(Ok(published));
    }
}

impl Publishing {
    /// With the kept messages of a store.
    pub(super) fn load(rows: Vec<KeptMessageRow>) -> Self {
        let mut kept = Kept::new();
        for row in rows {
            let of_tenant = kept.entry(row.tenant).or_default();
            of_tenant.insert((row.until, row.entity, row.number));
        }
        Self {
            waiting: DashMap::new(),
            kept: Mutex::new(kept),
        }
    }

    /// Whether one more message of a tenant may be kept.
    pub(super) fn has_room(&self, tenant: &str, now: Time) -> bool {
        let mut kept = self.kept();
        for of_tenant in kept.values_mut() {
            *of_tenant = of_tenant.split_off(&(Time(now.0 + 1), FIRST, 0));
        }
        kept.retain(|_, of_tenant| !of_tenant.is_empty());
        kept.get(tenant).map_or(0, BTreeSet::len) < limits::MESSAGES_KEPT.get()
            && kept.values().map(BTreeSet::len).sum::<usize>() < limits::MESSAGES_KEPT_IN_ALL.get()
    }

    /// Counts a kept message.
    pub(super) fn keep(&self, tenant: &str, entity: Entity, kept: KeptMessage) {
        let KeptMessage { number, until } = kept;
        let mut all = self.kept();
        let of_tenant = all.entry(tenant.to_owned()).or_default();
        of_tenant.insert((until, entity, number));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivered(
        &self,
        source: Entity,
        number: u64,
        not_started: Option<(InstanceKey, NotStartedReason)>,
    ) {
        self.over(source, number, &[], |waited| {
            if let Some((instance, instead)) = not_started.clone() {
                waited.not_started(instance, instead);
            }
        });
    }

    /// A delivery has ended. When it was not taken, its publisher is answered once the deliveries
    /// that replace it have ended, if there are any.
    pub(super) fn settled(&self, source: Entity, settled: SettledDelivery) {
        match settled.not_taken {
            None => self.over(source, settled.number, &[], |_| {}),
            Some(NotTaken { instead, outcome }) => {
                self.over(source, settled.number, &instead, |waited| {
                    waited.published.outcome = outcome.clone();
                });
            }
        }
    }

    /// Waits no longer for a delivery, but for those that replace it.
    fn over(
        &self,
        source: Entity,
        number: u64,
        instead: &[u64],
        note: impl Fn(&mut PendingPublication),
    ) {
        let Some((_, waiters)) = self.waiting.remove(&(source, number)) else {
            return;
        };
        for waiter in waiters {
            let mut waited = waiter.lock();
            waited.left.remove(&number);
            waited.left.extend(instead);
            note(&mut waited);
            let is_done = waited.left.is_empty();
            drop(waited);
            for number in instead {
                self.wait(source, *number, &waiter);
            }
            if is_done {
                waiter.answer();
            }
        }
    }

    fn wait(&self, source: Entity, number: u64, waiter: &Arc<Waiter>) {
        let mut waiters = self.waiting.entry((source, number)).or_default();
        waiters.push(waiter.clone());
    }

    /// The deadline of a wait has passed.
    fn wait_no_more(&self, source: Entity, waiter: &Arc<Waiter>) {
        let left = std::mem::take(&mut waiter.lock().left);
        for number in left {
            if let Entry::Occupied(mut waiters) = self.waiting.entry((source, number)) {
                waiters.get_mut().retain(|it| !Arc::ptr_eq(it, waiter));
                if waiters.get().is_empty() {
                    waiters.remove();
                }
            }
        }
        waiter.answer();
    }
}

impl Correlations {
    /// A delivery of an entity was answered; `not_started` names an instance that did not begin.
    pub(in crate::runtime) fn delivered(
        &self,
        source: Entity,
        number: u64,
        not_started: Option<(InstanceKey, NotStartedReason)>,
    ) {
        self.publishing.delivered(source, number, not_started);
    }
}

impl Runtime {
    /// Publishes a message or signal: at once to the elements that wait for it and the processes
    /// that it starts, and, as long as it is kept, to elements that begin to wait. It is received
    /// after everything that instances have posted so far. A repeat of the command has no second
    /// effect.
    pub fn publish(self: &Arc<Self>, request: PublishRequest, reply: PublishReply) {
        let PublishRequest {
            by,
            tenant,
            correlation,
            data,
            until,
            business_key,
            tag,
        } = request;
        let trace = by.as_ref().and_then(|by| by.trace.as_deref().cloned());
        let noted = NotedPublication::of(by, &correlation);
        let entity = keys::of_correlation(&tenant, &correlation);
        let runtime = self.clone();
        let active = self.active();
        let command = CorrelationCommand::Publish {
            tag,
            data,
            until,
            business_key: business_key.map(Arc::from),
        };
        let (note, turn) = self.outbox.unreceived.turn(entity).unzip();
        let reply = Box::new(move |answer: Result<CorrelationAnswer, Refusal>| {
            drop(active);
            match answer {
                Err(refusal) => {
                    if let Some(note) = note {
                        runtime.outbox.unreceived.received(entity, note);
                    }
                    reply(Err(refusal));
                }
                Ok(CorrelationAnswer {
                    mut awaited,
                    outcome,
                    is_repeat,
                    ..
                }) => {
                    if is_repeat {
                        // Only the outbox knows whether the starts are still in progress.
                        let started = outcome.started.iter();
                        let first = |instance| runtime.outbox.first_to(entity, instance);
                        awaited.extend(started.filter_map(|instance| first(*instance)));
                    }
                    let published = Published {
                        outcome,
                        is_repeat,
                        ..Published::default()
                    };
                    runtime.wait_for(entity, awaited, published, reply)
                }
            }
        });
        let request = CorrelationRequest {
            tenant,
            correlation,
            command,
            trace,
            noted,
            note,
            reply,
        };
        let Some(turn) = turn else {
            return self.correlate(request);
        };
        let runtime = self.clone();
        self.services.spawn(async move {
            // Beyond the deadline it is published before the notes that are still in delivery.
            let _in_time = tokio::time::timeout(limits::PUBLISH_WAIT, turn).await;
            runtime.correlate(request);
        });
    }

    fn wait_for(
        self: &Arc<Self>,
        entity: Entity,
        numbers: Vec<u64>,
        published: Published,
        reply: PublishReply,
    ) {
        if numbers.is_empty() {
            return reply(Ok(published));
        }
        let waiter = Arc::new(Waiter {
            inner: Mutex::new(PendingPublication {
                left: numbers.iter().copied().collect(),
                published,
                reply: Some(reply),
            }),
            answered: Notify::new(),
        });
        let publishing = &self.correlations.publishing;
        for number in numbers {
            publishing.wait(entity, number, &waiter);
        }
        let runtime = self.clone();
        // Not counted as in progress, because the deliveries are.
        self.services.spawn(async move {
            let answered = waiter.answered.notified();
            if tokio::time::timeout(limits::PUBLISH_WAIT, answered)
                .await
                .is_err()
            {
                let publishing = &runtime.correlations.publishing;
                publishing.wait_no_more(entity, &waiter);
            }
        });
    }
}
