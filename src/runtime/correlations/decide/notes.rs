//! Notes of instances to the entity of a message or signal: what they wait for, took and throw, and
//! that an instance which the entity started does not begin or has ended.
//!
//! Not here: who receives what was thrown ([`decide`](super)).

use std::sync::Arc;

use super::CorrelationStep;
use crate::{
    engine::{correlation::CorrelationNote, record::CommandTag},
    model::ids::InstanceKey,
    runtime::correlations::{
        decided::{NotTaken, SettledDelivery},
        record::{CorrelationRecord, WaitingElement},
        state::Delivery,
    },
};

impl CorrelationStep<'_> {
    pub(super) fn note(&mut self, from: InstanceKey, tag: CommandTag, note: CorrelationNote) {
        match note {
            CorrelationNote::Opened {
                by,
                event,
                process,
                business_key,
            } => {
                let place = WaitingElement {
                    instance: from,
                    by,
                    event,
                };
                if self.state.at(&place).is_none() {
                    self.record(CorrelationRecord::Opened {
                        place,
                        process: process.clone(),
                        business_key,
                    });
                    self.offer(&process);
                }
            }
            CorrelationNote::Settled {
                by,
                event,
                taken,
                stays_open,
            } => {
                let place = WaitingElement {
                    instance: from,
                    by,
                    event,
                };
                self.settle(&place, taken, stays_open);
            }
            CorrelationNote::Published {
                data,
                until,
                business_key,
            } => {
                // The throw of an instance cannot be refused: without room it is not kept.
                let until = until.filter(|_| self.around.may_keep);
                let _ = self.publish(tag, (data, business_key), until, Some(from));
            }
            CorrelationNote::Ended => {
                if let Some(process) = self.process_of(from) {
                    self.record(CorrelationRecord::Ended {
                        process: process.clone(),
                    });
                    self.offer(&process);
                }
            }
            CorrelationNote::NotStarted { joined } => {
                if self.state.has_started(from) {
                    let process = self.process_of(from);
                    self.record(CorrelationRecord::NotStarted {
                        instance: from,
                        joined,
                    });
                    process.inspect(|process| self.offer(process));
                }
            }
        }
    }

    /// The process of which this instance is remembered as live.
    fn process_of(&self, instance: InstanceKey) -> Option<Arc<str>> {
        let mut live = self.state.processes_live().into_iter();
        live.find(|process| self.state.live(process) == Some(instance))
    }

    fn settle(&mut self, place: &WaitingElement, taken: Option<u64>, stays_open: bool) {
        let Some(subscription) = self.state.at(place) else {
            return;
        };
        let Some(waiting) = self.state.waiting(subscription) else {
            return;
        };
        let (process, under_way) = (waiting.process.clone(), waiting.under_way.clone());
        let is_known = |number: &u64| under_way.iter().any(|delivery| delivery.number == *number);
        let taken = taken.filter(is_known);
        if stays_open && taken.is_none() {
            // The delivery has already ended.
            return;
        }
        self.record(CorrelationRecord::Settled {
            subscription,
            taken,
            stays_open,
        });
        for delivery in under_way {
            let is_taken = taken == Some(delivery.number);
            if is_taken || !stays_open {
                self.settled(delivery, is_taken);
            }
        }
        self.offer(&process);
    }

    /// A delivery has ended: a message that was not taken goes to another receiver.
    fn settled(&mut self, delivery: Delivery, is_taken: bool) {
        let before = self.outgoing.len();
        if !is_taken && !self.is_signal() {
            self.correlate(delivery.publication);
        }
        let not_taken = (!is_taken).then(|| NotTaken {
            instead: self.outgoing[before..].iter().map(|it| it.number).collect(),
            outcome: self.state.outcome(delivery.publication),
        });
        self.settled.push(SettledDelivery {
            number: delivery.number,
            not_taken,
        });
        if !self.is_signal() {
            self.end_if_done(delivery.publication);
        }
    }
}
