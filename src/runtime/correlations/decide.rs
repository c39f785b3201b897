//! Decides the effect of a command on the entity of a message or signal: who receives a
//! publication, what it starts, what is kept. Pure: time and keys are arguments.
//!
//! A message goes to each process once: to the subscription that has waited longest there (with its
//! business key, if it has one), otherwise it starts an instance. A delivery occupies its
//! subscription until the instance has reported whether it took the message; a message that was not
//! taken goes to the next subscription. A signal goes to all subscriptions, a limited number in a
//! step.
//!
//! # Rationale
//!
//! **A publication without effect writes no row**: publishing names that nobody waits for takes no
//! disk space.

mod notes;
mod starting;

use std::sync::Arc;

use serde_json::Value;

use super::{
    decided::{Decided, NotPublished, Outgoing, SettledDelivery},
    outcome::Outcome,
    record::{CorrelationRecord, CorrelationRow},
    state::CorrelationState,
};
use crate::{
    engine::{
        correlation::{Correlation, CorrelationNote, EventDelivery},
        instance_message::InstanceMessage,
        record::CommandTag,
        trace::TraceContext,
    },
    limits,
    model::{
        event_definition::EventRef,
        ids::{InstanceKey, Time},
    },
};

/// A command to an entity.
#[derive(Clone, Debug)]
pub enum CorrelationCommand {
    /// A note of an instance.
    Note {
        /// The instance.
        from: InstanceKey,
        /// The identity of its publication.
        tag: CommandTag,
        /// The content of the note.
        note: CorrelationNote,
    },
    /// A client publishes.
    Publish {
        /// Identity of the command.
        tag: CommandTag,
        /// The data; an object.
        data: Value,
        /// Until when it is kept for elements that do not wait yet.
        until: Option<Time>,
        /// The business key of instances that it starts; a message goes only to instances with it.
        business_key: Option<Arc<str>>,
    },
    /// Continue a broadcast.
    Continue(u64),
    /// Ask which instance of a process started by it is live; changes nothing.
    Live(Arc<str>),
    /// Ask to which instance the start of this one was offered; changes nothing.
    Offered(InstanceKey),
    /// Offer the start of an instance to another one, which may take it instead.
    Offer {
        /// The id of its process.
        process: Arc<str>,
        /// The instance.
        instance: InstanceKey,
        /// The other instance.
        to: InstanceKey,
    },
}

/// A start event at which a message or signal starts a process.
#[derive(Clone, Debug)]
pub struct EventStart {
    /// The id of the process.
    pub process: Arc<str>,
    /// The event definition.
    pub event: EventRef,
    /// Whether further messages may join the started instance: the event is behind a parallel
    /// event-based gateway, or has several definitions that have to occur together.
    pub gathers: bool,
}

/// The context of a decision, apart from the state.
pub struct CorrelationContext<'a> {
    /// Process time.
    pub now: Time,
    /// The tenant of the entity.
    pub tenant: &'a str,
    /// Which message or signal.
    pub correlation: &'a Correlation,
    /// The start events that it reaches.
    pub starts: &'a [EventStart],
    /// Generates the key of an instance that a publication starts.
    pub start_key: &'a dyn Fn(u64, &str) -> InstanceKey,
    /// Whether one more message may be kept for elements that do not wait yet.
    pub may_keep: bool,
    /// The trace that the command belongs to.
    pub trace: Option<TraceContext>,
}

/// Applies a command.
///
/// # Errors
/// [`NotPublished`]; the state is unchanged then.
pub fn decide(
    state: &mut CorrelationState,
    command: CorrelationCommand,
    around: &CorrelationContext<'_>,
) -> Result<Decided, NotPublished> {
    let mut step = CorrelationStep {
        first_seq: state.seq() + 1,
        state,
        around,
        records: Vec::new(),
        outgoing: Vec::new(),
        awaited: Vec::new(),
        settled: Vec::new(),
        live: None,
        is_partial: false,
    };
    let outcome = match command {
        CorrelationCommand::Publish {
            tag,
            data,
            until,
            business_key,
        } => step.publish(tag, (data, business_key), until, None)?,
        CorrelationCommand::Note { from, tag, note } => {
            step.note(from, tag, note);
            Outcome::default()
        }
        CorrelationCommand::Continue(publication) => {
            step.broadcast(publication);
            Outcome::default()
        }
        CorrelationCommand::Live(process) => {
            step.live = step.state.live(&process);
            Outcome::default()
        }
        CorrelationCommand::Offered(instance) => {
            step.live = step.state.offered(instance);
            Outcome::default()
        }
        CorrelationCommand::Offer {
            process,
            instance,
            to,
        } => {
            if step.state.offered(instance) != Some(to) {
                step.record(CorrelationRecord::Offered {
                    process,
                    instance,
                    to,
                });
            }
            Outcome::default()
        }
    };
    Ok(step.finish(outcome))
}

struct CorrelationStep<'a> {
    state: &'a mut CorrelationState,
    around: &'a CorrelationContext<'a>,
    first_seq: u64,
    records: Vec<CorrelationRecord>,
    outgoing: Vec<Outgoing>,
    awaited: Vec<u64>,
    settled: Vec<SettledDelivery>,
    live: Option<InstanceKey>,
    is_partial: bool,
}

impl CorrelationStep<'_> {
    fn record(&mut self, record: CorrelationRecord) -> u64 {
        let seq = self.first_seq + self.records.len() as u64;
        self.state.apply(seq, &record);
        self.records.push(record);
        seq
    }

    fn is_signal(&self) -> bool {
        matches!(self.around.correlation, Correlation::Signal { .. })
    }

    fn publish(
        &mut self,
        tag: CommandTag,
        (data, business_key): (Value, Option<Arc<str>>),
        until: Option<Time>,
        thrown_by: Option<InstanceKey>,
    ) -> Result<Outcome, NotPublished> {
        let thrown_by = thrown_by.filter(|_| self.is_signal());
        if let Some((number, hash)) = self.state.seen(&tag) {
            if hash != tag.hash {
                return Err(NotPublished::IdReused);
            }
            self.awaited = self.state.under_way(number);
            self.is_partial = self.is_signal() && self.state.publication(number).is_some();
            return Ok(self.state.outcome(number));
        }
        let until = until.filter(|until| *until > self.around.now && !self.is_signal());
        if until.is_none() && !self.reaches_anybody(thrown_by, business_key.as_deref()) {
            // Without an effect there is nothing to repeat.
            return Ok(Outcome::default());
        }
        if until.is_some() && !self.around.may_keep {
            return Err(NotPublished::Full);
        }
        let receivers = self.is_signal().then(|| self.state.receivers());
        let number = self.record(CorrelationRecord::Published {
            tag,
            data: Arc::new(data),
            until,
            receivers,
            thrown_by,
            trace: self.around.trace.clone(),
            business_key,
        });
        if self.is_signal() {
            for start in self.around.starts {
                self.start(number, start, false);
            }
            self.broadcast(number);
        } else {
            self.correlate(number);
            self.end_if_done(number);
        }
        Ok(self.state.outcome(number))
    }

    /// Whether anybody would receive a publication now.
    fn reaches_anybody(&self, thrown_by: Option<InstanceKey>, business_key: Option<&str>) -> bool {
        if self.is_signal() {
            let waiting = self.state.between(0, u64::MAX, thrown_by, 1);
            return !self.around.starts.is_empty() || !waiting.is_empty();
        }
        let idle = self.state.idle(business_key);
        idle.is_some_and(|idle| !idle.is_empty())
            || self.around.starts.iter().any(|start| self.may_start(start))
    }

    fn may_start(&self, start: &EventStart) -> bool {
        self.around.correlation.key().is_none() || self.state.live(&start.process).is_none()
    }

    /// Offers the kept messages to a process in which an element has begun to wait, or which may
    /// start.
    fn offer(&mut self, process: &Arc<str>) {
        if self.is_signal() {
            return;
        }
        let now = self.around.now;
        let kept: Vec<(u64, bool)> = self
            .state
            .publications()
            .filter(|(_, kept)| kept.is_kept(now) && !kept.processes.contains(process))
            .map(|(number, kept)| (number, kept.business_key.is_some()))
            .collect();
        for (number, is_for_some) in kept {
            if !self.give(number, process) && !is_for_some {
                break;
            }
        }
    }

    /// Delivers a message to every process that has not received it yet.
    fn correlate(&mut self, number: u64) {
        let publication = self.state.publication(number);
        let business_key = publication.and_then(|kept| kept.business_key.as_deref());
        let idle = self.state.idle(business_key).into_iter();
        let waiting = idle.flat_map(|idle| idle.processes().cloned());
        let starts = self.around.starts.iter().map(|start| start.process.clone());
        let processes: Vec<Arc<str>> = waiting.chain(starts).collect();
        for process in processes {
            self.give(number, &process);
        }
    }

    /// Delivers a message to a process, unless it was delivered there before. `false` when nobody
    /// there can take it now.
    fn give(&mut self, number: u64, process: &Arc<str>) -> bool {
        let kept = self.state.publication(number);
        let Some(kept) = kept.filter(|kept| !kept.processes.contains(process)) else {
            return true;
        };
        let idle = self.state.idle(kept.business_key.as_deref());
        if let Some(subscription) = idle.and_then(|idle| idle.oldest(process)) {
            self.deliver(number, subscription);
            return true;
        }
        let start = self
            .around
            .starts
            .iter()
            .find(|start| start.process == *process);
        match start {
            Some(start) if self.may_start(start) => {
                let alone = self.around.correlation.key().is_some() || start.gathers;
                self.start(number, start, alone);
                true
            }
            _ => false,
        }
    }

    fn deliver(&mut self, publication: u64, subscription: u64) {
        let Some((data, trace)) = self
            .state
            .publication(publication)
            .map(|kept| (kept.data.clone(), kept.trace.clone()))
        else {
            return;
        };
        let Some(place) = self
            .state
            .waiting(subscription)
            .map(|waiting| waiting.place.clone())
        else {
            return;
        };
        let number = self.record(CorrelationRecord::Delivered {
            publication,
            subscription,
        });
        self.outgoing.push(Outgoing {
            number,
            target: Some(place.instance),
            message: InstanceMessage::Delivery(EventDelivery {
                by: place.by,
                event: place.event,
                number,
                data,
                trace: None,
            }),
            publication: Some(publication),
            trace,
        });
    }

    /// Delivers a signal to more of those that waited when it was published.
    fn broadcast(&mut self, publication: u64) {
        let Some(kept) = self.state.publication(publication) else {
            return;
        };
        let (reached, thrown_by) = (kept.reached, kept.thrown_by);
        let bytes = kept.data.to_string().len();
        let maximum =
            (limits::SIGNAL_FAN_OUT_BYTES / bytes.max(1)).clamp(1, limits::SIGNAL_FAN_OUT);
        let next = self
            .state
            .between(reached, publication, thrown_by, maximum + 1);
        for subscription in next.iter().take(maximum) {
            self.deliver(publication, *subscription);
        }
        if next.len() > maximum {
            self.is_partial = true;
            let number = self.record(CorrelationRecord::GoesOn { publication });
            self.outgoing.push(Outgoing {
                number,
                target: None,
                message: InstanceMessage::BroadcastMore {
                    tenant: self.around.tenant.to_owned(),
                    correlation: self.around.correlation.clone(),
                    publication,
                },
                publication: None,
                trace: self.around.trace.clone(),
            });
        } else {
            self.record(CorrelationRecord::Done { publication });
        }
    }

    fn end_if_done(&mut self, number: u64) {
        let now = self.around.now;
        let is_done = self
            .state
            .publication(number)
            .is_some_and(|kept| !kept.is_kept(now) && kept.under_way == 0);
        if is_done {
            self.record(CorrelationRecord::Done {
                publication: number,
            });
        }
    }

    fn finish(mut self, outcome: Outcome) -> Decided {
        if self.records.is_empty() {
            return Decided {
                outcome,
                awaited: self.awaited,
                live: self.live,
                is_partial: self.is_partial,
                ..Decided::default()
            };
        }
        if !self.is_signal() {
            let open: Vec<u64> = self
                .state
                .publications()
                .map(|(number, _)| number)
                .collect();
            for number in open {
                self.end_if_done(number);
            }
        }
        let row = CorrelationRow {
            first_seq: self.first_seq,
            records: self.records,
        };
        self.state.end_row(row.last_seq());
        // Those that are answered: the entity's messages to itself are not.
        let to_instances = self.outgoing.iter().filter(|sent| sent.target.is_some());
        Decided {
            row: Some(row),
            awaited: to_instances.map(|sent| sent.number).collect(),
            outgoing: self.outgoing,
            outcome,
            settled: self.settled,
            live: self.live,
            is_partial: self.is_partial,
        }
    }
}
